/*
 * courier.h - brings alerts from the catalog to whom they are for. At least
 * once: an alert leaves the catalog after it was delivered, so a crash in
 * between sends it again, with the same id.
 *
 * What fails comes again after a while (backoff.h), and a place that fails is
 * left alone meanwhile; after a day it is given up, loudly. Landing never
 * waits for any of it.
 */
#ifndef DAEMON_COURIER_H
#define DAEMON_COURIER_H

#include "daemon/engine.h"

/* ---- a thread, for as long as the daemon runs ---- */

struct courier;

/* cfg outlives it. BROKEN: the catalog. */
enum rc courier_start(struct engine *g, const struct config *cfg,
	struct courier **ret, struct err *e) MUST_USE;

/* There is something new. Any thread. */
void courier_ring(struct courier *c);

/* Cuts short what is under way; the catalog keeps it. NULL is fine. */
void courier_stop(struct courier *c);

/* ---- or once, before the process ends ---- */

struct courier_report {
	uint64_t delivered;
	uint64_t left; /* not delivered; the next run tries again */
	uint64_t given_up;
	struct str trouble; /* a line for each that was not delivered */
};

/*
 * Tries whatever is to be delivered, three times within a minute or so. r is
 * empty before and its trouble the caller's after. BROKEN: the catalog.
 */
enum rc courier_flush(struct engine *g, const struct config *cfg,
	struct courier_report *r, struct err *e) MUST_USE;

#endif
