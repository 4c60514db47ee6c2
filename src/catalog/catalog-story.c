#include "catalog/catalog-db.h"

/* A source's id as a parameter; NULL stands for all of them. */
static enum rc
bind_source(struct catalog *c, sqlite3_stmt *q, int i, const char *source,
	struct err *e)
{
	int64_t id;
	enum rc rc;

	if (source == NULL) {
		catalog_db_bind_null(q, i);
		return OK;
	}
	rc = catalog_db_source(c, source, false, &id, e);
	if (rc == OK)
		catalog_db_bind_i64(q, i, id);
	return rc;
}

typedef enum rc
story_each(void *arg, const struct catalog_event *ev, struct err *e);

/* The columns of SQL_STORY. */
enum { SEQ, KIND, AT, SOURCE, NAME, DISPOSITION, REASON, VERSION };

/* Each event in order; *any becomes true when there is one. */
static enum rc
tell(struct catalog *c, enum catalog_sql id, const char *source,
	const uint8_t *name, size_t len, story_each *each, void *arg, bool *any,
	struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	enum rc rc;

	if (catalog_db_use(c, id, &q, e) != OK)
		return e->code;
	catalog_db_bind_bytes(q, 1, name, len);
	rc = bind_source(c, q, 2, source, e);
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		struct catalog_version v;
		struct catalog_event ev = {
			.at = sqlite3_column_int64(q, AT),
			.source = catalog_db_text(q, SOURCE),
			.name = sqlite3_column_blob(q, NAME),
			.name_len = (size_t)sqlite3_column_bytes(q, NAME),
			.disposition = (enum disposition)sqlite3_column_int64(
				q, DISPOSITION),
			.reason = catalog_db_text(q, REASON),
		};

		if (disposition_name(ev.disposition) == NULL)
			return catalog_db_damaged(
				c, e, "an event makes no sense");
		if (sqlite3_column_int64(q, KIND) == 1) {
			if (catalog_db_version(c, q, VERSION, NULL, &v, e) !=
				OK)
				return e->code;
			ev.version = &v;
		}
		*any = true;
		rc = each(arg, &ev, e);
		if (rc != OK)
			return rc;
	}
	/* Also when the source is unknown. */
	return rc == END ? OK : rc;
}

enum rc
catalog_story(struct catalog *c, const char *source, const uint8_t *name,
	size_t len,
	enum rc (*each)(
		void *arg, const struct catalog_event *ev, struct err *e),
	void *arg, struct err *e)
{
	bool any = false;
	enum rc rc;

	rc = tell(c, SQL_STORY, source, name, len, each, arg, &any, e);
	if (rc == OK && !any)
		rc = tell(c, SQL_STORY_BASE, source, name, len, each, arg, &any,
			e);
	return rc == OK && !any ? END : rc;
}

enum rc
catalog_each_landed(struct catalog *c, const char *source,
	enum rc (*each)(void *arg, const struct catalog_name *n, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	struct catalog_name n;
	enum rc rc;

	if (catalog_db_use(c, SQL_EACH_LANDED, &q, e) != OK)
		return e->code;
	rc = bind_source(c, q, 1, source, e);
	while (rc == OK && (rc = catalog_db_step(c, q, e)) == OK) {
		if (catalog_db_name(c, q, 0, NULL, &n, e) != OK)
			return e->code;
		rc = each(arg, &n, e);
		if (rc != OK)
			return rc;
	}
	return rc == END ? OK : rc;
}
