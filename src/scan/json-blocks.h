/*
 * json-blocks.h - the tokens of a JSON text, 64 bytes at a time; the same
 * code for every instruction set.
 *
 * The file that includes it has included csv-blocks.h and defines json_load()
 * behind: the masks of one block, bit i for byte i. After Langdale and
 * Lemire, "Parsing gigabytes of JSON per second", 2019: the prefix XOR of the
 * quotes that are not escaped says what is within strings.
 */
#ifndef SCAN_JSON_BLOCKS_H
#define SCAN_JSON_BLOCKS_H

#include <string.h>

#include "scan/jsonr-state.h"

struct json_block {
	uint64_t quote;
	uint64_t backslash;
	uint64_t mark; /* { } [ ] : , and perhaps control characters */
	uint64_t blank;
	uint64_t control; /* below 0x20 */
};

/*
 * By the lower half of a byte, the only byte of a kind it can be. Marks once
 * bit 0x20 is set, so that 0x0c and 0x1a look like marks too.
 */
extern const uint8_t json_marks[16];
extern const uint8_t json_blanks[16];

BLOCKS_TARGET static inline struct json_block
json_load(const uint8_t *p, struct block_bytes *bytes);

/* p[0 .. n) behind a backslash begins with a whole escape. */
BLOCKS_TARGET static inline bool
json_escape(const uint8_t *p, size_t n)
{
	if (n == 0 || p[0] != 'u')
		return n > 0 && jsonr_is(p[0], CLASS_ESCAPE);
	return n > 4 &&
		(jsonr_class[p[1]] & jsonr_class[p[2]] & jsonr_class[p[3]] &
			jsonr_class[p[4]] & CLASS_HEX) != 0;
}

/*
 * The bytes that are escaped, from the backslashes of the block at p + at.
 * *carry: the first byte is. False: an escape that is wrong.
 */
BLOCKS_TARGET static inline bool
json_escaped(const uint8_t *p, size_t n, size_t at, uint64_t backslash,
	uint64_t *carry, uint64_t *ret)
{
	uint64_t escaped = *carry;

	backslash &= ~*carry;
	*carry = 0;
	while (backslash != 0) {
		size_t i = (size_t)__builtin_ctzll(backslash);

		if (!json_escape(p + at + i + 1, n - at - i - 1))
			return false;
		if (i == BLOCK - 1)
			*carry = 1;
		else
			escaped |= UINT64_C(2) << i;
		/* An escaped backslash escapes nothing. */
		backslash &= ~(UINT64_C(3) << i);
	}
	*ret = escaped;
	return true;
}

/*
 * Writes down where the bits of a block are. Eight at a time without asking:
 * how many there are cannot be predicted.
 */
BLOCKS_TARGET static inline size_t
json_write(uint64_t bits, size_t base, uint16_t *at)
{
	const uint64_t none = UINT64_C(1) << 63; /* keeps ctz defined */
	size_t n = (size_t)__builtin_popcountll(bits), i = 0;

	do {
		for (size_t k = 0; k < 8; k++) {
			at[i + k] = (uint16_t)(base +
				(size_t)__builtin_ctzll(bits | none));
			bits &= bits - 1;
		}
		i += 8;
	} while (i < n);
	return n;
}

/* struct isa: json */
BLOCKS_TARGET static size_t
blocks_json(const uint8_t *p, size_t n, uint16_t *at, size_t *ret_n,
	unsigned *ret_bytes)
{
	uint64_t inside = 0, escape = 0, goes_on = 0;
	struct block_bytes bytes = BLOCK_BYTES_INIT;
	size_t found = 0, i;
	uint8_t room[BLOCK];

	for (i = 0; i < n; i += BLOCK) {
		const uint8_t *from = p + i;
		uint64_t escaped = 0, quote, in, other, start;
		struct json_block b;

		if (n - i < BLOCK) {
			memset(room, ' ', BLOCK);
			memcpy(room, from, n - i);
			from = room;
		} else {
			block_prefetch(from);
		}
		b = json_load(from, &bytes);
		if ((b.backslash | escape) != 0 &&
			!json_escaped(p, n, i, b.backslash, &escape, &escaped))
			break;
		quote = b.quote & ~escaped;
		/* From each opening quote up to the byte before its closing. */
		in = block_prefix_xor(quote) ^ inside;
		if ((b.control & in) != 0)
			break;
		inside = 0 - (in >> 63);
		/* Not the second byte of a word or number. */
		other = ~(b.mark | b.blank | quote);
		start = ~(b.mark | b.blank) & ~(other << 1 | goes_on);
		goes_on = other >> 63;
		found += json_write(
			(b.mark | start) & ~(in ^ quote), i, at + found);
	}
	*ret_n = found;
	*ret_bytes = block_bytes_end(&bytes);
	return i < n ? i : n;
}

#endif
