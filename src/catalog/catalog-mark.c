#include "catalog/catalog-db.h"

enum rc
catalog_mark_put(struct catalog *c, const char *source, enum catalog_mark m,
	uint64_t upto, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;

	if (catalog_db_source(c, source, true, &id, e) != OK ||
		catalog_db_use(c, SQL_MARK_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_i64(q, 2, m);
	catalog_db_bind_u64(q, 3, upto);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_mark_find(struct catalog *c, const char *source, enum catalog_mark m,
	uint64_t *ret_upto, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	/* An older catalog, which is only read. */
	if (c->version < CATALOG_SQL_ALERTS)
		return END;
	if (catalog_db_use(c, SQL_MARK_FIND, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_i64(q, 2, m);
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret_upto = catalog_db_u64(q, 0);
	return rc;
}

/* Binds source and range; a version's id is its index + 1. END: no source. */
static enum rc
use_range(struct catalog *c, enum catalog_sql sql, const char *source,
	uint64_t from, uint64_t to, sqlite3_stmt **q, struct err *e)
{
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, sql, q, e) != OK)
		return e->code;
	catalog_db_bind_i64(*q, 1, id);
	catalog_db_bind_u64(*q, 2, from);
	catalog_db_bind_u64(*q, 3, to);
	return OK;
}

enum rc
catalog_each_since(struct catalog *c, const char *source, uint64_t from,
	uint64_t to,
	enum rc (*each)(void *arg, const struct catalog_name *n, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_name n;
	enum rc rc = use_range(c, SQL_EACH_SINCE, source, from, to, &q, e);

	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		if (catalog_db_name(c, q, 0, NULL, &n, e) != OK)
			return e->code;
		rc = each(arg, &n, e);
	}
	return rc == END ? OK : rc;
}

enum rc
catalog_unsettled(struct catalog *c, const char *source, uint64_t from,
	uint64_t to, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc = use_range(c, SQL_STANDS, source, from, to, &q, e);

	return rc == OK ? catalog_db_step(c, q, e) : rc;
}
