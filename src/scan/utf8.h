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

/*
 * For many bytes at once (after Keiser and Lemire, "Validating UTF-8 in less
 * than one instruction per byte", 2021). Two questions find every fault:
 *
 * due: is a byte a continuation exactly where a lead one, two or three places
 * before it asks for one?
 *
 * pair: is a byte that follows this lead never a continuation of it? Each bit
 * is one row of RFC 3629 section 4; it is set in all three tables, by the two
 * halves of the lead and the upper half of the byte behind it, only there.
 */
#define UTF8_C0_C1 1u  /* overlong */
#define UTF8_E0_9F 2u  /* overlong */
#define UTF8_ED_A0 4u  /* surrogates */
#define UTF8_F0_8F 8u  /* overlong */
#define UTF8_F4_90 16u /* beyond U+10FFFF */
#define UTF8_F5 32u    /* beyond U+10FFFF */

extern const uint8_t utf8_lead_high[16];
extern const uint8_t utf8_lead_low[16];
extern const uint8_t utf8_second_high[16];

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
