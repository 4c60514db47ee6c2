#include "cli/polling.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "cli/show.h"

struct polling_view {
	struct cli *cli;
	const char *source;
};

static void
one_done(void *arg, const struct delivery *d)
{
	const struct polling_view *v = arg;

	show_delivery(v->cli, d);
}

static void
add_json(struct str *s, const struct polling_view *v, const char *stream,
	const char *partition, const struct stream_report *r)
{
	struct jsonw j = jsonw_to(s);

	jsonw_object(&j);
	jsonw_key(&j, "source"), jsonw_text(&j, v->source);
	jsonw_key(&j, "stream"), jsonw_text(&j, stream);
	if (partition != NULL)
		jsonw_key(&j, "partition"), jsonw_text(&j, partition);
	jsonw_key(&j, "windows"), jsonw_u64(&j, r->windows);
	jsonw_key(&j, "requests"), jsonw_u64(&j, r->requests);
	jsonw_key(&j, "pages"), jsonw_u64(&j, r->pages);
	jsonw_key(&j, "records"), jsonw_u64(&j, r->records);
	jsonw_key(&j, "deletes"), jsonw_u64(&j, r->deletes);
	jsonw_key(&j, "seen"), jsonw_u64(&j, r->seen);
	jsonw_key(&j, "files"), jsonw_u64(&j, r->files);
	if (r->skipped > 0)
		jsonw_key(&j, "skipped"), jsonw_u64(&j, r->skipped);
	if (r->parked != 0)
		jsonw_key(&j, "parked_until"), jsonw_time(&j, r->parked);
	if (r->remark.len > 0)
		jsonw_key(&j, "remark"), jsonw_text(&j, r->remark.s);
	if (r->why.len > 0)
		jsonw_key(&j, r->failed ? "error" : "why"),
			jsonw_text(&j, r->why.s);
	jsonw_end(&j);
}

static void
add_words(struct str *s, const struct polling_view *v, const char *stream,
	const char *partition, const struct stream_report *r)
{
	str_addf(s, "%s.%s", v->source, stream);
	if (partition != NULL)
		str_addf(s, " %s", partition);
	if (r->records == 0)
		str_add(s, ": nothing new");
	else
		str_addf(s, ": %" PRIu64 " new record%s in %" PRIu64 " file%s",
			r->records, r->records == 1 ? "" : "s", r->files,
			r->files == 1 ? "" : "s");
	if (r->deletes > 0)
		str_addf(s, ", %" PRIu64 " of them deletes", r->deletes);
	if (r->seen > 0)
		str_addf(s, ", %" PRIu64 " seen before", r->seen);
	str_addf(s, " (%" PRIu64 " request%s)", r->requests,
		r->requests == 1 ? "" : "s");
	if (r->skipped > 0)
		str_addf(s, "; skipped by the API's rules: %" PRIu64,
			r->skipped);
	if (r->parked != 0) {
		str_add(s, "; waits until ");
		clock_add_time(s, r->parked);
		str_addf(s, ": %s", r->why.s);
	}
}

static void
through(void *arg, const char *stream, const char *partition,
	const struct stream_report *r)
{
	const struct polling_view *v = arg;
	CLEANUP(str_release) struct str s = STR_INIT;

	if (r->failed)
		cli_error(v->cli, "%s.%s%s%s: %s", v->source, stream,
			partition != NULL ? " " : "",
			partition != NULL ? partition : "", r->why.s);
	if (r->remark.len > 0)
		cli_say(v->cli, "landfall: warning: %s.%s%s%s: %s", v->source,
			stream, partition != NULL ? " " : "",
			partition != NULL ? partition : "", r->remark.s);
	if (v->cli->json)
		add_json(&s, v, stream, partition, r);
	else
		add_words(&s, v, stream, partition, r);
	cli_line_to(v->cli, &s);
}

static void
waits(void *arg, const char *why, int64_t ns)
{
	const struct polling_view *v = arg;
	CLEANUP(str_release) struct str s = STR_INIT;

	if (ns < CLOCK_SECOND)
		return;
	str_add_duration(&s, (uint64_t)ns);
	cli_say(v->cli, "%s: waits %s: %s", v->source, s.s, why);
}

enum status
polling_run(const struct polling *p, struct poll_report *r, struct err *e)
{
	const struct polling_range *range = p->range;
	struct polling_view v = {.cli = p->cli, .source = p->config->name};
	const struct poll_options o = {
		.config = p->config,
		.done = one_done,
		.through = through,
		.waits = waits,
		.arg = &v,
		.record = p->record.record,
		.replay = p->record.replay,
		.stream = range != NULL ? range->stream : NULL,
		.from = range != NULL ? range->from : 0,
		.to = range != NULL ? range->to : 0,
	};
	enum status st = STATUS_DONE;
	enum rc rc = range != NULL && range->order != NULL
		? order_poll(range->order, &o, r, e)
		: poll_run(p->engine, &o, r, e);

	if (rc == BROKEN)
		st = STATUS_BROKEN;
	else if (rc != OK)
		st = STATUS_UNREACHED;
	else if (r->parked > 0 || r->sum.skipped > 0)
		st = STATUS_ATTENTION;
	/* What failed in a stream was told with the stream. */
	if (rc == BAD_SOURCE && r->sum.requests == 0 && r->sum.windows == 0 &&
		r->failed == 1 && r->sum.pages == 0)
		cli_error(p->cli, "source %s: %s", p->config->name, e->text);
	return st;
}
