/*
 * watch-names.h - the names of one turn, each once, in order of arrival.
 * Bounded: a turn that has more is a reason to look at everything.
 */
#ifndef DROP_WATCH_NAMES_H
#define DROP_WATCH_NAMES_H

#include <stdbool.h>

#include "base/str.h"

#define WATCH_NAMES_MAX 65536
#define WATCH_NAMES_BYTES_MAX (8u << 20)

struct watch_name {
	size_t at, len; /* in text */
};

struct watch_names {
	struct str text;
	struct watch_name *name;
	size_t n, cap;
	uint32_t *slot; /* 1 + place in name; 0: free */
	size_t n_slots; /* a power of two, or 0 */
};

#define WATCH_NAMES_INIT \
	{ \
		.text = STR_INIT \
	}

void watch_names_release(struct watch_names *n);

/* False when there is no room. */
bool
watch_names_add(struct watch_names *n, const char *name, size_t len) MUST_USE;

#endif
