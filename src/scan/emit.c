/*
 * emit.c - spans on their way to the sink.
 *
 * Ordinary records gather in a batch. With `trailer: N` the last N records,
 * and whatever stands between and behind them, are held back until the
 * object ends or more records come. So that neither an endless row of blank
 * lines nor long records make that unbounded, a record is released when
 * HOLD_MAX spans or max_record bytes have followed its start. Both depend on
 * the bytes alone, not on how they were cut into windows.
 */
#include "scan/state.h"

void
emit_flush(struct scan *s)
{
	size_t n = s->n_ends;

	if (n == 0)
		return;
	if (s->bytes != 0)
		content_batch(s);
	s->totals.records += n;
	s->emitted = s->ends[n - 1];
	s->n_ends = 0;
	s->bytes = 0;
	if (s->sink.records != NULL)
		s->sink.records(s->arg, s->ends, n);
}

static void
ordinary(struct scan *s, uint64_t start, uint64_t end)
{
	if (s->n_ends == 0)
		s->batch = start;
	s->ends[s->n_ends++] = end;
	s->bytes = BYTES_NUL | BYTES_HIGH;
	if (s->n_ends == SCAN_BATCH)
		emit_flush(s);
}

static void
exception(struct scan *s, const struct held *h)
{
	struct scan_exception x = {
		.offset = h->start,
		.length = h->end - h->start,
		.count = 1,
		.kind = h->kind,
		.detail = h->detail,
	};

	emit_flush(s);
	x.record = s->totals.records;
	content_end(s, h->end);
	s->emitted = h->end;
	s->totals.exceptions++;
	s->totals.malformed += format_is_malformed(h->kind);
	if (s->sink.exception != NULL)
		s->sink.exception(s->arg, &x);
}

static void
out(struct scan *s, const struct held *h)
{
	/* A long span that has partly settled cannot be checked in a batch. */
	if (h->kind != 0) {
		exception(s, h);
	} else if (s->fed > h->start) {
		emit_flush(s);
		content_end(s, h->end);
		ordinary(s, h->start, h->end);
		s->bytes = 0;
		emit_flush(s);
	} else {
		ordinary(s, h->start, h->end);
	}
}

static void
release_first(struct scan *s)
{
	struct hold *q = &s->hold;
	const struct held *h = &q->ring[q->first];

	q->first = (q->first + 1) % HOLD_MAX;
	q->n--;
	q->records -= h->record;
	out(s, h);
}

static void
hold(struct scan *s, const struct held *h)
{
	struct hold *q = &s->hold;

	if (q->n == HOLD_MAX)
		release_first(s);
	q->ring[(q->first + q->n++) % HOLD_MAX] = *h;
	q->records += h->record;
	while (q->n > 0 &&
		(q->records > s->d.trailer || !q->ring[q->first].record))
		release_first(s);
}

void
emit_trim(struct scan *s)
{
	struct hold *q = &s->hold;

	while (q->n > 0 && s->at - q->ring[q->first].start > s->d.max_record)
		release_first(s);
}

void
emit_span(struct scan *s, uint16_t kind, uint16_t detail, bool record)
{
	struct held h = {
		.start = s->start,
		.end = s->at,
		.kind = kind,
		.detail = detail,
		.record = record,
	};

	if (s->hold.ring != NULL) {
		hold(s, &h);
		emit_trim(s);
	} else {
		out(s, &h);
	}
	s->start = s->body = s->at;
}

void
emit_ends(struct scan *s, size_t n, unsigned bytes)
{
	const uint64_t *ends = s->ends + s->n_ends;

	if (s->hold.ring != NULL) {
		/* ends[] is about to be filled by what is released. */
		uint64_t copy[SCAN_BATCH];

		for (size_t i = 0; i < n; i++)
			copy[i] = ends[i];
		for (size_t i = 0; i < n; i++) {
			s->at = copy[i];
			emit_span(s, 0, 0, true);
		}
		return;
	}
	if (s->n_ends == 0)
		s->batch = s->start;
	s->n_ends += n;
	s->bytes |= bytes;
	s->start = s->body = s->at = s->ends[s->n_ends - 1];
	if (s->n_ends == SCAN_BATCH)
		emit_flush(s);
}

void
emit_last(struct scan *s)
{
	struct hold *q = &s->hold;

	while (q->n > 0) {
		struct held *h = &q->ring[q->first];

		if (h->record &&
			(h->kind == 0 || h->kind == KIND_WRONG_FIELD_COUNT)) {
			h->kind = KIND_TRAILER;
			h->detail = 0;
		}
		release_first(s);
	}
}

uint64_t
emit_settle(struct scan *s)
{
	uint64_t settled = s->start;

	if (s->hold.ring != NULL)
		emit_trim(s);
	emit_flush(s);
	if (s->hold.n > 0)
		settled = s->hold.ring[s->hold.first].start;
	else if (s->d.format == SCAN_OPAQUE ||
		(s->fault != 0 && s->at - s->start > s->d.max_record))
		settled = s->at;
	content_feed(s, settled);
	return settled;
}
