/*
 * recall.h - a landing file read back into the delivery that it was.
 */
#ifndef LAND_RECALL_H
#define LAND_RECALL_H

#include "landfall/commit.h"

struct recall {
	struct landing *landing;
	struct delivery *d;
};

/*
 * END: it is not there. With `whole` every byte of it is verified, and its
 * SHA-256 known. To be released also when it fails.
 */
enum rc recall_read(struct recall *r, struct zone *z, const char *path,
	bool whole, struct err *e) MUST_USE;

void recall_release(struct recall *r);

#endif
