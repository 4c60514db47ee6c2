/*
 * api.h - an API that is polled, as data: what a profile and the source that
 * uses it say together, checked and with all defaults filled in.
 *
 * A profile is the vendor's facts, a source one instance of it. Both are
 * mappings of the same language; the source's keys override the profile's
 * (config/api.h has the rules). What comes out is a struct api in
 * source_config.api, plain and never changed afterwards, so any thread may
 * read it. What a block inherits is resolved: a stream points at the auth,
 * limits, rules and pagination that hold for it. Streams that point at the
 * same auth share its token; those that point at the same limits share them.
 *
 * Nothing here is a secret: a template names one, and `secret` says where it
 * is. Durations and times are nanoseconds; 0 is none unless said otherwise.
 */
#ifndef LANDFALL_API_H
#define LANDFALL_API_H

#include <stdbool.h>

#include "landfall/json.h"
#include "landfall/secret.h"

/* ---- templates: "greater-than(updated,{{window.after}})" ---- */

enum api_space {
	API_TEXT, /* no variable: the text itself */
	API_SECRET,
	API_CONFIG,
	API_AUTH,
	API_LOOKUP,
	API_PARTITION,
	API_JOB,    /* id */
	API_PAGE,   /* token, size */
	API_WINDOW, /* start, after, end, last */
	API_SPACES,
};
extern const char *const api_space_names[]; /* "", "secret", ..., NULL */

struct api_part {
	enum api_space space;
	char *text; /* API_TEXT: the text; else the variable's name */
	size_t len;
	bool integer; /* {{page.size:int}}: a JSON number */
};

struct api_template {
	struct api_part *part;
	size_t n; /* 0: there is none, or it is empty */
};

/*
 * BAD_ITEM: e says what is wrong ("{{widnow.end}}: ..."); nothing is to be
 * released then. That a variable is defined is for the caller to check.
 */
enum rc api_template_parse(const char *text, size_t len,
	struct api_template *ret, struct err *e) MUST_USE;
void api_template_release(struct api_template *t);

/* Whether a variable of this space occurs; name NULL: any. */
bool api_template_has(
	const struct api_template *t, enum api_space space, const char *name);

/* Names and values in the order of the file; a name may come again. */
struct api_field {
	char *name;
	struct api_template value;
};

struct api_fields {
	struct api_field *row;
	size_t n;
};

/* A JSON body with templates at its leaves. */
enum api_json_kind {
	API_JSON_OBJECT,
	API_JSON_ARRAY,
	API_JSON_STRING, /* a template */
	API_JSON_WORD,	 /* a number, true, false or null as it is written */
};

struct api_json {
	enum api_json_kind kind;
	char *key; /* within an object */
	struct api_template text;
	char *word;
	struct api_json *child;
	size_t n;
};

enum api_body {
	API_BODY_NONE,
	API_BODY_JSON,
	API_BODY_FORM,
	API_BODY_RAW,
};

struct api_request {
	bool set;
	char *method; /* "GET", ... */
	bool is_url;  /* target is a whole URL, not a path below base_url */
	struct api_template target;
	struct api_fields query;
	struct api_fields header; /* go before those of the stream */
	enum api_body body;
	struct api_json json;
	struct api_fields form;
	struct api_template raw;
	struct {
		int64_t connect, idle;
		int64_t total; /* 0: as long as bytes come */
	} timeout;
};

/* ---- selectors: one value out of a response ---- */

enum api_from {
	API_FROM_NOTHING, /* there is no selector */
	API_FROM_BODY,	  /* path in the JSON body */
	API_FROM_HEADER,
	API_FROM_HEADER_JSON, /* path in the JSON that is a header's value */
	API_FROM_LINK,	      /* RFC 8288 Link header, relation `name` */
	API_FROM_LAST,	      /* path in the last record of the page */
	API_FROM_STATUS,
};

struct api_selector {
	enum api_from from;
	char *name; /* of a header, or a relation */
	struct jsonpath path;
};

/* A path within a record, or a column of a CSV row. */
struct api_place {
	char *column; /* NULL: path */
	struct jsonpath path;
};

struct api_places {
	struct api_place *row;
	size_t n;
};

struct api_words {
	char **word;
	size_t n;
};

/* ---- what a response is made of ---- */

enum api_layer {
	API_ZIP,
	API_GZIP,
	API_JSON, /* the last layer is one of these three */
	API_JSONL,
	API_CSV,
};
extern const char *const api_layer_names[];

