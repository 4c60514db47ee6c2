/*
 * isa.h - what the scanner asks of a processor.
 *
 * One file for each instruction set fills this table; isa-portable.c is the
 * last resort and needs nothing. All of them give the same answers: tests and
 * fuzzing run every one this machine has against the scalar machine.
 */
#ifndef SCAN_ISA_H
#define SCAN_ISA_H

#include <stdbool.h>

#include "base/attr.h"
#include "landfall/scan.h"

/* What occurs somewhere in a run of bytes. */
#define BYTES_NUL 1u
#define BYTES_HIGH 2u /* above 0x7f */

/* What csv() needs to know about a dialect. */
struct isa_csv {
	uint64_t max_record;
	uint32_t columns; /* 0: any */
	enum scan_terminator terminator;
	uint8_t delimiter;
	bool quoted; /* has a quote byte */
	uint8_t quote;
	bool blank_ok; /* a blank line is a record */
	int comment;   /* a byte, or SCAN_NONE */
	const uint8_t *prefix;
	uint32_t prefix_len; /* 0: no trailer prefix */
};

#define ISA_JSON_ROOM 24

struct isa {
	const char *name;
	bool (*supported)(void);

	/*
	 * Ordinary records without any trouble, from p, where one starts:
	 * writes their ends as offset + distance from p, at most cap, and
	 * returns how many. Stops before the first record that is not
	 * plainly well-formed or whose end is not in sight. *ret_bytes gets
	 * at least the BYTES_* of those records. NULL: never any.
	 */
	size_t (*csv)(const struct isa_csv *d, const uint8_t *p, size_t n,
		uint64_t offset, uint64_t *ends, size_t cap,
		unsigned *ret_bytes);

	/*
	 * Where the tokens of a JSON text start, as distances from p, which
	 * is not within a token: n <= 32768 bytes, room for
	 * n + ISA_JSON_ROOM tokens. Of a string the opening quote; of what is
	 * not JSON anything that is no blank. Returns how many bytes were
	 * looked at: less than n only where behind them, within 64 bytes, an
	 * escape is wrong or not whole or a string has a control character.
	 * *ret_bytes as above. NULL: the machine for single bytes does all.
	 */
	size_t (*json)(const uint8_t *p, size_t n, uint16_t *at, size_t *ret_n,
		unsigned *ret_bytes);

	/* How many bytes at the front are CLASS_PLAIN. NULL: ask for each. */
	size_t (*plain)(const uint8_t *p, size_t n);

	/* The first a or b in p[0 .. n); n when there is none. */
	size_t (*find)(const uint8_t *p, size_t n, uint8_t a, uint8_t b);

	/* Which BYTES_* occur. */
	unsigned (*bytes)(const uint8_t *p, size_t n);

	/* Whether all of it is UTF-8 (RFC 3629 section 4). */
	bool (*utf8)(const uint8_t *p, size_t n);
};

extern const struct isa isa_avx512; /* where __x86_64__ */
extern const struct isa isa_avx2;   /* likewise */
extern const struct isa isa_portable;
extern const struct isa isa_scalar; /* no csv(): the definition of it */

/* The one that scan_new takes. */
const struct isa *isa_current(void);

#endif
