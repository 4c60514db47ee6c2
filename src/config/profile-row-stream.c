/*
 * From page to page, from window to window, and what else a stream asks for.
 */
#include "config/profile-row-part.h"

static const char *const paging_names[] = {
	[API_PAGES_NONE] = "none",
	[API_PAGES_TOKEN] = "token",
	[API_PAGES_LINK] = "link",
	[API_PAGES_NUMBER] = "page",
	[API_PAGES_OFFSET] = "offset",
	NULL,
};

static const char *const stop_names[] = {
	[API_STOP_NEVER] = "none",
	[API_STOP_ON_EMPTY] = "empty",
	[API_STOP_ON_SHORT] = "short",
	NULL,
};

static const char *const kind_names[] = {
	[API_KIND_TIME] = "time",
	[API_KIND_INT] = "int",
	[API_KIND_TOKEN] = "token",
	NULL,
};

static const char *const order_names[] = {
	[API_ORDER_NONE] = "none",
	[API_ORDER_ASC] = "asc",
	[API_ORDER_DESC] = "desc",
	NULL,
};

static const char *const commit_names[] = {
	[API_COMMIT_WINDOW] = "window",
	[API_COMMIT_PAGE] = "page",
	[API_COMMIT_RUN] = "run",
	NULL,
};

static const char *const filter_names[] = {
	[API_FILTER_SERVER] = "server",
	[API_FILTER_CLIENT] = "client",
	[API_FILTER_STOP] = "stop",
	NULL,
};

/* There is no other, and it is written out for who reads it. */
static const char *const tombstone_names[] = {"tombstone", NULL};

static const char *const state_names[] = {"shared", "each", NULL};

/* ---- pages and windows ---- */

static const struct profile_row pagination_rows[] = {
	{ROW("type", CHOICE, api_pagination, type), .names = paging_names,
		.fallback = "none",
		.help = "token: next selects what {{page.token}} is in the "
			"next request; link: next selects its URL; page: "
			"{{page.token}} is a number that grows by one; offset: "
			"it is the number of records so far."},
	{ROW("next", SELECTOR, api_pagination, next),
		.help = "token and link: where the next one stands. If a run "
			"never finds it, and an answer has as many records as "
			"were asked for, that is told."},
	{ROW("initial", TEXT, api_pagination, initial),
		.help = "token: of the first request, which has none "
			"otherwise."},
	{ROW("end", WORDS, api_pagination, end),
		.help = "Tokens that mean that there is no next page."},
	{ROW("more", SELECTOR, api_pagination, more),
		.help = "false stops, also where there is a token."},
	{ROW("done", SELECTOR, api_pagination, done), .help = "true stops."},
	{ROW("total", SELECTOR, api_pagination, total),
		.help = "page and offset: the number of records in all; stops "
			"when they are there."},
	{ROW("stop_on", CHOICE, api_pagination, stop), .names = stop_names,
		.words = "empty for page and offset without total, more and "
			 "done; else none",
		.help = "A page without records, or one with fewer than "
			"size, is the last."},
	{ROW("start", COUNT, api_pagination, start), .max = UINT32_MAX,
		.fallback = "1", .help = "page: the number of the first."},
	{ROW("size", COUNT, api_pagination, size), .min = 1, .max = 10000000,
		.help = "{{page.size}}: records asked for."},
	{ROW("max_pages", COUNT, api_pagination, max_pages), .min = 1,
		.max = UINT32_MAX, .fallback = "100000",
		.help = "More in one window and partition is a failure."},
};
BLOCK(pagination, api_pagination, pagination_rows,
	"How one page leads to the next. A token or link that comes again is "
	"a failure, always.");

