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
tell_version(struct catalog *c, struct delivery *d, struct err *e) MUST_USE;

/*
 * A rejection instead: the name stands as it stood, its story has one line
 * more, and the ledger entry, which has no version, is in the outbox.
 */
enum rc tell_rejection(struct catalog *c, const struct delivery *d,
	const char *entry, size_t len, struct err *e) MUST_USE;

#endif
