/* line.c - physical lines: the formats lines and ndjson, comments, resync. */
#include "landfall/json.h"
#include "scan/state.h"

int
line_find(struct scan *s)
{
	enum scan_terminator t = s->d.terminator;
	uint8_t a = t == TERMINATOR_LF ? '\n' : '\r';
	uint8_t b = t == TERMINATOR_AUTO ? '\n' : a;
	uint32_t c;
	int len;

	for (;;) {
		if (s->width == 1)
			s->at += s->isa->find(s->win + (s->at - s->base),
				(size_t)(s->limit - s->at), a, b);
		if (!unit_at(s, s->at, s->width, &c))
			return s->last ? 0 : -1;
		len = terminator_at(s, s->at, s->width, c);
		if (len != 0)
			return len;
		unit_skip(s, s->width);
	}
}

/*
 * Finds the end of the line that starts at `start`. Its bytes settle before
 * that once it is too long. False: needs bytes.
 */
static bool
whole_line(struct scan *s, int *ret_term)
{
	*ret_term = line_find(s);
	if (*ret_term > 0)
		s->at += (uint64_t)*ret_term;
	if (s->at - s->start > s->d.max_record)
		s->fault = KIND_RECORD_TOO_LONG;
	return *ret_term >= 0 && s->at > s->start;
}

bool
line_next(struct scan *s)
{
	int term;

	if (!whole_line(s, &term))
		return false;
	emit_span(s, s->fault, 0, true);
	s->fault = 0;
	return true;
}

/* RFC 8259 section 2: ws. */
static bool
is_blank(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
			return false;
	return true;
}

bool
line_next_json(struct scan *s)
{
	uint16_t kind;
	int term;

	if (!whole_line(s, &term))
		return false;
	kind = s->fault;
	if (kind == 0) {
		const uint8_t *p = s->win + (s->body - s->base);
		size_t n = (size_t)(s->at - s->body) - (size_t)term;

		if (is_blank(p, n))
			kind = KIND_BLANK;
		else if (s->width != 1 || !jsonr_valid(p, n))
			kind = KIND_INVALID_JSON;
	}
	emit_span(s, kind, 0, true);
	s->fault = 0;
	return true;
}
