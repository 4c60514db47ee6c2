/*
 * catalog-db.h - one connection and its prepared statements; what the files
 * of catalog/ share, and nobody else includes.
 *
 *	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;
 *	if (catalog_db_use(c, SQL_FIND, &q, e) != OK)
 *		return e->code;
 *	catalog_db_bind_i64(q, 1, id);
 *	rc = catalog_db_step(c, q, e);		OK: a row; END: no more
 *
 * A statement that is not reset holds a snapshot and keeps the log from
 * being folded into the database: hence the reset by scope. Bytes and text
 * are bound without a copy and must live until the last step.
 */
#ifndef CATALOG_DB_H
#define CATALOG_DB_H

#include <sqlite3.h>

#include "catalog/catalog-sql.h"
#include "landfall/catalog.h"

/* Texts of the last row a function returned; see landfall/catalog.h. */
struct catalog_kept {
	struct str source, name, reason, file;
};

struct catalog_kept_stream {
	struct str stream, partition, position, job, why;
};

struct catalog {
	sqlite3 *db;
	char *path;
	int64_t version; /* of its schema; older ones are only read */
	sqlite3_stmt *stmt[SQL_STATEMENTS];
	struct {
		char *name;
		int64_t id;
	} * source; /* those met; forgotten when a transaction is aborted */
	size_t n_sources;
	struct catalog_kept find, landed, bytes, index, newest, file, pass,
		waiting, undecided;
	struct str condition; /* its state */
	struct catalog_kept_stream stream;
};

/* BROKEN, with what SQLite says and what to do about it. */
enum rc catalog_db_fail(struct catalog *c, struct err *e, const char *what);

/* BROKEN: a row that no catalog of ours holds. */
enum rc catalog_db_damaged(struct catalog *c, struct err *e, const char *what);

enum rc catalog_db_use(struct catalog *c, enum catalog_sql id,
	sqlite3_stmt **ret, struct err *e) MUST_USE;
enum rc
catalog_db_step(struct catalog *c, sqlite3_stmt *q, struct err *e) MUST_USE;

/* A statement that returns no row, to its end. */
enum rc
catalog_db_run(struct catalog *c, sqlite3_stmt *q, struct err *e) MUST_USE;

/* The same for one without parameters. */
enum rc
catalog_db_do(struct catalog *c, enum catalog_sql id, struct err *e) MUST_USE;

void catalog_db_reset(sqlite3_stmt **q);

/* These fail only without memory, and abort then. text and p may be NULL. */
void catalog_db_bind_i64(sqlite3_stmt *q, int i, int64_t v);
void catalog_db_bind_u64(sqlite3_stmt *q, int i, uint64_t v);
void catalog_db_bind_text(sqlite3_stmt *q, int i, const char *text);
void catalog_db_bind_bytes(sqlite3_stmt *q, int i, const void *p, size_t n);
void catalog_db_bind_null(sqlite3_stmt *q, int i);
/* Five parameters from i on. */
void
catalog_db_bind_signature(sqlite3_stmt *q, int i, const struct signature *sig);

uint64_t catalog_db_u64(sqlite3_stmt *q, int col);
const char *catalog_db_text(sqlite3_stmt *q, int col); /* never NULL */
struct signature catalog_db_signature(sqlite3_stmt *q, int col);

/*
 * A row's version or name (with its version), from column col on. Pointers
 * are SQLite's and last until the next step; with keep they are copies there.
 */
enum { CATALOG_DB_NAME_COLUMNS = 12 };
enum rc catalog_db_version(struct catalog *c, sqlite3_stmt *q, int col,
	struct catalog_kept *keep, struct catalog_version *ret,
	struct err *e) MUST_USE;
enum rc catalog_db_name(struct catalog *c, sqlite3_stmt *q, int col,
	struct catalog_kept *keep, struct catalog_name *ret,
	struct err *e) MUST_USE;

/* The id of a source. END: not in the catalog, and add is false. */
enum rc catalog_db_source(struct catalog *c, const char *name, bool add,
	int64_t *ret_id, struct err *e) MUST_USE;
void catalog_db_forget_sources(struct catalog *c);

/* ---- catalog-prune.c; inside a transaction ---- */

/* The middle of a name's story, when it has become long. */
enum rc
catalog_prune_story(struct catalog *c, int64_t name, struct err *e) MUST_USE;

/* Some names of a source that were only ever ignored, and long ago. */
enum rc catalog_prune_names(
	struct catalog *c, int64_t source, int64_t now, struct err *e) MUST_USE;

#endif