static const struct profile_row incremental_rows[] = {
	{ROW("cursor", PLACE, api_incremental, cursor),
		.help = "Where a record has its time: a path in it, or a "
			"column. If no record of several has it, be it "
			"null, the stream fails."},
	{ROW("kind", CHOICE, api_incremental, kind), .names = kind_names,
		.fallback = "time",
		.help = "int: numbers that grow. token: the API's own cursor "
			"is kept between runs as {{page.token}}, and "
			"{{window.start}} is there only while there is none."},
	{ROW("format", FORMAT, api_incremental, format), .fallback = "rfc3339",
		.help = "How times stand in requests: rfc3339, rfc3339_ms, "
			"epoch_s, epoch_ms, date, or letters: %Y %m %d %H %M "
			"%S %f %%."},
	{ROW("record_format", FORMAT, api_incremental, record_format),
		.words = "format",
		.help = "How they stand in records. rfc3339 takes any offset "
			"and fraction."},
	{ROW("start", START, api_incremental, start),
		.words = "the first start must be given",
		.help = "The first window begins here: a time, a date, or a "
			"number."},
	{ROW("window", STEPS, api_incremental, window), .max = YEARS(100),
		.words = "all in one",
		.help = "The most that one window spans."},
	{ROW("granularity", STEPS, api_incremental, granularity), .min = 1,
		.max = YEARS(1), .fallback = "1s",
		.help = "The API's clock: {{window.after}} is so much before "
			"{{window.start}}, for APIs that compare with >; "
			"{{window.last}} so much before {{window.end}}, for "
			"those that include the end."},
	{ROW("align", SPAN, api_incremental, align), .max = YEARS(1),
		.words = "granularity",
		.help = "Windows begin and end at multiples of it, in UTC."},
	{ROW("lookback", STEPS, api_incremental, lookback), .max = YEARS(10),
		.fallback = "0s",
		.help = "Each run begins so much before the cursor, for "
			"records that come late."},
	{ROW("lag", STEPS, api_incremental, lag), .min = 1, .max = YEARS(1),
		.fallback = "0s",
		.help = "Each run ends so much before now, because the API "
			"is not complete before. May be negative."},
	{ROW("order", CHOICE, api_incremental, order), .names = order_names,
		.fallback = "none",
		.help = "How cursors are ordered within a window. asc is "
			"verified where commit is page."},
	{ROW("commit", CHOICE, api_incremental, commit), .names = commit_names,
		.fallback = "window",
		.help = "When the cursor moves: after each window, each page "
			"(kind token, or order asc), or each run."},
	{ROW("retention", SPAN, api_incremental, retention), .max = YEARS(100),
		.words = "for ever",
		.help = "What is older is gone at the API. A cursor that is "
			"older leaves a gap, which is told."},
	{ROW("on_gap", STREAMS, api_incremental, on_gap),
		.help = "Streams that are read whole after a gap. Without it "
			"the stream fails."},
	{ROW("filter", CHOICE, api_incremental, filter), .names = filter_names,
		.fallback = "server",
		.help = "client: the API knows no windows, and every run "
			"reads all pages; stop: newest first, pages are read "
			"until one lies before the window."},
};
BLOCK(incremental, api_incremental, incremental_rows,
	"What is new since last time. Windows are half-open: start is in, end "
	"is not. The cursor moves when a window has landed, never before.");

/* ---- partitions, lookups, jobs ---- */

static const struct profile_row partitions_rows[] = {
	{ROW("values", VALUES, api_partitions, row),
		.help = "Names and lists: {{partition.NAME}}. Several: each "
			"with each. \"{{config.NAME}}\" is a list of the "
			"source."},
	{ROW("from", STREAM, api_partitions, parent),
		.help = "Instead: one partition for each record of that "
			"stream."},
	{ROW("select", SELECT, api_partitions, row),
		.help = "With from: names, and the paths in its records."},
	{ROW("batch", COUNT, api_partitions, batch), .min = 1, .max = 10000,
		.fallback = "1",
		.help = "With from: so many records make one partition, whose "
			"variables are lists."},
	{ROW("state", EITHER, api_partitions, state_each), .names = state_names,
		.fallback = "shared",
		.help = "One cursor for all, which moves when all of them "
			"have landed, or one for each."},
};
BLOCK(partitions, api_partitions, partitions_rows,
	"The same request for several things.");

static const struct profile_row where_rows[] = {
	{ROW("path", PATH, api_lookup, where),
		.help = "Parallel to select: as many values."},
	{ROW("in", SINK, api_lookup, which), .min = 1,
		.help = "Take those whose value is one of these."},
	{ROW("not_in", SINK, api_lookup, which), .min = 0,
		.help = "Take those whose value is none of these."},
};
BLOCK(where, api_lookup, where_rows, "Which values a lookup takes.");

static const struct profile_row lookup_rows[] = {
	{ROW("request", SET, api_lookup, request), .of = &profile_request,
		.help = "Asked once in a run, or once for each partition if "
			"it has a variable of it."},
	{ROW("select", PATH, api_lookup, select),
		.help = "The values in its answer."},
	{SAME("where"), .of = &profile_where, .help = "See where."},
	{ROW("join", TEXT, api_lookup, join),
		.help = "Makes one text of them, with this between; otherwise "
			"{{lookup.NAME}} is a list."},
};
BLOCK(lookup, api_lookup, lookup_rows,
	"A list that requests need, such as the names of fields.");

