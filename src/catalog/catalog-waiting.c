#include "catalog/catalog-db.h"

enum rc
catalog_waiting(struct catalog *c, const char *source,
	struct catalog_waiting *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *count = NULL;
	CLEANUP(catalog_db_reset) sqlite3_stmt *oldest = NULL;
	struct catalog_waiting w;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_WAITING, &oldest, e) != OK ||
		catalog_db_use(c, SQL_WAITING_COUNT, &count, e) != OK)
		return e->code;
	catalog_db_bind_i64(oldest, 1, id);
	catalog_db_bind_i64(count, 1, id);
	rc = catalog_db_step(c, oldest, e);
	if (rc == OK)
		rc = catalog_db_step(c, count, e);
	if (rc != OK)
		return rc;
	str_clear(&c->waiting.name);
	str_addn(&c->waiting.name, sqlite3_column_blob(oldest, 0),
		(size_t)sqlite3_column_bytes(oldest, 0));
	str_clear(&c->waiting.reason);
	str_add(&c->waiting.reason, catalog_db_text(oldest, 2));
	w = (struct catalog_waiting){
		.names = catalog_db_u64(count, 0),
		.since = sqlite3_column_int64(oldest, 1),
		.name = (const uint8_t *)c->waiting.name.s,
		.name_len = c->waiting.name.len,
		.reason = c->waiting.reason.s,
	};
	*ret = w;
	return OK;
}

enum rc
catalog_each_waiting(struct catalog *c, const char *source,
	enum rc (*each)(void *arg, const uint8_t *name, size_t len,
		const struct signature *s, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	if (catalog_db_use(c, SQL_EACH_WAITING, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	while ((rc = catalog_db_step(c, q, e)) == OK) {
		struct signature s = catalog_db_signature(q, 1);

		rc = each(arg, sqlite3_column_blob(q, 0),
			(size_t)sqlite3_column_bytes(q, 0), &s, e);
		if (rc != OK)
			break;
	}
	return rc == END ? OK : rc;
}
