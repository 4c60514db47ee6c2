#include "catalog/catalog-db.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ADVICE \
	"stop landfall and run `landfall catalog rebuild` to make it again " \
	"from the zone"

enum rc
catalog_db_damaged(struct catalog *c, struct err *e, const char *what)
{
	return err_set(
		e, BROKEN, "catalog %s is damaged: %s; " ADVICE, c->path, what);
}

/* What a human can do about some of SQLite's results. */
static const struct {
	int result;
	const char *advice;
} advices[] = {
	{SQLITE_BUSY, "; another process is writing to it for too long"},
	{SQLITE_READONLY, "; it is not ours to write: see its owner and mode"},
	{SQLITE_FULL, "; make room on its filesystem"},
};

enum rc
catalog_db_fail(struct catalog *c, struct err *e, const char *what)
{
	int result = sqlite3_errcode(c->db) & 0xff;
	const char *advice = "";
	int cause = 0;

	/* Set by the last failed system call, however long ago. */
	if (result == SQLITE_IOERR || result == SQLITE_CANTOPEN)
		cause = sqlite3_system_errno(c->db);
	if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
		CLEANUP(str_release) struct str text = STR_INIT;

		str_addf(&text, "%s: %s", what, sqlite3_errmsg(c->db));
		return catalog_db_damaged(c, e, text.s);
	}
	for (size_t i = 0; i < ARRAY_LEN(advices); i++)
		if (advices[i].result == result)
			advice = advices[i].advice;
	err_set(e, BROKEN, "catalog %s: %s: %s%s%s%s%s", c->path, what,
		sqlite3_errmsg(c->db), cause != 0 ? " (" : "",
		cause != 0 ? strerrordesc_np(cause) : "", cause != 0 ? ")" : "",
		advice);
	e->cause = cause;
	return e->code;
}

/* ---- statements ---- */

enum rc
catalog_db_use(struct catalog *c, enum catalog_sql id, sqlite3_stmt **ret,
	struct err *e)
{
	if (c->stmt[id] == NULL &&
		sqlite3_prepare_v3(c->db, catalog_sql_texts[id].text, -1,
			SQLITE_PREPARE_PERSISTENT, &c->stmt[id],
			NULL) != SQLITE_OK)
		return catalog_db_fail(c, e, "prepare");
	*ret = c->stmt[id];
	return OK;
}

enum rc
catalog_db_step(struct catalog *c, sqlite3_stmt *q, struct err *e)
{
	int r = sqlite3_step(q);

	if (r == SQLITE_ROW)
		return OK;
	if (r == SQLITE_DONE)
		return END;
	return catalog_db_fail(
		c, e, sqlite3_stmt_readonly(q) ? "read" : "write");
}

enum rc
catalog_db_run(struct catalog *c, sqlite3_stmt *q, struct err *e)
{
	enum rc rc;

	do
		rc = catalog_db_step(c, q, e);
	while (rc == OK);
	return rc == END ? OK : rc;
}

enum rc
catalog_db_do(struct catalog *c, enum catalog_sql id, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, id, &q, e) != OK)
		return e->code;
	return catalog_db_run(c, q, e);
}

void
catalog_db_reset(sqlite3_stmt **q)
{
	if (*q != NULL)
		(void)sqlite3_reset(*q); /* repeats the step's error */
}

static void
bound(int result)
{
	if (result != SQLITE_OK)
		abort();
}

void
catalog_db_bind_i64(sqlite3_stmt *q, int i, int64_t v)
{
	bound(sqlite3_bind_int64(q, i, v));
}

void
catalog_db_bind_u64(sqlite3_stmt *q, int i, uint64_t v)
{
	bound(sqlite3_bind_int64(q, i, (int64_t)v));
}

void
catalog_db_bind_text(sqlite3_stmt *q, int i, const char *text)
{
	bound(sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC));
}

void
catalog_db_bind_bytes(sqlite3_stmt *q, int i, const void *p, size_t n)
{
	bound(sqlite3_bind_blob64(q, i, p, n, SQLITE_STATIC));
}

void
catalog_db_bind_null(sqlite3_stmt *q, int i)
{
	bound(sqlite3_bind_null(q, i));
}

void
catalog_db_bind_signature(sqlite3_stmt *q, int i, const struct signature *sig)
{
	catalog_db_bind_u64(q, i, sig->size);
	catalog_db_bind_i64(q, i + 1, sig->mtime);
	catalog_db_bind_i64(q, i + 2, sig->ctime);
	catalog_db_bind_u64(q, i + 3, sig->inode);
	catalog_db_bind_u64(q, i + 4, sig->device);
}

/* ---- rows ---- */

uint64_t
catalog_db_u64(sqlite3_stmt *q, int col)
{
	return (uint64_t)sqlite3_column_int64(q, col);
}

const char *
catalog_db_text(sqlite3_stmt *q, int col)
{
	const char *text = (const char *)sqlite3_column_text(q, col);

	return text != NULL ? text : "";
}

