/* isa-avx512.c - Intel servers since 2017, AMD since 2022. */
#include "scan/isa.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <string.h>

#include "scan/utf8.h"

#define BLOCKS_TARGET \
	__attribute__(( \
		target("avx512f,avx512bw,avx2,pclmul,bmi,bmi2,popcnt,lzcnt")))

struct block_bytes {
	__m512i high; /* all bytes, or-ed */
	__m512i low;  /* the smallest byte of each lane */
};

#define BLOCK_BYTES_INIT \
	{ \
		_mm512_setzero_si512(), _mm512_set1_epi8(-1) \
	}

#include "scan/csv-blocks.h"
#include "scan/json-blocks.h"

BLOCKS_TARGET static inline __m512i
load(const uint8_t *p)
{
	return _mm512_loadu_si512(p);
}

BLOCKS_TARGET static inline uint64_t
mask(__m512i v, uint8_t c)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8((char)c));
}

BLOCKS_TARGET static inline void
see_bytes(struct block_bytes *bytes, __m512i v)
{
	bytes->high = _mm512_or_si512(bytes->high, v);
	bytes->low = _mm512_min_epu8(bytes->low, v);
}

BLOCKS_TARGET static inline unsigned
block_bytes_end(const struct block_bytes *bytes)
{
	return (_mm512_movepi8_mask(bytes->high) != 0 ? BYTES_HIGH : 0) |
		(mask(bytes->low, 0) != 0 ? BYTES_NUL : 0);
}

BLOCKS_TARGET static inline struct block
block_load(const struct isa_csv *d, const uint8_t *p, struct block_bytes *bytes)
{
	__m512i v = load(p);

	see_bytes(bytes, v);
	return (struct block){
		.quote = d->quoted ? mask(v, d->quote) : 0,
		.delimiter = mask(v, d->delimiter),
		.cr = mask(v, '\r'),
		.lf = mask(v, '\n'),
	};
}

#define TABLE(t) _mm512_broadcast_i32x4(*(const __m128i *)(t))

/* Bytes that are what the table has for the lower half of `like`. */
BLOCKS_TARGET static inline uint64_t
as_in(const uint8_t table[16], __m512i like, __m512i v)
{
	return _mm512_cmpeq_epi8_mask(
		_mm512_shuffle_epi8(TABLE(table), like), v);
}

BLOCKS_TARGET static inline struct json_block
json_load(const uint8_t *p, struct block_bytes *bytes)
{
	__m512i v = load(p);

	bytes->high = _mm512_or_si512(bytes->high, v);
	return (struct json_block){
		.quote = mask(v, '"'),
		.backslash = mask(v, '\\'),
		.mark = as_in(json_marks, v,
			_mm512_or_si512(v, _mm512_set1_epi8(0x20))),
		.blank = as_in(json_blanks, v, v),
		.control = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)),
	};
}

/* Carry-less multiplication by all ones. */
BLOCKS_TARGET static inline uint64_t
block_prefix_xor(uint64_t quotes)
{
	__m128i q = _mm_set_epi64x(0, (long long)quotes);

	q = _mm_clmulepi64_si128(q, _mm_set1_epi8(-1), 0);
	return (uint64_t)_mm_cvtsi128_si64(q);
}

static bool
avx512_supported(void)
{
	return __builtin_cpu_supports("avx512f") &&
		__builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("pclmul") &&
		__builtin_cpu_supports("bmi") &&
		__builtin_cpu_supports("bmi2") &&
		__builtin_cpu_supports("popcnt");
}

BLOCKS_TARGET static size_t
avx512_find(const uint8_t *p, size_t n, uint8_t a, uint8_t b)
{
	size_t i = 0;

	for (; n - i >= 64; i += 64) {
		__m512i v = load(p + i);
		uint64_t bits = mask(v, a) | mask(v, b);

		if (bits != 0)
			return i + (size_t)__builtin_ctzll(bits);
	}
	while (i < n && p[i] != a && p[i] != b)
		i++;
	return i;
}

