#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/jsonw.h"
#include "cli/commands.h"
#include "landfall/catalog.h"
#include "landfall/ledger.h"
#include "landfall/zone.h"

/* %1$s: the absolute directory, %2$s: the origin, both as in a JSON string. */
static const char configuration[] =
	"# landfall.yaml: `landfall help config` explains every key,\n"
	"# `landfall check` says whether this file is right.\n"
	"\n"
	"zone: \"%1$s/zone\"      # the landing zone: append-only, for "
	"readers\n"
	"state: \"%1$s/state\"    # catalog and ledger key: for landfall "
	"alone\n"
	"origin: \"%2$s\"         # the ledger's name; never changes\n"
	"\n"
	"sources:\n"
	"  inbox:                 # a source is one stream of deliveries\n"
	"    drop: {path: \"%1$s/inbox\", recursive: true}\n"
	"    format: csv\n"
	"    # match: [\"orders_*.csv\"]        # default: every name\n"
	"    # ignore: [\"*.tmp\", \".*\"]        # see help config\n"
	"    # ready: {stable: 2s}            # unchanged for so long\n"
	"    # csv: {delimiter: \";\", header: 1, columns: header}\n";

/* A directory of ours; one that is there already is fine. */
static enum rc
make_dir(const char *path, mode_t mode, int *ret_fd, struct err *e)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, BROKEN, errno, "mkdir %s", path);
	return io_open(
		AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, ret_fd, BROKEN, e);
}

/* A JSON string is a YAML string: what stands between its quotes. */
static void
add_quoted(struct str *s, const char *text)
{
	CLEANUP(str_release) struct str json = STR_INIT;
	struct jsonw j = jsonw_to(&json);

	jsonw_text(&j, text);
	str_addn(s, json.s + 1, json.len - 2);
}

static enum rc
write_configuration(int dir, const char *path, const char *origin,
	bool *ret_kept, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	CLEANUP(str_release) struct str quoted_path = STR_INIT;
	CLEANUP(str_release) struct str quoted_origin = STR_INIT;
	struct stat st;

	*ret_kept = fstatat(dir, "landfall.yaml", &st, 0) == 0;
	if (*ret_kept)
		return OK;
	add_quoted(&quoted_path, path);
	add_quoted(&quoted_origin, origin);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	str_addf(&text, configuration, quoted_path.s, quoted_origin.s);
#pragma GCC diagnostic pop
	return durable_replace(dir, "landfall.yaml", text.s, text.len, 0644, e);
}

/*
 * The configuration is made last: where a ledger is and no configuration, an
 * init was interrupted, and opening the ledger completes it.
 */
static enum rc
make_ledger(int dir, int zone, int state, const char *origin, struct err *e)
{
	struct ledger *l;
	struct stat st;
	enum rc rc = ledger_create(zone, state, origin, e);

	if (rc == OK || e->cause != EEXIST ||
		fstatat(dir, "landfall.yaml", &st, 0) == 0)
		return rc;
	rc = ledger_open(zone, state, origin, &l, e);
	if (rc == OK)
		ledger_close(l);
	return rc;
}

/* Could the configuration say it? */
static bool
is_path_for_yaml(const char *path)
{
	for (const char *c = path; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return str_is_utf8(path, strlen(path));
}

static void
default_origin(struct str *s)
{
	char host[HOST_NAME_MAX + 1] = "";

	bool known = gethostname(host, sizeof(host) - 1) == 0 && *host != '\0';

	str_addf(s, "%s/landing", known ? host : "localhost");
}

static enum rc
make_all(struct cli *c, const char *path, const char *origin, bool *ret_kept,
	struct err *e)
{
	CLEANUP(str_release) struct str zone_path = STR_INIT;
	CLEANUP(str_release) struct str state_path = STR_INIT;
	CLEANUP(str_release) struct str inbox_path = STR_INIT;
	struct zone *zone = NULL;
	struct catalog *catalog = NULL;
	int dir = -1, state = -1, inbox = -1;
	enum rc rc;

	(void)c;
	str_addf(&zone_path, "%s/zone", path);
	str_addf(&state_path, "%s/state", path);
	str_addf(&inbox_path, "%s/inbox", path);
	rc = io_open(
		AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &dir, BROKEN, e);
	if (rc == OK)
		rc = zone_create(zone_path.s, e);
	if (rc == OK)
		rc = zone_open(zone_path.s, &zone, e);
	if (rc == OK)
		rc = make_dir(state_path.s, 0700, &state, e);
	if (rc == OK)
		rc = make_dir(inbox_path.s, 0755, &inbox, e);
	if (rc == OK)
		rc = durable_sync(dir, e);
	if (rc == OK)
		rc = make_ledger(dir, zone_dir(zone), state, origin, e);
	if (rc == OK)
		rc = catalog_open(state_path.s, true, &catalog, e);
	if (rc == OK)
		rc = write_configuration(dir, path, origin, ret_kept, e);
	catalog_close(catalog);
	zone_close(zone);
	io_drop(&inbox);
	io_drop(&state);
	io_drop(&dir);
	return rc;
}

enum status
cmd_init(struct cli *c, int argc, char **argv)
{
	CLEANUP(str_release) struct str origin_default = STR_INIT;
	const char *origin = NULL;
	const struct cli_option options[] = {
		{.name = "origin",
			.text = &origin,
			.value = "NAME",
			.help = "the ledger's name (default: HOST/landing)"},
	};
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	bool kept = false;
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (st != STATUS_DONE)
		return st == CLI_STOP ? STATUS_DONE : (enum status)st;
	if (c->n_args > 1)
		return cli_usage(c, "one directory, not %d", c->n_args);
	if (c->n_args == 1 && mkdir(c->arg[0], 0755) < 0 && errno != EEXIST) {
		err_sys(&e, BROKEN, errno, "mkdir %s", c->arg[0]);
		return cli_fail(&e);
	}
	if (realpath(c->n_args == 1 ? c->arg[0] : ".", path) == NULL) {
		err_sys(&e, BROKEN, errno, "%s",
			c->n_args == 1 ? c->arg[0] : ".");
		return cli_fail(&e);
	}
	if (!is_path_for_yaml(path))
		return cli_usage(c,
			"a path with control characters, or that is not UTF-8, "
			"cannot stand in landfall.yaml");
	default_origin(&origin_default);
	if (origin == NULL)
		origin = origin_default.s;
	if (make_all(c, path, origin, &kept, &e) != OK) {
		if (e.cause == EEXIST) {
			fprintf(stderr,
				"landfall: error: %s is initialised already: "
				"%s; nothing was changed\n",
				path, e.text);
			return STATUS_USAGE;
		}
		if (e.code != BAD_ITEM)
			err_add(&e, "init %s", path);
		return cli_fail(&e) == STATUS_ATTENTION ? STATUS_USAGE
							: STATUS_BROKEN;
	}
	cli_say(c,
		"%s is ready: the zone, the state with the ledger key, and "
		"%s%s.\nDrop files into %s/inbox, then: landfall run --once "
		"-c %s/landfall.yaml",
		path, "landfall.yaml", kept ? " (yours, left as it is)" : "",
		path, path);
	return STATUS_DONE;
}
