#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "cli/commands.h"
#include "daemon/outbox.h"
#include "daemon/poll-plan.h"
#include "landfall/alert.h"
#include "landfall/source.h"

static enum rc
nothing(void *arg UNUSED, const struct item *it UNUSED, struct err *e UNUSED)
{
	/* One name is proof enough that the source can be listed. */
	return END;
}

static void
no_trouble(void *arg UNUSED, const uint8_t *name UNUSED, size_t len UNUSED,
	const struct err *why UNUSED)
{
}

/* A login, if it needs one, and one request. */
static enum rc
try_api(const struct cli *c, const struct source_config *cfg, struct str *facts,
	struct err *e)
{
	int state = -1, spool = -1;
	enum rc rc = io_open(AT_FDCWD, c->config->state, O_RDONLY | O_DIRECTORY,
		0, &state, BAD_SOURCE, e);

	if (rc == OK)
		rc = durable_mkdirs(state, "spool", 0700, e);
	if (rc == OK)
		rc = io_open(state, "spool", O_RDONLY | O_DIRECTORY, 0, &spool,
			BAD_SOURCE, e);
	if (rc == OK)
		rc = poll_try(cfg, state, spool, facts, e);
	io_drop(&spool);
	io_drop(&state);
	return rc;
}

/* Open the source and ask for its first name. */
static enum rc
connect_source(const struct cli *c, const struct source_config *cfg,
	struct str *facts, struct str *remark, struct err *e)
{
	const struct source_ops *ops = source_ops(cfg->kind);
	struct source *s = NULL;
	enum rc rc;

	if (cfg->kind == SOURCE_HTTP)
		return try_api(c, cfg, facts, e);
	rc = ops->open(cfg, NULL, &s, e);

	if (rc != OK)
		return rc;
	ops->facts(s, facts);
	if (ops->remark != NULL)
		ops->remark(s, remark);
	rc = ops->list(s, nothing, no_trouble, NULL, e);
	ops->close(s);
	return rc == END ? OK : rc;
}

static enum status
report_source(const struct cli *c, const struct source_config *cfg,
	const struct str *facts, const struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	bool good = e->code == OK;

	if (c->json) {
		struct jsonw j = jsonw_to(&s);

		jsonw_object(&j);
		jsonw_key(&j, "source"), jsonw_text(&j, cfg->name);
		jsonw_key(&j, "ok"), jsonw_bool(&j, good);
		if (!good)
			jsonw_key(&j, "error"), jsonw_text(&j, e->text);
		if (facts->len > 0)
			jsonw_key(&j, "facts"), jsonw_text(&j, facts->s);
		jsonw_end(&j);
	} else {
		str_addf(&s, "%s: %s", cfg->name, good ? "ok" : e->text);
		if (good && facts->len > 0)
			str_addf(&s, ", %s", facts->s);
	}
	cli_line(&s);
	return good ? STATUS_DONE : STATUS_UNREACHED;
}

static enum status
try_source(const struct cli *c, const struct source_config *cfg)
{
	CLEANUP(str_release) struct str facts = STR_INIT;
	CLEANUP(str_release) struct str remark = STR_INIT;
	struct err e = ERR_INIT;

	if (connect_source(c, cfg, &facts, &remark, &e) == OK)
		e.code = OK;
	if (remark.len > 0)
		fprintf(stderr, "landfall: warning: source %s: %s\n", cfg->name,
			remark.s);
	return report_source(c, cfg, &facts, &e);
}

/* The directories of our own: are they there, and the key ours alone? */
static enum status
check_own(const struct cli *c)
{
	struct err e = ERR_INIT;
	struct stat st;
	int fd = -1;

	if (io_open(AT_FDCWD, c->config->zone, O_RDONLY | O_DIRECTORY, 0, &fd,
		    BROKEN, &e) != OK) {
		err_add(&e, "zone (has `landfall init` been run?)");
		return cli_fail(&e);
	}
	io_drop(&fd);
	if (io_open(AT_FDCWD, c->config->state, O_RDONLY | O_DIRECTORY, 0, &fd,
		    BROKEN, &e) != OK) {
		err_add(&e, "state (has `landfall init` been run?)");
		return cli_fail(&e);
	}
	if (fstat(fd, &st) == 0 && (st.st_mode & 077) != 0)
		cli_say(c,
			"landfall: warning: %s can be read by others: chmod "
			"700 it",
			c->config->state);
	io_drop(&fd);
	return STATUS_DONE;
}

