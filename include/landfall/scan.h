/*
 * scan.h - from bytes to spans.
 *
 * A scanner describes an object as a row of spans that tile it: every byte
 * belongs to exactly one span, an ordinary record or an exception (header,
 * trailer, comment, blank, separator, malformed). It never changes a byte
 * and never fails: hostile input gets malformed spans, not errors.
 *
 * The caller owns the bytes and shows them through a window:
 *
 *	struct scan *s = scan_new(&dialect, &sink, arg);
 *	for (;;) {
 *		... read more behind win[len] ...
 *		done = scan_step(s, win, len, at_end);
 *		... win[0 .. done) is settled: hand it on, keep the rest ...
 *		if (at_end)
 *			break;		(done == len here)
 *	}
 *	scan_totals(s, &totals);
 *	scan_free(s);
 *
 * The spans are the same for every way of cutting the input into windows.
 * What scan_step leaves unsettled is at most dialect.max_record bytes plus
 * one window step (a record whose end is not known yet); it must be shown
 * again, at any address, at the front of the next window; showing less than
 * that is a bug of the caller and aborts. No byte is copied.
 *
 * One scanner belongs to one thread at a time.
 */
#ifndef LANDFALL_SCAN_H
#define LANDFALL_SCAN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/jsonw.h"
#include "landfall/format.h"

enum scan_format {
	SCAN_OPAQUE, /* the object is one record */
	SCAN_CSV,
	SCAN_LINES,  /* one record a line, blank ones too */
	SCAN_NDJSON, /* one JSON value a line */
	SCAN_FIXED,  /* records of dialect.length bytes */
	SCAN_JSON,   /* one JSON document, records at a path */
};

enum scan_encoding {
	ENCODING_UTF8, /* and ASCII; the default */
	ENCODING_LATIN1,
	ENCODING_WINDOWS1252,
	ENCODING_UTF16LE,
	ENCODING_UTF16BE,
};

enum scan_terminator {
	TERMINATOR_AUTO, /* CRLF, LF or a lone CR, mixed if need be */
	TERMINATOR_LF,
	TERMINATOR_CRLF,
	TERMINATOR_CR,
};

enum scan_escape {
	ESCAPE_DOUBLE,
	ESCAPE_BACKSLASH, /* and doubled quotes still count */
};

#define SCAN_NONE (-1)		 /* no quote, no comment */
#define SCAN_COLUMNS_HEADER (-1) /* as many as the first header has */
#define SCAN_COLUMNS_ANY 0
#define SCAN_PREFIX_MAX 64
#define SCAN_TRAILER_MAX 16
#define SCAN_MAX_RECORD (16u << 20)
#define SCAN_PATH_MAX 256 /* bytes of a path, with its NUL */
#define SCAN_RELATED_MAX 4

/*
 * How to read an object. dialect_init() gives the defaults of a format; what
 * a format does not use stays at its default and is not written out.
 */
struct dialect {
	enum scan_format format;
	uint8_t delimiter;
	int quote;   /* a byte, or SCAN_NONE */
	int comment; /* a byte, or SCAN_NONE */
	enum scan_escape escape;
	enum scan_terminator terminator;
	enum scan_encoding encoding;
	uint32_t header;  /* leading records that are a header */
	uint32_t trailer; /* trailing records, <= SCAN_TRAILER_MAX */
	uint8_t trailer_prefix[SCAN_PREFIX_MAX]; /* text; ASCII in UTF-16 */
	uint32_t trailer_prefix_len;		 /* 0: none */
	int32_t columns; /* SCAN_COLUMNS_HEADER, SCAN_COLUMNS_ANY or n */
	uint32_t length; /* SCAN_FIXED: bytes a record */
	/* SCAN_JSON: where records are (json.h), and others beside them. */
	char records[SCAN_PATH_MAX];
	char related[SCAN_RELATED_MAX][SCAN_PATH_MAX];
	size_t n_related;
	uint64_t max_record;
	bool resync; /* return to the first terminator after a bad quote */
	bool strict; /* a stray quote is malformed */
};

void dialect_init(struct dialect *d, enum scan_format format);

/*
 * Whether the paths can be followed together; false: e says which cannot.
 * dialect_read() has asked.
 */
bool dialect_paths_are_right(const struct dialect *d, struct err *e);

/* "csv", "lines", ...; NULL-terminated tables for options and messages. */
extern const char *const scan_format_names[];
extern const char *const scan_encoding_names[];
extern const char *const scan_terminator_names[];
extern const char *const scan_escape_names[];

/*
 * The dialect as one canonical JSON object, keys sorted, and back. What
 * provenance holds and `scan --json` prints. BAD_ITEM: not a dialect.
 */
void dialect_write(const struct dialect *d, struct jsonw *j);
enum rc dialect_read(struct dialect *d, const char *text, size_t len,
	struct err *e) MUST_USE;

