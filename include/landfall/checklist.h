/*
 * checklist.h - what a partner says of files in a file: names and digests,
 * one a line.
 *
 *	HEX  NAME	HEX *NAME	as sha256sum and its kin write them
 *	\HEX  NAME			the same; \\, \n and \r in NAME
 *	SHA256 (NAME) = HEX		as BSD's and openssl's tools do
 *	HEX	HEX  -			in a side file of one delivery
 *	NAME				in a manifest
 *	NAME,SIZE,RECORDS,HEX		in a manifest that is a table
 *	# a comment			and blank lines: passed over
 *
 * The digest's length says its kind. Lines end with LF or CRLF; the last one
 * may lack its end. Names are bytes; "./" in front of one means nothing.
 *
 *	buf_init(&text, CHECKLIST_BYTES); ... read ...
 *	checklist_read(&l, CHECKLIST_SUMS, NULL, &text, &e);
 *	n = checklist_find(&l, name, len, &first);
 *	checklist_release(&l);
 */
#ifndef LANDFALL_CHECKLIST_H
#define LANDFALL_CHECKLIST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"

#define CHECKLIST_BYTES (16u << 20)
#define CHECKLIST_LINES 100000

enum checklist_kind {
	CHECKLIST_SUMS,	 /* a line without a digest says nothing */
	CHECKLIST_NAMES, /* it is a name */
	CHECKLIST_TABLE, /* it has columns */
};

/* What stands in a column. Blanks and one pair of quotes around it are not. */
enum checklist_column {
	COLUMN_SKIP,
	COLUMN_NAME,
	COLUMN_SIZE,
	COLUMN_RECORDS,
	COLUMN_DIGEST,
};
extern const char *const checklist_column_names[]; /* "skip", ..., NULL */

#define CHECKLIST_COLUMNS 32

/* A line with another number of columns says nothing that can be understood. */
struct checklist_table {
	enum checklist_column column[CHECKLIST_COLUMNS];
	size_t n; /* 0: it is no table */
	uint8_t delimiter;
	uint32_t header; /* lines that are passed over */
};

struct check_line {
	const uint8_t *name;
	size_t name_len; /* 0: of the delivery whose side file it is */
	unsigned number; /* of the line, from 1 */
	bool has_sum, has_size, has_records;
	bool taken; /* the caller's */
	enum digest_kind kind;
	uint64_t size, records;
	const char *hex; /* 2 * digest_len(kind) digits, no NUL behind */
};

struct checklist {
	struct buf text;
	struct check_line *line; /* by name, then number */
	size_t n;
	unsigned strange; /* the first line that says nothing; 0: none */
};

/*
 * table: of CHECKLIST_TABLE. The text is the list's from now on, also on
 * failure. BAD_ITEM: more than CHECKLIST_LINES lines say something.
 */
enum rc checklist_read(struct checklist *l, enum checklist_kind kind,
	const struct checklist_table *table, struct buf *text,
	struct err *e) MUST_USE;
void checklist_release(struct checklist *l);

/* How many lines are about that name; the first of them. */
size_t checklist_find(struct checklist *l, const uint8_t *name, size_t len,
	struct check_line **ret_first);

/* The digest's bytes, and in lower case. */
void check_line_sum(const struct check_line *c, uint8_t sum[DIGEST_MAX]);
void check_line_add_hex(struct str *s, const struct check_line *c);

#endif
