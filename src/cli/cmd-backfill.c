/*
 * landfall backfill, landfall reset: a time that was polled is asked for
 * again, or all from some time on; or what waits is asked for before its time.
 */
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "cli/commands.h"
#include "cli/order.h"
#include "cli/polling.h"
#include "daemon/engine-state.h"
#include "daemon/partition.h"
#include "daemon/sweep.h"
#include "source/http/window.h"

/* SOURCE STREAM, which must be one that is polled by windows. */
static const struct api_stream *
find_stream(struct cli *c, const struct order_request *q,
	const struct source_config **ret)
{
	const char *source = q->arg[0], *stream = q->arg[1];
	const struct source_config *cfg = cli_source(c, source);
	size_t i;

	if (cfg == NULL)
		return NULL;
	if (cfg->kind != SOURCE_HTTP) {
		(void)cli_usage(c, "%s is not a polled API", cfg->name);
		return NULL;
	}
	i = api_find(cfg->api, stream);
	if (i == API_NO_STREAM || !poll_asks(cfg->api, i)) {
		(void)cli_usage(c, "%s polls no stream %s", cfg->name, stream);
		return NULL;
	}
	*ret = cfg;
	return &cfg->api->stream[i];
}

/* The same of the command line, with its options behind. */
static enum status
take_arguments(struct cli *c, struct order_request *q,
	const char *const *option, size_t n)
{
	if (c->n_args != 2)
		return cli_usage(c, "name a source and one of its streams");
	for (size_t i = 0; i < 2 + n; i++) {
		const char *text = i < 2 ? c->arg[i] : option[i - 2];

		if (!order_wire_arg(q, i, text != NULL ? text : ""))
			return cli_usage(
				c, "an argument of %zu bytes", strlen(text));
	}
	q->json = c->json;
	q->quiet = c->quiet;
	return cli_config(c);
}

static bool
read_point(struct cli *c, const struct api_stream *s, const char *option,
	const char *text, int64_t *ret)
{
	if (window_position(&s->incremental, text, ret))
		return true;
	(void)cli_usage(c, "%s: expected %s", option,
		s->incremental.kind == API_KIND_TIME
			? "a time, 2026-01-31 or 2026-01-31T12:00:00Z"
			: "a number");
	return false;
}

/* What is to come is not asked for: the answer would say nothing. */
static enum status
check_past(struct cli *c, const struct api_stream *s, const char *text,
	int64_t from)
{
	CLEANUP(str_release) struct str now = STR_INIT;
	int64_t end = clock_wall() - s->incremental.lag;

	if (s->incremental.kind != API_KIND_TIME || from < end)
		return STATUS_DONE;
	clock_add_time(&now, end);
	return cli_usage(c,
		"--from %s is later than %s%s: there is nothing to ask for yet",
		text, now.s,
		s->incremental.lag != 0 ? ", which is now less incremental.lag"
					: "");
}

static enum status
read_range(struct cli *c, const struct order_request *q,
	const struct source_config **ret_source, struct polling_range *ret)
{
	const char *from = q->arg[2], *to = q->arg[3];
	const struct api_stream *s = find_stream(c, q, ret_source);

	if (s == NULL)
		return STATUS_USAGE;
	if (!s->incremental.set || s->incremental.kind == API_KIND_TOKEN)
		return cli_usage(c, "%s.%s cannot be asked for a time",
			q->arg[0], s->name);
	if (!read_point(c, s, "--from", from, &ret->from) ||
		!read_point(c, s, "--to", to, &ret->to))
		return STATUS_USAGE;
	if (ret->from >= ret->to)
		return cli_usage(
			c, "--to %s is not later than --from %s", to, from);
	ret->stream = s->name;
	return check_past(c, s, from, ret->from);
}

enum status
cmd_backfill_check(struct cli *c, const struct order_request *q)
{
	const struct source_config *cfg;
	struct polling_range range;

	return read_range(c, q, &cfg, &range);
}

enum status
cmd_backfill_work(struct order_work *w)
{
	struct polling_range range = {.order = w->order};
	struct polling p = {
		.cli = w->cli, .engine = w->engine, .range = &range};
	struct poll_report r;
	struct err e = ERR_INIT;
	enum status st = read_range(w->cli, w->request, &p.config, &range);

	if (st == STATUS_DONE)
		st = order_wait(w, p.config);
	if (st != STATUS_DONE)
		return st;
	poll_report_init(&r);
	st = polling_run(&p, &r, &e);
	poll_report_release(&r);
	if (st == STATUS_BROKEN)
		(void)cli_fail_to(w->cli, &e);
	return st;
}