/* Which sources it has, for programs: completion asks. */
static void
list_sources(const struct config *cfg)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);

	jsonw_object(&j);
	jsonw_key(&j, "config"), jsonw_text(&j, cfg->path);
	jsonw_key(&j, "sources"), jsonw_array(&j);
	for (size_t i = 0; i < cfg->n_sources; i++)
		jsonw_text(&j, cfg->source[i].name);
	jsonw_end(&j);
	jsonw_end(&j);
	cli_line(&s);
}

/* Each place once: sources share one. */
static enum status
check_alerts(const struct config *cfg)
{
	const struct alert_config *before = NULL;
	enum status worst = STATUS_DONE;

	for (size_t i = 0; i < cfg->n_sources; i++) {
		const struct source_config *s = &cfg->source[i];
		struct err e = ERR_INIT;

		if (s->alert == NULL || s->alert == before)
			continue;
		before = s->alert;
		if (alert_check(s->alert, &e) == OK)
			continue;
		fprintf(stderr, "landfall: error: %s: source %s: %s\n",
			cfg->path, s->name, e.text);
		worst = STATUS_USAGE;
	}
	return worst;
}

/* An outbox that is not there is told now, not when something is owed. */
static enum status
check_outboxes(const struct config *cfg)
{
	enum status worst = STATUS_DONE;

	for (size_t i = 0; i < cfg->n_sources; i++) {
		const struct source_config *s = &cfg->source[i];
		struct outbox_folder folder;
		struct outbox outbox;
		struct err e = ERR_INIT;

		if (s->receipt.path == NULL)
			continue;
		if (outbox_open(s->receipt.path, &folder, &outbox, &e) == OK) {
			outbox_close(&folder);
			continue;
		}
		fprintf(stderr, "landfall: error: %s: source %s: %s\n",
			cfg->path, s->name, e.text);
		worst = STATUS_UNREACHED;
	}
	return worst;
}

/* NULL: it can be looked at. Nothing but this directory is touched. */
static const char *
wrong_with_drop(const char *path)
{
	struct err e = ERR_INIT;
	int fd = -1;

	if (io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &fd, BAD_SOURCE,
		    &e) == OK) {
		bool enter = faccessat(fd, ".", X_OK, 0) == 0;

		io_drop(&fd);
		return enter ? NULL
			     : "its files cannot be opened by this user, who "
			       "may list but not enter it: chmod or chown it";
	}
	switch (e.cause) {
	case ENOENT:
		return "does not exist: make it, or correct the path";
	case ENOTDIR:
		return "is not a directory: write the directory of the "
		       "deliveries, and in match which ones";
	case EACCES:
		return "cannot be read by this user: chmod or chown it, or "
		       "check as the user that runs landfall";
	default:
		return "cannot be opened";
	}
}

/* What is no mistake in the file, and yet would land nothing. */
static void
warn_of_drops(const struct config *cfg)
{
	for (size_t i = 0; i < cfg->n_sources; i++) {
		const struct source_config *s = &cfg->source[i];
		CLEANUP(str_release) struct str path = STR_INIT;
		const char *why;

		if (s->kind != SOURCE_DROP)
			continue;
		why = wrong_with_drop(s->drop.path);
		if (why == NULL)
			continue;
		str_add_quoted(&path, s->drop.path, strlen(s->drop.path));
		fprintf(stderr,
			"landfall: warning: source %s: drop.path %s: %s\n",
			s->name, path.s, why);
	}
}

enum status
cmd_check(struct cli *c, int argc, char **argv)
{
	bool connect = false;
	const struct cli_option options[] = {
		{.name = "connect",
			.flag = &connect,
			.help = "also try each source, without fetching"},
	};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	enum status st, worst;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (c->n_args > 0)
		return cli_usage(c, "no arguments, please");
	worst = cli_config(c);
	if (worst == STATUS_DONE)
		worst = check_alerts(c->config);
	if (worst == STATUS_DONE)
		worst = check_outboxes(c->config);
	if (worst != STATUS_DONE)
		return worst;
	if (c->config->n_sources == 0)
		fprintf(stderr,
			"landfall: warning: %s: no source: nothing will be "
			"collected; add one below sources:\n",
			c->config->path);
	if (!connect)
		warn_of_drops(c->config);
	for (size_t i = 0; connect && i < c->config->n_sources; i++) {
		st = try_source(c, &c->config->source[i]);
		if (st > worst)
			worst = st;
	}
	if (connect) {
		st = check_own(c);
		if (st > worst)
			worst = st;
	}
	if (c->json && !connect)
		list_sources(c->config);
	cli_say(c, "%s: the configuration is right, %zu source%s",
		c->config->path, c->config->n_sources,
		c->config->n_sources == 1 ? "" : "s");
	return worst;
}
