#include <endian.h>
#include <string.h>

#include "catalog/catalog-db.h"

/* ---- finding ---- */

/* The row of a bound statement as a name, its texts kept. */
static enum rc
take_name(struct catalog *c, sqlite3_stmt *q, struct catalog_kept *keep,
	struct catalog_name *ret, struct err *e)
{
	enum rc rc = catalog_db_step(c, q, e);

	return rc == OK ? catalog_db_name(c, q, 0, keep, ret, e) : rc;
}

enum rc
catalog_find(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, struct catalog_name *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_FIND, &q, e) != OK)
		return e->code;
	catalog_db_bind_bytes(q, 1, name, len);
	catalog_db_bind_i64(q, 2, id);
	return take_name(c, q, &c->find, ret, e);
}

/* What version.sum holds: an index that fits in a row of the b-tree. */
static int64_t
sum_of(const uint8_t sha256[HASH_LEN])
{
	int64_t v;

	memcpy(&v, sha256, sizeof(v));
	return (int64_t)be64toh((uint64_t)v);
}

static enum rc
find_sum(struct catalog *c, enum catalog_sql which, const char *source,
	const uint8_t sha256[HASH_LEN], uint64_t size,
	struct catalog_version *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, which, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, sum_of(sha256));
	catalog_db_bind_i64(q, 2, id);
	catalog_db_bind_bytes(q, 3, sha256, HASH_LEN);
	catalog_db_bind_u64(q, 4, size);
	rc = catalog_db_step(c, q, e);
	return rc == OK ? catalog_db_version(c, q, 0, &c->bytes, ret, e) : rc;
}

enum rc
catalog_find_bytes(struct catalog *c, const char *source,
	const uint8_t sha256[HASH_LEN], uint64_t size,
	struct catalog_version *ret, struct err *e)
{
	return find_sum(c, SQL_FIND_BYTES, source, sha256, size, ret, e);
}

enum rc
catalog_find_unpacked(struct catalog *c, const char *source,
	const uint8_t sha256[HASH_LEN], uint64_t size,
	struct catalog_version *ret, struct err *e)
{
	return find_sum(c, SQL_FIND_UNPACKED, source, sha256, size, ret, e);
}

enum rc
catalog_find_landed(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, struct catalog_version *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_FIND_LANDED, &q, e) != OK)
		return e->code;
	catalog_db_bind_bytes(q, 1, name, len);
	catalog_db_bind_i64(q, 2, id);
	rc = catalog_db_step(c, q, e);
	return rc == OK ? catalog_db_version(c, q, 0, &c->landed, ret, e) : rc;
}

enum rc
catalog_find_index(struct catalog *c, uint64_t index, struct catalog_name *ret,
	struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (index >= INT64_MAX)
		return END;
	if (catalog_db_use(c, SQL_FIND_INDEX, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, index + 1);
	return take_name(c, q, &c->index, ret, e);
}

enum rc
catalog_find_before(struct catalog *c, int64_t name, uint64_t index,
	uint64_t *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	if (catalog_db_use(c, SQL_FIND_BEFORE, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, name);
	catalog_db_bind_u64(q, 2, index); /* an id is the index + 1 */
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret = catalog_db_u64(q, 0);
	return rc;
}

enum rc
catalog_find_newest(struct catalog *c, const char *source,
	struct catalog_name *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_FIND_NEWEST, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	return take_name(c, q, &c->newest, ret, e);
}

enum rc
catalog_find_file(struct catalog *c, const char *file, struct catalog_name *ret,
	struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_FIND_FILE, &q, e) != OK)
		return e->code;
	catalog_db_bind_text(q, 1, file);
	return take_name(c, q, &c->file, ret, e);
}

/* ---- recording ---- */

/* The last component of a name that has several, for catalog_story. */
static void
bind_base(sqlite3_stmt *q, int i, const uint8_t *name, size_t len)
{
	const uint8_t *slash = memrchr(name, '/', len);

	if (slash == NULL)
		catalog_db_bind_null(q, i);
	else
		catalog_db_bind_bytes(
			q, i, slash + 1, len - (size_t)(slash + 1 - name));
}

