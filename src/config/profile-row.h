/*
 * profile-row.h - the table of what a profile, and a source that uses one,
 * can say: a block is a mapping, a row one key of it.
 *
 * Rows drive the reader, its messages, `landfall help profile` and
 * landfall-profile(5). To add a key: a field in landfall/api.h, a row here,
 * and the list in doc/landfall-profile.5 (a test compares it). Nothing that
 * nobody acts on gets a row.
 */
#ifndef CONFIG_PROFILE_ROW_H
#define CONFIG_PROFILE_ROW_H

#include <stddef.h>

#include "config/yaml.h"
#include "landfall/api.h"

enum profile_type {
	PROFILE_BLOCK,	   /* a block, in the field */
	PROFILE_SET,	   /* the same, and the field begins with `bool set` */
	PROFILE_SAME,	   /* a block whose rows lie in the same structure */
	PROFILE_LIST,	   /* of blocks: pointer and count */
	PROFILE_MAP,	   /* of names to blocks that begin with `char *name` */
	PROFILE_ELSEWHERE, /* read by profile.c: config, secrets, streams */
	PROFILE_TEXT,	   /* char * */
	PROFILE_WORDS,	   /* struct api_words */
	PROFILE_TEMPLATE,  /* struct api_template; min: enum profile_place */
	PROFILE_FIELDS,	   /* struct api_fields; the same */
	PROFILE_JSON,
	PROFILE_BOOL,
	PROFILE_EITHER,	 /* bool: true is the second of names */
	PROFILE_COUNT,	 /* uint64_t */
	PROFILE_PERCENT, /* unsigned */
	PROFILE_SIZE,
	PROFILE_CHOICE, /* an enum */
	PROFILE_SPAN,	/* int64_t, ns */
	PROFILE_STEPS,	/* the same, or a number where kind is int */
	PROFILE_START,	/* wall time, or a number */
	PROFILE_PATH,	/* struct jsonpath */
	PROFILE_PLACE,	/* struct api_place */
	PROFILE_PLACES,
	PROFILE_SELECTOR,
	PROFILE_RECORDS,
	PROFILE_DECODE,
	PROFILE_FORMAT,
	PROFILE_STREAM,	 /* size_t: resolved when all streams are read */
	PROFILE_STREAMS, /* pointer and count */
	PROFILE_VALUES,	 /* the partitions: of one's own */
	PROFILE_SELECT,	 /* the partitions: of a parent */
	PROFILE_LIMITS,
	PROFILE_STATUSES,
	PROFILE_PHASES,
	PROFILE_WAITS,
	PROFILE_EXPIRES,
	PROFILE_CAPTURE,
	PROFILE_SINK, /* the lookup: in and not_in; min: which */
	PROFILE_METHOD,
	PROFILE_TARGET, /* the request: path, or with min 1 url */
	PROFILE_BODY,	/* the request: min: enum api_body */
};

/* Where a template stands, and so what may be in it. */
enum profile_place {
	PROFILE_IN_URL,
	PROFILE_IN_PATH,
	PROFILE_IN_QUERY,
	PROFILE_IN_HEADER,
	PROFILE_IN_FORM,
	PROFILE_IN_JSON,
	PROFILE_IN_BODY,
	PROFILE_IN_AUTH, /* credentials themselves */
};

struct profile_row {
	const char *key;
	enum profile_type type;
	size_t offset; /* SIZE_MAX: checked, and kept nowhere */
	size_t own;    /* bytes: in memory of its own, the field points there */
	const struct profile_block *of;
	const char *const *names;
	uint64_t min, max;
	const char *fallback; /* read like a value; NULL: none */
	const char *words;    /* instead: what it is when not given */
	const char *help;
};

struct profile_block {
	const char *name; /* "incremental" */
	const char *help;
	const struct profile_row *row;
	size_t n;
	size_t size; /* of the structure */
};

extern const struct profile_block profile_top;
extern const struct profile_block profile_stream;
extern const struct profile_block profile_request;
extern const struct profile_block profile_timeout;
extern const struct profile_block profile_auth;
extern const struct profile_block profile_jwt;
extern const struct profile_block profile_sign;
extern const struct profile_block profile_pagination;
extern const struct profile_block profile_incremental;
extern const struct profile_block profile_partitions;
extern const struct profile_block profile_lookup;
extern const struct profile_block profile_where;
extern const struct profile_block profile_job;
extern const struct profile_block profile_job_poll;
extern const struct profile_block profile_rate;
extern const struct profile_block profile_match;
extern const struct profile_block profile_pace;
extern const struct profile_block profile_rule;
extern const struct profile_block profile_when;
extern const struct profile_block profile_retry;
extern const struct profile_block profile_delete;
extern const struct profile_block profile_reconcile;
extern const struct profile_block profile_guard;

/* All of them, in the order of the manual. */
extern const struct profile_block *const profile_blocks[];
extern const size_t profile_block_count;

#endif