BLOCKS_TARGET static size_t
avx512_plain(const uint8_t *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= 64; i += 64) {
		__m512i v = load(p + i);
		/* Signed: above 0x7f is below. */
		uint64_t bits = mask(v, '"') | mask(v, '\\') |
			_mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(0x20));

		if (bits != 0)
			return i + (size_t)__builtin_ctzll(bits);
	}
	while (i < n && jsonr_is(p[i], CLASS_PLAIN))
		i++;
	return i;
}

BLOCKS_TARGET static unsigned
avx512_bytes(const uint8_t *p, size_t n)
{
	struct block_bytes bytes = BLOCK_BYTES_INIT;
	size_t i = 0;

	for (; n - i >= 64; i += 64)
		see_bytes(&bytes, load(p + i));
	return block_bytes_end(&bytes) | isa_portable.bytes(p + i, n - i);
}

/*
 * What is wrong in the 64 bytes at p, knowing the three before them (see
 * utf8.h): *due by bits, *pair by bytes.
 */
BLOCKS_TARGET static inline void
utf8_wrong(const uint8_t *p, uint64_t *due, __m512i *pair)
{
	const __m512i low = _mm512_set1_epi8(15);
	__m512i c = load(p), c1 = load(p - 1), c2 = load(p - 2);
	__m512i c3 = load(p - 3), want, wrong;

	/* A top bit is left where a lead asks for this byte. */
	want = _mm512_subs_epu8(c1, _mm512_set1_epi8(0xc0 - 0x80));
	want = _mm512_or_si512(
		want, _mm512_subs_epu8(c2, _mm512_set1_epi8(0xe0 - 0x80)));
	want = _mm512_or_si512(
		want, _mm512_subs_epu8(c3, _mm512_set1_epi8(0xf0 - 0x80)));
	*due |= _mm512_movepi8_mask(want) ^
		_mm512_cmplt_epi8_mask(c, _mm512_set1_epi8((char)0xc0));

	wrong = _mm512_and_si512(
		_mm512_shuffle_epi8(TABLE(utf8_lead_high),
			_mm512_and_si512(_mm512_srli_epi16(c1, 4), low)),
		_mm512_shuffle_epi8(
			TABLE(utf8_lead_low), _mm512_and_si512(c1, low)));
	wrong = _mm512_and_si512(wrong,
		_mm512_shuffle_epi8(TABLE(utf8_second_high),
			_mm512_and_si512(_mm512_srli_epi16(c, 4), low)));
	*pair = _mm512_or_si512(*pair, wrong);
}

/* n <= 64 bytes amid zeros: ASCII, so that nothing is open at the edges. */
BLOCKS_TARGET static inline void
utf8_edge(
	const uint8_t *p, size_t before, size_t n, uint64_t *due, __m512i *pair)
{
	uint8_t room[3 + 64] = {0};

	memcpy(room + 3 - before, p - before, before + n);
	utf8_wrong(room + 3, due, pair);
}

BLOCKS_TARGET static bool
avx512_utf8(const uint8_t *p, size_t n)
{
	__m512i pair = _mm512_setzero_si512();
	uint64_t due = 0;
	size_t i = 64;

	if (n < 64)
		return isa_portable.utf8(p, n);
	utf8_edge(p, 0, 64, &due, &pair);
	for (; n - i >= 64; i += 64)
		utf8_wrong(p + i, &due, &pair);
	/* Fewer than 64 are left: the zero behind them ends every sequence. */
	utf8_edge(p + i, 3, n - i, &due, &pair);
	return due == 0 && _mm512_test_epi8_mask(pair, pair) == 0;
}

const struct isa isa_avx512 = {
	.name = "avx512",
	.supported = avx512_supported,
	.csv = blocks_csv,
	.json = blocks_json,
	.plain = avx512_plain,
	.find = avx512_find,
	.bytes = avx512_bytes,
	.utf8 = avx512_utf8,
};

#endif
