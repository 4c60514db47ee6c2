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
};

/*
 * An exact decimal number of any length: "-12.30" is itself. Reading accepts
 * an optional sign, digits, one decimal mark ('.' or the one given), and
 * nothing else but surrounding spaces; "" is 0 with ok false.
 */
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

/* What one delivery offers to be checked. */
struct totals_input {
	const struct dialect *dialect;
	enum scan_encoding encoding;
	uint64_t records;
	/* The first header and the last trailer record; len 0: none. */
	const uint8_t *header;
	size_t header_len;
	const uint8_t *trailer;
	size_t trailer_len;
	const uint8_t *name;
	size_t name_len;
	const char *side; /* text of the side file; NULL: not there */
	/* Calls each for the bytes of every ordinary record, in order. */
	enum rc (*records_each)(void *arg,
		enum rc (*each)(void *each_arg, const uint8_t *p, size_t n,
			struct err *e),
		void *each_arg, struct err *e);
	void *arg;
};

/*
 * Checks every row. OK: all match, and `told` (one line, for provenance)
 * says what was compared. BAD_ITEM: one does not match or cannot be read;
 * the text has both numbers and where each came from.
 */
enum rc
totals_check(const struct total *t, size_t n, const struct totals_input *in,
	struct str *told, struct err *e) MUST_USE;

#endif
