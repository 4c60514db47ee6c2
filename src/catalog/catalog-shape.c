#include <string.h>

#include "catalog/catalog-db.h"

enum rc
catalog_shape_put(struct catalog *c, const char *source,
	const struct catalog_shape *s, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;

	if (catalog_db_source(c, source, true, &id, e) != OK ||
		catalog_db_use(c, SQL_SHAPE_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_u64(q, 2, s->index);
	if (s->has_header)
		catalog_db_bind_bytes(q, 3, s->header_sha256, HASH_LEN);
	else
		catalog_db_bind_null(q, 3);
	catalog_db_bind_i64(q, 4, s->columns);
	catalog_db_bind_i64(q, 5, s->bom);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_shape_find(struct catalog *c, const char *source,
	struct catalog_shape *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_shape s = {0};
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_SHAPE_FIND, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	rc = catalog_db_step(c, q, e);
	if (rc != OK)
		return rc;
	s.index = catalog_db_u64(q, 0);
	s.has_header = sqlite3_column_type(q, 1) != SQLITE_NULL;
	if (s.has_header) {
		if (sqlite3_column_bytes(q, 1) != HASH_LEN)
			return catalog_db_damaged(
				c, e, "a shape makes no sense");
		memcpy(s.header_sha256, sqlite3_column_blob(q, 1), HASH_LEN);
	}
	s.columns = (uint32_t)sqlite3_column_int64(q, 2);
	s.bom = sqlite3_column_int64(q, 3) != 0;
	*ret = s;
	return OK;
}
