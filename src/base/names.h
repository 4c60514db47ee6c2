/*
 * names.h - a bounded set of names (bytes), numbered in order of arrival.
 *
 *	struct names n = NAMES_INIT(4096, 1u << 20);
 *	i = names_put(&n, p, len);	NAMES_FULL, or which one it is
 *	names_release(&n);
 *
 * Numbers are 0 .. n.n - 1 and stay: what goes with a name stands in an
 * array beside it. Nothing is removed but by releasing all.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/str.h"

#define NAMES_FULL SIZE_MAX

struct names {
	size_t max, bytes_max;
	struct str text;
	struct {
		size_t at, len; /* in text */
	} * name;
	size_t n, cap;
	uint32_t *slot; /* 1 + number; 0: free */
	size_t n_slots; /* a power of two, or 0 */
};

#define NAMES_INIT(names_max, text_max) \
	{ \
		.max = (names_max), .bytes_max = (text_max), .text = STR_INIT \
	}

/* Empty again, memory freed. */
void names_release(struct names *n);

/* The number of this name, which is n.n - 1 when it is a new one. */
size_t names_put(struct names *n, const void *name, size_t len) MUST_USE;

/* The number of a name that is there; NAMES_FULL: it is not. */
size_t names_find(const struct names *n, const void *name, size_t len);

/* Lasts until the next put. */
const uint8_t *names_at(const struct names *n, size_t i, size_t *ret_len);

#endif
