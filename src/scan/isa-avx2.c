/* isa-avx2.c - Intel since 2013, AMD since 2015. */
#include "scan/isa.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <string.h>

#include "scan/utf8.h"

#define BLOCKS_TARGET \
	__attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")))

struct block_bytes {
	__m256i high; /* all bytes, or-ed */
	__m256i low;  /* the smallest byte of each lane */
};

#define BLOCK_BYTES_INIT \
	{ \
		_mm256_setzero_si256(), _mm256_set1_epi8(-1) \
	}

#include "scan/csv-blocks.h"
#include "scan/json-blocks.h"

BLOCKS_TARGET static inline __m256i
load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

BLOCKS_TARGET static inline uint64_t
mask(__m256i a, __m256i b, char c)
{
	__m256i all = _mm256_set1_epi8(c);
	int low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, all));
	int high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(b, all));

	return (uint32_t)low | (uint64_t)(uint32_t)high << 32;
}

BLOCKS_TARGET static inline void
see_bytes(struct block_bytes *bytes, __m256i a, __m256i b)
{
	bytes->high = _mm256_or_si256(bytes->high, _mm256_or_si256(a, b));
	bytes->low = _mm256_min_epu8(bytes->low, _mm256_min_epu8(a, b));
}

BLOCKS_TARGET static inline unsigned
block_bytes_end(const struct block_bytes *bytes)
{
	__m256i nul = _mm256_cmpeq_epi8(bytes->low, _mm256_setzero_si256());

	return (_mm256_movemask_epi8(bytes->high) != 0 ? BYTES_HIGH : 0) |
		(_mm256_movemask_epi8(nul) != 0 ? BYTES_NUL : 0);
}

BLOCKS_TARGET static inline struct block
block_load(const struct isa_csv *d, const uint8_t *p, struct block_bytes *bytes)
{
	__m256i a = load(p), b = load(p + 32);

	see_bytes(bytes, a, b);
	return (struct block){
		.quote = d->quoted ? mask(a, b, (char)d->quote) : 0,
		.delimiter = mask(a, b, (char)d->delimiter),
		.cr = mask(a, b, '\r'),
		.lf = mask(a, b, '\n'),
	};
}

#define TABLE(t) _mm256_broadcastsi128_si256(*(const __m128i *)(t))

BLOCKS_TARGET static inline uint64_t
both(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) |
		(uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

/* Bytes that are what the table has for the lower half of `like`. */
BLOCKS_TARGET static inline __m256i
as_in(const uint8_t table[16], __m256i like, __m256i v)
{
	return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(TABLE(table), like), v);
}

BLOCKS_TARGET static inline __m256i
below_space(__m256i v)
{
	const __m256i most = _mm256_set1_epi8(0x1f);

	return _mm256_cmpeq_epi8(_mm256_max_epu8(v, most), most);
}

