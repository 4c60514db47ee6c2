#include "catalog/catalog-db.h"

static enum rc
use_for(struct catalog *c, enum catalog_sql sql, const char *source, bool add,
	const struct catalog_side *s, sqlite3_stmt **q, struct err *e)
{
	int64_t id;
	enum rc rc = catalog_db_source(c, source, add, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, sql, q, e) != OK)
		return e->code;
	catalog_db_bind_i64(*q, 1, id);
	catalog_db_bind_bytes(*q, 2, s->name, s->name_len);
	catalog_db_bind_bytes(*q, 3, s->side, s->side_len);
	return OK;
}

enum rc
catalog_side_put(struct catalog *c, const char *source,
	const struct catalog_side *s, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (use_for(c, SQL_SIDE_PUT, source, true, s, &q, e) != OK)
		return e->code;
	catalog_db_bind_signature(q, 4, &s->signature);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_side_drop(struct catalog *c, const char *source,
	const struct catalog_side *s, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc = use_for(c, SQL_SIDE_DROP, source, false, s, &q, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	return catalog_db_run(c, q, e);
}

enum rc
catalog_side_each(struct catalog *c, const char *source,
	const struct catalog_side *behind,
	enum rc (*each)(void *arg, const struct catalog_side *s, struct err *e),
	void *arg, struct err *e)
{
	static const struct catalog_side first = {
		.name = (const uint8_t *)"", .side = (const uint8_t *)""};
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	rc = use_for(c, SQL_SIDE_EACH, source, false,
		behind != NULL ? behind : &first, &q, e);
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		const struct catalog_side s = {
			.name = sqlite3_column_blob(q, 0),
			.name_len = (size_t)sqlite3_column_bytes(q, 0),
			.side = sqlite3_column_blob(q, 1),
			.side_len = (size_t)sqlite3_column_bytes(q, 1),
			.signature = catalog_db_signature(q, 2),
		};

		rc = each(arg, &s, e);
	}
	return rc == END ? OK : rc;
}

enum rc
catalog_each_name(struct catalog *c, const char *source, const uint8_t *from,
	size_t from_len, const uint8_t *to, size_t to_len,
	enum rc (*each)(
		void *arg, const uint8_t *name, size_t len, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == OK && catalog_db_use(c, SQL_EACH_NAME, &q, e) != OK)
		return e->code;
	if (rc == OK) {
		catalog_db_bind_i64(q, 1, id);
		catalog_db_bind_bytes(q, 2, from, from_len);
		catalog_db_bind_bytes(q, 3, to, to_len);
	}
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK)
		rc = each(arg, sqlite3_column_blob(q, 0),
			(size_t)sqlite3_column_bytes(q, 0), e);
	return rc == END ? OK : rc;
}