/*
 * A span that is not an ordinary record, or several neighbours of one kind.
 * detail: fields found, for KIND_WRONG_FIELD_COUNT (65535: that or more);
 * otherwise 0. For joined spans it is that of the first.
 */
struct scan_exception {
	uint64_t offset;
	uint64_t length;
	uint64_t record; /* ordinary records before it */
	uint32_t count;	 /* spans, 1 as the scanner emits them */
	uint16_t kind;	 /* enum exception_kind of format.h */
	uint16_t detail;
};

/*
 * Neighbouring spans of one kind are one entry on disk and in reports: joins
 * next to run and returns true, or returns false when they must stay apart.
 */
bool scan_exception_join(
	struct scan_exception *run, const struct scan_exception *next);

/* Where spans go, in order of offset, each byte exactly once. */
struct scan_sink {
	/*
	 * n > 0 ordinary records, back to back: ends[i] is the offset just
	 * behind record i, and each begins where the span before it ended.
	 */
	void (*records)(void *arg, const uint64_t *ends, size_t n);
	/*
	 * One exception, count 1. A malformed line or a comment longer than
	 * max_record is reported when its end is found; until then its bytes
	 * settle without a span (see scan_step).
	 */
	void (*exception)(void *arg, const struct scan_exception *x);
};

struct scan_totals {
	uint64_t bytes;
	uint64_t records;    /* ordinary */
	uint64_t malformed;  /* exceptions with format_is_malformed(kind) */
	uint64_t exceptions; /* all of them, spans counted one by one */
	/* Content that is kept and worth knowing: how many spans have it. */
	uint64_t stray_quotes;
	uint64_t nul_bytes;    /* spans with at least one NUL */
	uint64_t invalid_utf8; /* spans; only where the encoding is UTF-8 */
	uint32_t columns;      /* fields every record must have; 0: any */
	bool bom;
	enum scan_encoding encoding; /* a BOM wins over the dialect */
};

struct scan;

struct scan *scan_new(const struct dialect *d, const struct scan_sink *sink,
	void *arg) MUST_USE;
void scan_free(struct scan *s);

/*
 * For bytes known to hold nothing but ordinary records of this dialect (what
 * lies between two exceptions of an index): no header, trailer, comment or
 * column rule applies. The first window starts at `offset` of the object.
 */
struct scan *
scan_new_within(const struct dialect *d, enum scan_encoding encoding,
	uint64_t offset, const struct scan_sink *sink, void *arg) MUST_USE;

/* Looks at win[0 .. len); returns how many bytes of it are settled. */
size_t scan_step(struct scan *s, const uint8_t *win, size_t len, bool last);

void scan_totals(const struct scan *s, struct scan_totals *ret);

/*
 * The object goes on with another part: after a step with `last`, one byte of
 * separator lies behind what is settled, and behind it what is scanned as if
 * an object began there. Offsets and totals go on.
 */
void scan_part(struct scan *s);

/*
 * Where an object goes on, be it in another part or in another object, the
 * first record is a header only when it is the one that the whole began with:
 * some APIs repeat it on each page and some do not. p[0 .. n) is that one,
 * without its line end, and has so many fields. scan_part() remembers it by
 * itself. For csv with one header record of at most SCAN_HEADER_MAX bytes.
 */
void
scan_expect_header(struct scan *s, const uint8_t *p, size_t n, uint32_t fields);
#define SCAN_HEADER_MAX (64u << 10)

/*
 * The implementations for this machine, best first, ending with "portable"
 * and "scalar", the definition; tests and fuzzing compare them. scan_use() sets
 * the one that scan_new takes from now on (false: unknown name or not supported
 * here).
 */
const char *const *scan_isa_names(void);
bool scan_use(const char *isa) MUST_USE;

/* ---- sniffing: `landfall scan --sniff` ---- */

struct sniff {
	struct dialect dialect;
	unsigned confidence; /* percent */
	struct str why;	     /* one line for a human; str_release it */
};

/* Proposes a dialect from the first bytes of an object (64 KiB is plenty). */
void scan_sniff(const uint8_t *p, size_t n, bool whole, struct sniff *ret);

/* ---- fields: never in the hot path ---- */

/*
 * Decodes the fields of one record (CSV: by libcsv on these bytes alone,
 * unquoted; UTF-16 and Latin-1 become UTF-8; other formats: one field, the
 * record without its terminator). Returns BAD_ITEM when the bytes are not
 * one record of the dialect.
 */
enum rc scan_fields(const struct dialect *d, enum scan_encoding encoding,
	const uint8_t *record, size_t len,
	void (*field)(void *arg, const uint8_t *p, size_t n), void *arg,
	struct err *e) MUST_USE;

#endif
