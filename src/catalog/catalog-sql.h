/*
 * catalog-sql.h - every SQL text of the catalog, numbered.
 *
 * Parameters are ?1, ?2, ... in the order in which the functions bind them;
 * columns of names and versions always come in the order of the two lists
 * in catalog-sql.c, which catalog-db.h reads.
 */
#ifndef CATALOG_SQL_H
#define CATALOG_SQL_H

#include <stdbool.h>
#include <stddef.h>

enum catalog_sql {
	SQL_BEGIN,
	SQL_BEGIN_READING,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_PROBE,
	SQL_SOURCE_FIND,
	SQL_SOURCE_ADD,
	SQL_STAND,
	SQL_FIND,
	SQL_FIND_BYTES,
	SQL_FIND_UNPACKED,
	SQL_FIND_INDEX,
	SQL_FIND_BEFORE,
	SQL_FIND_NEWEST,
	SQL_FIND_FILE,
	SQL_PUT_NAME,
	SQL_PUT_VERSION,
	SQL_NOTE_FIND,
	SQL_NOTE_ADD,
	SQL_NOTE_CHANGE,
	SQL_NOTE_EVENT,
	SQL_LEDGER_SIZE,
	SQL_LEDGER_KEEP,
	SQL_OUTBOX_PUT,
	SQL_OUTBOX_EACH,
	SQL_OUTBOX_DROP,
	SQL_LAST_LANDED,
	SQL_PASS_PUT,
	SQL_PASS_FORGET,
	SQL_PASS_LAST,
	SQL_PASS_LOOKED,
	SQL_ARRIVED,
	SQL_COUNT,
	SQL_WAITING,
	SQL_WAITING_COUNT,
	SQL_EACH_WAITING,
	SQL_STORY,
	SQL_STORY_BASE,
	SQL_EACH_LANDED,
	SQL_SHAPE_PUT,
	SQL_SHAPE_FIND,
	SQL_FIND_LANDED,
	SQL_SETTLE,
	SQL_SETTLED,
	SQL_STREAM_FIND,
	SQL_STREAM_PUT,
	SQL_STREAM_EACH,
	SQL_SEEN_FIND,
	SQL_SEEN_PUT,
	SQL_SEEN_FORGET,
	SQL_MARK_PUT,
	SQL_MARK_FIND,
	SQL_EACH_SINCE,
	SQL_STANDS,
	SQL_UNDECIDED_COUNT,
	SQL_UNDECIDED,
	SQL_SOURCES,
	SQL_CONDITION_PUT,
	SQL_CONDITION_FIND,
	SQL_FAILING,
	SQL_ALERT_PUT,
	SQL_ALERT_TRIED,
	SQL_ALERT_DROP,
	SQL_ALERT_FORGET,
	SQL_ALERT_EACH,
	SQL_SIDE_PUT,
	SQL_SIDE_DROP,
	SQL_SIDE_EACH,
	SQL_EACH_NAME,
	SQL_EVENT_COUNT,
	SQL_EVENT_SECOND,
	SQL_EVENT_FORGET,
	SQL_EVENT_SAY,
	SQL_NAME_FORGET_EVENTS,
	SQL_NAME_FORGET,
	SQL_STATEMENTS /* how many */
};

struct catalog_sql_text {
	const char *text;
	bool lists; /* may read a whole table; all others search */
};

extern const struct catalog_sql_text catalog_sql_texts[SQL_STATEMENTS];

/*
 * What brings a catalog from version i (PRAGMA user_version) to i + 1. Steps
 * are never changed once released, only added.
 */
extern const char *const catalog_sql_steps[];
extern const size_t catalog_sql_n_steps;

/* Each connection, before anything else. */
extern const char catalog_sql_setup[];

#define CATALOG_SQL_APPLICATION 0x4c466361 /* "LFca", PRAGMA application_id */
#define CATALOG_SQL_ALERTS 5		   /* the version that brought them */
#define CATALOG_SQL_PASSES_KEPT 1000	   /* of each source */
#define CATALOG_SQL_EVENTS_KEPT 200	   /* newest ones of a long story */
/* Names that were only ever ignored: 400 days, in ns. */
#define CATALOG_SQL_IGNORED_KEPT (INT64_C(400) * 86400 * 1000000000)
#define CATALOG_SQL_FORGET_ONCE 1000 /* names at once */

#endif
