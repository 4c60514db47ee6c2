#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/handout.h"
#include "cli/order.h"
#include "cli/polling.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "daemon/alert.h"
#include "daemon/courier.h"
#include "daemon/daemon.h"
#include "daemon/next.h"
#include "daemon/pass.h"
#include "daemon/room.h"

/* Between the first look and the second some more: clocks are coarse. */
#define WAIT_SLACK (CLOCK_SECOND / 20)

struct running {
	struct cli *cli;
	struct engine *engine;
	struct polling_record record;
	pthread_mutex_t lock;
	uint64_t no_room; /* names that wait for free space; under lock */
};

static void
one_done(void *arg, const struct delivery *d)
{
	struct running *r = arg;

	if (d->staged || d->tried || d->member)
		show_delivery(r->cli, d);
}

static enum status
status_of(const struct pass_report *p)
{
	if (p->pass.outcome == PASS_COULD_NOT_LOOK)
		return STATUS_UNREACHED;
	if (p->pass.count[DISPOSITION_QUARANTINED] > p->settled ||
		p->failed > 0 || p->missing > 0 ||
		p->members[DISPOSITION_QUARANTINED] > 0 ||
		p->after.failed > 0 || p->receipts.len > 0)
		return STATUS_ATTENTION;
	return STATUS_DONE;
}

/* How the source's contract stands after its pass, and who is told what. */
static enum status
judge(struct running *r, const struct source_config *cfg,
	const struct pass_report *p, struct err *e)
{
	struct lesson lesson = {.due = 0};
	struct arrival_report a;
	const struct alert_view view = {
		.config = r->cli->config,
		.source = cfg,
		.pass = p,
		.arrival = &a,
		.full = true,
		.failed = p->pass.outcome == PASS_COULD_NOT_LOOK,
	};
	struct lane *l;
	int64_t wait;
	bool news;
	enum rc rc;

	if (!cfg->expect.set && cfg->alert == NULL)
		return STATUS_DONE;
	if (lane_open(r->engine, NULL, &l, e) != OK)
		return STATUS_BROKEN;
	rc = arrival_judge(lane_catalog(l), cfg, clock_wall(), &lesson, &a, e);
	if (rc == OK)
		rc = alert_judge(l, &view, &wait, &news, e);
	lane_close(l);
	if (rc != OK)
		return STATUS_BROKEN;
	if (cfg->expect.set)
		show_arrival(r->cli, cfg->name, &a);
	switch (a.outcome) {
	case ARRIVAL_LATE:
	case ARRIVAL_SHORT:
	case ARRIVAL_MISSING:
		return STATUS_ATTENTION;
	case ARRIVAL_COULD_NOT_LOOK:
		return STATUS_UNREACHED;
	default:
		return STATUS_DONE;
	}
}

/* What is to be told is told before we end, or said to be left. */
static enum status
tell(struct running *r, struct err *e)
{
	struct courier_report t = {.trouble = STR_INIT};
	enum status st = STATUS_DONE;

	if (courier_flush(r->engine, r->cli->config, &t, e) != OK)
		st = STATUS_BROKEN;
	else if (t.left + t.given_up > 0)
		st = STATUS_ATTENTION;
	for (char *at = t.trouble.s, *end; *at != '\0'; at = end + 1) {
		end = strchrnul(at, '\n');
		fprintf(stderr, "landfall: error: %.*s\n", (int)(end - at), at);
		if (*end == '\0')
			break;
	}
	if (t.left > 0)
		fprintf(stderr,
			"landfall: error: %llu alert%s undelivered; the next "
			"run tries again\n",
			(unsigned long long)t.left,
			t.left == 1 ? " is" : "s are");
	str_release(&t.trouble);
	return st;
}

/*
 * One source: a look, and a second one when names were still too young at
 * the first. What is still pending then stays so until the next run.
 */
static enum status
run_source(struct running *r, const struct source_config *cfg, struct err *e)
{
	const struct pass_options options = {
		.config = cfg,
		.done = one_done,
		.arg = r,
	};
	struct pass_report p;
	enum status st = STATUS_DONE, judged;
	uint64_t deleted = 0, moved = 0; /* by the look before */
	int64_t wait = 0;

	for (unsigned look = 1; look <= 2; look++) {
		enum rc rc;

		if (wait > 0)
			clock_sleep(wait + WAIT_SLACK);
		pass_report_init(&p);
		rc = pass_run(r->engine, &options, &p, e);
		if (rc == BROKEN) {
			pass_report_release(&p);
			return STATUS_BROKEN;
		}
		if (rc == BAD_SOURCE)
			fprintf(stderr, "landfall: error: source %s: %s\n",
				cfg->name, e->text);
		if (p.receipts.len > 0)
			fprintf(stderr,
				"landfall: error: receipts of %s: %s; the next "
				"run tries again\n",
				cfg->name, p.receipts.s);
		if (p.remark.len > 0 && look == 1)
			fprintf(stderr, "landfall: warning: source %s: %s\n",
				cfg->name, p.remark.s);
		wait = p.wait;
		deleted = p.after.deleted += deleted;
		moved = p.after.moved += moved;
		st = status_of(&p);
		if (wait == 0 || look == 2) {
			show_pass(r->cli, &p);
			pthread_mutex_lock(&r->lock);
			r->no_room += p.no_room;
			pthread_mutex_unlock(&r->lock);
			judged = handout_receipts(r->engine, r->cli, cfg);
			if (judged > st)
				st = judged;
			judged = judge(r, cfg, &p, e);
			if (judged > st)
				st = judged;
		}
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
	CLEANUP(str_release) struct str s = STR_INIT;

	if (r->brought_forward == 0 && r->entries == 0)
		return;
	recovery_add(&s, r);
	cli_say(c, "landfall: the last run was interrupted: %s", s.s);
}

static uint64_t
bytes_read(void *arg)
{
	struct engine_progress p;

	engine_progress(arg, &p);
	return p.bytes;
}

static uint64_t
members_read(void *arg)
{
	struct engine_progress p;

	engine_progress(arg, &p);
	return p.members;
}

/* Our own disk: nothing is lost, but somebody must do something. */
static enum status
say_no_room(const struct running *r)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (r->no_room == 0)
		return STATUS_DONE;
	(void)room_wanted(engine_room(r->engine), &why);
	fprintf(stderr,
		"landfall: error: %s; names that wait: %llu; make room, and "
		"the next run lands them\n",
		why.s, (unsigned long long)r->no_room);
	return STATUS_BROKEN;
}

