#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/handout.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "daemon/engine.h"
#include "daemon/hand.h"
#include "daemon/receipts.h"

/* One argument. */
struct file {
	struct source *source;
	char *name;  /* under which it lands */
	bool repeat; /* an argument before it has the same name */
};

struct landing_run {
	struct cli *cli;
	struct engine *engine;
	struct lane *lane;
	const struct source_config *config;
	const char *name;  /* --name */
	struct file *file; /* one for each argument */
	enum status worst;
};

static void
one_landed(void *arg, const struct delivery *d)
{
	struct landing_run *r = arg;

	show_delivery(r->cli, d);
	if (d->members.missing > 0)
		r->worst = STATUS_ATTENTION;
	if (d->disposition == DISPOSITION_PENDING ||
		(d->disposition == DISPOSITION_IGNORED && !d->member)) {
		fprintf(stderr, "landfall: error: %s\n",
			d->reason != NULL ? d->reason : "not landed");
		r->worst = STATUS_ATTENTION;
	}
	if (d->disposition == DISPOSITION_QUARANTINED)
		r->worst = STATUS_ATTENTION;
}

/* Below the source's directory: the path from there; else the last part. */
static const char *
delivered_name(const struct landing_run *r, const char *path, char *real)
{
	char root[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n;

	if (r->name != NULL)
		return r->name;
	if (r->config->kind == SOURCE_DROP && realpath(path, real) != NULL &&
		realpath(r->config->drop.path, root) != NULL) {
		n = strlen(root);
		if (strncmp(real, root, n) == 0 && real[n] == '/')
			return real + n + 1;
	}
	return slash != NULL ? slash + 1 : path;
}

/* A name that was mistyped is no delivery: nothing is recorded of it. */
static enum status
check_file(const struct file *f)
{
	struct signature ignored;
	struct err e = ERR_INIT;
	struct feed *feed;

	if (hand_ops.fetch(f->source, (const uint8_t *)f->name, strlen(f->name),
		    &feed, &ignored, &e) == OK) {
		feed_free(feed);
		return STATUS_DONE;
	}
	fprintf(stderr, "landfall: error: %s\n", e.text);
	return STATUS_USAGE;
}

/* By name, and files of one name in the order of the arguments. */
static int
by_name(const void *a, const void *b)
{
	const struct file *const *x = a, *const *y = b;
	int r = strcmp((*x)->name, (*y)->name);

	return r != 0 ? r : (*x > *y) - (*x < *y);
}

static void
mark_repeats(struct file *file, size_t n)
{
	CLEANUP(mem_release)
	struct file **sorted = mem_array(n, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = &file[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < n; i++)
		sorted[i]->repeat =
			strcmp(sorted[i - 1]->name, sorted[i]->name) == 0;
}

/* All mistakes are told, and with one of them nothing lands. */
static enum status
take_arguments(struct landing_run *r)
{
	size_t n = (size_t)r->cli->n_args;
	enum status worst = STATUS_DONE;

	for (size_t i = 0; i < n; i++) {
		char real[PATH_MAX];
		const char *path = r->cli->arg[i];

		r->file[i].name = mem_strdup(delivered_name(r, path, real));
		r->file[i].source = hand_new(path, r->file[i].name);
		if (check_file(&r->file[i]) != STATUS_DONE)
			worst = STATUS_USAGE;
	}
	mark_repeats(r->file, n);
	return worst;
}

static enum rc
land_file(struct landing_run *r, struct file *f, struct err *e)
{
	const uint8_t *name = (const uint8_t *)f->name;
	size_t len = strlen(f->name);
	struct catalog_name known;
	struct job *j;
	enum rc rc;

	/*
	 * The version before decides the generation, so what was submitted
	 * earlier under the same name must be recorded first.
	 */
	if (f->repeat && lane_wait(r->lane, e) != OK)
		return e->code;
	rc = catalog_find(
		lane_catalog(r->lane), r->config->name, name, len, &known, e);
	if (rc != OK && rc != END)
		return rc;
	j = job_new(r->config, name, len);
	j->source = f->source;
	j->ops = &hand_ops;
	j->by_hand = true;
	j->seen_at = clock_wall();
	j->evidence = mem_strdup("landed by hand");
	j->transport = "by-hand";
	if (rc == END)
		known.version.id = 0;
	if (job_know(j, lane_catalog(r->lane), &known.version, e) != OK) {
		job_free(j);
		return e->code;
	}
	return lane_submit(r->lane, j, e);
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

static uint64_t
total_size(const struct cli *c)
{
	uint64_t total = 0;
	struct stat st;

	for (int i = 0; i < c->n_args; i++)
		if (stat(c->arg[i], &st) == 0 && S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
	return total;
}

static enum status
land_all(struct landing_run *r)
{
	const struct engine_options options = {
		.config = r->cli->config,
	};
	struct progress *progress;
	struct err e = ERR_INIT;
	enum status st = STATUS_DONE;
	enum rc rc = OK;

	if (engine_open(&options, &r->engine, &e) != OK)
		return cli_fail(&e);
	if (lane_open(r->engine,
		    &(struct lane_options){.done = one_landed, .arg = r},
		    &r->lane, &e) != OK) {
		engine_close(r->engine);
		return cli_fail(&e);
	}
	progress = progress_start(
		r->cli, "landing", total_size(r->cli), bytes_read, r->engine);
	progress_count(progress, "members", members_read, r->engine);
	rc = receipts_begin(r->lane, r->config, &e);
	for (int i = 0; i < r->cli->n_args && rc == OK; i++)
		rc = land_file(r, &r->file[i], &e);
	if (lane_wait(r->lane, &e) != OK)
		rc = BROKEN;
	progress_stop(progress);
	lane_close(r->lane);
	if (rc == OK)
		st = handout_receipts(r->engine, r->cli, r->config);
	engine_close(r->engine);
	if (rc != OK)
		return cli_fail(&e);
	return st > r->worst ? st : r->worst;
}

enum status
cmd_land(struct cli *c, int argc, char **argv)
{
	struct landing_run r = {.cli = c};
	const char *source = NULL;
	const struct cli_option options[] = {
		{.name = "source",
			.text = &source,
			.value = "S",
			.help = "the source they belong to"},
		{.name = "name",
			.text = &r.name,
			.value = "NAME",
			.help = "the name to land one file under"},
	};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	enum status st;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (c->n_args == 0)
		return cli_usage(c, "no file is named");
	if (source == NULL)
		return cli_usage(c, "--source is missing");
	if (r.name != NULL && (*r.name == '\0' || strlen(r.name) >= PATH_MAX))
		return cli_usage(
			c, "--name: expected 1 to %d bytes", PATH_MAX - 1);
	if (r.name != NULL && c->n_args > 1)
		return cli_usage(
			c, "--name goes with one file, not %d", c->n_args);
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	r.config = cli_source(c, source);
	if (r.config == NULL)
		return STATUS_USAGE;
	r.file = mem_array((size_t)c->n_args, sizeof(*r.file));
	cli_live();
	st = take_arguments(&r);
	if (st == STATUS_DONE)
		st = land_all(&r);
	for (int i = 0; i < c->n_args; i++) {
		hand_free(r.file[i].source);
		free(r.file[i].name);
	}
	free(r.file);
	return st;
}
