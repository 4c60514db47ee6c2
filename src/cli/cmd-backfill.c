/*
 * landfall backfill, landfall reset: a time that was polled is asked for
 * again, or all from some time on.
 */
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/polling.h"
#include "daemon/engine-state.h"
#include "source/http/window.h"

/* SOURCE STREAM, which must be one that is polled by windows. */
static const struct api_stream *
find_stream(struct cli *c, const struct source_config **ret)
{
	const struct source_config *cfg;
	size_t i;

	if (c->n_args != 2) {
		(void)cli_usage(c, "name a source and one of its streams");
		return NULL;
	}
	cfg = cli_source(c, c->arg[0]);
	if (cfg == NULL)
		return NULL;
	if (cfg->kind != SOURCE_HTTP) {
		(void)cli_usage(c, "%s is not a polled API", cfg->name);
		return NULL;
	}
	i = api_find(cfg->api, c->arg[1]);
	if (i == API_NO_STREAM || !cfg->api->stream[i].enabled) {
		(void)cli_usage(
			c, "%s polls no stream %s", cfg->name, c->arg[1]);
		return NULL;
	}
	*ret = cfg;
	return &cfg->api->stream[i];
}

static bool
read_point(struct cli *c, const struct api_stream *s, const char *option,
	const char *text, int64_t *ret)
{
	if (text != NULL && window_position(&s->incremental, text, ret))
		return true;
	(void)cli_usage(c, "%s: expected %s", option,
		s->incremental.kind == API_KIND_TIME
			? "a time, 2026-01-31 or 2026-01-31T12:00:00Z"
			: "a number");
	return false;
}

static enum status
backfill(struct cli *c, const struct source_config *cfg,
	const struct polling_range *range)
{
	const struct engine_options options = {.config = c->config};
	struct engine *g;
	struct err e = ERR_INIT;
	enum status st;

	if (engine_open(&options, &g, &e) != OK)
		return cli_fail(&e);
	st = polling_run(c, g, cfg, range, NULL, &e);
	if (st == STATUS_BROKEN)
		(void)cli_fail(&e);
	engine_close(g);
	return st;
}

enum status
cmd_backfill(struct cli *c, int argc, char **argv)
{
	const char *from = NULL, *to = NULL;
	const struct cli_option options[] = {
		{"from", .text = &from, .value = "T",
			.help = "the first moment of it"},
		{"to", .text = &to, .value = "T",
			.help = "the first moment behind it"},
	};
	const struct source_config *cfg = NULL;
	const struct api_stream *s;
	struct polling_range range;
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	s = find_stream(c, &cfg);
	if (s == NULL)
		return STATUS_USAGE;
	if (!s->incremental.set || s->incremental.kind == API_KIND_TOKEN)
		return cli_usage(c, "%s.%s cannot be asked for a time",
			cfg->name, s->name);
	if (!read_point(c, s, "--from", from, &range.from) ||
		!read_point(c, s, "--to", to, &range.to))
		return STATUS_USAGE;
	if (range.from >= range.to)
		return cli_usage(
			c, "--to %s is not later than --from %s", to, from);
	range.stream = s->name;
	return backfill(c, cfg, &range);
}

/* ---- reset ---- */

struct resetting {
	const struct source_config *cfg;
	const char *stream;
	const char *position;
	struct str rows; /* partitions, a line each */
	uint64_t ledger;
};

static enum rc
note_row(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	struct resetting *x = arg;

	if (strcmp(s->stream, x->stream) == 0)
		str_addf(&x->rows, "%s\n", s->partition);
	return OK;
}

/* Nothing before this is brought forward from the zone again. */
static enum rc
reset_rows(struct catalog *c, void *arg, struct err *e)
{
	struct resetting *x = arg;
	char *line = x->rows.s, *end;
	int64_t id;

	if (catalog_ledger_size(c, &x->ledger, e) != OK)
		return e->code;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		struct catalog_stream s;
		enum rc rc;

		*end = '\0';
		rc = catalog_stream_find(
			c, x->cfg->name, x->stream, line, &s, e);
		if (rc != OK && rc != END)
			return rc;
		if (rc == END)
			s = (struct catalog_stream){.files = 0};
		s.stream = x->stream;
		s.partition = line;
		s.position = x->position;
		s.job = s.why = "";
		s.upto = x->ledger;
		s.parked = s.whole = 0;
		if (catalog_stream_put(c, x->cfg->name, &s, &id, e) != OK)
			return e->code;
	}
	return OK;
}

static enum status
reset(struct cli *c, struct resetting *x)
{
	const struct engine_options options = {.config = c->config};
	struct engine *g;
	struct lane *l = NULL;
	struct err e = ERR_INIT;
	enum rc rc;

	if (engine_open(&options, &g, &e) != OK)
		return cli_fail(&e);
	rc = lane_open(g, NULL, &l, &e);
	if (rc == OK)
		rc = catalog_stream_each(
			lane_catalog(l), x->cfg->name, note_row, x, &e);
	if (rc == OK && x->rows.len == 0)
		str_add(&x->rows, "\n");
	if (rc == OK)
		rc = lane_write(l, reset_rows, x, &e);
	lane_close(l);
	engine_close(g);
	if (rc != OK)
		return cli_fail(&e);
	cli_say(c, "%s.%s: the next run begins at %s", x->cfg->name, x->stream,
		*x->position != '\0' ? x->position : "the beginning");
	return STATUS_DONE;
}

enum status
cmd_reset(struct cli *c, int argc, char **argv)
{
	const char *to = NULL;
	const struct cli_option options[] = {
		{"to", .text = &to, .value = "T",
			.help = "where the next run begins; without it, at the "
				"stream's start"},
	};
	CLEANUP(str_release) struct str position = STR_INIT;
	struct resetting x = {.rows = STR_INIT};
	const struct source_config *cfg = NULL;
	const struct api_stream *s;
	int64_t at;
	enum status st;
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	s = find_stream(c, &cfg);
	if (s == NULL)
		return STATUS_USAGE;
	if (to != NULL &&
		(!s->incremental.set || s->incremental.kind == API_KIND_TOKEN))
		return cli_usage(c, "%s.%s has no position that is a time",
			cfg->name, s->name);
	if (to != NULL) {
		if (!read_point(c, s, "--to", to, &at))
			return STATUS_USAGE;
		window_add_point(&position, &s->incremental, at);
	}
	x.cfg = cfg;
	x.stream = s->name;
	x.position = position.s;
	st = reset(c, &x);
	str_release(&x.rows);
	return st;
}
