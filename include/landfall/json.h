/*
 * json.h - JSON (RFC 8259) read in one pass, without a tree.
 *
 * A reader is shown a text once, in pieces of any size, as it arrives:
 *
 *	struct jsonr *j = jsonr_new(&spec, &sink, arg);
 *
 *	while (... a piece of the body came ...) {
 *		hash_add(&h, p, n);
 *		if (jsonr_add(j, p, n, &e) != OK)
 *			...		the text is not JSON, or over a limit
 *	}
 *	if (jsonr_end(j, &e) != OK)
 *		...
 *	if (!jsonr_reached(j, 0))
 *		...			no place for records in it at all
 *	jsonr_reset(j);			the next text, the same queries
 *	jsonr_free(j);
 *
 * It checks the grammar strictly and answers queries. A query is a path and
 * asks for records (where each value at the path begins and how long it is,
 * to the byte) or for values (tokens, cursors, keys: scalars, decoded).
 * Records of one text never overlap. Values within a record are told before
 * the record itself, which is told at its end.
 *
 * What is told, in which order, and how a wrong text is refused depends on
 * the bytes alone, not on the pieces and not on the instruction set. What
 * was told about a text that is refused later is void.
 *
 * No byte is kept, except of a value that a query asked for and a member's
 * name that a query has to be compared with: memory is bounded by max_value.
 *
 * Readings: texts are UTF-8 (section 8.1). Names repeated in one object are
 * all told. A \u escape of half a surrogate pair is grammatical (section 8.2);
 * decoded it is the three bytes that UTF-8 forbids, so that different texts
 * stay different. Numbers are never converted.
 *
 * One reader belongs to one thread at a time. Jansson builds and reads small
 * trees and has the prefix json_; this one has jsonr_.
 */
#ifndef LANDFALL_JSON_H
#define LANDFALL_JSON_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define JSONR_DEPTH 1024   /* containers inside each other */
#define JSONR_STEPS 32	   /* of a whole path */
#define JSONR_QUERIES 64   /* of one reader */
#define JSONPATH_STEPS 16  /* of one path as it is written */
#define JSONPATH_NAME 255  /* bytes of a name */
#define JSONR_VALUE 65536u /* default of max_value */

/* ---- paths ---- */

/*
 * A subset of JSONPath (RFC 9535) that one pass can follow: $, then names
 * (.name, ['any text'], ["any text"]), elements ([0], [17]), the last element
 * ([-1]) and every element or member ([*]). No filters, slices, lists,
 * recursion or blanks.
 *
 * [-1] is known only at the end, so a path with it is for values, not for
 * records, and it selects at most one: it has no [*].
 */
enum jsonpath_kind {
	JSONPATH_NAMED,
	JSONPATH_ELEMENT,
	JSONPATH_LAST,
	JSONPATH_EVERY,
};

struct jsonpath_step {
	enum jsonpath_kind kind;
	char *name;	  /* JSONPATH_NAMED: len bytes, UTF-8 */
	size_t len;	  /* of name */
	uint64_t element; /* JSONPATH_ELEMENT */
};

struct jsonpath {
	struct jsonpath_step *step;
	size_t n; /* 0: $, the whole text */
};

/*
 * BAD_ITEM: e says what is wrong behind how many characters; nothing is to be
 * released then.
 */
enum rc jsonpath_parse(const char *text, size_t len, struct jsonpath *ret,
	struct err *e) MUST_USE;
void jsonpath_release(struct jsonpath *p);

/* As jsonpath_parse() reads it, in one spelling. */
void jsonpath_write(const struct jsonpath *p, struct str *s);

/* Whether some step of it is of this kind. */
bool jsonpath_has(const struct jsonpath *p, enum jsonpath_kind kind);

/*
 * Whether a value at one path can be, or lie within, a value at the other: two
 * such paths cannot both be those of records.
 */
bool jsonpath_overlap(const struct jsonpath *a, const struct jsonpath *b);

/* ---- the reader ---- */

enum jsonr_type {
	JSONR_NULL,
	JSONR_FALSE,
	JSONR_TRUE,
	JSONR_NUMBER,
	JSONR_STRING,
	JSONR_ARRAY,
	JSONR_OBJECT,
};

/* "null", "true", "a number", "an object", ...: for messages. */
const char *jsonr_type_name(enum jsonr_type type);

#define JSONR_DOCUMENT (-1)

struct jsonr_query {
	const struct jsonpath *path;
	/*
	 * Where the path starts: JSONR_DOCUMENT, or the number of an earlier
	 * query for records, within each of which it is looked for.
	 */
	int within;
	bool records; /* not with JSONPATH_LAST, and not within */
};

struct jsonr_spec {
	const struct jsonr_query *query; /* copied, the paths too */
	size_t n;
	uint64_t max_record; /* a longer one is refused; 0: no bound */
	size_t max_value;    /* the same, decoded; 0: JSONR_VALUE */
	bool bom;	     /* one byte order mark in front is passed over */
};

struct jsonr_sink {
	/*
	 * A record ended: length bytes at offset, as query number `query`
	 * asked.
	 */
	void (*record)(
		void *arg, unsigned query, uint64_t offset, uint64_t length);
	/*
	 * A value: a string decoded, a number as it is spelled, or the word.
	 * Of an array or object only that it is there: n is 0. The bytes are
	 * valid during the call; they may hold NUL. Values of a path with
	 * JSONPATH_LAST come at the end of the text (with `within`: of the
	 * record).
	 */
	void (*value)(void *arg, unsigned query, enum jsonr_type type,
		const uint8_t *p, size_t n);
};

struct jsonr;

/*
 * A query that breaks the rules above aborts: whoever lets people write paths
 * checks them first.
 */
struct jsonr *jsonr_new(const struct jsonr_spec *spec,
	const struct jsonr_sink *sink, void *arg) MUST_USE;
void jsonr_free(struct jsonr *j);

/*
 * The next bytes. BAD_ITEM: e says which byte is wrong and why; so does every
 * later call until jsonr_reset().
 */
enum rc
jsonr_add(struct jsonr *j, const uint8_t *p, size_t n, struct err *e) MUST_USE;

/* There are no more. BAD_ITEM as above: also a text that is not complete. */
enum rc jsonr_end(struct jsonr *j, struct err *e) MUST_USE;

void jsonr_reset(struct jsonr *j);

/*
 * Whether the text had a place for what a query asks for. With [*] in the
 * path: an array or object, possibly empty, where the first [*] is; otherwise
 * a value. An empty page has reached its path, another document has not.
 */
bool jsonr_reached(const struct jsonr *j, unsigned query);

/* Whether p[0 .. n) is one text, without limits but the depth, no BOM. */
bool jsonr_valid(const uint8_t *p, size_t n);

#endif
