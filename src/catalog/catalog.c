#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "catalog/catalog-db.h"

#define WAIT_MS 10000 /* for another writer, e.g. `landfall land` */

/* ---- transactions ---- */

enum rc
catalog_begin(struct catalog *c, struct err *e)
{
	return catalog_db_do(c, SQL_BEGIN, e);
}

enum rc
catalog_commit(struct catalog *c, struct err *e)
{
	if (catalog_db_do(c, SQL_COMMIT, e) == OK)
		return OK;
	catalog_abort(c);
	return e->code;
}

void
catalog_abort(struct catalog *c)
{
	struct err e;

	/* Whatever fails here: what is not committed does not exist. */
	if (!sqlite3_get_autocommit(c->db))
		(void)!catalog_db_do(c, SQL_ROLLBACK, &e);
	catalog_db_forget_sources(c);
}

/* ---- opening ---- */

static enum rc
execute(struct catalog *c, const char *sql, const char *what, struct err *e)
{
	if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return catalog_db_fail(c, e, what);
	return OK;
}

/* The one number that a PRAGMA or a SELECT says. */
static enum rc
number(struct catalog *c, const char *sql, int64_t *ret, struct err *e)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(c->db, sql, -1, &q, NULL) != SQLITE_OK ||
		sqlite3_step(q) != SQLITE_ROW) {
		catalog_db_fail(c, e, "open");
		sqlite3_finalize(q);
		return e->code;
	}
	*ret = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return OK;
}

/* A filesystem without shared memory keeps the old mode and says nothing. */
static enum rc
write_ahead(struct catalog *c, struct err *e)
{
	sqlite3_stmt *q = NULL;
	bool wal;

	if (sqlite3_prepare_v2(c->db, "PRAGMA journal_mode = WAL", -1, &q,
		    NULL) != SQLITE_OK ||
		sqlite3_step(q) != SQLITE_ROW) {
		catalog_db_fail(c, e, "open");
		sqlite3_finalize(q);
		return e->code;
	}
	wal = strcmp(catalog_db_text(q, 0), "wal") == 0;
	sqlite3_finalize(q);
	if (!wal)
		return err_set(e, BROKEN,
			"catalog %s: its filesystem cannot share memory "
			"between processes: put the state on a local disk",
			c->path);
	return OK;
}

/* How far the catalog's schema is; 0: empty. */
static enum rc
version(struct catalog *c, int64_t *ret, struct err *e)
{
	int64_t application, tables;

	if (number(c, "PRAGMA application_id", &application, e) != OK ||
		number(c, "PRAGMA user_version", ret, e) != OK ||
		number(c, "SELECT count(*) FROM sqlite_schema", &tables, e) !=
			OK)
		return e->code;
	if (tables == 0) {
		*ret = 0;
		return OK;
	}
	if (application != CATALOG_SQL_APPLICATION || *ret < 1)
		return err_set(e, BROKEN,
			"%s is a database, but not a catalog of landfall: "
			"move it away and run `landfall catalog rebuild`",
			c->path);
	if (*ret > (int64_t)catalog_sql_n_steps)
		return err_set(e, BROKEN,
			"catalog %s is of version %lld and this landfall knows "
			"only %zu: run the newer one, or `landfall catalog "
			"rebuild`",
			c->path, (long long)*ret, catalog_sql_n_steps);
	return OK;
}

static enum rc
migrate(struct catalog *c, struct err *e)
{
	CLEANUP(str_release) struct str done = STR_INIT;
	int64_t from;

	if (version(c, &from, e) != OK)
		return e->code;
	if (from == (int64_t)catalog_sql_n_steps)
		return OK;
	if (catalog_begin(c, e) != OK)
		return e->code;
	/* Again, under the lock: somebody may have been faster. */
	if (version(c, &from, e) != OK)
		goto fail;
	for (size_t i = (size_t)from; i < catalog_sql_n_steps; i++)
		if (execute(c, catalog_sql_steps[i], "migrate", e) != OK)
			goto fail;
	str_addf(&done, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
		CATALOG_SQL_APPLICATION, catalog_sql_n_steps);
	if (execute(c, done.s, "migrate", e) != OK)
		goto fail;
	return catalog_commit(c, e);
fail:
	catalog_abort(c);
	return e->code;
}

