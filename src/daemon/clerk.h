/*
 * clerk.h - hands out the receipts that sources owe (receipts.h), after
 * landing and never in its way: what cannot be given is told, tried again
 * after a while (backoff.h), and owed until it is.
 */
#ifndef DAEMON_CLERK_H
#define DAEMON_CLERK_H

#include "daemon/engine.h"

/* ---- a thread, for as long as the daemon runs ---- */

struct clerk;

/* cfg outlives it. BROKEN: the catalog. */
enum rc clerk_start(struct engine *g, const struct config *cfg,
	struct clerk **ret, struct err *e) MUST_USE;

/* Something has landed. Any thread. */
void clerk_ring(struct clerk *c);

/* What is not given yet the next run gives. NULL is fine. */
void clerk_stop(struct clerk *c);

/* ---- or once, before the process ends ---- */

/*
 * Gives what one source owes. BAD_SOURCE: they could not be given, or some of
 * them never; e says why, and *ret_owed how many are owed still. BROKEN: the
 * catalog.
 */
enum rc clerk_flush(struct engine *g, const struct config *cfg,
	const struct source_config *source, uint64_t *ret_owed,
	struct err *e) MUST_USE;

#endif
