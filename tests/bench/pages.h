/*
 * pages.h - pages of records as APIs answer them, made up: what the
 * benchmarks of JSON read.
 *
 * A page is {"data":[RECORD,...],"links":{...},"meta":{...}}. A record has
 * about 2.5 KB: an id, timestamps, names, a nested address, labels, line items
 * with decimals, a text with escapes and now and then one in another script.
 * No two are alike.
 *
 *	struct pages m;
 *
 *	pages_init(&m, 1);
 *	pages_add(&m, &s, 100, next);	one more page of 100 records
 */
#ifndef BENCH_PAGES_H
#define BENCH_PAGES_H

#include <stdint.h>

#include "base/str.h"

struct pages {
	uint64_t random;
	uint64_t record;
};

/* The same seed makes the same bytes. */
void pages_init(struct pages *m, uint64_t seed);

/* next: the link to the next page as it is written; NULL: it is the last. */
void
pages_add(struct pages *m, struct str *s, unsigned records, const char *next);

#endif
