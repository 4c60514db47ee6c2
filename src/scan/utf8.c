#include "scan/utf8.h"

#include <string.h>

#define ALIGNED16 __attribute__((aligned(16)))
#define ALWAYS (UTF8_C0_C1 | UTF8_F5)

const uint8_t utf8_lead_high[16] ALIGNED16 = {
	[0xc] = UTF8_C0_C1,
	[0xe] = UTF8_E0_9F | UTF8_ED_A0,
	[0xf] = UTF8_F0_8F | UTF8_F4_90 | UTF8_F5,
};

const uint8_t utf8_lead_low[16] ALIGNED16 = {
	[0x0] = UTF8_C0_C1 | UTF8_E0_9F | UTF8_F0_8F,
	[0x1] = UTF8_C0_C1,
	[0x4] = UTF8_F4_90,
	[0x5 ... 0xc] = UTF8_F5,
	[0xd] = UTF8_F5 | UTF8_ED_A0,
	[0xe ... 0xf] = UTF8_F5,
};

const uint8_t utf8_second_high[16] ALIGNED16 = {
	[0x8] = ALWAYS | UTF8_E0_9F | UTF8_F0_8F,
	[0x9] = ALWAYS | UTF8_E0_9F | UTF8_F4_90,
	[0xa ... 0xb] = ALWAYS | UTF8_ED_A0 | UTF8_F4_90,
};

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
