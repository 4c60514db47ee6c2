/*
 * tell.h - what the catalog learns of a delivery, the same whether it is
 * committed, brought forward after a crash, or rebuilt from the ledger.
 */
#ifndef LAND_TELL_H
#define LAND_TELL_H

#include "landfall/commit.h"

/*
 * The version, why it stands as it does, what it settles, and the shape of
 * its source's newest delivery. Inside a transaction; d has its index and
 * landed_at.
 */
enum rc
commit_put(struct catalog *c, struct delivery *d, struct err *e) MUST_USE;

/*
 * A rejection instead: a line in the story and the ledger entry, which has
 * no version, in the outbox.
 */
enum rc commit_reject(struct catalog *c, const struct delivery *d,
	const char *entry, size_t len, struct err *e) MUST_USE;

#endif
