/*
 * The table of profiles: streams, the whole, and all blocks there are.
 */
#include "config/profile-row-part.h"

#define SIZE_MAX_BODY (UINT64_C(1) << 44)

static const char *const land_names[] = {
	[API_LAND_RECORDS] = "records",
	[API_LAND_KEYS] = "keys",
	NULL,
};

static const struct profile_row stream_rows[] = {
	{ROW("request", SET, api_stream, request), .of = &profile_request,
		.help = "See request. This or job is required."},
	{ROW("records", RECORDS, api_stream, records), .fallback = "$",
		.help = "The path of records in a page ($: all of it, or each "
			"line), or {path: PATH, also: [{path, stream, key}]} "
			"for related records beside them."},
	{ROW("key", PLACES, api_stream, key),
		.help = "What identifies a record: a path in it, a column, or "
			"a list of such. If no record of several has it, be it "
			"null, the stream fails."},
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
	{ROW("auth", BLOCK, api_stream, auth), .own = sizeof(struct api_auth),
		.of = &profile_auth, .words = "that of the source",
		.help = "See auth."},
	{ROW("headers", FIELDS, api_stream, header),
		.own = sizeof(struct api_fields), .min = PROFILE_IN_HEADER,
		.words = "those of the source",
		.help = "Sent with every request."},
	{ROW("rate_limits", LIST, api_stream, rates),
		.own = sizeof(struct api_rates), .of = &profile_rate,
		.words = "those of the source", .help = "See rate."},
	{ROW("errors", LIST, api_stream, rules),
		.own = sizeof(struct api_rules), .of = &profile_rule,
		.help = "See rule."},
	{ROW("retry", BLOCK, api_stream, retry),
		.own = sizeof(struct api_retry), .of = &profile_retry,
		.words = "that of the source", .help = "See retry."},
	{ROW("pagination", BLOCK, api_stream, pagination),
		.own = sizeof(struct api_pagination), .of = &profile_pagination,
		.words = "that of the source", .help = "See pagination."},
	{ROW("decode", DECODE, api_stream, decode),
		.own = sizeof(struct api_decode), .words = "that of the source",
		.help = "Layers from the outside in: zip, gzip, and last "
			"json, jsonl or csv."},
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