static const struct profile_row job_poll_rows[] = {
	{ROW("request", SET, api_job, poll.request), .of = &profile_request,
		.help = "Asks how far it is."},
	{ROW("status", SELECTOR, api_job, poll.status),
		.help = "Where its state stands."},
	{ROW("done", WORDS, api_job, poll.done),
		.help = "States that mean: results are there."},
	{ROW("failed", WORDS, api_job, poll.failed),
		.help = "States that mean: there will be none."},
	{ROW("empty", WORDS, api_job, poll.empty),
		.help = "States that mean: there is no data."},
	{ROW("every", SPAN, api_job, poll.every), .min = SECOND / 100,
		.max = DAY, .fallback = "5s", .help = "Asked so often."},
	{ROW("max_every", SPAN, api_job, poll.max_every), .max = DAY,
		.words = "every", .help = "Less and less often, down to this."},
	{ROW("timeout", SPAN, api_job, poll.timeout), .min = SECOND,
		.max = 30 * DAY, .fallback = "1h",
		.help = "Then the job counts as failed."},
};
BLOCK(job_poll, api_job, job_poll_rows, "How a job's end is seen.");

static const struct profile_row job_rows[] = {
	{ROW("create", SET, api_job, create), .of = &profile_request,
		.help = "Starts a job. Its id is kept before anything else "
			"is asked, and taken up after a crash."},
	{ROW("id", SELECTOR, api_job, id),
		.help = "{{job.id}}, in create's answer."},
	{SAME("poll"), .of = &profile_job_poll, .help = "See job_poll."},
	{ROW("download", SET, api_job, download), .of = &profile_request,
		.help = "Fetches the results; pagination is its own."},
	{ROW("urls", SELECTOR, api_job, urls),
		.help = "Instead: the URLs of the results, in poll's last "
			"answer."},
	{ROW("cancel", SET, api_job, cancel), .of = &profile_request,
		.help = "Sent when a job is given up."},
	{ROW("cleanup", SET, api_job, cleanup), .of = &profile_request,
		.help = "Sent when its results have landed."},
	{ROW("max_concurrent", COUNT, api_job, max_concurrent), .min = 1,
		.max = 100, .fallback = "1", .help = "Jobs at a time."},
	{ROW("max_restarts", COUNT, api_job, max_restarts), .max = 100,
		.fallback = "2",
		.help = "So often a job that failed is created again."},
};
BLOCK(job, api_job, job_rows, "Results that are made first and fetched then.");

/* ---- deletes ---- */

static const struct profile_row delete_rows[] = {
	{ROW("flag", PLACE, api_delete, flag),
		.help = "A record is a delete when this is one of equals."},
	{ROW("event", PLACE, api_delete, event),
		.help = "A record tells of a delete when this is one of "
			"equals, or ends in suffix."},
	{ROW("stream", STREAM, api_delete, stream),
		.help = "Every record of that stream is a delete."},
	{ROW("equals", WORDS, api_delete, equals), .words = "true, for flag",
		.help = "See flag and event."},
	{ROW("suffix", TEXT, api_delete, suffix), .help = "See event."},
	{ROW("key", PLACES, api_delete, key),
		.help = "event: the key of what is gone."},
};
BLOCK(delete, api_delete, delete_rows,
	"deletes is a list of these: how the API says that something is "
	"gone.");

static const struct profile_row guard_rows[] = {
	{ROW("max_absent_percent", PERCENT, api_reconcile, max_absent_percent),
		.max = 100, .fallback = "5",
		.help = "More than that, and nothing is believed."},
};
BLOCK(guard, api_reconcile, guard_rows,
	"What keeps a list that was cut short from deleting everything.");

static const struct profile_row reconcile_rows[] = {
	{ROW("every", SPAN, api_reconcile, every), .min = SECOND,
		.max = YEARS(1), .help = "How often."},
	{ROW("list", STREAM, api_reconcile, list),
		.help = "The stream that lists all keys; self: this one, "
			"without its windows."},
	{.key = "on_absent",
		.type = PROFILE_CHOICE,
		.offset = SIZE_MAX,
		.names = tombstone_names,
		.fallback = "tombstone",
		.help = "A key that is missing lands as a tombstone."},
	{SAME("guard"), .of = &profile_guard, .help = "See guard."},
};
BLOCK(reconcile, api_reconcile, reconcile_rows,
	"Deletes that the API does not tell: all keys are listed and "
	"compared with those that have landed.");
