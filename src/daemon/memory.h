/*
 * memory.h - the records that a stream remembers: those within the reach of
 * its next look back, so that what comes again is known to have landed.
 *
 *	memory_init(&m, catalog, stream, until);
 *	memory_look(&m, digest, &seen, &e)	for each record, in order
 *	memory_put(&m, c, stream, &e)		inside the landing's transaction
 *	memory_clear(&m)			that was durable
 *	memory_release(&m);
 *
 * It lies in the catalog; what a landing under way adds is held here until
 * it is recorded together with it. Both are bounded: beyond MEMORY_PENDING
 * records of one landing are not remembered, and would be landed once more
 * instead of being lost.
 *
 * A digest is the beginning of a SHA-256: of the record's bytes, or of its
 * key alone where the first copy of a key is the only one.
 */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include <stdbool.h>

#include "landfall/catalog.h"

#define MEMORY_PENDING (1u << 19)

struct memory {
	struct catalog *catalog; /* for reading */
	int64_t stream;		 /* 0: it has no row, and knows nothing */
	int64_t until;
	/* A hash table of those not recorded yet: open, at most half full. */
	uint8_t (*slot)[CATALOG_SEEN];
	bool *used;
	size_t cap;
	size_t n;
	uint64_t forgotten; /* for which there was no room */
};

void
memory_init(struct memory *m, struct catalog *c, int64_t stream, int64_t until);
void memory_release(struct memory *m);

/* *ret_seen: it was there before. It is from now on. */
enum rc memory_look(struct memory *m, const uint8_t digest[CATALOG_SEEN],
	bool *ret_seen, struct err *e) MUST_USE;

/* Records those that are pending; in a transaction of c, for this stream. */
enum rc memory_put(const struct memory *m, struct catalog *c, int64_t stream,
	struct err *e) MUST_USE;

/* Nothing is pending: it is in the catalog, or void. */
void memory_clear(struct memory *m);

#endif
