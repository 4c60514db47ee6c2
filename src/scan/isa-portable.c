#include <string.h>

#include "scan/isa.h"
#include "scan/utf8.h"

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define EACH_HIGH UINT64_C(0x8080808080808080)

static bool
portable_supported(void)
{
	return true;
}

static size_t
portable_find(const uint8_t *p, size_t n, uint8_t a, uint8_t b)
{
	const uint8_t *hit = memchr(p, a, n);
	size_t end = hit == NULL ? n : (size_t)(hit - p);

	if (a != b && (hit = memchr(p, b, end)) != NULL)
		end = (size_t)(hit - p);
	return end;
}

static unsigned
portable_bytes(const uint8_t *p, size_t n)
{
	uint64_t high = 0, nul = 0, w;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		memcpy(&w, p + i, 8);
		high |= w;
		/* Exact for whether there is a zero byte at all. */
		nul |= (w - EACH_BYTE) & ~w;
	}
	for (; i < n; i++) {
		high |= p[i];
		nul |= p[i] == 0 ? EACH_HIGH : 0;
	}
	return (high & EACH_HIGH ? BYTES_HIGH : 0) |
		(nul & EACH_HIGH ? BYTES_NUL : 0);
}

static bool
portable_utf8(const uint8_t *p, size_t n)
{
	struct utf8 u = UTF8_INIT;

	utf8_add(&u, p, n);
	return utf8_end(&u);
}

const struct isa isa_portable = {
	.name = "portable",
	.supported = portable_supported,
	.find = portable_find,
	.bytes = portable_bytes,
	.utf8 = portable_utf8,
};
