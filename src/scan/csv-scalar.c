/*
 * csv-scalar.c - the definition of CSV, one code unit at a time.
 *
 * Everything faster must give the same spans; nothing here is tuned beyond
 * what keeps it linear.
 *
 * Why it is linear. Only one thing makes the scanner go back: a record that
 * is inside quotes where it must not be (at the end of the object, or beyond
 * max_record). Its first physical line becomes a malformed span, and what was
 * read ahead, up to `seen`, is read again from the next line on. The number
 * of quotes does not bound how often that can happen: in the lines
 *
 *	"z		from outside the first quote is a stray one, so each
 *	y",b,"z		line leaves a quote open and reaches the end again
 *	y",b,"z
 *
 * each pass would read everything. But the failed pass never met a terminator
 * outside quotes before `seen`, or its record would have ended there: behind
 * every terminator of that stretch it was inside quotes. So a later pass that
 * is inside quotes behind a terminator there is in the same state at the same
 * place, and will be in the state of the failed pass at `seen`: it jumps
 * there. Hence within the stretch each pass reads at most one physical line,
 * and beyond `seen` it reads new bytes only. If the record does end after
 * all, it is read once more from its start for its fields and flags, and is
 * then consumed: no byte is looked at more than a fixed number of times.
 */
#include <string.h>

#include "scan/state.h"

static void
record_begin(struct scan *s)
{
	s->at = s->body;
	s->fault = 0;
	s->csv.state = CSV_FIELD;
	s->csv.fields = 1;
	s->csv.stray = s->csv.junk = s->csv.jumped = false;
}

static bool
inside_quotes(const struct csv *m)
{
	return m->state == CSV_QUOTED || m->state == CSV_ESCAPED;
}

/* The physical line from the record's start on, whatever is in it. */
static void
take_line(struct scan *s, uint16_t kind)
{
	s->at = s->body;
	s->fault = kind;
	s->csv.state = CSV_LINE;
}

/* One bad quote costs one line, not the file. */
static void
resync(struct scan *s)
{
	emit_trim(s);
	s->csv.seen = s->at;
	s->csv.seen_escaped = s->csv.state == CSV_ESCAPED;
	s->csv.stray = false;
	take_line(s, KIND_UNTERMINATED_QUOTE);
}

/* The record has an end after all: read it whole. */
static void
read_again(struct scan *s)
{
	s->csv.seen = 0;
	s->csv.state = CSV_RECORD;
}

static bool
has_prefix(const struct scan *s, uint64_t end)
{
	uint32_t c;

	if (s->d.trailer_prefix_len == 0)
		return false;
	for (uint32_t i = 0; i < s->d.trailer_prefix_len; i++) {
		uint64_t at = s->body + (uint64_t)i * s->width;

		if (at >= end || !unit_at(s, at, s->width, &c) ||
			c != s->d.trailer_prefix[i])
			return false;
	}
	return true;
}

/*
 * A header record that is malformed is reported as that, but it is still the
 * header; how many fields it has is unknown when its end is a guess.
 */
static void
read_header(struct scan *s, int term, bool complete)
{
	struct csv *m = &s->csv;

	m->headers--;
	if (complete && m->header == NULL)
		scan_expect_header(s, s->win + (s->body - s->base),
			(size_t)(s->at - s->body) - (size_t)term, m->fields);
	if (m->columns == SCAN_COLUMNS_HEADER)
		m->columns = complete ? (int32_t)m->fields : SCAN_COLUMNS_ANY;
}

/* Where the object goes on without its header: the record is an ordinary one.
 */
static void
look_for_header(struct scan *s, int term)
{
	struct csv *m = &s->csv;
	size_t n = (size_t)(s->at - s->body) - (size_t)term;

	if (m->headers == 0 || m->header == NULL ||
		(n == m->header_len &&
			memcmp(s->win + (s->body - s->base), m->header, n) ==
				0))
		return;
	m->headers = 0;
	if (m->columns == SCAN_COLUMNS_HEADER)
		m->columns = (int32_t)m->header_fields;
}

/* What a complete record is, by its faults first, then by its place. */
static uint16_t
classify(struct scan *s, int term, bool *ret_record)
{
	struct csv *m = &s->csv;
	uint16_t kind = s->fault;

	*ret_record = kind != KIND_COMMENT;
	if (kind == KIND_COMMENT)
		return kind;
	if (kind == 0 && m->junk)
		kind = KIND_JUNK_AFTER_QUOTE;
	if (kind == 0 && s->at - s->start > s->d.max_record)
		kind = KIND_RECORD_TOO_LONG;
	if (kind == 0 && m->stray && s->d.strict)
		kind = KIND_STRAY_QUOTE;
	if (s->within)
		return kind;
	if (kind == 0 && s->at - s->body == (uint64_t)term && m->columns != 1) {
		*ret_record = false;
		return KIND_BLANK;
	}
	if (kind == 0 && has_prefix(s, s->at - (uint64_t)term)) {
		*ret_record = false;
		return KIND_TRAILER;
	}
	look_for_header(s, term);
	if (m->headers > 0) {
		read_header(
			s, term, s->fault == 0 && kind != KIND_RECORD_TOO_LONG);
		*ret_record = false;
		return kind == 0 ? KIND_HEADER : kind;
	}
	if (kind == 0 && m->columns > 0 && m->fields != (uint32_t)m->columns)
		return KIND_WRONG_FIELD_COUNT;
	return kind;
}

