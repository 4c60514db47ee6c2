/*
 * state.h - the inside of struct scan, for the files of this directory and
 * for tests that count steps.
 *
 * All positions are offsets in the object. The window holds base .. limit.
 *
 *	emitted <= start <= body <= at <= limit
 *
 * Spans are out up to `emitted`; what lies from there to `start` is held
 * back (emit.c). The record being scanned begins at `start`, its first field
 * at `body` (behind a BOM), and `at` is the next byte to look at.
 */
#ifndef SCAN_STATE_H
#define SCAN_STATE_H

#include "landfall/json.h"
#include "landfall/scan.h"
#include "scan/isa.h"
#include "scan/utf8.h"

#define SCAN_BATCH 512	  /* their bytes, too, fit a first-level cache */
#define UNIT_ODD 0x10000u /* the lone last byte of odd UTF-16: no character */

enum csv_state {
	CSV_RECORD, /* at the start of a record */
	CSV_FIELD,  /* at the start of a field */
	CSV_UNQUOTED,
	CSV_QUOTED,
	CSV_ESCAPED,	/* behind a backslash inside quotes */
	CSV_QUOTE_SEEN, /* it closes the field, or it is the first of two */
	CSV_LINE,	/* whatever comes, up to a terminator */
};

struct csv {
	enum csv_state state;
	uint32_t fields;
	bool stray;
	bool junk;
	bool jumped;	     /* fields, stray, junk are not complete */
	uint32_t headers;    /* still to come */
	int32_t columns;     /* SCAN_COLUMNS_HEADER until the header is read */
	uint64_t seen;	     /* csv-scalar.c, "Why it is linear" */
	bool seen_escaped;   /* behind a backslash there */
	uint64_t steps;	     /* units looked at, for the test of linearity */
	struct isa_csv fast; /* columns are filled in once known */
	uint8_t *header;     /* the first one; NULL: not met */
	size_t header_len;
	uint32_t header_fields;
};

/* A span that may yet turn out to be a trailer. */
struct held {
	uint64_t start;
	uint64_t end;
	uint16_t kind; /* 0: ordinary */
	uint16_t detail;
	bool record; /* counts for `trailer: N` */
};

#define HOLD_MAX 1024

struct hold {
	struct held *ring; /* HOLD_MAX of them; NULL: nothing is held ever */
	uint32_t first;
	uint32_t n;
	uint32_t records;
};

struct scan {
	struct dialect d;
	struct scan_sink sink;
	void *arg;
	const struct isa *isa;
	bool (*next)(struct scan *s); /* a step on; false: needs bytes */
	bool within;
	bool begun;	/* the BOM was looked for */
	unsigned width; /* bytes of a code unit */

	const uint8_t *win;
	uint64_t base;
	uint64_t limit;
	bool last;

	uint64_t origin;
	uint64_t part; /* where the part begins */
	uint64_t emitted;
	uint64_t start;
	uint64_t body;
	uint64_t at;
	uint16_t fault; /* kind of the span, when known before its end */
	struct csv csv;

	struct jsonr *json; /* SCAN_JSON */
	uint64_t shown;	    /* to it, up to here */

	struct hold hold;
	uint64_t ends[SCAN_BATCH]; /* ordinary records, back to back */
	size_t n_ends;
	uint64_t batch; /* where the first of them starts */
	unsigned bytes; /* BYTES_* that may be among theirs */

	uint64_t fed; /* content of the span at `emitted` is known up to here */
	struct utf8 utf8;
	bool nul;
	struct scan_totals totals;
};

/* ---- csv.c, csv-scalar.c, line.c ---- */

void csv_begin(struct scan *s);
bool csv_next(struct scan *s);
bool csv_scalar(struct scan *s);

bool line_next(struct scan *s);
bool line_next_json(struct scan *s);

/*
 * Moves `at` to the first terminator at or behind it. Returns the length of
 * the terminator; 0: the object ends first; -1: needs bytes.
 */
int line_find(struct scan *s);

/* ---- document.c ---- */

bool document_next(struct scan *s);
void document_restart(struct scan *s); /* s->base is where it begins */
void document_free(struct scan *s);

/* ---- emit.c: spans on their way out ---- */

/*
 * The span start .. at, and on to the next record. kind 0: an ordinary one.
 * record: it counts as one of the last N of `trailer: N`.
 */
void emit_span(struct scan *s, uint16_t kind, uint16_t detail, bool record);

/* n ordinary records, which the caller has put behind ends[n_ends]. */
void emit_ends(struct scan *s, size_t n, unsigned bytes);

/* Hands the batch to the sink. */
void emit_flush(struct scan *s);

/* Whatever cannot be a trailer any more once `at` is reached. */
void emit_trim(struct scan *s);

/* The object is over: held records are trailers. */
void emit_last(struct scan *s);

/* Hands over the batch and returns the offset up to which bytes settle. */
uint64_t emit_settle(struct scan *s);

/* ---- content.c: NUL and invalid UTF-8 ---- */

/* The batch of ordinary records. */
void content_batch(struct scan *s);

/* More of the span at `emitted`, up to `end`; then all of it. */
void content_feed(struct scan *s, uint64_t end);
void content_end(struct scan *s, uint64_t end);

/* ---- reading units ---- */

/* The code unit at an offset; false: not there (yet). */
static inline bool
unit_at(const struct scan *s, uint64_t at, unsigned width, uint32_t *ret)
{
	const uint8_t *p = s->win + (at - s->base);

	if (LIKELY(at + width <= s->limit)) {
		if (width == 1)
			*ret = p[0];
		else if (s->totals.encoding == ENCODING_UTF16LE)
			*ret = (uint32_t)(p[0] | p[1] << 8);
		else
			*ret = (uint32_t)(p[1] | p[0] << 8);
		return true;
	}
	if (!s->last || at >= s->limit)
		return false;
	*ret = UNIT_ODD;
	return true;
}

/* Length of the terminator that unit c at `at` begins; 0: none; -1: AGAIN. */
static inline int
terminator_at(const struct scan *s, uint64_t at, unsigned width, uint32_t c)
{
	int lone = s->d.terminator == TERMINATOR_CRLF ? 0 : (int)width;
	uint32_t next;

	if (c != '\n' && c != '\r')
		return 0;
	if (s->d.terminator == TERMINATOR_LF)
		return c == '\n' ? lone : 0;
	if (s->d.terminator == TERMINATOR_CR)
		return c == '\r' ? lone : 0;
	if (c == '\n')
		return lone;
	if (unit_at(s, at + width, width, &next))
		return next == '\n' ? (int)(2 * width) : lone;
	return s->last ? lone : -1;
}

/* On by one unit, or by the odd byte at the end. */
static inline void
unit_skip(struct scan *s, unsigned width)
{
	s->at += width;
	if (UNLIKELY(s->at > s->limit))
		s->at = s->limit;
}

#endif
