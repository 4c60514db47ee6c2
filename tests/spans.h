/*
 * spans.h - runs a scanner over bytes cut into windows and writes down what
 * it says, for unit tests and fuzz targets. Every walk checks that the spans
 * tile the bytes, that windows settle in order and that the unsettled tail
 * stays within its bound; a breach aborts.
 */
#ifndef TESTS_SPANS_H
#define TESTS_SPANS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "landfall/scan.h"

#define SPANS_CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#cond); \
			abort(); \
		} \
	} while (0)

struct span {
	uint64_t end;
	uint64_t record;
	uint16_t kind; /* 0: ordinary */
	uint16_t detail;
};

struct spans {
	struct span *v;
	size_t n;
	size_t cap;
	uint64_t at;
	uint64_t records;
	struct scan_totals totals;
};

static inline void
spans_release(struct spans *l)
{
	free(l->v);
}

static inline void
spans_add(struct spans *l, struct span span)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : 2 * l->cap;
		l->v = realloc(l->v, l->cap * sizeof(*l->v));
		SPANS_CHECK(l->v != NULL);
	}
	SPANS_CHECK(span.end > l->at);
	l->v[l->n++] = span;
	l->at = span.end;
}

static inline void
spans_records(void *arg, const uint64_t *ends, size_t n)
{
	struct spans *l = arg;

	SPANS_CHECK(n > 0);
	for (size_t i = 0; i < n; i++)
		spans_add(l, (struct span){ends[i], l->records++, 0, 0});
}

static inline void
spans_exception(void *arg, const struct scan_exception *x)
{
	struct spans *l = arg;

	SPANS_CHECK(x->offset == l->at && x->count == 1 && x->kind != 0);
	SPANS_CHECK(x->record == l->records);
	spans_add(l,
		(struct span){
			x->offset + x->length, x->record, x->kind, x->detail});
}

/* Up to which offset the next window reaches, when it reached `shown`. */
typedef uint64_t spans_cut(void *arg, uint64_t shown, uint64_t size);

/* The bytes p[0 .. n) at object offset `offset` through scanner s. */
static inline void
spans_walk(struct scan *s, const struct dialect *d, const uint8_t *p,
	uint64_t offset, size_t n, spans_cut *cut, void *arg, struct spans *ret)
{
	uint64_t from = 0, to = 0, step = 0;
	bool last;

	ret->at = offset;
	do {
		uint64_t was = to;
		uint8_t *win;
		size_t done;

		to = cut(arg, to, n);
		SPANS_CHECK(to >= was && to <= n);
		step = to - was > step ? to - was : step;
		last = to == n;
		/* Of exactly this size, so that a sanitizer sees its end. */
		win = malloc((size_t)(to - from) + (to == from));
		SPANS_CHECK(win != NULL);
		memcpy(win, p + from, (size_t)(to - from));
		done = scan_step(s, win, (size_t)(to - from), last);
		free(win);
		SPANS_CHECK(done <= to - from);
		from += done;
		if (d->format != SCAN_FIXED)
			SPANS_CHECK(to - from <= d->max_record + step + 4);
	} while (!last);
	SPANS_CHECK(from == n && ret->at == offset + n);
	scan_totals(s, &ret->totals);
	SPANS_CHECK(ret->totals.bytes == n);
	SPANS_CHECK(ret->totals.records == ret->records);
	SPANS_CHECK(ret->totals.exceptions == ret->n - ret->records);
}

static const struct scan_sink spans_sink = {spans_records, spans_exception};

static inline void
spans_of(const struct dialect *d, const uint8_t *p, size_t n, spans_cut *cut,
	void *arg, struct spans *ret)
{
	struct scan *s = scan_new(d, &spans_sink, ret);

	spans_walk(s, d, p, 0, n, cut, arg, ret);
	scan_free(s);
}

static inline bool
spans_equal(const struct spans *a, const struct spans *b)
{
	const struct scan_totals *t = &a->totals, *u = &b->totals;

	if (a->n != b->n || t->stray_quotes != u->stray_quotes ||
		t->nul_bytes != u->nul_bytes ||
		t->invalid_utf8 != u->invalid_utf8 ||
		t->malformed != u->malformed || t->columns != u->columns ||
		t->bom != u->bom || t->encoding != u->encoding)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].end != b->v[i].end ||
			a->v[i].kind != b->v[i].kind ||
			a->v[i].detail != b->v[i].detail ||
			a->v[i].record != b->v[i].record)
			return false;
	return true;
}

/* ---- cuts ---- */

static inline uint64_t
cut_never(void *arg UNUSED, uint64_t shown UNUSED, uint64_t size)
{
	return size;
}

/* Pieces of *(uint64_t *)arg bytes. */
static inline uint64_t
cut_every(void *arg, uint64_t shown, uint64_t size)
{
	uint64_t step = *(uint64_t *)arg;

	return size - shown > step ? shown + step : size;
}

/* Two pieces, cut at *(uint64_t *)arg. */
static inline uint64_t
cut_once(void *arg, uint64_t shown, uint64_t size)
{
	uint64_t at = *(uint64_t *)arg;

	return shown < at && at < size ? at : size;
}

/* Pieces of random length, mostly short; arg is the state, not zero. */
static inline uint64_t
cut_random(void *arg, uint64_t shown, uint64_t size)
{
	uint64_t *x = arg, step;

	*x ^= *x << 13, *x ^= *x >> 7, *x ^= *x << 17;
	step = *x >> 16 & (*x & 1 ? 0x3f : *x & 2 ? 0x3ff : 0xffff);
	return size - shown > step ? shown + step : size;
}

#endif
