/*
 * option.h - the table of everything landfall.yaml can say.
 *
 * One row drives the parser, the error texts, `landfall help config` and
 * landfall.yaml(5). To add an option: a field in landfall/config.h, a row in
 * its part (option-part.h), and the option list of doc/landfall.yaml.5 (a
 * test compares it).
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "config/yaml.h"
#include "landfall/config.h"

enum option_type {
	OPTION_BLOCK,	/* a mapping of more options */
	OPTION_SOURCES, /* a mapping of names to sources */
	OPTION_PATH,
	OPTION_ORIGIN,
	OPTION_BOOL,
	OPTION_COUNT,	   /* any 32-bit integer field */
	OPTION_WORKERS,	   /* unsigned; auto is 0 */
	OPTION_SIZE,	   /* uint64_t */
	OPTION_FREE_SPACE, /* a size; auto is CONFIG_FREE_SPACE_AUTO */
	OPTION_DURATION,
	OPTION_CHOICE,	   /* an enum; its value is the place in names */
	OPTION_FLAGS,	   /* uint32_t: a bit for each place in names */
	OPTION_BYTE,	   /* uint8_t */
	OPTION_MAYBE_BYTE, /* int; SCAN_NONE */
	OPTION_PATTERNS,
	OPTION_READY, /* struct ready */
	OPTION_AFTER,
	OPTION_TRAILER, /* the whole dialect */
	OPTION_COLUMNS, /* int32_t */
	OPTION_TIME,	/* uint16_t, minutes since midnight */
	OPTION_WINDOW,
	OPTION_ZONE,
	OPTION_CRON,
	OPTION_DAYS,  /* struct days without its dates */
	OPTION_DATES, /* struct days, its dates alone */
	OPTION_BAND,
	OPTION_SIZE_BAND,     /* a band in bytes */
	OPTION_TOTAL_RECORDS, /* struct total_list; appends */
	OPTION_TOTAL_SUM,
	OPTION_ALERT,
	OPTION_SECRET,	 /* struct secret */
	OPTION_HOST,	 /* a name or address */
	OPTION_USER,	 /* one word */
	OPTION_HOST_KEY, /* struct patterns, of fingerprints */
	OPTION_FOLDER,	 /* a path on a server */
	OPTION_PROFILE,	 /* read by profile.c, with the whole source */
	OPTION_COMMAND,	 /* struct words */
	OPTION_PATHS,	 /* struct words */
};

/* What a row's fallback is. */
enum option_fallback {
	FALLBACK_YAML,	  /* read like a value from the file */
	FALLBACK_DIALECT, /* dialect_init() has it; the text says the same */
	FALLBACK_WORDS,	  /* worked out elsewhere; the text says how */
};

struct option {
	const char *path; /* "limits.memory", "sources.*.csv.quote" */
	enum option_type type;
	size_t offset; /* in the config, or below "sources.*" the source */
	uint64_t min, max;
	const char *const *names;
	enum scan_format format; /* a block for this format alone, or 0 */
	bool required;
	const char *fallback; /* NULL: none */
	enum option_fallback source;
	const char *help; /* sentences */
};

/* The rows in order; i is below the count. */
size_t option_count(void);
const struct option *option_at(size_t i);

/* What a message calls it: the path inside the file or the source. */
const char *option_name(const struct option *o);

/* The row of `key` in the block `prefix` ("" for the top), or NULL. */
const struct option *
option_find(const char *prefix, const char *key, size_t len);

/* The key of a row that stands in the block itself, or NULL. */
const char *option_key_in(const struct option *o, const char *prefix);

#endif
