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
