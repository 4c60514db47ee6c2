/*
 * mixed.h - CSV as partners send it, made up: what the benchmarks read.
 *
 * Six columns, CRLF, UTF-8, about 80 bytes a record, never the same twice.
 * With quotes, half of the cities and a quarter of the notes are quoted and
 * hold a comma, a doubled quote, a CRLF or nothing special.
 *
 *	struct mixed m;
 *
 *	mixed_init(&m, true, 1);
 *	mixed_fill(&m, p, n);		the header and records
 *	mixed_fill(&m, p, n);		more records
 */
#ifndef BENCH_MIXED_H
#define BENCH_MIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIXED_RECORD_MAX 128

struct mixed {
	uint64_t random;
	bool quotes;
	bool begun; /* the header is out */
};

/* The same seed makes the same bytes. */
void mixed_init(struct mixed *m, bool quotes, uint64_t seed);

/*
 * The next n bytes, n >= 3 * MIXED_RECORD_MAX. They end with a whole record,
 * whose note is as long as it takes.
 */
void mixed_fill(struct mixed *m, char *p, size_t n);

#endif
