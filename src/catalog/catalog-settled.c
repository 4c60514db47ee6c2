#include "catalog/catalog-db.h"

enum rc
catalog_settle(struct catalog *c, uint64_t entry, uint64_t by, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_SETTLE, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, entry);
	catalog_db_bind_u64(q, 2, by);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_settled(
	struct catalog *c, uint64_t entry, uint64_t *ret_by, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	if (catalog_db_use(c, SQL_SETTLED, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, entry);
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret_by = catalog_db_u64(q, 0);
	return rc;
}
