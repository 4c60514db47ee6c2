#include "catalog/catalog-db.h"
#include "landfall/format.h"

/* The number a statement without parameters says. */
static enum rc
ask(struct catalog *c, enum catalog_sql id, int64_t *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	if (catalog_db_use(c, id, &q, e) != OK)
		return e->code;
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret = sqlite3_column_int64(q, 0);
	return rc;
}

/* A statement with one number. */
static enum rc
run_with(struct catalog *c, enum catalog_sql id, uint64_t v, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, id, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, v);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_ledger_size(struct catalog *c, uint64_t *ret, struct err *e)
{
	int64_t size;

	if (ask(c, SQL_LEDGER_SIZE, &size, e) != OK)
		return e->code;
	*ret = (uint64_t)size;
	return OK;
}

enum rc
catalog_last_landed(struct catalog *c, int64_t *ret, struct err *e)
{
	return ask(c, SQL_LAST_LANDED, ret, e);
}

enum rc
catalog_outbox_put(struct catalog *c, uint64_t index, const char *entry,
	size_t len, const char *file, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	/* Once recorded it would stop every start until it is in the ledger. */
	if (len > FORMAT_ENTRY_MAX)
		return err_set(e, BROKEN,
			"ledger entry of %zu bytes, at most %u fit: the name "
			"is too long",
			len, FORMAT_ENTRY_MAX);
	if (catalog_db_use(c, SQL_OUTBOX_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, index);
	catalog_db_bind_bytes(q, 2, entry, len);
	catalog_db_bind_text(q, 3, file);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_outbox_each(struct catalog *c, uint64_t from,
	enum rc (*each)(void *arg, uint64_t index, const char *entry,
		size_t len, const char *file, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	if (from > INT64_MAX)
		return OK;
	if (catalog_db_use(c, SQL_OUTBOX_EACH, &q, e) != OK)
		return e->code;
	catalog_db_bind_u64(q, 1, from);
	while ((rc = catalog_db_step(c, q, e)) == OK) {
		const char *entry = sqlite3_column_blob(q, 1);

		rc = each(arg, catalog_db_u64(q, 0), entry,
			(size_t)sqlite3_column_bytes(q, 1),
			(const char *)sqlite3_column_text(q, 2), e);
		if (rc != OK)
			return rc;
	}
	return rc == END ? OK : rc;
}

enum rc
catalog_outbox_drop(struct catalog *c, uint64_t size, struct err *e)
{
	uint64_t known = 0;

	/* What is forgotten is still counted. */
	if (catalog_ledger_size(c, &known, e) != OK ||
		run_with(c, SQL_LEDGER_KEEP, known, e) != OK)
		return e->code;
	return run_with(
		c, SQL_OUTBOX_DROP, size < INT64_MAX ? size : INT64_MAX, e);
}