struct signature
catalog_db_signature(sqlite3_stmt *q, int col)
{
	return (struct signature){
		.size = catalog_db_u64(q, col),
		.mtime = sqlite3_column_int64(q, col + 1),
		.ctime = sqlite3_column_int64(q, col + 2),
		.inode = catalog_db_u64(q, col + 3),
		.device = catalog_db_u64(q, col + 4),
	};
}

static const char *
keep_text(struct str *s, const char *text)
{
	str_clear(s);
	str_add(s, text);
	return s->s;
}

static bool
read_sum(sqlite3_stmt *q, int col, uint8_t sum[HASH_LEN])
{
	const void *p = sqlite3_column_blob(q, col);

	if (p == NULL || sqlite3_column_bytes(q, col) != HASH_LEN)
		return false;
	memcpy(sum, p, HASH_LEN);
	return true;
}

enum rc
catalog_db_version(struct catalog *c, sqlite3_stmt *q, int col,
	struct catalog_kept *keep, struct catalog_version *ret, struct err *e)
{
	struct catalog_version v = {0};
	int64_t disposition, relation;

	/* No version: the columns of an outer join that found none. */
	if (sqlite3_column_type(q, col) == SQLITE_NULL) {
		v.file = "";
		*ret = v;
		return OK;
	}
	v.id = sqlite3_column_int64(q, col);
	v.index = (uint64_t)v.id - 1;
	v.generation = (uint32_t)sqlite3_column_int64(q, col + 1);
	disposition = sqlite3_column_int64(q, col + 2);
	relation = sqlite3_column_int64(q, col + 3);
	if (disposition < 1 || disposition >= DISPOSITIONS || relation < 0 ||
		relation > RELATION_REPLACED ||
		!read_sum(q, col + 4, v.bytes_sha256) ||
		!read_sum(q, col + 5, v.file_sha256))
		return catalog_db_damaged(c, e, "a version makes no sense");
	v.disposition = (enum disposition)disposition;
	v.relation = (enum relation)relation;
	v.file = catalog_db_text(q, col + 6);
	v.size = catalog_db_u64(q, col + 7);
	v.records = catalog_db_u64(q, col + 8);
	v.malformed = catalog_db_u64(q, col + 9);
	v.landed_at = sqlite3_column_int64(q, col + 10);
	if (keep != NULL)
		v.file = keep_text(&keep->file, v.file);
	*ret = v;
	return OK;
}

enum rc
catalog_db_name(struct catalog *c, sqlite3_stmt *q, int col,
	struct catalog_kept *keep, struct catalog_name *ret, struct err *e)
{
	struct catalog_name n = {0};
	int64_t disposition = sqlite3_column_int64(q, col + 3);

	if (disposition < 1 || disposition >= DISPOSITIONS)
		return catalog_db_damaged(c, e, "a name makes no sense");
	n.disposition = (enum disposition)disposition;
	n.source = catalog_db_text(q, col);
	n.id = sqlite3_column_int64(q, col + 1);
	n.name = sqlite3_column_blob(q, col + 2);
	n.name_len = (size_t)sqlite3_column_bytes(q, col + 2);
	n.reason = catalog_db_text(q, col + 4);
	n.signature = catalog_db_signature(q, col + 5);
	n.first_seen = sqlite3_column_int64(q, col + 10);
	n.changed = sqlite3_column_int64(q, col + 11);
	if (keep != NULL) {
		n.source = keep_text(&keep->source, n.source);
		n.reason = keep_text(&keep->reason, n.reason);
		str_clear(&keep->name);
		str_addn(&keep->name, n.name, n.name_len);
		n.name = (const uint8_t *)keep->name.s;
	}
	if (catalog_db_version(c, q, col + CATALOG_DB_NAME_COLUMNS, keep,
		    &n.version, e) != OK)
		return e->code;
	*ret = n;
	return OK;
}

/* ---- sources ---- */

void
catalog_db_forget_sources(struct catalog *c)
{
	for (size_t i = 0; i < c->n_sources; i++)
		free(c->source[i].name);
	free(c->source);
	c->source = NULL;
	c->n_sources = 0;
}

static enum rc
add_source(struct catalog *c, const char *name, int64_t *ret_id, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_SOURCE_ADD, &q, e) != OK)
		return e->code;
	catalog_db_bind_text(q, 1, name);
	if (catalog_db_run(c, q, e) != OK)
		return e->code;
	*ret_id = sqlite3_last_insert_rowid(c->db);
	return OK;
}

enum rc
catalog_db_source(struct catalog *c, const char *name, bool add,
	int64_t *ret_id, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	for (size_t i = 0; i < c->n_sources; i++)
		if (strcmp(c->source[i].name, name) == 0) {
			*ret_id = c->source[i].id;
			return OK;
		}
	if (catalog_db_use(c, SQL_SOURCE_FIND, &q, e) != OK)
		return e->code;
	catalog_db_bind_text(q, 1, name);
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret_id = sqlite3_column_int64(q, 0);
	else if (rc == END && add)
		rc = add_source(c, name, ret_id, e);
	if (rc != OK)
		return rc;
	c->source = mem_resize(c->source, c->n_sources + 1, sizeof(*c->source));
	c->source[c->n_sources].name = mem_strdup(name);
	c->source[c->n_sources++].id = *ret_id;
	return OK;
}
