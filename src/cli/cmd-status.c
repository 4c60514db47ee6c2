/*
 * landfall status: how things stand, at a glance, once or again and again.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/place.h"
#include "cli/status.h"

#define EVERY_SECONDS 2 /* --watch without a number */
#define EVERY_MOST 86400

static void
add_status(enum status *worst, enum status st)
{
	if (st > *worst)
		*worst = st;
}

/* ---- what has not been told yet ---- */

struct telling {
	const struct cli *cli;
	struct jsonw *json; /* NULL: words */
	bool tried;	    /* an attempt to tell it has failed */
};

static enum rc
each_alert(void *arg, const struct catalog_alert *a, struct err *e UNUSED)
{
	struct telling *t = arg;

	if (!cli_chosen(t->cli, a->source))
		return OK;
	t->tried |= a->attempts > 0;
	if (t->json != NULL)
		status_json_alert(t->json, a);
	else
		status_words_alert(a);
	return OK;
}

static enum rc
show_telling(struct cli *c, struct catalog *cat, struct jsonw *j,
	enum status *worst, struct err *e)
{
	struct telling t = {.cli = c, .json = j};

	if (j != NULL)
		jsonw_key(j, "alerts"), jsonw_array(j);
	if (catalog_alert_each(cat, false, each_alert, &t, e) != OK ||
		catalog_alert_each(cat, true, each_alert, &t, e) != OK)
		return e->code;
	if (j != NULL)
		jsonw_end(j);
	if (t.tried)
		add_status(worst, STATUS_ATTENTION);
	return OK;
}

/*
 * The catalog may be a little ahead while a commit is under way or after a
 * crash; behind it can only be when one of the two was replaced.
 */
static enum status
compare(const struct ledger_view *v, uint64_t recorded)
{
	uint64_t size = ledger_view_size(v);

	if (recorded > size)
		fprintf(stderr,
			"landfall: %" PRIu64 " entries are recorded and not "
			"in the ledger yet; the landfall that runs now, or "
			"the next one, completes them\n",
			recorded - size);
	if (recorded >= size)
		return STATUS_DONE;
	fprintf(stderr,
		"landfall: error: the catalog knows %" PRIu64 " ledger "
		"entries, the ledger has %" PRIu64 ": the catalog was "
		"restored from an old copy; run `landfall catalog rebuild`\n",
		recorded, size);
	return STATUS_BROKEN;
}

static size_t
name_width(const struct config *cfg)
{
	size_t width = strlen("source");

	for (size_t i = 0; i < cfg->n_sources; i++)
		if (strlen(cfg->source[i].name) > width)
			width = strlen(cfg->source[i].name);
	return width;
}

/* *worst: what needs somebody. */
static enum status
show_all(struct cli *c, struct place *p, const struct standing_daemon *d,
	enum status *worst)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);
	size_t width = name_width(c->config);
	struct err e = ERR_INIT;
	uint64_t recorded;

	/* First the catalog: the ledger may only grow between the two. */
	if (catalog_ledger_size(p->catalog, &recorded, &e) != OK)
		return cli_fail(&e);
	jsonw_object(&j);
	jsonw_key(&j, "sources"), jsonw_object(&j);
	if (!c->json) {
		status_words_daemon(d);
		status_words_header(width);
	}
	for (size_t i = 0; i < c->config->n_sources; i++) {
		struct standing s;

		if (!cli_chosen(c, c->config->source[i].name))
			continue;
		if (standing_take(
			    p, &c->config->source[i], d, c->json, &s, &e) != OK)
			return cli_fail(&e);
		if (c->json)
			status_json_source(&j, &s, p->catalog);
		else
			status_words_source(&s, width, p->catalog);
		add_status(worst, standing_status(&s));
		standing_release(&s);
	}
	jsonw_end(&j);
	if (show_telling(c, p->catalog, c->json ? &j : NULL, worst, &e) != OK)
		return cli_fail(&e);
	if (c->json) {
		status_json_daemon(&j, d);
		status_json_ledger(&j, p->ledger, recorded);
		jsonw_end(&j);
		cli_line(&line);
	} else {
		status_words_ledger(p->ledger);
	}
	return compare(p->ledger, recorded);
}

/*
 * Everything is opened anew: another process may have replaced it. check: the
 * status is that of what needs somebody.
 */
static enum status
show(struct cli *c, bool check)
{
	enum status worst = STATUS_DONE;
	struct place p = PLACE_INIT;
	struct standing_daemon d;
	struct err e = ERR_INIT;
	enum status st = place_open(c, PLACE_CATALOG | PLACE_LEDGER, &p);

	if (st == STATUS_DONE && standing_daemon(c, &d, &e) != OK)
		st = cli_fail(&e);
	else if (st == STATUS_DONE) {
		st = show_all(c, &p, &d, &worst);
		standing_daemon_release(&d);
	}
	place_close(&p);
	return st == STATUS_DONE && check ? worst : st;
}

/* Waits so long; false: somebody wants an end. */
static bool
wait_for(const sigset_t *ends, long seconds)
{
	const struct timespec t = {.tv_sec = seconds};

	return sigtimedwait(ends, NULL, &t) < 0;
}

/*
 * On a terminal the picture is drawn again in place, otherwise each is a
 * block of its own, with an empty line in between.
 */
static enum status
watch(struct cli *c, long seconds)
{
	bool terminal = isatty(STDOUT_FILENO) == 1 && !c->json;
	const char *between = "";
	enum status st;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		return STATUS_BROKEN;
	do {
		CLEANUP(str_release) struct str now = STR_INIT;

		fputs(terminal ? "\033[H\033[J" : between, stdout);
		if (!c->json) {
			clock_add_time(&now, clock_wall());
			printf("  %s, every %ld s\n", now.s, seconds);
			between = "\n";
		}
		st = show(c, false);
		/* Nobody reads any more: told by cli_end. */
		if (fflush(stdout) != 0)
			break;
	} while (st == STATUS_DONE && wait_for(&ends, seconds));
	return st;
}

enum status
cmd_status(struct cli *c, int argc, char **argv)
{
	const char *every = NULL;
	uint64_t seconds = EVERY_SECONDS;
	bool again = false, check = false;
	const struct cli_option options[] = {
		{.name = "watch",
			.flag = &again,
			.text = &every,
			.value = "SECONDS",
			.optional = true,
			.help = "again every so often (2 s), until ctrl-C"},
		{.name = "check",
			.flag = &check,
			.help = "exit with what needs somebody: 2, 3 or 5"},
	};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (every != NULL &&
		(!str_parse_u64(every, strlen(every), &seconds) ||
			seconds == 0 || seconds > EVERY_MOST))
		return cli_usage(
			c, "--watch takes 1 to %d seconds", EVERY_MOST);
	if (again && check)
		return cli_usage(c, "--check goes without --watch");
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	for (int i = 0; i < c->n_args; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			return STATUS_USAGE;
	return again ? watch(c, (long)seconds) : show(c, check);
}