static enum rc
put_name(struct catalog *c, int64_t source, const uint8_t *name, size_t len,
	const struct signature *sig, int64_t now,
	const struct catalog_version *v, int64_t *ret_id, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_PUT_NAME, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, source);
	catalog_db_bind_bytes(q, 2, name, len);
	bind_base(q, 3, name, len);
	catalog_db_bind_i64(q, 4, v->disposition);
	catalog_db_bind_signature(q, 5, sig);
	catalog_db_bind_i64(q, 10, now);
	catalog_db_bind_u64(q, 11, v->index + 1);
	if (catalog_db_step(c, q, e) != OK)
		return e->code;
	*ret_id = sqlite3_column_int64(q, 0);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_put(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, const struct signature *sig, int64_t now,
	const struct catalog_version *v, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t source_id, id = 0;

	if (catalog_db_source(c, source, true, &source_id, e) != OK ||
		put_name(c, source_id, name, len, sig, now, v, &id, e) != OK ||
		catalog_db_use(c, SQL_PUT_VERSION, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, v->index + 1);
	catalog_db_bind_i64(q, 2, id);
	catalog_db_bind_i64(q, 3, source_id);
	catalog_db_bind_i64(q, 4, now);
	catalog_db_bind_i64(q, 5, v->generation);
	catalog_db_bind_i64(q, 6, v->disposition);
	catalog_db_bind_i64(q, 7, v->relation);
	catalog_db_bind_i64(q, 8, sum_of(v->bytes_sha256));
	catalog_db_bind_bytes(q, 9, v->bytes_sha256, HASH_LEN);
	catalog_db_bind_bytes(q, 10, v->file_sha256, HASH_LEN);
	catalog_db_bind_text(q, 11, v->file);
	catalog_db_bind_u64(q, 12, v->size);
	catalog_db_bind_u64(q, 13, v->records);
	catalog_db_bind_u64(q, 14, v->malformed);
	catalog_db_bind_i64(q, 15, v->landed_at);
	return catalog_db_run(c, q, e);
}

static enum rc
add_event(struct catalog *c, int64_t name, int64_t now, enum disposition d,
	const char *reason, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_NOTE_EVENT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, name);
	catalog_db_bind_i64(q, 2, now);
	catalog_db_bind_i64(q, 3, d);
	catalog_db_bind_text(q, 4, reason);
	if (catalog_db_run(c, q, e) != OK)
		return e->code;
	return catalog_prune_story(c, name, e);
}

/* A name as catalog_note finds it. */
struct noted {
	int64_t id; /* 0: new */
	bool same_story;
	bool same_signature; /* and known since a time that has been */
};

static enum rc
find_noted(struct catalog *c, int64_t source, const uint8_t *name, size_t len,
	const struct signature *sig, int64_t now, enum disposition d,
	const char *reason, struct noted *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct signature old;
	enum rc rc;

	if (catalog_db_use(c, SQL_NOTE_FIND, &q, e) != OK)
		return e->code;
	catalog_db_bind_bytes(q, 1, name, len);
	catalog_db_bind_i64(q, 2, source);
	rc = catalog_db_step(c, q, e);
	if (rc != OK) {
		*ret = (struct noted){0};
		return rc == END ? OK : rc;
	}
	ret->id = sqlite3_column_int64(q, 0);
	ret->same_story = sqlite3_column_int64(q, 1) == (int64_t)d &&
		strcmp(catalog_db_text(q, 2), reason) == 0;
	old = catalog_db_signature(q, 3);
	/* Since tomorrow? The clock was set back: since now. */
	ret->same_signature =
		signature_equal(&old, sig) && sqlite3_column_int64(q, 8) <= now;
	return OK;
}

static enum rc
add_noted(struct catalog *c, int64_t source, const uint8_t *name, size_t len,
	const struct signature *sig, int64_t now, enum disposition d,
	const char *reason, int64_t *ret_id, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_NOTE_ADD, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, source);
	catalog_db_bind_bytes(q, 2, name, len);
	bind_base(q, 3, name, len);
	catalog_db_bind_i64(q, 4, d);
	catalog_db_bind_text(q, 5, reason);
	catalog_db_bind_signature(q, 6, sig);
	catalog_db_bind_i64(q, 11, now);
	if (catalog_db_run(c, q, e) != OK)
		return e->code;
	*ret_id = sqlite3_last_insert_rowid(c->db);
	return OK;
}

static enum rc
change_noted(struct catalog *c, const struct noted *n,
	const struct signature *sig, int64_t now, enum disposition d,
	const char *reason, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_NOTE_CHANGE, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, n->id);
	catalog_db_bind_i64(q, 2, d);
	catalog_db_bind_text(q, 3, reason);
	catalog_db_bind_signature(q, 4, sig);
	if (n->same_signature)
		catalog_db_bind_null(q, 9);
	else
		catalog_db_bind_i64(q, 9, now);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_note(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, const struct signature *sig, int64_t now,
	enum disposition d, const char *reason, struct err *e)
{
	struct noted n = {0};
	int64_t source_id;

	if (catalog_db_source(c, source, true, &source_id, e) != OK ||
		find_noted(c, source_id, name, len, sig, now, d, reason, &n,
			e) != OK)
		return e->code;
	/* The common case of a poll: nothing is new, nothing is written. */
	if (n.same_story && n.same_signature)
		return OK;
	if (n.id == 0) {
		if (add_noted(c, source_id, name, len, sig, now, d, reason,
			    &n.id, e) != OK)
			return e->code;
	} else if (change_noted(c, &n, sig, now, d, reason, e) != OK) {
		return e->code;
	}
	return n.same_story ? OK : add_event(c, n.id, now, d, reason, e);
}

enum rc
catalog_tell(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, int64_t at, const char *text, struct err *e)
{
	struct catalog_name n;
	enum rc rc = catalog_find(c, source, name, len, &n, e);

	return rc == OK ? add_event(c, n.id, at, n.disposition, text, e) : rc;
}
