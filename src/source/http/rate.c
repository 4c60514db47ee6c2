#include "source/http/rate.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/http/wait.h"

void
rate_release(struct rate *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->ring[i].key);
		free(r->ring[i].at);
	}
	free(r->ring);
	*r = (struct rate)RATE_INIT;
}

static bool
applies(const struct api_rate *x, const struct rate_of *of)
{
	return x->path == NULL || fnmatch(x->path, of->path, 0) == 0;
}

static const char *
key_of(const struct api_rate *x, const struct rate_of *of)
{
	switch (x->scope) {
	case API_PER_STREAM:
		return of->stream;
	case API_PER_PARTITION:
		return of->partition;
	default:
		return "";
	}
}

static struct rate_ring *
ring_of(struct rate *r, const struct api_rate *x, size_t limit,
	const struct rate_of *of)
{
	const char *key = key_of(x, of);
	const struct api_limit *l = &x->limit[limit];
	struct rate_ring *g;

	for (size_t i = 0; i < r->n; i++)
		if (r->ring[i].rate == x && r->ring[i].limit == limit &&
			strcmp(r->ring[i].key, key) == 0)
			return &r->ring[i];
	r->ring = mem_resize(r->ring, r->n + 1, sizeof(*r->ring));
	g = &r->ring[r->n++];
	*g = (struct rate_ring){.rate = x,
		.limit = limit,
		.key = mem_strdup(key),
		.cap = (size_t)l->requests,
		.per = l->per};
	/* 10,000 a minute is 4,096 in the time that those may take. */
	if (l->requests > RATE_KEPT) {
		g->cap = RATE_KEPT;
		g->per = (int64_t)((double)l->per * RATE_KEPT /
			(double)l->requests);
	}
	g->at = mem_array(g->cap, sizeof(*g->at));
	return g;
}

int64_t
rate_wait(struct rate *r, const struct rate_of *of, int64_t now)
{
	int64_t wait = r->not_before > now ? r->not_before - now : 0;

	for (size_t i = 0; i < of->rates->n; i++) {
		const struct api_rate *x = &of->rates->row[i];

		for (size_t k = 0; k < x->n && applies(x, of); k++) {
			const struct rate_ring *g = ring_of(r, x, k, of);

			/* The oldest of as many as are allowed. */
			if (g->n == g->cap &&
				g->at[g->first] + g->per - now > wait)
				wait = g->at[g->first] + g->per - now;
		}
	}
	return wait;
}

void
rate_asked(struct rate *r, const struct rate_of *of, int64_t now)
{
	for (size_t i = 0; i < of->rates->n; i++) {
		const struct api_rate *x = &of->rates->row[i];

		for (size_t k = 0; k < x->n && applies(x, of); k++) {
			struct rate_ring *g = ring_of(r, x, k, of);

			if (g->n < g->cap) {
				g->at[(g->first + g->n++) % g->cap] = now;
				continue;
			}
			g->at[g->first] = now;
			g->first = (g->first + 1) % g->cap;
		}
	}
}

void
rate_forget(struct rate *r, int64_t now)
{
	size_t n = 0;

	r->has_left = false;
	for (size_t i = 0; i < r->n; i++) {
		struct rate_ring *g = &r->ring[i];

		if (g->n > 0 &&
			g->at[(g->first + g->n - 1) % g->cap] + g->per > now) {
			r->ring[n++] = *g;
			continue;
		}
		free(g->key);
		free(g->at);
	}
	r->n = n;
	if (n > 0)
		return;
	free(r->ring);
	r->ring = NULL;
}

static bool
number(const struct http_answer *a, const struct api_selector *s, uint64_t *ret)
{
	size_t n;
	const char *p = s->from == API_FROM_HEADER
		? http_answer_field(a, s->name, &n)
		: NULL;

	return p != NULL && str_parse_u64(p, n, ret);
}

/* How long until there is more, as the answer says it; 0: it does not. */
static int64_t
until_reset(const struct api_rate *x, const struct http_answer *a, int64_t wall)
{
	size_t n;
	const char *p = x->pace.reset.from == API_FROM_HEADER
		? http_answer_field(a, x->pace.reset.name, &n)
		: NULL;
	int64_t wait;

	return p != NULL && wait_parse(x->pace.unit, p, n, wall, &wait) ? wait
									: 0;
}

void
rate_heard(struct rate *r, const struct rate_of *of,
	const struct http_answer *a, int64_t now, int64_t wall)
{
	bool said = false;

	for (size_t i = 0; i < of->rates->n; i++) {
		const struct api_rate *x = &of->rates->row[i];
		uint64_t left, all = 0;
		int64_t wait;

		if (!applies(x, of) || !number(a, &x->pace.remaining, &left))
			continue;
		(void)number(a, &x->pace.limit, &all);
		if (!said || left < r->left) {
			said = r->has_left = true;
			r->left = left;
			r->allowed = all;
		}
		/* While there is plenty, nobody slows down. */
		if (all > 0 ? left * 10 > all : left > 10)
			continue;
		wait = until_reset(x, a, wall);
		if (wait <= 0 || wait > 3600 * CLOCK_SECOND)
			continue;
		wait /= (int64_t)left + 1;
		if (now + wait > r->not_before)
			r->not_before = now + wait;
	}
}
