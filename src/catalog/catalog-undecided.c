#include "catalog/catalog-db.h"

/* Binds the source. END: not in the catalog. */
static enum rc
use(struct catalog *c, enum catalog_sql sql, const char *source,
	sqlite3_stmt **q, struct err *e)
{
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == OK)
		rc = catalog_db_use(c, sql, q, e);
	if (rc == OK)
		catalog_db_bind_i64(*q, 1, id);
	return rc;
}

enum rc
catalog_undecided(struct catalog *c, const char *source,
	struct catalog_undecided *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *count = NULL;
	CLEANUP(catalog_db_reset) sqlite3_stmt *oldest = NULL;
	struct catalog_undecided u;
	enum rc rc = use(c, SQL_UNDECIDED_COUNT, source, &count, e);

	if (rc == OK)
		rc = use(c, SQL_UNDECIDED, source, &oldest, e);
	if (rc == OK)
		rc = catalog_db_step(c, oldest, e);
	if (rc == OK)
		rc = catalog_db_step(c, count, e);
	if (rc == OK)
		rc = catalog_db_name(c, oldest, 0, &c->undecided, &u.oldest, e);
	if (rc != OK)
		return rc;
	u.n = catalog_db_u64(count, 0);
	*ret = u;
	return OK;
}

enum rc
catalog_each_undecided(struct catalog *c, const char *source,
	enum rc (*each)(void *arg, const struct catalog_name *n, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_name n;
	enum rc rc = use(c, SQL_UNDECIDED, source, &q, e);

	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		if (catalog_db_name(c, q, 0, NULL, &n, e) != OK)
			return e->code;
		rc = each(arg, &n, e);
	}
	return rc == END ? OK : rc;
}

enum rc
catalog_next_source(struct catalog *c, struct str *name, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	CLEANUP(str_release) struct str before = STR_INIT;
	enum rc rc;

	str_add(&before, name->s);
	if (catalog_db_use(c, SQL_SOURCES, &q, e) != OK)
		return e->code;
	catalog_db_bind_text(q, 1, before.s);
	rc = catalog_db_step(c, q, e);
	if (rc == OK) {
		str_clear(name);
		str_add(name, catalog_db_text(q, 0));
	}
	return rc;
}