#define API_LAYERS 4

struct api_decode {
	enum api_layer layer[API_LAYERS];
	size_t n; /* at least 1 */
};

/* Records beside the records: related objects on the same page. */
struct api_also {
	struct jsonpath path;
	char *stream; /* the name they are marked with */
	struct api_places key;
};

struct api_records {
	struct jsonpath path; /* n 0: the whole document, or line */
	struct api_also *also;
	size_t n_also;
};

/* ---- pagination ---- */

enum api_paging {
	API_PAGES_NONE,
	API_PAGES_TOKEN,
	API_PAGES_LINK,
	API_PAGES_NUMBER, /* type: page */
	API_PAGES_OFFSET,
};

/* The default depends on type: empty for page and offset, else never. */
enum api_stop {
	API_STOP_NEVER,	   /* only when next is gone, or more or done say so */
	API_STOP_ON_EMPTY, /* and on a page without records */
	API_STOP_ON_SHORT, /* and on one with fewer than size */
};

struct api_pagination {
	enum api_paging type;
	struct api_selector next;
	char *initial;		  /* page.token of the first request, or NULL */
	struct api_words end;	  /* tokens that mean: there is no next */
	struct api_selector more; /* false stops */
	struct api_selector done; /* true stops */
	struct api_selector total; /* offset: records in all */
	enum api_stop stop;
	uint64_t start; /* page: the first page's number */
	uint64_t size;	/* page.size; 0: not known */
	uint64_t max_pages;
};

/* ---- windows ---- */

enum api_kind {
	API_KIND_TIME,
	API_KIND_INT,	/* numbers that grow, such as ids */
	API_KIND_TOKEN, /* the server's own cursor, kept between runs */
};

enum api_order {
	API_ORDER_NONE,
	API_ORDER_ASC,
	API_ORDER_DESC,
};

enum api_commit {
	API_COMMIT_WINDOW,
	API_COMMIT_PAGE,
	API_COMMIT_RUN,
};

enum api_filter {
	API_FILTER_SERVER, /* the request asks for the window */
	API_FILTER_CLIENT, /* the API cannot: all pages come each time */
	API_FILTER_STOP,   /* newest first: stop at the window's start */
};

/* How a time is written: one of these, or strftime's letters in `custom`. */
enum api_time {
	API_TIME_RFC3339,    /* 2026-11-23T01:02:03Z */
	API_TIME_RFC3339_MS, /* 2026-11-23T01:02:03.000Z */
	API_TIME_EPOCH_S,
	API_TIME_EPOCH_MS,
	API_TIME_DATE,	 /* 2026-11-23 */
	API_TIME_CUSTOM, /* %Y %m %d %H %M %S %f (fraction) %% */
};

struct api_format {
	enum api_time time;
	char *custom;
};

/* BAD_ITEM: no such format. A custom one has a % in it. */
enum rc api_format_parse(
	const char *text, struct api_format *ret, struct err *e) MUST_USE;

/* The smallest step that the format can say, in ns. */
int64_t api_format_step(const struct api_format *f);

/* RFC 3339 with any offset and fraction, or a date: midnight UTC. */
bool api_parse_time(const char *text, size_t len, int64_t *ret_wall) MUST_USE;

struct api_incremental {
	bool set;
	struct api_place cursor; /* no column and no path: none */
	enum api_kind kind;
	struct api_format format;	 /* of window.* in requests */
	struct api_format record_format; /* of the cursor in records */
	int64_t start;			 /* wall time, or the first integer */
	int64_t window;			 /* 0: one window up to the end */
	int64_t granularity; /* one step of the API's clock; 1 for integers */
	int64_t align;	     /* windows end at multiples of it; 0: anywhere */
	int64_t lookback;
	int64_t lag; /* may be negative: the end lies in the future */
	enum api_order order;
	enum api_commit commit;
	int64_t retention; /* 0: for ever */
	size_t *on_gap;	   /* streams to be read whole after a gap */
	size_t n_on_gap;
	enum api_filter filter;
};

/* ---- partitions, lookups, jobs ---- */

/* One variable with its values, or the variables that a parent gives. */
struct api_partition {
	char *name;		 /* {{partition.NAME}} */
	struct api_words values; /* n 0: from the parent */
	struct jsonpath select;	 /* in the parent's records */
};

#define API_NO_STREAM SIZE_MAX

