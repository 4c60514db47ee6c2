/*
 * tell.h - what the catalog learns of a delivery beside its version: why it
 * stands as it does, and what the newest delivery of its source looks like.
 */
#ifndef LAND_TELL_H
#define LAND_TELL_H

#include "landfall/commit.h"

/* After catalog_put, in the same transaction. */
enum rc commit_tell(struct catalog *c, struct delivery *d, int64_t now,
	struct err *e) MUST_USE;

/*
 * A rejection instead: a line in the story and the ledger entry, which has
 * no version, in the outbox.
 */
enum rc commit_reject(struct catalog *c, const struct delivery *d,
	const char *entry, size_t len, struct err *e) MUST_USE;

#endif
