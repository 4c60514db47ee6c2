#include "scan/utf8.h"

#include <string.h>

/* Opens the sequence that c leads: RFC 3629 section 4, line by line. */
static void
lead(struct utf8 *u, uint8_t c)
{
	u->low = 0x80;
	u->high = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		u->left = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		u->left = 2;
		if (c == 0xe0)
			u->low = 0xa0;
		if (c == 0xed)
			u->high = 0x9f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		u->left = 3;
		if (c == 0xf0)
			u->low = 0x90;
		if (c == 0xf4)
			u->high = 0x8f;
	} else {
		u->bad = true;
	}
}

void
utf8_add(struct utf8 *u, const uint8_t *p, size_t n)
{
	uint64_t w;

	for (size_t i = 0; i < n && !u->bad; i++) {
		if (u->left > 0) {
			u->bad = p[i] < u->low || p[i] > u->high;
			u->left--;
			u->low = 0x80;
			u->high = 0xbf;
			continue;
		}
		while (i + 8 <= n) {
			memcpy(&w, p + i, 8);
			if (w & UINT64_C(0x8080808080808080))
				break;
			i += 8;
		}
		if (i < n && p[i] >= 0x80)
			lead(u, p[i]);
	}
}

bool
utf8_end(const struct utf8 *u)
{
	return !u->bad && u->left == 0;
}