/* The record ends here; `at` is behind its terminator of term bytes. */
static void
record_end(struct scan *s, int term)
{
	struct csv *m = &s->csv;
	uint16_t kind, detail = 0;
	bool record;

	if (m->jumped && s->fault == 0) {
		read_again(s);
		return;
	}
	kind = classify(s, term, &record);
	if (kind == KIND_WRONG_FIELD_COUNT)
		detail = m->fields < UINT16_MAX ? (uint16_t)m->fields
						: UINT16_MAX;
	s->totals.stray_quotes += m->stray;
	emit_span(s, kind, detail, record);
	m->state = CSV_RECORD;
}

/* The object ends inside a record. */
static void
object_end(struct scan *s)
{
	if (inside_quotes(&s->csv) && s->fault == 0) {
		if (s->d.resync) {
			resync(s);
			return;
		}
		s->fault = KIND_UNTERMINATED_QUOTE;
	}
	record_end(s, 0);
}

/* The record has grown beyond max_record and has not ended. */
static void
over_limit(struct scan *s)
{
	struct csv *m = &s->csv;

	if (inside_quotes(m)) {
		if (s->d.resync)
			resync(s);
		else
			s->fault = KIND_UNTERMINATED_QUOTE;
	} else if (m->jumped) {
		read_again(s);
	} else {
		s->fault =
			m->junk ? KIND_JUNK_AFTER_QUOTE : KIND_RECORD_TOO_LONG;
		m->state = CSV_LINE;
	}
}

/* One unit in the state it meets; true: a terminator ends the record here. */
static inline bool
transit(const struct scan *s, struct csv *m, uint32_t c, int term)
{
	switch (m->state) {
	case CSV_RECORD:
	case CSV_LINE:
		return term > 0;
	case CSV_FIELD:
		if (term > 0)
			return true;
		if ((int)c == s->d.quote)
			m->state = CSV_QUOTED;
		else if (c == s->d.delimiter)
			m->fields++;
		else
			m->state = CSV_UNQUOTED;
		return false;
	case CSV_UNQUOTED:
		if (term > 0)
			return true;
		if (c == s->d.delimiter) {
			m->fields++;
			m->state = CSV_FIELD;
		} else if ((int)c == s->d.quote) {
			m->stray = true;
		}
		return false;
	case CSV_QUOTED:
		if ((int)c == s->d.quote)
			m->state = CSV_QUOTE_SEEN;
		else if (c == '\\' && s->d.escape == ESCAPE_BACKSLASH)
			m->state = CSV_ESCAPED;
		return false;
	case CSV_ESCAPED:
		m->state = CSV_QUOTED;
		return false;
	case CSV_QUOTE_SEEN:
		if (term > 0)
			return true;
		if ((int)c == s->d.quote) {
			m->state = CSV_QUOTED;
		} else if (c == s->d.delimiter) {
			m->fields++;
			m->state = CSV_FIELD;
		} else {
			m->junk = true;
			m->state = CSV_UNQUOTED;
		}
		return false;
	}
	return false;
}

/* On until the record ends, turns back, or the window does. */
static inline __attribute__((always_inline)) bool
run(struct scan *s, const unsigned width)
{
	struct csv *m = &s->csv;
	uint32_t c;

	while (unit_at(s, s->at, width, &c)) {
		int term = terminator_at(s, s->at, width, c);

		if (term < 0)
			return false;
		m->steps++;
		if (transit(s, m, c, term)) {
			s->at += (uint64_t)term;
			record_end(s, term);
			return true;
		}
		if (term > 0)
			s->at += (uint64_t)term;
		else
			unit_skip(s, width);
		if (s->fault != 0)
			continue;
		if (UNLIKELY(s->at - s->start > s->d.max_record)) {
			over_limit(s);
			return true;
		}
		if (term > 0 && s->at < m->seen) {
			s->at = m->seen;
			m->jumped = true;
			m->state = m->seen_escaped ? CSV_ESCAPED : CSV_QUOTED;
		}
	}
	if (!s->last)
		return false;
	object_end(s);
	return true;
}

/* A line is found by whole stretches, not by units. */
static bool
run_line(struct scan *s)
{
	uint64_t from = s->at;
	int term = line_find(s);

	s->csv.steps += s->at - from;
	if (term < 0)
		return false;
	s->at += (uint64_t)term;
	record_end(s, term);
	return true;
}

bool
csv_scalar(struct scan *s)
{
	uint32_t c;

	if (s->csv.state == CSV_RECORD) {
		bool some = unit_at(s, s->body, s->width, &c);

		/* A BOM alone is a record of nothing. */
		if (!some && !(s->last && s->start < s->limit))
			return false;
		record_begin(s);
		if (some && (int)c == s->d.comment && !s->within)
			take_line(s, KIND_COMMENT);
	}
	if (s->csv.state == CSV_LINE)
		return run_line(s);
	return s->width == 1 ? run(s, 1) : run(s, 2);
}
