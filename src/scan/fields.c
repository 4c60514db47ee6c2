/* fields.c - the fields of one record, for people and control totals. */
#include <csv.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "landfall/scan.h"

struct fields {
	const struct dialect *d;
	iconv_t to_utf8; /* for the single-byte encodings, or NONE */
	void (*field)(void *arg, const uint8_t *p, size_t n);
	void *arg;
	struct err *e;
};

#define NO_ICONV ((iconv_t)-1)

static const struct {
	const char *name; /* of iconv; NULL: is UTF-8 */
	unsigned width;
} encodings[] = {
	[ENCODING_UTF8] = {NULL, 1},
	[ENCODING_LATIN1] = {"ISO-8859-1", 1},
	[ENCODING_WINDOWS1252] = {"CP1252", 1},
	[ENCODING_UTF16LE] = {"UTF-16LE", 2},
	[ENCODING_UTF16BE] = {"UTF-16BE", 2},
};

/*
 * To UTF-8, whatever it is: what the encoding does not define becomes
 * U+FFFD, because a field is shown to people and never written back.
 */
static void
convert(iconv_t cd, unsigned width, const uint8_t *p, size_t n, struct str *out)
{
	union {
		const uint8_t *bytes;
		char *in; /* iconv does not write there */
	} from = {.bytes = p};
	char chunk[512];

	while (n > 0) {
		char *to = chunk;
		size_t room = sizeof(chunk);
		size_t got = iconv(cd, &from.in, &n, &to, &room);

		str_addn(out, chunk, sizeof(chunk) - room);
		if (got == (size_t)-1 && errno != E2BIG) {
			size_t skip = n < width ? n : width;

			str_add(out, "\xef\xbf\xbd");
			from.bytes += skip;
			n -= skip;
		}
	}
}

static void
give(struct fields *f, const uint8_t *p, size_t n)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	if (f->to_utf8 == NO_ICONV) {
		f->field(f->arg, p, n);
		return;
	}
	convert(f->to_utf8, 1, p, n, &text);
	f->field(f->arg, (const uint8_t *)text.s, text.len);
}

/* ---- is it one record? the scanner knows ---- */

struct look {
	size_t records;
	size_t exceptions;
};

static void
look_records(void *arg, const uint64_t *ends UNUSED, size_t n)
{
	((struct look *)arg)->records += n;
}

static void
look_exception(void *arg, const struct scan_exception *x UNUSED)
{
	((struct look *)arg)->exceptions++;
}

static bool
is_one_record(const struct dialect *d, enum scan_encoding encoding,
	const uint8_t *p, size_t n)
{
	static const struct scan_sink sink = {look_records, look_exception};
	struct look look = {0};
	struct scan *s = scan_new_within(d, encoding, 0, &sink, &look);

	scan_step(s, p, n, true);
	scan_free(s);
	return look.records == 1 && look.exceptions == 0;
}

/* ---- its content: without BOM and terminator ---- */

static const char boms[][4] = {
	[ENCODING_UTF8] = "\xef\xbb\xbf",
	[ENCODING_UTF16LE] = "\xff\xfe",
	[ENCODING_UTF16BE] = "\xfe\xff",
};

static bool
starts_with_bom(enum scan_encoding encoding, const uint8_t *p, size_t n)
{
	size_t len = strlen(boms[encoding]);

	return len > 0 && n >= len && memcmp(p, boms[encoding], len) == 0;
}

/* The unit that ends n bytes, or -1. */
static int
last_unit(enum scan_encoding encoding, const uint8_t *p, size_t n)
{
	if (encodings[encoding].width == 1)
		return n > 0 ? p[n - 1] : -1;
	if (n < 2 || n % 2 != 0)
		return -1;
	return encoding == ENCODING_UTF16LE ? p[n - 2] | p[n - 1] << 8
					    : p[n - 1] | p[n - 2] << 8;
}

static size_t
without_terminator(const struct dialect *d, enum scan_encoding encoding,
	const uint8_t *p, size_t n)
{
	enum scan_terminator t = d->terminator;
	size_t width = encodings[encoding].width;
	size_t lf = n;
	int c = last_unit(encoding, p, n);

	if (d->format == SCAN_OPAQUE || d->format == SCAN_FIXED)
		return n;
	if (c == '\n' && t != TERMINATOR_CR) {
		lf = n - width;
		if (t == TERMINATOR_LF)
			return lf;
		if (last_unit(encoding, p, lf) == '\r')
			return lf - width;
		return t == TERMINATOR_AUTO ? lf : n;
	}
	if (c == '\r' && (t == TERMINATOR_CR || t == TERMINATOR_AUTO))
		return n - width;
	return n;
}

