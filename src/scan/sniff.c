/*
 * sniff.c - a proposal, never a decision: a landed source has a declared
 * dialect.
 *
 * The scanner is its own judge. Every delimiter is tried on the bytes; the
 * one that makes most records agree on more than one column wins.
 */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "landfall/json.h"
#include "landfall/scan.h"

#define SNIFF_ROWS 64

/* Where the first records lie. */
struct rows {
	uint64_t start[SNIFF_ROWS];
	uint64_t end[SNIFF_ROWS];
	size_t n;
	uint64_t at;
	size_t records;
	size_t bad;
	size_t blank;
};

static void
see_records(void *arg, const uint64_t *ends, size_t n)
{
	struct rows *r = arg;

	for (size_t i = 0; i < n; i++) {
		if (r->n < SNIFF_ROWS) {
			r->start[r->n] = r->at;
			r->end[r->n++] = ends[i];
		}
		r->at = ends[i];
	}
	r->records += n;
}

static void
see_exception(void *arg, const struct scan_exception *x)
{
	struct rows *r = arg;

	if (x->kind == KIND_HEADER && r->n < SNIFF_ROWS) {
		r->start[r->n] = x->offset;
		r->end[r->n++] = x->offset + x->length;
	}
	r->bad += format_is_malformed(x->kind);
	r->blank += x->kind == KIND_BLANK;
	r->at = x->offset + x->length;
}

static void
try_dialect(const struct dialect *d, const uint8_t *p, size_t n, bool whole,
	struct rows *r, struct scan_totals *t)
{
	static const struct scan_sink sink = {see_records, see_exception};
	struct scan *s = scan_new(d, &sink, r);

	scan_step(s, p, n, whole);
	scan_totals(s, t);
	scan_free(s);
}

/* ---- is it text, and in which encoding? ---- */

/* Zeros in every other byte: UTF-16 of a western language, without a BOM. */
static bool
guess_utf16(const uint8_t *p, size_t n, enum scan_encoding *ret)
{
	size_t even = 0, odd = 0, pairs = n / 2;

	for (size_t i = 0; i + 1 < n; i += 2) {
		even += p[i] == 0;
		odd += p[i + 1] == 0;
	}
	if (pairs < 2 || (even > pairs / 2) == (odd > pairs / 2))
		return false;
	*ret = odd > even ? ENCODING_UTF16LE : ENCODING_UTF16BE;
	return true;
}

static bool
is_binary(const uint8_t *p, size_t n)
{
	size_t odd = 0;

	for (size_t i = 0; i < n; i++)
		odd += p[i] == 0x7f ||
			(p[i] < 0x20 && strchr("\t\n\r\f", p[i]) == NULL) ||
			p[i] == 0;
	return odd > n / 64;
}

/* A sequence cut by the end of the sample is no reason against UTF-8. */
static enum scan_encoding
guess_8bit(const uint8_t *p, size_t n, bool whole)
{
	for (size_t cut = 0; cut <= (whole ? 0 : 3) && cut <= n; cut++)
		if (str_is_utf8(p, n - cut))
			return ENCODING_UTF8;
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x80 && p[i] < 0xa0)
			return ENCODING_WINDOWS1252;
	return ENCODING_LATIN1;
}

/* ---- formats ---- */

static bool
try_ndjson(const uint8_t *p, size_t n, bool whole, struct sniff *ret)
{
	struct rows r = {.n = 0};
	struct scan_totals t;
	struct dialect d;
	size_t i = 0;

	dialect_init(&d, SCAN_NDJSON);
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	while (i < n && isspace(p[i]))
		i++;
	if (i == n || (p[i] != '{' && p[i] != '['))
		return false;
	try_dialect(&d, p, n, whole, &r, &t);
	if (t.records == 0 || r.bad * 10 > r.records)
		return false;
	ret->dialect = d;
	ret->confidence = r.bad == 0 ? 95 : 70;
	str_addf(&ret->why, "%zu of %zu lines are valid JSON", r.records,
		r.records + r.bad);
	return true;
}

struct row {
	size_t fields;
	size_t empty;
	size_t numbers;
	uint64_t numeric; /* a bit for each of the first 64 fields */
};

static void
see_field(void *arg, const uint8_t *p, size_t n)
{
	struct row *row = arg;
	bool digit = false, other = false;

	for (size_t i = 0; i < n; i++) {
		digit |= isdigit(p[i]) != 0;
		other |= !isdigit(p[i]) && strchr("+-.,:/ eETZ", p[i]) == NULL;
		other |= p[i] == 0;
	}
	row->empty += n == 0;
	if (digit && !other) {
		row->numbers++;
		if (row->fields < 64)
			row->numeric |= UINT64_C(1) << row->fields;
	}
	row->fields++;
}

