#include "config/profile-row.h"

#include "base/clock.h"

#define SECOND ((uint64_t)CLOCK_SECOND)
#define DAY (86400 * SECOND)
#define YEARS(n) ((n)*366 * DAY)
#define SIZE_MAX_BODY (UINT64_C(1) << 44)

#define ROW(k, t, s, field) \
	.key = (k), .type = PROFILE_##t, .offset = offsetof(struct s, field)
#define SAME(k) .key = (k), .type = PROFILE_SAME
#define BLOCK(b, s, rows, text) \
	const struct profile_block profile_##b = { \
		#b, text, rows, ARRAY_LEN(rows), sizeof(struct s)}

static const char *const auth_names[] = {
	[API_AUTH_NONE] = "none",
	[API_AUTH_HEADER] = "header",
	[API_AUTH_QUERY] = "query",
	[API_AUTH_BASIC] = "basic",
	[API_AUTH_BEARER] = "bearer",
	[API_AUTH_OAUTH2] = "oauth2",
	[API_AUTH_SESSION] = "session",
	NULL,
};

static const char *const grant_names[] = {
	[API_GRANT_REFRESH_TOKEN] = "refresh_token",
	[API_GRANT_CLIENT_CREDENTIALS] = "client_credentials",
	[API_GRANT_JWT_BEARER] = "jwt_bearer",
	NULL,
};

static const char *const rotates_names[] = {
	[API_ROTATES_AUTO] = "auto",
	[API_ROTATES_NO] = "false",
	[API_ROTATES_YES] = "true",
	NULL,
};

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

static const char *const land_names[] = {
	[API_LAND_RECORDS] = "records",
	[API_LAND_KEYS] = "keys",
	NULL,
};

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

static const char *const send_names[] = {"form", "basic", NULL};
static const char *const state_names[] = {"shared", "each", NULL};

/* What can only be one thing, written out for who reads it. */
static const char *const full_names[] = {"full", NULL};
static const char *const sha256_names[] = {"sha256", NULL};
static const char *const tombstone_names[] = {"tombstone", NULL};

/* ---- the request ---- */

static const struct profile_row timeout_rows[] = {
	{ROW("connect", SPAN, api_request, timeout.connect), .min = SECOND,
		.max = 600 * SECOND, .fallback = "10s",
		.help = "Until the connection stands, TLS included."},
	{ROW("idle", SPAN, api_request, timeout.idle), .min = SECOND,
		.max = 3600 * SECOND, .fallback = "60s",
		.help = "Without a single byte."},
	{ROW("total", SPAN, api_request, timeout.total), .max = 7 * DAY,
		.words = "as long as bytes come",
		.help = "For the whole response."},
};
static BLOCK(
	timeout, api_request, timeout_rows, "How long to wait for a response.");

static const struct profile_row request_rows[] = {
	{ROW("method", METHOD, api_request, method), .fallback = "GET",
		.help = "GET, POST, PUT, PATCH or DELETE."},
	{ROW("path", TARGET, api_request, set), .min = 0,
		.help = "Appended to base_url; a variable in it is one "
			"segment. This or url is required."},
	{ROW("url", TARGET, api_request, set), .min = 1,
		.help = "A whole URL instead."},
	{ROW("query", FIELDS, api_request, query), .min = PROFILE_IN_QUERY,
		.help = "Names and values; a list, or a variable that is one, "
			"repeats the name. One whose variable is undefined is "
			"left out, as everywhere."},
	{ROW("headers", FIELDS, api_request, header), .min = PROFILE_IN_HEADER,
		.help = "Added to the headers of the stream."},
	{ROW("json", BODY, api_request, body), .min = API_BODY_JSON,
		.help = "The body as JSON. Text that is nothing but a list "
			"variable becomes an array; {{x:int}} a number."},
	{ROW("form", BODY, api_request, body), .min = API_BODY_FORM,
		.help = "The body as an HTML form sends it."},
	{ROW("body", BODY, api_request, body), .min = API_BODY_RAW,
		.help = "The body as it is."},
	{SAME("timeout"), .of = &profile_timeout, .help = "See timeout."},
};
BLOCK(request, api_request, request_rows,
	"What is asked for. A body goes with another method than GET.");

/* ---- auth ---- */

