#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "daemon/engine.h"
#include "daemon/hand.h"

struct landing_run {
	struct cli *cli;
	struct engine *engine;
	const struct source_config *config;
	const char *name;	/* --name */
	struct source **source; /* one for each argument */
	enum status worst;
};

static void
one_landed(void *arg, const struct delivery *d)
{
	struct landing_run *r = arg;

	show_delivery(r->cli, d);
	if (d->disposition == DISPOSITION_PENDING ||
		d->disposition == DISPOSITION_IGNORED) {
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

static enum rc
land_file(struct landing_run *r, int i, struct err *e)
{
	char real[PATH_MAX];
	const char *name = delivered_name(r, r->cli->arg[i], real);
	struct catalog_name known;
	struct job *j;
	enum rc rc;

	/*
	 * The version before decides the generation, so what was submitted
	 * earlier under the same name must be recorded first.
	 */
	for (int k = 0; k < i; k++) {
		char other[PATH_MAX];

		if (strcmp(delivered_name(r, r->cli->arg[k], other), name) ==
			0) {
			if (engine_drain(r->engine, e) != OK)
				return e->code;
			break;
		}
	}
	rc = catalog_find(engine_catalog(r->engine), r->config->name,
		(const uint8_t *)name, strlen(name), &known, e);
	if (rc != OK && rc != END)
		return rc;
	j = job_new(r->config, (const uint8_t *)name, strlen(name));
	r->source[i] = hand_new(r->cli->arg[i], name);
	j->source = r->source[i];
	j->ops = &hand_ops;
	j->by_hand = true;
	j->seen_at = clock_wall();
	j->evidence = mem_strdup("landed by hand");
	j->transport = "by-hand";
	if (rc == END)
		known.version.id = 0;
	if (job_know(j, engine_catalog(r->engine), &known.version, e) != OK) {
		job_free(j);
		return e->code;
	}
	return engine_submit(r->engine, j, e);
}

static uint64_t
bytes_read(void *arg)
{
	struct engine_progress p;

	engine_progress(arg, &p);
	return p.bytes;
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
		.done = one_landed,
		.arg = r,
	};
	struct progress *progress;
	struct err e = ERR_INIT;
	enum rc rc = OK;

	if (engine_open(&options, &r->engine, &e) != OK)
		return cli_fail(&e);
	progress = progress_start(
		r->cli, "landing", total_size(r->cli), bytes_read, r->engine);
	for (int i = 0; i < r->cli->n_args && rc == OK; i++)
		rc = land_file(r, i, &e);
	if (engine_drain(r->engine, &e) != OK)
		rc = BROKEN;
	progress_stop(progress);
	engine_close(r->engine);
	if (rc != OK)
		return cli_fail(&e);
	return r->worst;
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
	if (r.name != NULL && c->n_args > 1)
		return cli_usage(
			c, "--name goes with one file, not %d", c->n_args);
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	r.config = cli_source(c, source);
	if (r.config == NULL)
		return STATUS_USAGE;
	r.source = mem_array((size_t)c->n_args, sizeof(struct source *));
	st = land_all(&r);
	for (int i = 0; i < c->n_args; i++)
		hand_free(r.source[i]);
	free(r.source);
	return st;
}