/* ---- CSV ---- */

static int
never(unsigned char c UNUSED)
{
	return 0;
}

static void
csv_field(void *p, size_t n, void *arg)
{
	give(arg, p, n);
}

static void
csv_row(int c UNUSED, void *arg UNUSED)
{
}

/* Only as many bytes as there are fields: libcsv must always have a quote. */
static void
split_unquoted(struct fields *f, const uint8_t *p, size_t n)
{
	const uint8_t *end;

	while ((end = memchr(p, f->d->delimiter, n)) != NULL) {
		give(f, p, (size_t)(end - p));
		n -= (size_t)(end - p) + 1;
		p = end + 1;
	}
	give(f, p, n);
}

/*
 * libcsv knows doubled quotes only: \" and \\ inside quotes become what it
 * knows. Any other backslash stays, with what it stands before.
 */
static size_t
without_backslashes(
	const struct dialect *d, const uint8_t *p, size_t n, uint8_t *out)
{
	bool quoted = false, start = true;
	uint8_t q = (uint8_t)d->quote;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted && p[i] == '\\' && i + 1 < n &&
			(p[i + 1] == q || p[i + 1] == '\\')) {
			i++;
			if (p[i] == q)
				out[len++] = q;
			out[len++] = p[i];
			continue;
		}
		/* A doubled quote closes and opens again: the same inside. */
		if (p[i] == q && (quoted || start || p[i - 1] == q))
			quoted = !quoted;
		start = !quoted && p[i] == d->delimiter;
		out[len++] = p[i];
	}
	return len;
}

static enum rc
split(struct fields *f, const uint8_t *p, size_t n)
{
	struct csv_parser csv;
	uint8_t *plain = NULL;
	enum rc rc = OK;

	if (f->d->quote == SCAN_NONE) {
		split_unquoted(f, p, n);
		return OK;
	}
	/* libcsv calls a record of no bytes none; for us it has one field. */
	if (n == 0) {
		give(f, p, 0);
		return OK;
	}
	if (csv_init(&csv, 0) != 0)
		abort();
	csv_set_delim(&csv, f->d->delimiter);
	csv_set_quote(&csv, (unsigned char)f->d->quote);
	csv_set_space_func(&csv, never);
	csv_set_term_func(&csv, never);
	if (f->d->escape == ESCAPE_BACKSLASH) {
		plain = mem_array(2 * n, 1);
		n = without_backslashes(f->d, p, n, plain);
		p = plain;
	}
	if (csv_parse(&csv, p, n, csv_field, csv_row, f) != n ||
		csv_fini(&csv, csv_field, csv_row, f) != 0)
		rc = err_set(f->e, BAD_ITEM, "fields: %s",
			csv_strerror(csv_error(&csv)));
	csv_free(&csv);
	free(plain);
	return rc;
}

static enum rc
decode(struct fields *f, enum scan_encoding encoding, const uint8_t *p,
	size_t n)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	if (starts_with_bom(encoding, p, n)) {
		p += strlen(boms[encoding]);
		n -= strlen(boms[encoding]);
	}
	n = without_terminator(f->d, encoding, p, n);
	if (encodings[encoding].width == 2) {
		convert(f->to_utf8, 2, p, n, &text);
		iconv_close(f->to_utf8);
		f->to_utf8 = NO_ICONV;
		p = (const uint8_t *)text.s;
		n = text.len;
	}
	if (f->d->format == SCAN_CSV)
		return split(f, p, n);
	give(f, p, n);
	return OK;
}

enum rc
scan_fields(const struct dialect *d, enum scan_encoding encoding,
	const uint8_t *record, size_t len,
	void (*field)(void *arg, const uint8_t *p, size_t n), void *arg,
	struct err *e)
{
	struct fields f = {d, NO_ICONV, field, arg, e};
	enum rc rc;

	if (!is_one_record(d, encoding, record, len))
		return err_set(e, BAD_ITEM,
			"fields: these bytes are not one %s record",
			scan_format_names[d->format]);
	if (encodings[encoding].name != NULL) {
		f.to_utf8 = iconv_open("UTF-8", encodings[encoding].name);
		if (f.to_utf8 == NO_ICONV)
			return err_sys(e, BAD_ITEM, errno,
				"fields: conversion from %s to UTF-8 is not "
				"installed",
				encodings[encoding].name);
	}
	rc = decode(&f, encoding, record, len);
	if (f.to_utf8 != NO_ICONV)
		iconv_close(f.to_utf8);
	return rc;
}