static const struct profile_row jwt_rows[] = {
	{ROW("alg", TEXT, api_auth, jwt.alg), .fallback = "RS256",
		.help = "RS256, ES256 or HS256."},
	{ROW("header", FIELDS, api_auth, jwt.header), .min = PROFILE_IN_AUTH,
		.help = "More members of the header, such as kid."},
	{ROW("claims", FIELDS, api_auth, jwt.claims), .min = PROFILE_IN_AUTH,
		.help = "iss, sub, aud, scope, ...; iat and exp are added."},
	{ROW("key", TEMPLATE, api_auth, jwt.key), .min = PROFILE_IN_AUTH,
		.help = "The private key as PEM; for HS256 the secret."},
	{ROW("lifetime", SPAN, api_auth, jwt.lifetime), .min = SECOND,
		.max = DAY, .fallback = "3m", .help = "From iat to exp."},
};
static BLOCK(jwt, api_auth, jwt_rows,
	"The signed assertion of grant jwt_bearer (RFC 7523).");

static const struct profile_row sign_rows[] = {
	{ROW("param", TEXT, api_auth, sign.param),
		.help = "The query parameter that carries the signature."},
	{.key = "hmac",
		.type = PROFILE_CHOICE,
		.offset = SIZE_MAX,
		.names = sha256_names,
		.fallback = "sha256",
		.help = "HMAC with SHA-256, in hexadecimal."},
	{ROW("key", TEMPLATE, api_auth, sign.key), .min = PROFILE_IN_AUTH,
		.help = "The HMAC's key."},
	{ROW("text", TEMPLATE, api_auth, sign.text), .min = PROFILE_IN_AUTH,
		.fallback = "{{auth.access_token}}", .help = "What is signed."},
};
static BLOCK(
	sign, api_auth, sign_rows, "A signature that goes with every request.");

static const struct profile_row auth_rows[] = {
	{ROW("type", CHOICE, api_auth, type), .names = auth_names,
		.fallback = "none",
		.help = "header and query send value under name; basic sends "
			"username and password, bearer token. oauth2 gets an "
			"access token at token_url and sends it as bearer. "
			"session sends login first, and then what was "
			"captured as value under name."},
	{ROW("name", TEXT, api_auth, name),
		.help = "Of the header or the query parameter."},
	{ROW("value", TEMPLATE, api_auth, value), .min = PROFILE_IN_AUTH,
		.help = "Its value."},
	{ROW("token", TEMPLATE, api_auth, value), .min = PROFILE_IN_AUTH,
		.help = "bearer: the token."},
	{ROW("username", TEMPLATE, api_auth, username), .min = PROFILE_IN_AUTH,
		.help = "basic: the user."},
	{ROW("password", TEMPLATE, api_auth, password), .min = PROFILE_IN_AUTH,
		.help = "basic: the password; may be absent."},
	{ROW("grant", CHOICE, api_auth, grant), .names = grant_names,
		.fallback = "refresh_token", .help = "oauth2: how."},
	{ROW("token_url", TEMPLATE, api_auth, token_url), .min = PROFILE_IN_URL,
		.help = "oauth2: where."},
	{ROW("send_as", EITHER, api_auth, send_basic), .names = send_names,
		.fallback = "form",
		.help = "oauth2: client_id and client_secret stand in the "
			"form, or are sent as Basic."},
	{ROW("params", FIELDS, api_auth, params), .min = PROFILE_IN_AUTH,
		.help = "oauth2: the form's fields; grant_type and assertion "
			"are added. A refresh token that was rotated replaces "
			"the refresh_token here."},
	{SAME("jwt"), .of = &profile_jwt, .help = "oauth2: see jwt."},
	{ROW("rotates_refresh_token", CHOICE, api_auth, rotates),
		.names = rotates_names, .fallback = "auto",
		.help = "auto: an answer with a refresh_token replaces the "
			"one before; true: an answer without one is a "
			"failure. What was rotated lies in the state, 0600."},
	{ROW("login", SET, api_auth, login), .of = &profile_request,
		.help = "session: the request."},
	{ROW("capture", CAPTURE, api_auth, capture),
		.help = "Names and selectors: {{auth.NAME}}. oauth2 has "
			"access_token: {body: $.access_token} unless it is "
			"given."},
	{ROW("expires_in", EXPIRES, api_auth, expires),
		.words = "{body: $.expires_in} for oauth2, else unknown",
		.help = "A selector of seconds, a duration, or unknown: until "
			"an answer is 401."},
	{SAME("sign"), .of = &profile_sign, .help = "See sign."},
};
BLOCK(auth, api_auth, auth_rows,
	"Who we are. Credentials go to the origin of base_url alone.");

/* ---- pages and windows ---- */