enum status
cmd_backfill(struct cli *c, int argc, char **argv)
{
	const char *point[] = {NULL, NULL};
	const struct cli_option options[] = {
		{"from", .text = &point[0], .value = "T",
			.help = "the first moment of it"},
		{"to", .text = &point[1], .value = "T",
			.help = "the first moment behind it"},
	};
	struct order_request q = {.verb = ORDER_BACKFILL};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	enum status st;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	st = take_arguments(c, &q, point, ARRAY_LEN(point));
	if (st == STATUS_DONE)
		st = cmd_backfill_check(c, &q);
	return st == STATUS_DONE ? order_give(c, &q) : st;
}

/* ---- reset ---- */

/* The argument of an order that ends waits, and nothing else. */
#define WAIT "wait"

/* Partitions of a stream, of today and before. */
#define ROWS_MAX (10 * PARENTS_MAX)
#define ROWS_BYTES (64u << 20)

struct resetting {
	const struct source_config *cfg;
	const struct api_stream *stream;
	const char *position;
	struct names rows; /* partitions; "": it has none */
	uint64_t ledger;
	bool wait;   /* waits end, and all else stays */
	int64_t now; /* wall */
	uint64_t n;  /* waits that were ended */
};

static enum rc
note_partition(void *arg, const char *partition, struct err *e)
{
	struct resetting *x = arg;
	const char *name = partition != NULL ? partition : "";

	if (names_put(&x->rows, name, strlen(name)) == NAMES_FULL)
		return err_set(e, BROKEN, "%s.%s has more than %u partitions",
			x->cfg->name, x->stream->name, ROWS_MAX);
	return OK;
}

static enum rc
note_row(void *arg, const struct catalog_stream *s, struct err *e)
{
	struct resetting *x = arg;

	return strcmp(s->stream, x->stream->name) == 0
		? note_partition(x, s->partition, e)
		: OK;
}

/*
 * The wait of a row ends now, and it is one that a daemon asks because of that.
 */
static void
end_wait(struct resetting *x, struct catalog_stream *s)
{
	if (s->parked <= x->now)
		return;
	s->parked = x->now;
	s->why = "";
	x->n++;
}

/* What landed before this is known (learn), and moves it no more. */
static void
move_row(const struct resetting *x, struct catalog_stream *s)
{
	s->position = x->position;
	s->job = s->why = "";
	s->upto = x->ledger;
	s->parked = s->whole = 0;
}

static void
add_row(const struct resetting *x, size_t i, struct str *s)
{
	size_t len;
	const uint8_t *p = names_at(&x->rows, i, &len);

	str_addn(s, p, len);
}

static enum rc
reset_rows(struct catalog *c, void *arg, struct err *e)
{
	struct resetting *x = arg;
	int64_t id;

	if (catalog_ledger_size(c, &x->ledger, e) != OK)
		return e->code;
	for (size_t i = 0; i < x->rows.n; i++) {
		CLEANUP(str_release) struct str partition = STR_INIT;
		struct catalog_stream s;
		enum rc rc;

		add_row(x, i, &partition);
		rc = catalog_stream_find(
			c, x->cfg->name, x->stream->name, partition.s, &s, e);
		if (rc != OK && rc != END)
			return rc;
		if (rc == END)
			s = (struct catalog_stream){.files = 0};
		s.stream = x->stream->name;
		s.partition = partition.s;
		if (x->wait)
			end_wait(x, &s);
		else
			move_row(x, &s);
		if (catalog_stream_put(c, x->cfg->name, &s, &id, e) != OK)
			return e->code;
	}
	return OK;
}

/* "": the stream's start. */
static enum status
read_position(struct cli *c, const struct order_request *q,
	const struct source_config **ret_source,
	const struct api_stream **ret_stream, struct str *ret)
{
	const char *to = q->arg[2], *wait = q->arg[3];
	const struct api_stream *s = find_stream(c, q, ret_source);
	int64_t at;

	if (s == NULL)
		return STATUS_USAGE;
	*ret_stream = s;
	if (*wait != '\0' && (*to != '\0' || strcmp(wait, WAIT) != 0))
		return cli_usage(
			c, "--wait moves nothing: it goes without --to");
	if (*to == '\0')
		return STATUS_DONE;
	if (!s->incremental.set || s->incremental.kind == API_KIND_TOKEN)
		return cli_usage(c, "%s.%s has no position that is a time",
			q->arg[0], s->name);
	if (!read_point(c, s, "--to", to, &at))
		return STATUS_USAGE;
	window_add_point(ret, &s->incremental, at);
	return STATUS_DONE;
}