/* The same of a polled API, which is asked once. */
static enum status
run_polled(struct running *r, const struct source_config *cfg, struct err *e)
{
	const struct polling p = {.cli = r->cli,
		.engine = r->engine,
		.config = cfg,
		.record = r->record};
	struct poll_report report;
	enum status st, judged;

	poll_report_init(&report);
	st = polling_run(&p, &report, e);
	judged = st != STATUS_BROKEN ? judge(r, cfg, &report.look, e) : st;
	poll_report_release(&report);
	return judged > st ? judged : st;
}

/* One source, on a thread of its own. */
struct errand {
	struct running *running;
	const struct source_config *config;
	pthread_t thread;
	enum status status;
	struct err err;
};

static void *
run_errand(void *arg)
{
	struct errand *x = arg;

	x->status = (x->config->kind == SOURCE_HTTP ? run_polled : run_source)(
		x->running, x->config, &x->err);
	return NULL;
}

static void
take_status(struct errand *x, enum status *worst, struct err *e)
{
	if (x->status > *worst) {
		*worst = x->status;
		*e = x->err;
	}
}

/*
 * Partners beside each other and beside all else, so that one who does not
 * answer holds nobody up; what is here, one after the other.
 */
static enum status
run_sources(struct running *r, struct err *e)
{
	const struct config *cfg = r->cli->config;
	struct errand *remote = mem_array(cfg->n_sources, sizeof(*remote));
	enum status worst = STATUS_DONE;
	size_t n = 0;

	for (size_t i = 0; i < cfg->n_sources; i++) {
		struct errand *x = &remote[n];

		x->running = r;
		x->config = &cfg->source[i];
		if (!cli_chosen(r->cli, x->config->name) ||
			!next_is_remote(x->config))
			continue;
		if (pthread_create(&x->thread, NULL, run_errand, x) != 0)
			abort();
		n++;
	}
	for (size_t i = 0; i < cfg->n_sources && worst != STATUS_BROKEN; i++) {
		struct errand x = {.running = r, .config = &cfg->source[i]};

		if (!cli_chosen(r->cli, x.config->name) ||
			next_is_remote(x.config))
			continue;
		run_errand(&x);
		take_status(&x, &worst, e);
	}
	for (size_t i = 0; i < n; i++) {
		pthread_join(remote[i].thread, NULL);
		take_status(&remote[i], &worst, e);
	}
	free(remote);
	return worst;
}

static enum status
run_once(struct running *r)
{
	const struct engine_options options = {
		.config = r->cli->config,
	};
	struct progress *progress;
	struct err e = ERR_INIT;
	enum status worst = STATUS_DONE;

	if (engine_open(&options, &r->engine, &e) != OK)
		return cli_fail(&e);
	say_recovery(r->cli, engine_recovery(r->engine));
	progress = progress_start(r->cli, "read", 0, bytes_read, r->engine);
	progress_count(progress, "members", members_read, r->engine);
	worst = run_sources(r, &e);
	if (worst != STATUS_BROKEN) {
		enum status st = tell(r, &e);

		if (st > worst)
			worst = st;
	}
	progress_stop(progress);
	if (worst == STATUS_BROKEN)
		(void)cli_fail(&e);
	else if (say_no_room(r) != STATUS_DONE)
		worst = STATUS_BROKEN;
	engine_close(r->engine);
	return worst;
}

static bool
chosen(void *arg, const char *source)
{
	return cli_chosen(arg, source);
}

static enum status
watch(struct cli *c)
{
	const struct daemon_options options = {
		.config = c->config,
		.chosen = chosen,
		.carry_out = order_carry_out,
		.arg = c,
	};
	struct err e = ERR_INIT;

	if (c->config->n_sources == 0)
		return cli_usage(c, "%s has no sources", c->config->path);
	c->config = NULL;
	if (c->json)
		log_as_json();
	return daemon_run(&options, &e) == OK ? STATUS_DONE : cli_fail(&e);
}

enum status
cmd_run(struct cli *c, int argc, char **argv)
{
	bool once = false;
	struct running r = {.cli = c, .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct cli_option options[] = {
		{.name = "once",
			.flag = &once,
			.help = "one pass over each source, then exit"},
		{.name = "record",
			.text = &r.record.record,
			.value = "DIR",
			.help = "keep what polled APIs are asked and answer"},
		{.name = "replay",
			.text = &r.record.replay,
			.value = "DIR",
			.help = "play that again instead of asking them"},
	};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (!once && (r.record.record != NULL || r.record.replay != NULL))
		return cli_usage(c, "--record and --replay go with --once");
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	for (int i = 0; i < c->n_args; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			return STATUS_USAGE;
	cli_live();
	return once ? run_once(&r) : watch(c);
}
