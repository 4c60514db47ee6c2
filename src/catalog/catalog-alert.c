#include "catalog/catalog-db.h"

enum rc
catalog_condition_put(struct catalog *c, const char *source, enum condition k,
	const struct catalog_condition *x, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;

	if (catalog_db_source(c, source, true, &id, e) != OK ||
		catalog_db_use(c, SQL_CONDITION_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_i64(q, 2, k);
	catalog_db_bind_text(q, 3, x->state);
	catalog_db_bind_u64(q, 4, x->key);
	catalog_db_bind_i64(q, 5, x->at);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_condition_find(struct catalog *c, const char *source, enum condition k,
	struct catalog_condition *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_condition x = {.state = ""};
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc == OK && catalog_db_use(c, SQL_CONDITION_FIND, &q, e) == OK) {
		catalog_db_bind_i64(q, 1, id);
		catalog_db_bind_i64(q, 2, k);
		rc = catalog_db_step(c, q, e);
	} else if (rc != END) {
		return e->code;
	}
	if (rc == OK) {
		str_clear(&c->condition);
		str_add(&c->condition, catalog_db_text(q, 0));
		x.state = c->condition.s;
		x.key = catalog_db_u64(q, 1);
		x.at = sqlite3_column_int64(q, 2);
	} else if (rc != END) {
		return rc;
	}
	*ret = x;
	return OK;
}

enum rc
catalog_failing(
	struct catalog *c, const char *source, int64_t *ret, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;
	enum rc rc = catalog_db_source(c, source, false, &id, e);

	if (rc != OK)
		return rc;
	if (catalog_db_use(c, SQL_FAILING, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	rc = catalog_db_step(c, q, e);
	if (rc == OK)
		*ret = sqlite3_column_int64(q, 0);
	return rc;
}

enum rc
catalog_alert_put(
	struct catalog *c, const struct catalog_alert *a, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	int64_t id;

	if (catalog_db_source(c, a->source, true, &id, e) != OK ||
		catalog_db_use(c, SQL_ALERT_PUT, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_text(q, 2, a->event);
	catalog_db_bind_i64(q, 3, a->at);
	catalog_db_bind_i64(q, 4, a->due);
	catalog_db_bind_text(q, 5, a->body);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_alert_tried(struct catalog *c, int64_t id, int64_t due, bool given_up,
	const char *trouble, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_ALERT_TRIED, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, id);
	catalog_db_bind_i64(q, 2, due);
	catalog_db_bind_i64(q, 3, given_up);
	catalog_db_bind_text(q, 4, trouble);
	return catalog_db_run(c, q, e);
}

/* A statement with one number. */
static enum rc
run_with(struct catalog *c, enum catalog_sql sql, int64_t v, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, sql, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, v);
	return catalog_db_run(c, q, e);
}

enum rc
catalog_alert_drop(struct catalog *c, int64_t id, struct err *e)
{
	return run_with(c, SQL_ALERT_DROP, id, e);
}

enum rc
catalog_alert_forget(struct catalog *c, int64_t before, struct err *e)
{
	return run_with(c, SQL_ALERT_FORGET, before, e);
}

enum rc
catalog_alert_each(struct catalog *c, bool given_up,
	enum rc (*each)(
		void *arg, const struct catalog_alert *a, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc = OK;

	if (c->version < CATALOG_SQL_ALERTS)
		return OK;
	if (catalog_db_use(c, SQL_ALERT_EACH, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, given_up);
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		const struct catalog_alert a = {
			.id = sqlite3_column_int64(q, 0),
			.source = catalog_db_text(q, 1),
			.event = catalog_db_text(q, 2),
			.at = sqlite3_column_int64(q, 3),
			.due = sqlite3_column_int64(q, 4),
			.attempts = catalog_db_u64(q, 5),
			.given_up = sqlite3_column_int64(q, 6) != 0,
			.trouble = catalog_db_text(q, 7),
			.body = catalog_db_text(q, 8),
		};

		rc = each(arg, &a, e);
	}
	return rc == END ? OK : rc;
}