struct api_partitions {
	struct api_partition *row; /* several with values: each with each */
	size_t n;		   /* 0: the stream is one partition */
	size_t parent;		   /* API_NO_STREAM: values alone */
	uint64_t batch;	 /* of parents in one request: the variable is a list */
	bool state_each; /* a cursor for each partition */
};

struct api_lookup {
	char *name; /* {{lookup.NAME}} */
	struct api_request request;
	struct jsonpath select;
	struct jsonpath where; /* parallel to select; n 0: all are taken */
	bool where_in;	       /* take those in `which`, not those outside */
	struct api_words which;
	char *join;	    /* NULL: the variable is a list */
	bool per_partition; /* its request uses a partition's variable */
};

struct api_job {
	bool set;
	struct api_request create;
	struct api_selector id;
	struct {
		struct api_request request;
		struct api_selector status;
		struct api_words done, failed, empty;
		int64_t every, max_every;
		int64_t timeout;
	} poll;
	struct api_request download;
	struct api_selector urls; /* instead: where the results lie */
	struct api_request cancel, cleanup;
	uint64_t max_concurrent;
	uint64_t max_restarts;
};

/* ---- limits, errors, waiting ---- */

enum api_unit {
	API_UNIT_S, /* seconds, or an HTTP date */
	API_UNIT_MS,
	API_UNIT_MINUTES,
	API_UNIT_EPOCH_S,
	API_UNIT_EPOCH_MS,
	API_UNIT_HTTP_DATE,
};

struct api_wait {
	struct api_selector from; /* API_FROM_NOTHING: one of those below */
	enum api_unit unit;
	bool midnight;
	struct zoneinfo *zone; /* of midnight; NULL: UTC */
	int64_t fixed;
};

enum api_per {
	API_PER_SOURCE,
	API_PER_STREAM,
	API_PER_PARTITION,
};

struct api_limit {
	uint64_t requests;
	int64_t per;
};

struct api_rate {
	char *path; /* a glob on the request's path; NULL: all requests */
	enum api_per scope;
	struct api_limit *limit; /* sliding windows */
	size_t n;
	uint64_t concurrency; /* 0: no bound of its own */
	struct {
		struct api_selector remaining, limit, reset;
		enum api_unit unit; /* of reset */
	} pace;			    /* remaining.from API_FROM_NOTHING: none */
};

struct api_rates {
	struct api_rate *row;
	size_t n;
};

enum api_action {
	API_RETRY,
	API_RATE_LIMITED,
	API_REFRESH_AUTH,
	API_SPLIT_WINDOW,
	API_SHRINK_PAGE,
	API_RESTART_PAGINATION,
	API_RESTART_JOB,
	API_EMPTY, /* there is no data */
	API_SKIP,  /* what was asked for; told and recorded */
	API_FAIL,
};
extern const char *const api_action_names[];

enum api_phase {
	API_PHASE_PAGE,
	API_PHASE_CREATE,
	API_PHASE_POLL,
	API_PHASE_DOWNLOAD,
	API_PHASE_TOKEN,
	API_PHASE_LOOKUP,
	API_PHASES,
};
extern const char *const api_phase_names[];

struct api_status_range {
	unsigned from, to; /* inclusive */
};

struct api_rule {
	struct api_status_range *status;
	size_t n_status; /* 0: every answer that is no success */
	unsigned phases; /* a bit for each; 0: all */
	struct api_selector field;
	struct api_words values; /* one of them is the field's value */
	char *contains;		 /* the field's, or without one the body's */
	enum api_action action;
	struct api_wait *wait;
	size_t n_wait;
	unsigned line; /* where it stands, for messages */
};

struct api_rules {
	struct api_rule *row; /* the first that matches decides */
	size_t n;
	struct api_rules *then; /* the top's behind a stream's own, or NULL */
};

struct api_retry {
	uint64_t max_attempts;
	int64_t base, max;
	int64_t max_wait; /* a longer wait parks the stream */
};

/* ---- auth ---- */

enum api_auth_type {
	API_AUTH_NONE,
	API_AUTH_HEADER,
	API_AUTH_QUERY,
	API_AUTH_BASIC,
	API_AUTH_BEARER,
	API_AUTH_OAUTH2,
	API_AUTH_SESSION,
};

enum api_grant {
	API_GRANT_REFRESH_TOKEN,
	API_GRANT_CLIENT_CREDENTIALS,
	API_GRANT_JWT_BEARER,
};

