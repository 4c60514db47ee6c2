/*
 * How fast, what an answer means that is no success, and when to try again.
 */
#include "config/profile-row-part.h"

static const char *const unit_names[] = {
	[API_UNIT_S] = "s",
	[API_UNIT_MS] = "ms",
	[API_UNIT_MINUTES] = "minutes",
	[API_UNIT_EPOCH_S] = "epoch_s",
	[API_UNIT_EPOCH_MS] = "epoch_ms",
	[API_UNIT_HTTP_DATE] = "http_date",
	NULL,
};

static const char *const per_names[] = {
	[API_PER_SOURCE] = "connection",
	[API_PER_STREAM] = "stream",
	[API_PER_PARTITION] = "partition",
	NULL,
};

/* There is no other, and it is written out for who reads it. */
static const char *const full_names[] = {"full", NULL};

static const struct profile_row match_rows[] = {
	{ROW("path", TEXT, api_rate, path),
		.help = "A glob on the request's path; * does not cross /."},
};
BLOCK(match, api_rate, match_rows, "Which requests a limit is for.");

static const struct profile_row pace_rows[] = {
	{ROW("remaining", SELECTOR, api_rate, pace.remaining),
		.help = "Requests that are left."},
	{ROW("limit", SELECTOR, api_rate, pace.limit), .help = "Of how many."},
	{ROW("reset", SELECTOR, api_rate, pace.reset),
		.help = "When they are all there again."},
	{ROW("unit", CHOICE, api_rate, pace.unit), .names = unit_names,
		.fallback = "s", .help = "Of reset."},
};
BLOCK(pace, api_rate, pace_rows,
	"Slows down before the limit, by what the API says of it.");

static const struct profile_row rate_rows[] = {
	{SAME("match"), .of = &profile_match, .words = "all requests",
		.help = "See match."},
	{ROW("limits", LIMITS, api_rate, limit),
		.help = "A list such as [5/s, 300/m]: sliding windows."},
	{ROW("concurrency", COUNT, api_rate, concurrency), .min = 1,
		.max = 1000, .help = "Requests at a time."},
	{SAME("pace"), .of = &profile_pace, .help = "See pace."},
	{ROW("per", CHOICE, api_rate, scope), .names = per_names,
		.fallback = "connection",
		.help = "Who has the limit for itself: the source, each "
			"stream, or each partition."},
};
BLOCK(rate, api_rate, rate_rows,
	"rate_limits is a list of these; all that match hold. A daemon counts "
	"what it asked before, in whichever poll or backfill.");

static const struct profile_row when_rows[] = {
	{ROW("status", STATUSES, api_rule, status),
		.words = "any that is no success",
		.help = "A number, 5xx, 500-599, or a list of such."},
	{ROW("phase", PHASES, api_rule, phases), .words = "all",
		.help = "page, create, poll, download, token, lookup, or a "
			"list of such."},
	{ROW("field", SELECTOR, api_rule, field),
		.help = "A value that must be there."},
	{ROW("values", WORDS, api_rule, values), .help = "It is one of these."},
	{ROW("contains", TEXT, api_rule, contains),
		.help = "This stands in the field, or in the body."},
};
BLOCK(when, api_rule, when_rows, "Which answers a rule is for.");

static const struct profile_row rule_rows[] = {
	{SAME("when"), .of = &profile_when, .help = "See when."},
	{ROW("do", CHOICE, api_rule, action), .names = api_action_names,
		.fallback = "fail",
		.help = "retry counts attempts; rate_limited waits and counts "
			"none; refresh_auth gets a new token, once; "
			"split_window halves the window; shrink_page halves "
			"{{page.size}}; restart_pagination begins again at "
			"the first page; restart_job creates another; empty: "
			"there is no data; skip: told, recorded and left out; "
			"fail."},
	{ROW("wait", WAITS, api_rule, wait),
		.help = "A list of selectors with unit, {midnight: ZONE} or "
			"{fixed: TIME}: the first that is there says how long. "
			"midnight is when the next day begins in a time zone "
			"such as Europe/Berlin, or in {{config.NAME}} if the "
			"source says which; if it does not, the entry is left "
			"out. In the first hour of a day the API's clock may "
			"be behind ours, and the next entry says how long, or "
			"an hour if there is none. If no entry does, "
			"Retry-After says it, which is read without being "
			"named, or else retry."},
};
BLOCK(rule, api_rule, rule_rows,
	"errors is a list of these; the first that matches decides, then the "
	"built-in ones do. A stream's own come before those of the top.");

static const struct profile_row retry_rows[] = {
	{ROW("max_attempts", COUNT, api_retry, max_attempts), .min = 1,
		.max = 100, .fallback = "8", .help = "Of one request."},
	{ROW("base", SPAN, api_retry, base), .min = SECOND / 1000, .max = DAY,
		.fallback = "1s",
		.help = "The wait is random, from none up to base doubled "
			"with each attempt, and never less than the API "
			"asks for."},
	{ROW("max", SPAN, api_retry, max), .min = SECOND / 1000, .max = DAY,
		.fallback = "2m", .help = "It grows up to this."},
	{.key = "jitter",
		.type = PROFILE_CHOICE,
		.offset = SIZE_MAX,
		.names = full_names,
		.fallback = "full",
		.help = "There is no other."},
	{ROW("max_wait", SPAN, api_retry, max_wait), .max = 7 * DAY,
		.fallback = "1h",
		.help = "When the API asks for more, the stream is parked "
			"until then and others go on; then it alone is asked, "
			"whatever the schedule says. Who asks for more than "
			"30d is believed for 30d; a wait of more than 26h "
			"is an alert."},
};
BLOCK(retry, api_retry, retry_rows,
	"Trying again. An API that lets us in nowhere (401, 403, no token) is "
	"not asked again by the daemon sooner than after an hour.");
