#include "base/clock.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "daemon/pass.h"

/* Between the first look and the second some more: clocks are coarse. */
#define WAIT_SLACK (CLOCK_SECOND / 20)

struct running {
	struct cli *cli;
	struct engine *engine;
	struct tally *tally;
};

static void
one_done(void *arg, const struct delivery *d)
{
	struct running *r = arg;

	tally_done(r->tally, d);
	if (d->staged || d->tried)
		show_delivery(r->cli, d);
}

static enum status
status_of(const struct pass_report *p)
{
	if (p->pass.outcome == PASS_COULD_NOT_LOOK)
		return STATUS_UNREACHED;
	if (p->pass.count[DISPOSITION_QUARANTINED] > p->settled ||
		p->failed > 0)
		return STATUS_ATTENTION;
	return STATUS_DONE;
}

/*
 * One source: a look, and a second one when names were still too young at
 * the first. What is still pending then stays so until the next run.
 */
static enum status
run_source(struct running *r, const struct source_config *cfg, struct err *e)
{
	struct pass_report p;
	enum status st = STATUS_DONE;
	int64_t wait = 0;

	for (unsigned look = 1; look <= 2; look++) {
		enum rc rc;

		if (wait > 0)
			clock_sleep(wait + WAIT_SLACK);
		pass_report_init(&p);
		rc = pass_run(r->engine, r->tally, cfg, &p, e);
		if (rc == BROKEN) {
			pass_report_release(&p);
			return STATUS_BROKEN;
		}
		if (rc == BAD_SOURCE)
			fprintf(stderr, "landfall: error: source %s: %s\n",
				cfg->name, e->text);
		wait = p.wait;
		st = status_of(&p);
		if (wait == 0 || look == 2)
			show_pass(r->cli, &p.pass);
		pass_report_release(&p);
		if (wait == 0)
			break;
		if (look == 1)
			cli_say(r->cli,
				"%s: some names are younger than `ready: "
				"stable`; looking again",
				cfg->name);
	}
	return st;
}

static void
say_recovery(const struct cli *c, const struct recovery *r)
{
	if (r->brought_forward > 0 || r->entries > 0)
		cli_say(c,
			"landfall: the last run was interrupted: %llu files "
			"and %llu ledger entries were brought forward",
			(unsigned long long)r->brought_forward,
			(unsigned long long)r->entries);
}

static uint64_t
bytes_read(void *arg)
{
	struct engine_progress p;

	engine_progress(arg, &p);
	return p.bytes;
}

static enum status
run_once(struct running *r)
{
	const struct engine_options options = {
		.config = r->cli->config,
		.done = one_done,
		.arg = r,
	};
	struct progress *progress;
	struct err e = ERR_INIT;
	enum status worst = STATUS_DONE;

	if (engine_open(&options, &r->engine, &e) != OK)
		return cli_fail(&e);
	say_recovery(r->cli, engine_recovery(r->engine));
	progress = progress_start(r->cli, "read", 0, bytes_read, r->engine);
	for (size_t i = 0; i < r->cli->config->n_sources; i++) {
		const struct source_config *cfg = &r->cli->config->source[i];
		enum status st;

		if (!cli_chosen(r->cli, cfg->name))
			continue;
		st = run_source(r, cfg, &e);
		if (st > worst)
			worst = st;
		if (st == STATUS_BROKEN)
			break;
	}
	progress_stop(progress);
	if (worst == STATUS_BROKEN)
		(void)cli_fail(&e);
	engine_close(r->engine);
	return worst;
}

enum status
cmd_run(struct cli *c, int argc, char **argv)
{
	bool once = false;
	const struct cli_option options[] = {
		{.name = "once",
			.flag = &once,
			.help = "one pass over each source, then exit"},
	};
	struct running r = {.cli = c};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	enum status st;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (!once)
		return cli_usage(c,
			"this version makes single passes: say --once, and "
			"let cron or a timer repeat it");
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	for (int i = 0; i < c->n_args; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			return STATUS_USAGE;
	r.tally = tally_new();
	st = run_once(&r);
	tally_free(r.tally);
	return st;
}
