/*
 * seal.h - what follows when a group is recorded: lines of SHA256SUMS, then
 * entries of the ledger. The same after a commit and after a crash.
 *
 *	struct seal x = SEAL_INIT;
 *	seal_add(&x, entry, len, file, sum);	in the order of the ledger
 *	seal_set(&x, c, &e);
 *	seal_release(&x);
 *
 * What is there already of SHA256SUMS is not written again.
 */
#ifndef LAND_SEAL_H
#define LAND_SEAL_H

#include "landfall/commit.h"

/* A landing file and its line. */
struct seal_sum {
	char *file;
	uint8_t sum[HASH_LEN];
};

struct seal {
	struct str text; /* of all entries */
	size_t *len;
	size_t n, cap;
	struct seal_sum *sum;
	size_t n_sums, cap_sums;
};

#define SEAL_INIT \
	{ \
		.text = STR_INIT \
	}

void seal_release(struct seal *x);

/* file: that landed with this entry; NULL: none. All is copied. */
void seal_add(struct seal *x, const char *entry, size_t len, const char *file,
	const uint8_t *sum);

enum rc seal_set(struct seal *x, struct commit *c, struct err *e) MUST_USE;

#endif