/*
 * SQLite would make the file readable to everybody. Its log and index take
 * over the mode. END: missing.
 */
static enum rc
make_file(const char *state, const char *path, bool create, struct err *e)
{
	int fd = -1;

	if (!create) {
		if (access(path, F_OK) == 0)
			return OK;
		return errno == ENOENT
			? END
			: err_sys(e, BROKEN, errno, "catalog %s", path);
	}
	if (io_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd,
		    BROKEN, e) != OK)
		return e->cause == EEXIST ? OK : err_add(e, "catalog");
	io_drop(&fd);
	return durable_sync_dir(AT_FDCWD, state, e);
}

static enum rc
set_up(struct catalog *c, bool create, struct err *e)
{
	int64_t at;

	sqlite3_busy_timeout(c->db, WAIT_MS);
	(void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (execute(c, catalog_sql_setup, "open", e) != OK)
		return e->code;
	if (create) {
		if (sqlite3_db_readonly(c->db, "main") != 0)
			return err_set(e, BROKEN,
				"catalog %s is not ours to write: see its "
				"owner and mode",
				c->path);
		if (write_ahead(c, e) != OK)
			return e->code;
		c->version = (int64_t)catalog_sql_n_steps;
		return migrate(c, e);
	}
	if (version(c, &at, e) != OK)
		return e->code;
	c->version = at;
	return at == 0 ? END : OK; /* made a moment ago, and still empty */
}

/* Reading a row of every table finds most damage without reading them all. */
static enum rc
probe(struct catalog *c, struct err *e)
{
	CLEANUP(catalog_db_reset) sqlite3_stmt *q = NULL;

	if (catalog_db_use(c, SQL_PROBE, &q, e) != OK)
		return e->code;
	return catalog_db_step(c, q, e);
}

static void
kept_init(struct catalog_kept *k)
{
	k->source = k->name = k->reason = k->file = (struct str)STR_INIT;
}

static void
kept_release(struct catalog_kept *k)
{
	str_release(&k->source);
	str_release(&k->name);
	str_release(&k->reason);
	str_release(&k->file);
}

enum rc
catalog_open(
	const char *state, bool create, struct catalog **ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct catalog *c;
	enum rc rc;

	str_addf(&path, "%s/catalog.db", state);
	rc = make_file(state, path.s, create, e);
	if (rc != OK)
		return rc;
	c = mem_alloc(sizeof(*c));
	c->path = str_take(&path);
	kept_init(&c->find);
	kept_init(&c->landed);
	kept_init(&c->bytes);
	kept_init(&c->index);
	kept_init(&c->newest);
	kept_init(&c->file);
	kept_init(&c->pass);
	kept_init(&c->waiting);
	kept_init(&c->undecided);
	c->condition = (struct str)STR_INIT;
	c->stream = (struct catalog_kept_stream){
		STR_INIT, STR_INIT, STR_INIT, STR_INIT, STR_INIT};
	if (sqlite3_open_v2(c->path, &c->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_EXRESCODE,
		    NULL) != SQLITE_OK)
		rc = catalog_db_fail(c, e, "open");
	if (rc == OK)
		rc = set_up(c, create, e);
	if (rc == OK)
		rc = probe(c, e);
	if (rc != OK) {
		catalog_close(c);
		return rc;
	}
	*ret = c;
	return OK;
}

void
catalog_close(struct catalog *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(c->stmt[i]);
	sqlite3_close(c->db);
	catalog_db_forget_sources(c);
	kept_release(&c->find);
	kept_release(&c->landed);
	kept_release(&c->bytes);
	kept_release(&c->index);
	kept_release(&c->newest);
	kept_release(&c->file);
	kept_release(&c->pass);
	kept_release(&c->waiting);
	kept_release(&c->undecided);
	str_release(&c->condition);
	str_release(&c->stream.stream);
	str_release(&c->stream.partition);
	str_release(&c->stream.position);
	str_release(&c->stream.job);
	str_release(&c->stream.why);
	free(c->path);
	free(c);
}