static bool
see_row(const struct dialect *d, enum scan_encoding encoding, const uint8_t *p,
	const struct rows *r, size_t i, struct row *ret)
{
	struct err e = ERR_INIT;

	*ret = (struct row){0};
	return scan_fields(d, encoding, p + r->start[i],
		       (size_t)(r->end[i] - r->start[i]), see_field, ret,
		       &e) == OK;
}

/* Names in the first row; sure when most rows have a number somewhere below. */
static bool
has_header(const struct dialect *d, enum scan_encoding encoding,
	const uint8_t *p, const struct rows *r, bool *ret_sure)
{
	size_t numeric[64] = {0};
	struct row first, row;

	*ret_sure = false;
	if (r->n == 0 || !see_row(d, encoding, p, r, 0, &first))
		return true;
	*ret_sure = first.numbers > 0;
	for (size_t i = 1; i < r->n; i++)
		if (see_row(d, encoding, p, r, i, &row))
			for (size_t k = 0; k < ARRAY_LEN(numeric); k++)
				numeric[k] += row.numeric >> k & 1;
	for (size_t k = 0; k < ARRAY_LEN(numeric); k++)
		if (r->n > 1 && numeric[k] > (r->n - 1) / 2)
			*ret_sure = true;
	return first.numbers == 0 && first.empty <= first.fields / 4;
}

static const struct {
	uint8_t byte;
	const char *name;
} delimiters[] = {
	{',', "comma"},
	{';', "semicolon"},
	{'\t', "tab"},
	{'|', "vertical bar"},
};

static bool
try_csv(const uint8_t *p, size_t n, bool whole, enum scan_encoding encoding,
	struct sniff *ret)
{
	struct scan_totals best_totals = {.records = 0};
	struct rows best_rows = {.n = 0};
	size_t best = 0, best_score = 0;
	bool sure = true;
	struct dialect d;

	dialect_init(&d, SCAN_CSV);
	d.encoding = encoding;
	for (size_t i = 0; i < ARRAY_LEN(delimiters); i++) {
		struct rows r = {.n = 0};
		struct scan_totals t;
		size_t all, score;

		d.delimiter = delimiters[i].byte;
		try_dialect(&d, p, n, whole, &r, &t);
		all = r.records + r.bad + 1;
		if (t.columns < 2)
			continue;
		/* Agreement first; more columns only decide a draw. */
		score = (r.records + 1) * 1000 / all * 1000 +
			(t.columns < 999 ? t.columns : 999);
		if (score > best_score) {
			best = i;
			best_score = score;
			best_rows = r;
			best_totals = t;
		}
	}
	if (best_score < 500000)
		return false;
	d.delimiter = delimiters[best].byte;
	d.encoding = best_totals.encoding;
	if (!has_header(&d, d.encoding, p, &best_rows, &sure)) {
		d.header = 0;
		d.columns = (int32_t)best_totals.columns;
	}
	ret->dialect = d;
	ret->confidence = (unsigned)(best_score / 1000 / 10);
	if (best_rows.records < 2 && ret->confidence > 60)
		ret->confidence = 60;
	if (!sure && ret->confidence > 80)
		ret->confidence = 80;
	if (ret->confidence > 98)
		ret->confidence = 98;
	str_addf(&ret->why, "%s, %s; %zu of %zu records have %u fields",
		delimiters[best].name, d.header > 0 ? "a header" : "no header",
		best_rows.records + 1 - d.header,
		best_rows.records + best_rows.bad + 1 - d.header,
		(unsigned)best_totals.columns);
	return true;
}

void
scan_sniff(const uint8_t *p, size_t n, bool whole, struct sniff *ret)
{
	enum scan_encoding encoding = ENCODING_UTF8;
	bool wide,
		bom = n >= 2 &&
		(memcmp(p, "\xff\xfe", 2) == 0 ||
			memcmp(p, "\xfe\xff", 2) == 0);

	ret->why = (struct str)STR_INIT;
	dialect_init(&ret->dialect, SCAN_OPAQUE);
	ret->confidence = 50;
	if (n == 0) {
		str_add(&ret->why, "no bytes to look at");
		return;
	}
	wide = bom || guess_utf16(p, n, &encoding);
	if (!wide && is_binary(p, n)) {
		ret->confidence = 90;
		str_add(&ret->why, "binary: control bytes throughout");
		return;
	}
	if (!wide)
		encoding = guess_8bit(p, n, whole);
	if (bom)
		encoding = p[0] == 0xff ? ENCODING_UTF16LE : ENCODING_UTF16BE;
	if (!wide && try_ndjson(p, n, whole, ret))
		return;
	if (try_csv(p, n, whole, encoding, ret))
		return;
	dialect_init(&ret->dialect, SCAN_LINES);
	ret->dialect.encoding = encoding;
	str_add(&ret->why, "text without a delimiter that fits");
}
