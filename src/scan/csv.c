#include "scan/state.h"

void
csv_begin(struct scan *s)
{
	struct csv *m = &s->csv;

	m->headers = s->within ? 0 : s->d.header;
	m->columns = s->d.columns;
	if (s->within || (m->headers == 0 && m->columns < 0))
		m->columns = SCAN_COLUMNS_ANY;
	m->fast = (struct isa_csv){
		.max_record = s->d.max_record,
		.terminator = s->d.terminator,
		.delimiter = s->d.delimiter,
		.quoted = s->d.quote != SCAN_NONE,
		.quote = (uint8_t)s->d.quote,
		.comment = s->within ? SCAN_NONE : s->d.comment,
		.prefix = s->d.trailer_prefix,
		.prefix_len = s->within ? 0 : s->d.trailer_prefix_len,
	};
}

/*
 * Records without trouble, many at a time. Not for what has state of its own
 * (a header, a record under way) and not where a failed quote has been
 * before: there only the scalar machine is linear.
 */
static void
fast(struct scan *s)
{
	struct csv *m = &s->csv;
	unsigned bytes = 0;
	size_t n;

	if (s->isa->csv == NULL || s->width != 1 || m->headers > 0 ||
		s->d.escape != ESCAPE_DOUBLE)
		return;
	m->fast.columns = m->columns > 0 ? (uint32_t)m->columns : 0;
	m->fast.blank_ok = s->within || m->columns == 1;
	while (m->state == CSV_RECORD && s->body == s->start &&
		s->start >= m->seen) {
		if (s->n_ends > SCAN_BATCH / 2)
			emit_flush(s);
		n = s->isa->csv(&m->fast, s->win + (s->start - s->base),
			(size_t)(s->limit - s->start), s->start,
			s->ends + s->n_ends, SCAN_BATCH - s->n_ends, &bytes);
		if (n == 0)
			return;
		emit_ends(s, n, bytes);
	}
}

bool
csv_next(struct scan *s)
{
	if (s->csv.state == CSV_RECORD)
		fast(s);
	return csv_scalar(s);
}
