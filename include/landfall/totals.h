/*
 * totals.h - control totals: what the partner says is in the delivery, held
 * against what is.
 *
 * A total is the number of ordinary records, or the exact decimal sum of one
 * field over them. What the partner says stands in a field of the trailer or
 * the header, in a side file, or in the name.
 */
#ifndef LANDFALL_TOTALS_H
#define LANDFALL_TOTALS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "landfall/scan.h"

enum total_of {
	TOTAL_RECORDS,
	TOTAL_SUM, /* of field `field` */
};

enum total_from {
	TOTAL_TRAILER, /* field `at` of the last trailer record */
	TOTAL_HEADER,  /* field `at` of the first header record */
	TOTAL_SIDE,    /* the first number in the side file `pattern` */
	TOTAL_NAME,    /* the digits where `pattern` has '#' in the name */
};

/* One row of `totals:`; fields count from 1. */
struct total {
	enum total_of of;
	uint32_t field;
	enum total_from from;
	uint32_t at;
	char *pattern;
	char mark; /* decimal mark in the field and in what the partner says */
};

/*
 * An exact decimal number: "-12.30" is itself. Reading accepts an optional
 * sign in front, at least one digit, at most one decimal mark (the one
 * given: where it is a comma, a point may mean thousands), and nothing else
 * but surrounding spaces. False: not such a number, or of more than
 * DECIMAL_DIGITS_MAX digits; d is 0 then. The bound keeps a sum over hostile
 * fields linear.
 */
#define DECIMAL_DIGITS_MAX 1000

struct decimal {
	struct str digits; /* of the absolute value, no leading zeroes */
	uint32_t scale;	   /* digits behind the mark */
	bool negative;
};

void decimal_init(struct decimal *d);
void decimal_release(struct decimal *d);
bool decimal_read(
	struct decimal *d, const char *text, size_t len, char mark) MUST_USE;
void decimal_add(struct decimal *to, const struct decimal *d);
bool decimal_equal(const struct decimal *a, const struct decimal *b);
void decimal_write(struct str *s, const struct decimal *d);

/* The bytes of one record, as they lie in the delivery; len 0: none. */
struct totals_record {
	uint64_t number; /* of ordinary records, from 0 */
	uint64_t offset;
	const uint8_t *bytes;
	size_t len;
};

/* What one delivery offers to be checked. */
struct totals_input {
	const struct dialect *dialect;
	enum scan_encoding encoding;
	uint64_t records;
	struct totals_record header;  /* the first header record */
	struct totals_record trailer; /* the last trailer record */
	const uint8_t *name;
	size_t name_len;
	/*
	 * Appends the text of a side file, by its name (side.h).
	 * END: it is not there. May be NULL when no row has one.
	 */
	enum rc (*side)(void *arg, const uint8_t *name, size_t len,
		struct str *text, struct err *e);
	/* Calls each for every ordinary record, in order. */
	enum rc (*records_each)(void *arg,
		enum rc (*each)(void *each_arg, const struct totals_record *r,
			struct err *e),
		void *each_arg, struct err *e);
	void *arg;
};

/*
 * Checks every row. OK: all match, and `told` (one line, for provenance)
 * says what was compared. BAD_ITEM: one does not match or cannot be read;
 * the text has both numbers and where each came from, or the record and the
 * offset of what is no number. AGAIN: a side file is not there yet. What
 * side and records_each return otherwise is passed on.
 *
 * The name's '#' stands for a whole run of digits; the rest of the pattern
 * is a glob, on the last component unless it has a slash.
 */
enum rc
totals_check(const struct total *t, size_t n, const struct totals_input *in,
	struct str *told, struct err *e) MUST_USE;

#endif
