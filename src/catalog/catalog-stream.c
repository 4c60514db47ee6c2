/*
 * Where each stream of a polled API stands, and the records it remembers.
 */
#include "catalog/catalog-db.h"

static enum rc
use_stream(struct catalog *c, enum catalog_sql sql, const char *source,
	sqlite3_stmt **q, struct err *e)
{
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, sql, q, e) != OK)
		return e->code;
	catalog_db_bind_i64(*q, 1, id);
	return OK;
}

static const char *
keep(struct str *s, sqlite3_stmt *q, int col)
{
	str_clear(s);
	str_add(s, catalog_db_text(q, col));
	return s->s;
}

/* STREAM_COLUMNS. */
static void
read_row(struct catalog *c, sqlite3_stmt *q, struct catalog_stream *ret)
{
	struct catalog_kept_stream *k = &c->stream;

	*ret = (struct catalog_stream){
		.id = sqlite3_column_int64(q, 0),
		.stream = keep(&k->stream, q, 1),
		.partition = keep(&k->partition, q, 2),
		.position = keep(&k->position, q, 3),
		.job = keep(&k->job, q, 4),
		.upto = catalog_db_u64(q, 5),
		.parked = sqlite3_column_int64(q, 6),
		.why = keep(&k->why, q, 7),
		.looked = sqlite3_column_int64(q, 8),
		.whole = sqlite3_column_int64(q, 9),
		.files = catalog_db_u64(q, 10),
		.records = catalog_db_u64(q, 11),
		.has_left = sqlite3_column_type(q, 12) != SQLITE_NULL,
		.left = catalog_db_u64(q, 12),
		.allowed = catalog_db_u64(q, 13),
	};
}

enum rc
catalog_stream_find(struct catalog *c, const char *source, const char *stream,
	const char *partition, struct catalog_stream *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc = use_stream(c, SQL_STREAM_FIND, source, &q, e);

	if (rc != OK)
		return rc;
	catalog_db_bind_text(q, 2, stream);
	catalog_db_bind_text(q, 3, partition);
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		read_row(c, q, ret);
	return rc;
}

enum rc
catalog_stream_put(struct catalog *c, const char *source,
	const struct catalog_stream *s, int64_t *ret_id, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;

	if (catalog_db_source(c, source, true, &id, e) != OK ||
		catalog_db_use(c, SQL_STREAM_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_text(q, 2, s->stream);
	catalog_db_bind_text(q, 3, s->partition);
	catalog_db_bind_text(q, 4, s->position);
	catalog_db_bind_text(q, 5, s->job);
	catalog_db_bind_u64(q, 6, s->upto);
	catalog_db_bind_i64(q, 7, s->parked);
	catalog_db_bind_text(q, 8, s->why);
	catalog_db_bind_i64(q, 9, s->looked);
	catalog_db_bind_i64(q, 10, s->whole);
	catalog_db_bind_u64(q, 11, s->files);
	catalog_db_bind_u64(q, 12, s->records);
	if (s->has_left)
		catalog_db_bind_u64(q, 13, s->left);
	else
		catalog_db_bind_null(q, 13);
	catalog_db_bind_u64(q, 14, s->allowed);
	if (catalog_db_step(c, q, e) != OK)
		return e->code != OK
			? e->code
			: catalog_db_damaged(c, e, "a stream without a number");
	*ret_id = sqlite3_column_int64(q, 0);
	return OK;
}

enum rc
catalog_stream_each(struct catalog *c, const char *source,
	enum rc (*each)(
		void *arg, const struct catalog_stream *s, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_stream s;
	enum rc rc = use_stream(c, SQL_STREAM_EACH, source, &q, e);

	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		read_row(c, q, &s);
		rc = each(arg, &s, e);
	}
	return rc == END ? OK : rc;
}

enum rc
catalog_seen_find(struct catalog *c, int64_t stream,
	const uint8_t digest[CATALOG_SEEN], struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_SEEN_FIND, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, stream);
	catalog_db_bind_bytes(q, 2, digest, CATALOG_SEEN);
	return catalog_db_step(c, q, e);
}

enum rc
catalog_seen_put(struct catalog *c, int64_t stream,
	const uint8_t digest[CATALOG_SEEN], int64_t until, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_SEEN_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, stream);
	catalog_db_bind_bytes(q, 2, digest, CATALOG_SEEN);
	catalog_db_bind_i64(q, 3, until);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_seen_forget(
	struct catalog *c, int64_t stream, int64_t before, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_SEEN_FORGET, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, stream);
	catalog_db_bind_i64(q, 2, before);
	return catalog_db_run(c, q, e);
}