enum api_rotates {
	API_ROTATES_AUTO, /* a token answer that has a refresh token says so */
	API_ROTATES_NO,
	API_ROTATES_YES, /* an answer without one is a mistake */
};

struct api_capture {
	char *name; /* {{auth.NAME}} */
	struct api_selector from;
};

struct api_auth {
	enum api_auth_type type;
	char *name; /* of the header or query parameter that carries value */
	struct api_template value; /* header, query, session; bearer: token */
	struct api_template username, password;

	enum api_grant grant;
	struct api_template token_url;
	bool send_basic; /* client id and secret as Basic, not in the form */
	struct api_fields params;
	struct {
		char *alg; /* RS256, ES256 or HS256 */
		struct api_fields header, claims;
		struct api_template key; /* PEM, or the secret of HS256 */
		int64_t lifetime;
	} jwt;
	enum api_rotates rotates;

	struct api_request login; /* session */
	struct api_capture *capture;
	size_t n_capture;
	bool expires_given;	     /* the two below stand in the file */
	struct api_selector expires; /* seconds; API_FROM_NOTHING: */
	int64_t lifetime;	     /* fixed; 0: until a 401 */

	struct {
		char *param; /* NULL: requests are not signed */
		struct api_template key, text;
	} sign; /* query parameter: hex HMAC-SHA-256 */
};

/* ---- deletes ---- */

enum api_delete_kind {
	API_DELETE_FLAG,   /* the record says so */
	API_DELETE_STREAM, /* every record of another stream */
	API_DELETE_EVENT,  /* the record is an event about another key */
};

struct api_delete {
	enum api_delete_kind kind;
	struct api_place flag;	 /* or the event's type */
	struct api_place event;	 /* the loader moves it to flag */
	struct api_words equals; /* or: */
	char *suffix;
	struct api_places key; /* event: of what is gone */
	size_t stream;
};

struct api_deletes {
	struct api_delete *row;
	size_t n;
};

struct api_reconcile {
	bool set;
	int64_t every;
	size_t list; /* the stream that lists all keys; may be its own */
	unsigned max_absent_percent;
};

/* ---- streams, and the whole ---- */

enum api_land {
	API_LAND_RECORDS,
	API_LAND_KEYS, /* nothing: its keys are compared by a reconcile */
};

struct api_stream {
	char *name;
	unsigned line;
	bool enabled; /* to be polled for itself; others only help it */
	enum api_land land;
	bool immutable; /* the first copy of a key is the only one */
	int64_t min_interval;
	struct api_request request;
	struct api_records records;
	struct api_places key; /* n 0: none */
	struct api_decode *decode;
	struct api_pagination *pagination;
	struct api_incremental incremental;
	struct api_partitions partitions;
	struct api_lookup *lookup;
	size_t n_lookups;
	struct api_job job;
	struct api_auth *auth;
	struct api_rates *rates;
	struct api_rules *rules;
	struct api_fields *header;
	struct api_retry *retry;
	struct api_deletes deletes;
	struct api_reconcile reconcile;
	bool deletes_only; /* another stream's deletes name it */
};

struct api_secret {
	char *name; /* {{secret.NAME}} */
	struct secret where;
};

struct api_config {
	char *name;		/* {{config.NAME}} */
	struct api_words value; /* n 0: undefined */
	bool is_list;
};

struct api {
	char *profile; /* its name or path; NULL: all stands in the source */
	char *version; /* of the profile, or NULL */
	struct api_template base_url;
	bool allow_plaintext;
	char *ca_file; /* who may sign its certificate; NULL: the system's */
	struct api_words allow_hosts; /* links may lead there, without auth */
	struct api_secret *secret;
	size_t n_secrets;
	struct api_config *config;
	size_t n_config;
	struct api_stream *stream;
	size_t n_streams;
	uint64_t max_body; /* decoded, of one response */
	uint64_t max_record;

	/* What streams point at when they have none of their own. */
	struct api_auth auth;
	struct api_rates rates;
	struct api_rules rules;
	struct api_retry retry;
	struct api_pagination pagination;
	struct api_decode decode;
	struct api_fields header;
};

void api_free(struct api *a);

/* Whether a URL's host is this machine: 127.0.0.0/8, ::1 or localhost. */
bool api_is_loopback(const char *url);

/* The stream of this name, or API_NO_STREAM. */
size_t api_find(const struct api *a, const char *stream);

#endif
