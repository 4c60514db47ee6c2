/*
 * utf8.h - UTF-8 validity (RFC 3629 section 4) of bytes that come in pieces.
 *
 *	struct utf8 u = UTF8_INIT;
 *	utf8_add(&u, p, n);		any number of times
 *	valid = utf8_end(&u);		also false inside a sequence
 */
#ifndef SCAN_UTF8_H
#define SCAN_UTF8_H

#include <stdbool.h>

#include "base/attr.h"

struct utf8 {
	uint8_t left; /* continuation bytes still due */
	uint8_t low;  /* the next one must be low .. high */
	uint8_t high;
	bool bad;
};

#define UTF8_INIT \
	{ \
		.left = 0 \
	}

void utf8_add(struct utf8 *u, const uint8_t *p, size_t n);
bool utf8_end(const struct utf8 *u);

#endif