static const struct profile_row pagination_rows[] = {
	{ROW("type", CHOICE, api_pagination, type), .names = paging_names,
		.fallback = "none",
		.help = "token: next selects what {{page.token}} is in the "
			"next request; link: next selects its URL; page: "
			"{{page.token}} is a number that grows by one; offset: "
			"it is the number of records so far."},
	{ROW("next", SELECTOR, api_pagination, next),
		.help = "token and link: where the next one stands."},
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
			"column."},
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
static BLOCK(where, api_lookup, where_rows, "Which values a lookup takes.");

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

/* ---- limits, errors, waiting ---- */

static const struct profile_row match_rows[] = {
	{ROW("path", TEXT, api_rate, path),
		.help = "A glob on the request's path; * does not cross /."},
};
static BLOCK(match, api_rate, match_rows, "Which requests a limit is for.");

static const struct profile_row pace_rows[] = {
	{ROW("remaining", SELECTOR, api_rate, pace.remaining),
		.help = "Requests that are left."},
	{ROW("limit", SELECTOR, api_rate, pace.limit), .help = "Of how many."},
	{ROW("reset", SELECTOR, api_rate, pace.reset),
		.help = "When they are all there again."},
	{ROW("unit", CHOICE, api_rate, pace.unit), .names = unit_names,
		.fallback = "s", .help = "Of reset."},
};
static BLOCK(pace, api_rate, pace_rows,
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
static BLOCK(when, api_rule, when_rows, "Which answers a rule is for.");

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
		.help = "A list of selectors with unit, or {fixed: TIME}: the "
			"first that is there says how long. Retry-After is "
			"read without being named."},
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
			"until then and others go on."},
};
BLOCK(retry, api_retry, retry_rows, "Trying again.");

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
static BLOCK(guard, api_reconcile, guard_rows,
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

/* ---- streams, and the whole ---- */

#define SHARED_ROWS \
	{ROW("auth", BLOCK, api_stream, auth), .own = sizeof(struct api_auth), \
		.of = &profile_auth, .words = "that of the source", \
		.help = "See auth."}, \
		{ROW("headers", FIELDS, api_stream, header), \
			.own = sizeof(struct api_fields), \
			.min = PROFILE_IN_HEADER, \
			.words = "those of the source", \
			.help = "Sent with every request."}, \
		{ROW("rate_limits", LIST, api_stream, rates), \
			.own = sizeof(struct api_rates), .of = &profile_rate, \
			.words = "those of the source", .help = "See rate."}, \
		{ROW("errors", LIST, api_stream, rules), \
			.own = sizeof(struct api_rules), .of = &profile_rule, \
			.help = "See rule."}, \
		{ROW("retry", BLOCK, api_stream, retry), \
			.own = sizeof(struct api_retry), .of = &profile_retry, \
			.words = "that of the source", .help = "See retry."}, \
		{ROW("pagination", BLOCK, api_stream, pagination), \
			.own = sizeof(struct api_pagination), \
			.of = &profile_pagination, \
			.words = "that of the source", \
			.help = "See pagination."}, \
	{ \
		ROW("decode", DECODE, api_stream, decode), \
			.own = sizeof(struct api_decode), \
			.words = "that of the source", \
			.help = "Layers from the outside in: zip, gzip, and " \
				"last json, jsonl or csv." \
	}

static const struct profile_row stream_rows[] = {
	{ROW("request", SET, api_stream, request), .of = &profile_request,
		.help = "See request. This or job is required."},
	{ROW("records", RECORDS, api_stream, records), .fallback = "$",
		.help = "The path of records in a page ($: all of it, or each "
			"line), or {path: PATH, also: [{path, stream, key}]} "
			"for related records beside them."},
	{ROW("key", PLACES, api_stream, key),
		.help = "What identifies a record: a path in it, a column, or "
			"a list of such."},
	{ROW("immutable", BOOL, api_stream, immutable), .fallback = "false",
		.help = "Records never change: one with a known key is seen "
			"again, whatever its bytes."},
	{ROW("start", START, api_stream, incremental.start),
		.help = "The same as incremental.start, for sources."},
	{ROW("incremental", SET, api_stream, incremental),
		.of = &profile_incremental, .help = "See incremental."},
	{ROW("partitions", BLOCK, api_stream, partitions),
		.of = &profile_partitions, .help = "See partitions."},
	{ROW("lookups", MAP, api_stream, lookup), .of = &profile_lookup,
		.help = "Names, each with a lookup: {{lookup.NAME}}."},
	{ROW("job", SET, api_stream, job), .of = &profile_job,
		.help = "See job."},
	{ROW("deletes", LIST, api_stream, deletes), .of = &profile_delete,
		.help = "See delete."},
	{ROW("reconcile", SET, api_stream, reconcile), .of = &profile_reconcile,
		.help = "See reconcile."},
	{ROW("land", CHOICE, api_stream, land), .names = land_names,
		.fallback = "records",
		.help = "keys: nothing lands; the stream lists keys for a "
			"reconcile."},
	{ROW("enabled", BOOL, api_stream, enabled), .fallback = "true",
		.help = "false: only for a source that names it."},
	{ROW("min_interval", SPAN, api_stream, min_interval), .max = YEARS(1),
		.fallback = "0s",
		.help = "Polled at most so often, whatever the schedule."},
	SHARED_ROWS,
};
BLOCK(stream, api_stream, stream_rows, "One kind of record.");

static const struct profile_row top_rows[] = {
	{.key = "profile",
		.type = PROFILE_ELSEWHERE,
		.help = "In a source: the name of a shipped profile, or the "
			"path of a file. In a profile: its own name."},
	{ROW("version", TEXT, api, version),
		.help = "In a profile: 1, the version of this language."},
	{ROW("base_url", TEMPLATE, api, base_url), .min = PROFILE_IN_URL,
		.help = "What paths are appended to. https; http only for "
			"this machine, or with allow_plaintext."},
	{.key = "config",
		.type = PROFILE_ELSEWHERE,
		.help = "In a profile: names, each {required: BOOL, default: "
			"VALUE}. In a source: their values, text or lists. "
			"{{config.NAME}}."},
	{.key = "secrets",
		.type = PROFILE_ELSEWHERE,
		.help = "In a source: names, and where each secret is: "
			"{credential: NAME}, {file: PATH}, {env: NAME} or "
			"{command: [PROGRAM]}. {{secret.NAME}}."},
	{.key = "streams",
		.type = PROFILE_ELSEWHERE,
		.help = "In a source with a profile: a list of the streams "
			"that are wanted, or a mapping of them to what is "
			"different. Without streams: all of the profile."},
	{ROW("auth", BLOCK, api, auth), .of = &profile_auth,
		.help = "See auth."},
	{ROW("headers", FIELDS, api, header), .min = PROFILE_IN_HEADER,
		.help = "Sent with every request."},
	{ROW("rate_limits", LIST, api, rates), .of = &profile_rate,
		.help = "See rate."},
	{ROW("errors", LIST, api, rules), .of = &profile_rule,
		.help = "See rule."},
	{ROW("retry", BLOCK, api, retry), .of = &profile_retry,
		.help = "See retry."},
	{ROW("pagination", BLOCK, api, pagination), .of = &profile_pagination,
		.help = "See pagination."},
	{ROW("decode", DECODE, api, decode), .fallback = "json",
		.help = "Layers from the outside in: zip, gzip, and last "
			"json, jsonl or csv."},
	{ROW("allow_hosts", WORDS, api, allow_hosts),
		.help = "Hosts that links and redirects may lead to; they get "
			"no credentials."},
	{ROW("allow_plaintext", BOOL, api, allow_plaintext),
		.fallback = "false",
		.help = "In a source: http to other machines, where anybody "
			"on the way can read the credentials."},
	{ROW("ca_file", TEXT, api, ca_file),
		.help = "In a source: a file of certificates (PEM) that are "
			"trusted to have signed the server's, instead of the "
			"system's. A path that is not absolute begins where "
			"the configuration is."},
	{ROW("max_body", SIZE, api, max_body), .min = 1024,
		.max = SIZE_MAX_BODY, .fallback = "16GiB",
		.help = "A larger response, decoded, is a failure."},
	{ROW("max_record", SIZE, api, max_record), .min = 1024,
		.max = UINT64_C(1) << 30, .fallback = "16MiB",
		.help = "The same of a record."},
};
BLOCK(top, api, top_rows,
	"Keys of a profile, and of a source that polls an API.");

const struct profile_block *const profile_blocks[] = {
	&profile_top,
	&profile_stream,
	&profile_request,
	&profile_timeout,
	&profile_auth,
	&profile_jwt,
	&profile_sign,
	&profile_pagination,
	&profile_incremental,
	&profile_partitions,
	&profile_lookup,
	&profile_where,
	&profile_job,
	&profile_job_poll,
	&profile_rate,
	&profile_match,
	&profile_pace,
	&profile_rule,
	&profile_when,
	&profile_retry,
	&profile_delete,
	&profile_reconcile,
	&profile_guard,
};
const size_t profile_block_count = ARRAY_LEN(profile_blocks);