enum status
cmd_reset_check(struct cli *c, const struct order_request *q)
{
	CLEANUP(str_release) struct str position = STR_INIT;
	const struct source_config *cfg;
	const struct api_stream *stream;

	return read_position(c, q, &cfg, &stream, &position);
}

/* Those that are configured, and those that have landed. */
static enum rc
find_partitions(
	struct resetting *x, const struct stream_options *o, struct err *e)
{
	const struct api_partitions *q = &x->stream->partitions;
	CLEANUP(vars_release) struct vars v = VARS_INIT;

	if (q->parent == API_NO_STREAM &&
		partition_each(x->stream, &v, NULL, note_partition, x, e) != OK)
		return e->code;
	return q->n > 0 ? stream_partitions(o, note_partition, x, e) : OK;
}

/*
 * What has landed stays counted and remembered: nothing is lost of that by
 * where the stream goes on, were the catalog made again just now.
 */
static enum rc
learn(struct engine *g, struct lane *l, struct resetting *x, struct err *e)
{
	struct stream_options o = {.engine = g,
		.lane = l,
		.api = x->cfg->name,
		.description = x->cfg->api,
		.stream = x->stream};
	enum rc rc = find_partitions(x, &o, e);

	for (size_t i = 0; i < x->rows.n && rc == OK; i++) {
		CLEANUP(str_release) struct str partition = STR_INIT;

		add_row(x, i, &partition);
		o.partition = partition.len > 0 ? partition.s : NULL;
		if (strcmp(partition.s, SWEEP_PARTITION) != 0)
			rc = stream_catch_up(&o, e);
	}
	return rc;
}

static enum rc
reset(struct engine *g, struct resetting *x, struct err *e)
{
	struct lane *l = NULL;
	enum rc rc = lane_open(g, NULL, &l, e);

	if (rc != OK)
		return rc;
	rc = catalog_stream_each(lane_catalog(l), x->cfg->name, note_row, x, e);
	if (rc == OK && !x->wait)
		rc = learn(g, l, x, e);
	if (rc == OK)
		rc = lane_write(l, reset_rows, x, e);
	lane_close(l);
	return rc;
}

static void
end_waits(const struct order_work *w, const struct resetting *x)
{
	if (w->order != NULL)
		order_wake(w->order);
	if (x->n == 0)
		cli_say(w->cli, "%s.%s: nothing waits", x->cfg->name,
			x->stream->name);
	else
		cli_say(w->cli,
			"%s.%s: waits that are over now: %llu; the next run "
			"asks again",
			x->cfg->name, x->stream->name,
			(unsigned long long)x->n);
}

enum status
cmd_reset_work(struct order_work *w)
{
	CLEANUP(str_release) struct str position = STR_INIT;
	struct resetting x = {.rows = NAMES_INIT(ROWS_MAX, ROWS_BYTES),
		.wait = *w->request->arg[3] != '\0',
		.now = clock_wall()};
	struct err e = ERR_INIT;
	enum status st =
		read_position(w->cli, w->request, &x.cfg, &x.stream, &position);

	x.position = position.s;
	if (st == STATUS_DONE)
		st = order_wait(w, x.cfg);
	if (st != STATUS_DONE)
		return st;
	if (reset(w->engine, &x, &e) != OK)
		st = cli_fail_to(w->cli, &e);
	else if (x.wait)
		end_waits(w, &x);
	else
		cli_say(w->cli, "%s.%s: the next run begins at %s", x.cfg->name,
			x.stream->name,
			position.len > 0 ? position.s : "the beginning");
	names_release(&x.rows);
	return st;
}

enum status
cmd_reset(struct cli *c, int argc, char **argv)
{
	const char *option[] = {NULL, NULL};
	bool wait = false;
	const struct cli_option options[] = {
		{"to", .text = &option[0], .value = "T",
			.help = "where the next run begins; without it, at the "
				"stream's start"},
		{"wait", .flag = &wait,
			.help = "what waits is asked again by the next run, "
				"and goes on where it stands"},
	};
	struct order_request q = {.verb = ORDER_RESET};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	enum status st;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (option[0] != NULL && *option[0] == '\0')
		return cli_usage(c, "--to needs a value");
	option[1] = wait ? WAIT : NULL;
	st = take_arguments(c, &q, option, ARRAY_LEN(option));
	if (st == STATUS_DONE)
		st = cmd_reset_check(c, &q);
	return st == STATUS_DONE ? order_give(c, &q) : st;
}
