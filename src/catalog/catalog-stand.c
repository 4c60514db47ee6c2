#include "catalog/catalog-db.h"

static enum rc
find_one(struct catalog *c, int64_t source, struct catalog_stand *s,
	struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t disposition;
	enum rc rc;

	s->disposition = 0;
	if (catalog_db_use(c, SQL_STAND, &q, e) != OK)
		return e->code;
	catalog_db_bind_bytes(q, 1, s->name, s->name_len);
	catalog_db_bind_i64(q, 2, source);
	rc = catalog_db_step(c, q, e);
	if (rc != OK)
		return rc == END ? OK : rc;
	disposition = sqlite3_column_int64(q, 0);
	if (disposition < 1 || disposition >= DISPOSITIONS)
		return catalog_db_damaged(c, e, "a name makes no sense");
	s->disposition = (enum disposition)disposition;
	s->signature = catalog_db_signature(q, 1);
	return OK;
}

/*
 * One snapshot for all: to begin and end one costs as much as the search.
 * It ends before anybody acts on what was found, so that the log can be
 * folded into the database while they do.
 */
enum rc
catalog_stands(struct catalog *c, const char *source, struct catalog_stand *s,
	size_t n, struct err *e)
{
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == END) {
		for (size_t i = 0; i < n; i++)
			s[i].disposition = 0;
		return OK;
	}
	if (rc == OK)
		rc = catalog_db_do(c, SQL_BEGIN_READING, e);
	for (size_t i = 0; i < n && rc == OK; i++)
		rc = find_one(c, id, &s[i], e);
	if (rc == OK)
		return catalog_commit(c, e);
	catalog_abort(c);
	return rc;
}
