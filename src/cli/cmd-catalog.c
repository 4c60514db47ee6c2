#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "cli/commands.h"
#include "daemon/lock.h"
#include "landfall/commit.h"

#define REBUILDING "rebuilding"
#define REBUILT_LOG REBUILDING "/catalog.db-wal"

/*
 * The new catalog is made in a directory of its own and moved over the old
 * one when it is whole; the old one stays as catalog.db.old.
 */
static enum rc
rebuild_into(struct cli *c, int state, struct str *path, uint64_t *versions,
	struct err *e)
{
	struct catalog *catalog = NULL;
	struct zone *zone = NULL;
	enum rc rc;

	str_addf(path, "%s/" REBUILDING, c->config->state);
	rc = durable_mkdirs(state, REBUILDING, 0700, e);
	/* What an interrupted rebuild left. */
	(void)unlinkat(state, REBUILDING "/catalog.db", 0);
	(void)unlinkat(state, REBUILT_LOG, 0);
	(void)unlinkat(state, REBUILDING "/catalog.db-shm", 0);
	if (rc == OK)
		rc = zone_open(c->config->zone, &zone, e);
	if (rc == OK)
		rc = catalog_open(path->s, true, &catalog, e);
	if (rc == OK)
		rc = commit_rebuild(zone, catalog, versions, e);
	catalog_close(catalog);
	zone_close(zone);
	/* SQLite removes the log when all of it is in the database. */
	if (rc == OK && faccessat(state, REBUILT_LOG, F_OK, 0) == 0)
		rc = err_set(e, BROKEN,
			"catalog %s/catalog.db could not be written in full: "
			"see to the space and the health of its filesystem, "
			"then run `landfall catalog rebuild` again",
			path->s);
	return rc;
}

/*
 * A log of the old catalog would be taken for the new one's. It goes after
 * the old one, which without it would be older than it is.
 */
static enum rc
remove_log(int state, struct err *e)
{
	static const char *const names[] = {"catalog.db-wal", "catalog.db-shm"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (unlinkat(state, names[i], 0) < 0 && errno != ENOENT)
			return err_sys(e, BROKEN, errno,
				"state directory: remove %s", names[i]);
	return OK;
}

static enum rc
rebuild(struct cli *c, uint64_t *versions, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	int state = -1, lock = -1;
	enum rc rc;

	rc = io_open(AT_FDCWD, c->config->state, O_RDONLY | O_DIRECTORY, 0,
		&state, BROKEN, e);
	if (rc == OK)
		rc = lock_take(state, c->config->state, &lock, e);
	if (rc == OK)
		rc = rebuild_into(c, state, &path, versions, e);
	if (rc == OK) {
		rc = durable_move(state, "catalog.db", "catalog.db.old", e);
		if (rc == END)
			rc = OK;
	}
	if (rc == OK)
		rc = remove_log(state, e);
	if (rc == OK)
		rc = durable_move(
			state, REBUILDING "/catalog.db", "catalog.db", e);
	if (rc == OK)
		(void)unlinkat(state, REBUILDING, AT_REMOVEDIR);
	io_drop(&lock);
	io_drop(&state);
	return rc;
}

enum status
cmd_catalog(struct cli *c, int argc, char **argv)
{
	struct err e = ERR_INIT;
	uint64_t versions = 0;
	int parsed = cli_parse(c, argc, argv, NULL, 0);

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (c->n_args != 1 || strcmp(c->arg[0], "rebuild") != 0)
		return cli_usage(c, "say `landfall catalog rebuild`");
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	if (rebuild(c, &versions, &e) != OK) {
		err_add(&e, "catalog rebuild");
		return cli_fail(&e);
	}
	cli_say(c, "the catalog is made again from the zone: %llu versions",
		(unsigned long long)versions);
	return STATUS_DONE;
}
