/*
 * jsonr-state.h - the inside of struct jsonr, shared by its files.
 */
#ifndef SCAN_JSONR_STATE_H
#define SCAN_JSONR_STATE_H

#include "base/buf.h"
#include "landfall/json.h"
#include "scan/isa.h"
#include "scan/utf8.h"

/* What must come next. Up to JSONR_CLOSED the next byte begins a token. */
enum jsonr_state {
	JSONR_VALUE_DUE,
	JSONR_FIRST_VALUE, /* or ] */
	JSONR_NAME_DUE,
	JSONR_FIRST_NAME, /* or } */
	JSONR_COLON,
	JSONR_BEHIND_VALUE, /* a comma, or what closes the container */
	JSONR_CLOSED,	    /* nothing but blanks */

	JSONR_BEGIN, /* a byte order mark may be here */
	JSONR_IN_BOM,

	JSONR_IN_STRING, /* or in a name */
	JSONR_IN_ESCAPE,
	JSONR_IN_HEX,

	JSONR_MINUS, /* section 6: a digit must follow */
	JSONR_ZERO,
	JSONR_INTEGER,
	JSONR_POINT, /* a digit must follow */
	JSONR_FRACTION,
	JSONR_E, /* a sign or a digit must follow */
	JSONR_SIGN,
	JSONR_EXPONENT,

	JSONR_IN_WORD, /* true, false, null */
};

/* Sets of queries are bits; query i is bit i. */
struct jsonr_asked {
	struct jsonpath path; /* whole: from the document */
	bool records;
	bool last;	 /* has [-1] */
	unsigned record; /* 1 + the query for records it is within; 0: none */
	/* A value at [-1]: the newest so far. */
	bool held;
	enum jsonr_type type;
	struct buf text;
};

struct jsonr {
	const struct isa *isa;
	struct jsonr_sink sink;
	void *arg;
	uint64_t max_record;
	size_t max_value;
	bool bom;

	/* The queries, by how many steps they have or what their step n is. */
	struct jsonr_asked *asked;
	size_t n_asked;
	uint64_t records;
	uint64_t last;			       /* have [-1] */
	uint64_t ends[JSONR_STEPS + 1];	       /* n steps */
	uint64_t longer[JSONR_STEPS + 1];      /* more */
	uint64_t every[JSONR_STEPS];	       /* step is [*] */
	uint64_t first_every[JSONR_STEPS + 1]; /* the first that is */
	uint64_t named[JSONR_STEPS];	       /* a name */
	uint64_t lengths[JSONR_STEPS];	       /* bits: of those names */

	/* Where we are; set[d] for the container at depth d + 1. */
	uint64_t offset; /* of the next byte */
	enum jsonr_state state;
	unsigned depth;			 /* open containers */
	uint64_t now;			 /* set of the innermost */
	uint64_t match;			 /* of the value that is due */
	uint64_t set[JSONR_STEPS + 1];	 /* queries that got so far */
	uint64_t count[JSONR_STEPS + 1]; /* elements so far, where set */
	uint64_t reached;
	bool object[JSONR_DEPTH]; /* or an array */

	/* The record that is open. */
	unsigned record; /* 1 + its query; 0: none */
	unsigned record_depth;
	uint64_t record_start;

	/* The token under way. */
	uint64_t token; /* where it starts */
	bool name;	/* a string that is a name */
	bool take;	/* its text is wanted */
	bool too_long;	/* a name longer than any we know */
	struct buf text;
	struct utf8 utf8;
	unsigned hex, hex_left;
	unsigned high;	  /* half a surrogate pair, or 0 */
	const char *word; /* what is left of true, false, null */
	enum jsonr_type type;

	uint64_t plain_until; /* offset before which tokens() is no use */
	bool failed;
	struct err err;
};

/* ---- jsonr-class.c: kinds of bytes ---- */

#define CLASS_BLANK 1u	/* section 2, ws */
#define CLASS_DIGIT 2u	/* section 6 */
#define CLASS_HEX 4u	/* section 7 */
#define CLASS_ESCAPE 8u /* behind a backslash */
#define CLASS_PLAIN 16u /* in a string, for itself, and ASCII */

extern const uint8_t jsonr_class[256];

static inline bool
jsonr_is(uint8_t c, unsigned classes)
{
	return (jsonr_class[c] & classes) != 0;
}

/* ---- jsonr-match.c: the queries ---- */

/* Which of the set get one step further, by name or as the next element. */
uint64_t jsonr_match_name(
	const struct jsonr *j, uint64_t set, const uint8_t *name, size_t n);
uint64_t jsonr_match_element(struct jsonr *j, uint64_t set);

/* Whether the text of a scalar here is asked for. */
static inline bool
jsonr_wants(const struct jsonr *j, uint64_t match)
{
	return match != 0 && (match & j->ends[j->depth] & ~j->records) != 0;
}

/*
 * Hooks for a value at which `match` arrived: begin, text where it is wanted
 * (no longer than max_value), open for a container, and end, which is false
 * when a record is refused.
 */
void jsonr_value_begin(struct jsonr *j, uint64_t match, uint64_t offset);
void jsonr_value_text(struct jsonr *j, uint64_t match, enum jsonr_type type,
	const uint8_t *p, size_t n);
void jsonr_open(struct jsonr *j, uint64_t match, bool object);
bool jsonr_value_end(struct jsonr *j, uint64_t end);

/* Tells what [-1] held for queries within this record (0: the document). */
void jsonr_tell_held(struct jsonr *j, unsigned record);

/* ---- jsonr-bytes.c: the definition, byte by byte ---- */

/*
 * Goes on through p[0 .. n), at most until tokens may be taken many at a
 * time; returns how many bytes. Less than that only when it failed.
 */
size_t jsonr_bytes(struct jsonr *j, const uint8_t *p, size_t n);

/* Sets j->err: "byte N: expected WHAT, this is C". Always false. */
bool
jsonr_refuse(struct jsonr *j, uint64_t offset, const char *expected, int byte);
bool jsonr_refuse_long(struct jsonr *j);

/* Section 6, for the whole of p[0 .. n). */
bool jsonr_is_number(const uint8_t *p, size_t n);

/* ---- jsonr-tokens.c: many tokens at a time ---- */

#define JSONR_CHUNK 8192

/*
 * Whole tokens of p[0 .. n), n <= JSONR_CHUNK; returns how many bytes they
 * have. What is not plainly right is left to jsonr_bytes().
 */
size_t jsonr_tokens(struct jsonr *j, const uint8_t *p, size_t n);

#endif
