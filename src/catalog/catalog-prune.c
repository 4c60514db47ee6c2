/*
 * What a catalog forgets, so that it stops growing where names come and go:
 * the middle of long stories, and names of old that were only ever ignored.
 * Versions are never among it.
 */
#include <inttypes.h>
#include <string.h>

#include "catalog/catalog-db.h"

/* The second line of a story that was cut says how much is left out. */
#define LEFT_OUT "lines left out here, so that the story stays short: "

/* Binds a name's id, and makes the step. */
static enum rc
ask(struct catalog *c, enum catalog_sql id, int64_t name, sqlite3_stmt **q,
	struct err *e)
{
	if (catalog_db_use(c, id, q, e) != OK)
		return e->code;
	catalog_db_bind_i64(*q, 1, name);
	return catalog_db_step(c, *q, e);
}

/* The second line, and how many lines stand behind it. */
static enum rc
find_second(struct catalog *c, int64_t name, int64_t *ret_id, uint64_t *ret_out,
	struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
	const char *reason;
	size_t n = strlen(LEFT_OUT);

	if (ask(c, SQL_EVENT_SECOND, name, &q, e) != OK)
		return e->code;
	*ret_id = sqlite3_column_int64(q, 0);
	reason = catalog_db_text(q, 1);
	if (strncmp(reason, LEFT_OUT, n) != 0 ||
		!str_parse_u64(reason + n, strlen(reason + n), ret_out))
		*ret_out = 1; /* itself, to be */
	return OK;
}

static enum rc
drop_middle(struct catalog *c, int64_t name, int64_t second, uint64_t *ret_n,
	struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_EVENT_FORGET, &q, e) != OK)
		return e->code;
	catalog_db_bind_i64(q, 1, name);
	catalog_db_bind_i64(q, 2, second);
	if (catalog_db_run(c, q, e) != OK)
		return e->code;
	*ret_n = (uint64_t)sqlite3_changes64(c->db);
	return OK;
}

enum rc
catalog_prune_story(struct catalog *c, int64_t name, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *count = NULL, *q = NULL;
	CLEANUP(str_release) struct str said = STR_INIT;
	uint64_t left_out = 0, dropped = 0;
	int64_t second = 0;

	if (ask(c, SQL_EVENT_COUNT, name, &count, e) != OK)
		return e->code;
	if (sqlite3_column_int64(count, 0) < 2 * CATALOG_SQL_EVENTS_KEPT)
		return OK;
	if (find_second(c, name, &second, &left_out, e) != OK ||
		drop_middle(c, name, second, &dropped, e) != OK ||
		catalog_db_use(c, SQL_EVENT_SAY, &q, e) != OK)
		return e->code;
	str_addf(&said, LEFT_OUT "%" PRIu64, left_out + dropped);
	catalog_db_bind_i64(q, 1, second);
	catalog_db_bind_text(q, 2, said.s);
	return catalog_db_run(c, q, e);
}

/* One that is still there is noted anew by the next look. */
enum rc
catalog_prune_names(
	struct catalog *c, int64_t source, int64_t now, struct err *e)
{
	static const enum catalog_sql parts[] = {
		SQL_NAME_FORGET_EVENTS, SQL_NAME_FORGET};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

		if (catalog_db_use(c, parts[i], &q, e) != OK)
			return e->code;
		catalog_db_bind_i64(q, 1, source);
		catalog_db_bind_i64(q, 2, now - CATALOG_SQL_IGNORED_KEPT);
		if (catalog_db_run(c, q, e) != OK)
			return e->code;
	}
	return OK;
}