BLOCKS_TARGET static inline struct json_block
json_load(const uint8_t *p, struct block_bytes *bytes)
{
	const __m256i bit = _mm256_set1_epi8(0x20);
	__m256i a = load(p), b = load(p + 32);

	bytes->high = _mm256_or_si256(bytes->high, _mm256_or_si256(a, b));
	return (struct json_block){
		.quote = mask(a, b, '"'),
		.backslash = mask(a, b, '\\'),
		.mark = both(as_in(json_marks, a, _mm256_or_si256(a, bit)),
			as_in(json_marks, b, _mm256_or_si256(b, bit))),
		.blank = both(
			as_in(json_blanks, a, a), as_in(json_blanks, b, b)),
		.control = both(below_space(a), below_space(b)),
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
avx2_supported(void)
{
	return __builtin_cpu_supports("avx2") &&
		__builtin_cpu_supports("pclmul") &&
		__builtin_cpu_supports("bmi") &&
		__builtin_cpu_supports("bmi2") &&
		__builtin_cpu_supports("popcnt");
}

BLOCKS_TARGET static size_t
avx2_find(const uint8_t *p, size_t n, uint8_t a, uint8_t b)
{
	__m256i all_a = _mm256_set1_epi8((char)a);
	__m256i all_b = _mm256_set1_epi8((char)b);
	size_t i = 0;

	for (; n - i >= 32; i += 32) {
		__m256i v = load(p + i);
		__m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(v, all_a),
			_mm256_cmpeq_epi8(v, all_b));
		unsigned bits = (unsigned)_mm256_movemask_epi8(hit);

		if (bits != 0)
			return i + (size_t)__builtin_ctz(bits);
	}
	while (i < n && p[i] != a && p[i] != b)
		i++;
	return i;
}

BLOCKS_TARGET static size_t
avx2_plain(const uint8_t *p, size_t n)
{
	const __m256i least = _mm256_set1_epi8(0x1f);
	size_t i = 0;

	for (; n - i >= 32; i += 32) {
		__m256i v = load(p + i);
		/* Signed: above 0x7f is below. */
		__m256i low = _mm256_cmpgt_epi8(v, least);
		__m256i hit = _mm256_or_si256(
			_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
			_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
		unsigned bits = ~(unsigned)_mm256_movemask_epi8(
			_mm256_andnot_si256(hit, low));

		if (bits != 0)
			return i + (size_t)__builtin_ctz(bits);
	}
	while (i < n && jsonr_is(p[i], CLASS_PLAIN))
		i++;
	return i;
}

BLOCKS_TARGET static unsigned
avx2_bytes(const uint8_t *p, size_t n)
{
	struct block_bytes bytes = BLOCK_BYTES_INIT;
	size_t i = 0;

	for (; n - i >= 64; i += 64)
		see_bytes(&bytes, load(p + i), load(p + i + 32));
	return block_bytes_end(&bytes) | isa_portable.bytes(p + i, n - i);
}

/*
 * What is wrong in the 32 bytes at p, knowing the three before them (see
 * utf8.h): *due by its top bits, *pair by any bit.
 */
BLOCKS_TARGET static inline void
utf8_wrong(const uint8_t *p, __m256i *due, __m256i *pair)
{
	const __m256i low = _mm256_set1_epi8(15);
	__m256i c = load(p), c1 = load(p - 1), c2 = load(p - 2);
	__m256i c3 = load(p - 3), want, got, wrong;

	/* A top bit is left where a lead asks for this byte. */
	want = _mm256_subs_epu8(c1, _mm256_set1_epi8(0xc0 - 0x80));
	want = _mm256_or_si256(
		want, _mm256_subs_epu8(c2, _mm256_set1_epi8(0xe0 - 0x80)));
	want = _mm256_or_si256(
		want, _mm256_subs_epu8(c3, _mm256_set1_epi8(0xf0 - 0x80)));
	got = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)0xc0), c);
	*due = _mm256_or_si256(*due, _mm256_xor_si256(want, got));

	wrong = _mm256_and_si256(
		_mm256_shuffle_epi8(TABLE(utf8_lead_high),
			_mm256_and_si256(_mm256_srli_epi16(c1, 4), low)),
		_mm256_shuffle_epi8(
			TABLE(utf8_lead_low), _mm256_and_si256(c1, low)));
	wrong = _mm256_and_si256(wrong,
		_mm256_shuffle_epi8(TABLE(utf8_second_high),
			_mm256_and_si256(_mm256_srli_epi16(c, 4), low)));
	*pair = _mm256_or_si256(*pair, wrong);
}

/* n <= 32 bytes amid zeros: ASCII, so that nothing is open at the edges. */
BLOCKS_TARGET static inline void
utf8_edge(
	const uint8_t *p, size_t before, size_t n, __m256i *due, __m256i *pair)
{
	uint8_t room[3 + 32] = {0};

	memcpy(room + 3 - before, p - before, before + n);
	utf8_wrong(room + 3, due, pair);
}

BLOCKS_TARGET static bool
avx2_utf8(const uint8_t *p, size_t n)
{
	__m256i due = _mm256_setzero_si256(), pair = due;
	size_t i = 32;

	if (n < 32)
		return isa_portable.utf8(p, n);
	utf8_edge(p, 0, 32, &due, &pair);
	for (; n - i >= 32; i += 32)
		utf8_wrong(p + i, &due, &pair);
	/* Fewer than 32 are left: the zero behind them ends every sequence. */
	utf8_edge(p + i, 3, n - i, &due, &pair);
	return _mm256_movemask_epi8(due) == 0 && _mm256_testz_si256(pair, pair);
}

const struct isa isa_avx2 = {
	.name = "avx2",
	.supported = avx2_supported,
	.csv = blocks_csv,
	.json = blocks_json,
	.plain = avx2_plain,
	.find = avx2_find,
	.bytes = avx2_bytes,
	.utf8 = avx2_utf8,
};

#endif
