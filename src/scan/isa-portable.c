/* isa-portable.c - eight bytes in a 64-bit word, with nothing but C. */
#include "scan/isa.h"

#include <string.h>

#include "scan/utf8.h"

#define BLOCKS_TARGET

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define EACH_HIGH UINT64_C(0x8080808080808080)
#define EACH_LOW UINT64_C(0x7f7f7f7f7f7f7f7f)

struct block_bytes {
	uint64_t high;
	uint64_t nul;
};

#define BLOCK_BYTES_INIT \
	{ \
		0, 0 \
	}

#include "scan/csv-blocks.h"
#include "scan/json-blocks.h"

/* Byte i of the text in bits 8i .. 8i + 7, on every machine. */
static inline uint64_t
word(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

/* Bit 8i + 7 is set exactly when byte i of w is zero. */
static inline uint64_t
zeros(uint64_t w)
{
	return ~(((w & EACH_LOW) + EACH_LOW) | w | EACH_LOW);
}

/* Those eight bits side by side: the product brings each to the top byte. */
static inline uint64_t
gather(uint64_t high)
{
	return (high >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline unsigned
block_bytes_end(const struct block_bytes *bytes)
{
	return (bytes->high & EACH_HIGH ? BYTES_HIGH : 0) |
		(bytes->nul & EACH_HIGH ? BYTES_NUL : 0);
}

static inline void
see_word(struct block_bytes *bytes, uint64_t w)
{
	bytes->high |= w;
	/* Exact for whether there is a zero byte at all. */
	bytes->nul |= (w - EACH_BYTE) & ~w;
}

static inline struct block
block_load(const struct isa_csv *d, const uint8_t *p, struct block_bytes *bytes)
{
	struct block b = {0};

	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint64_t w = word(p + i);

		see_word(bytes, w);
		if (d->quoted)
			b.quote |= gather(zeros(w ^ EACH_BYTE * d->quote)) << i;
		b.delimiter |= gather(zeros(w ^ EACH_BYTE * d->delimiter)) << i;
		b.cr |= gather(zeros(w ^ EACH_BYTE * '\r')) << i;
		b.lf |= gather(zeros(w ^ EACH_BYTE * '\n')) << i;
	}
	return b;
}

static inline struct json_block
json_load(const uint8_t *p, struct block_bytes *bytes)
{
	const uint64_t bit = EACH_BYTE * 0x20;
	struct json_block b = {0};

	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint64_t w = word(p + i), v = w | bit;
		/* Bytes below 0x20 have none of the bits above. */
		uint64_t control = zeros(w & EACH_BYTE * 0xe0);
		uint64_t mark = zeros(v ^ EACH_BYTE * '{') |
			zeros(v ^ EACH_BYTE * '}') |
			zeros(v ^ EACH_BYTE * ':') | zeros(v ^ EACH_BYTE * ',');
		uint64_t blank = zeros(w ^ EACH_BYTE * ' ');

		see_word(bytes, w);
		if (control != 0)
			blank |= zeros(w ^ EACH_BYTE * '\t') |
				zeros(w ^ EACH_BYTE * '\n') |
				zeros(w ^ EACH_BYTE * '\r');
		b.quote |= gather(zeros(w ^ EACH_BYTE * '"')) << i;
		b.backslash |= gather(zeros(w ^ EACH_BYTE * '\\')) << i;
		b.mark |= gather(mark) << i;
		b.blank |= gather(blank) << i;
		b.control |= gather(control) << i;
	}
	return b;
}

static inline uint64_t
block_prefix_xor(uint64_t quotes)
{
	for (unsigned shift = 1; shift < BLOCK; shift *= 2)
		quotes ^= quotes << shift;
	return quotes;
}

static bool
portable_supported(void)
{
	return true;
}

/* One pass for both: a memchr() for each could look far for the rarer. */
static size_t
portable_find(const uint8_t *p, size_t n, uint8_t a, uint8_t b)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t w = word(p + i);
		uint64_t hit =
			zeros(w ^ EACH_BYTE * a) | zeros(w ^ EACH_BYTE * b);

		if (hit != 0)
			return i + (size_t)__builtin_ctzll(hit) / 8;
	}
	while (i < n && p[i] != a && p[i] != b)
		i++;
	return i;
}

static size_t
portable_plain(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && jsonr_is(p[i], CLASS_PLAIN))
		i++;
	return i;
}

static unsigned
portable_bytes(const uint8_t *p, size_t n)
{
	struct block_bytes bytes = BLOCK_BYTES_INIT;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		see_word(&bytes, word(p + i));
	for (; i < n; i++)
		see_word(&bytes, EACH_BYTE * p[i]);
	return block_bytes_end(&bytes);
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
	.csv = blocks_csv,
	.json = blocks_json,
	.plain = portable_plain,
	.find = portable_find,
	.bytes = portable_bytes,
	.utf8 = portable_utf8,
};

/* The definition alone, for tests to compare with. */
const struct isa isa_scalar = {
	.name = "scalar",
	.supported = portable_supported,
	.find = portable_find,
	.bytes = portable_bytes,
	.utf8 = portable_utf8,
};
