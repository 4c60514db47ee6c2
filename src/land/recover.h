/*
 * recover.h - what a crash left half done in the zone, for recovery and for
 * the catalog that is made from the zone alone.
 */
#ifndef LAND_RECOVER_H
#define LAND_RECOVER_H

#include "land/intent.h"

/*
 * A group stands in the zone as a whole or not at all: once one of its files
 * was published, the others get their paths too.
 */
enum rc recover_group(struct zone *z, struct catalog *c, const struct intent *t,
	struct err *e) MUST_USE;

/*
 * A published file is recorded, if nobody has; *count grows then. Inside a
 * transaction.
 */
enum rc recover_file(struct zone *z, struct catalog *c, const char *path,
	uint64_t *count, struct err *e) MUST_USE;

#endif
