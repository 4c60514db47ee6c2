#include "catalog/catalog-db.h"

static enum rc
forget_old(struct catalog *c, int64_t source, int64_t newest, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_PASS_FORGET, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, source);
	catalog_db_bind_i64(q, 2, newest);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_pass_put(struct catalog *c, const struct catalog_pass *p, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t source;

	if (catalog_db_source(c, p->source, true, &source, e) != OK ||
		catalog_db_use(c, SQL_PASS_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, source);
	catalog_db_bind_i64(q, 2, p->started);
	catalog_db_bind_i64(q, 3, p->ended);
	catalog_db_bind_i64(q, 4, p->outcome);
	catalog_db_bind_u64(q, 5, p->listed);
	catalog_db_bind_u64(q, 6, p->unchanged);
	for (int d = 1; d < DISPOSITIONS; d++)
		catalog_db_bind_u64(q, 6 + d, p->count[d]);
	catalog_db_bind_text(
		q, 6 + DISPOSITIONS, p->trouble != NULL ? p->trouble : "");
	if (catalog_db_run(c, q, e) != OK)
		return e->code;
	if (forget_old(c, source, p->started, e) != OK)
		return e->code;
	return catalog_prune_names(c, source, p->started, e);
}

enum rc
catalog_pass_last(struct catalog *c, const char *source,
	struct catalog_pass *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_pass p = {0};
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_PASS_LAST, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	rc = catalog_db_step(c, q, e);
	if (rc != OK)
		return rc;
	p.started = sqlite3_column_int64(q, 0);
	p.ended = sqlite3_column_int64(q, 1);
	p.outcome = (enum pass_outcome)sqlite3_column_int64(q, 2);
	p.listed = catalog_db_u64(q, 3);
	p.unchanged = catalog_db_u64(q, 4);
	for (int d = 1; d < DISPOSITIONS; d++)
		p.count[d] = catalog_db_u64(q, 4 + d);
	str_clear(&c->pass.source);
	str_add(&c->pass.source, source);
	str_clear(&c->pass.reason);
	str_add(&c->pass.reason, catalog_db_text(q, 4 + DISPOSITIONS));
	p.source = c->pass.source.s;
	p.trouble = c->pass.reason.s;
	*ret = p;
	return OK;
}

static enum rc
looked(struct catalog *c, int64_t source, int64_t *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	if (catalog_db_use(c, SQL_PASS_LOOKED, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, source);
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret = sqlite3_column_int64(q, 0);
	return rc == END ? OK : rc;
}

enum rc
catalog_pass_looked(
	struct catalog *c, const char *source, int64_t *ret, struct err *e)
{
	int64_t id, at = 0;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == OK)
		rc = looked(c, id, &at, e);
	if (rc != OK && rc != END)
		return rc;
	*ret = at;
	return OK;
}

enum rc
catalog_arrived(struct catalog *c, const char *source, int64_t from, int64_t to,
	const struct arrived *least, struct arrived *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct arrived a = {.files = 0};
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == OK && looked(c, id, &a.looked, e) == OK &&
		catalog_db_use(c, SQL_ARRIVED, &q, e) == OK) {
		catalog_db_bind_i64(q, 1, id);
		catalog_db_bind_i64(q, 2, from);
		catalog_db_bind_i64(q, 3, to);
	} else if (rc != END) {
		return e->code;
	}
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		a.files++;
		a.bytes += catalog_db_u64(q, 1);
		a.records += catalog_db_u64(q, 2);
		if (a.enough_at == 0 && a.files >= least->files &&
			a.bytes >= least->bytes && a.records >= least->records)
			a.enough_at = sqlite3_column_int64(q, 0);
	}
	if (rc != END)
		return rc;
	*ret = a;
	return OK;
}

enum rc
catalog_count(struct catalog *c, const char *source,
	uint64_t count[DISPOSITIONS], struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	uint64_t n[DISPOSITIONS] = {0};
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == OK && catalog_db_use(c, SQL_COUNT, &q, e) == OK)
		catalog_db_bind_i64(q, 1, id);
	else if (rc != END)
		return e->code;
	/* A source that was never seen has no names. */
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		uint64_t d = catalog_db_u64(q, 0);

		if (d < 1 || d >= DISPOSITIONS)
			return catalog_db_damaged(
				c, e, "a name makes no sense");
		n[d] = catalog_db_u64(q, 1);
	}
	if (rc != END)
		return rc;
	for (int d = 0; d < DISPOSITIONS; d++)
		count[d] = n[d];
	return OK;
}
