/*
 * receipts.h - the receipts a source owes: made from what the catalog, the
 * ledger and the landing file say, put into a place, and marked as given in
 * the catalog. A crash in between gives the same ones again.
 *
 *	receipts_begin(lane, cfg, &e);		before anything lands
 *	...
 *	receipts_give(&g, &given, &e);		as often as there are more
 *
 * An entry of the ledger is owed once: what landed while no receipt was
 * configured in between is made up for; what landed before the first time is
 * not. `landfall receipt` makes any.
 */
#ifndef DAEMON_RECEIPTS_H
#define DAEMON_RECEIPTS_H

#include "daemon/engine.h"
#include "daemon/outbox.h"
#include "landfall/ledger.h"

/* What a receipt is made of; all of it one thread's. */
struct receipts_sources {
	struct catalog *catalog;
	struct zone *zone;
	struct ledger_view *ledger;
};

/* Has the source receipts to give? */
bool receipts_wanted(const struct source_config *cfg);

/*
 * The receipt of one entry, appended to s. END: no version has this index.
 * BAD_SOURCE: the ledger cannot be read. BROKEN: the catalog.
 */
enum rc receipts_make(const struct receipts_sources *from, uint64_t index,
	struct str *s, struct err *e) MUST_USE;

/*
 * From now on each entry of the ledger is owed. Once is enough, and again
 * does no harm; without a receipt in the configuration it does nothing.
 */
enum rc receipts_begin(struct lane *l, const struct source_config *cfg,
	struct err *e) MUST_USE;

/*
 * Is anything owed? As slow as the ledger grew since it was asked last.
 */
enum rc receipts_due(struct lane *l, const struct source_config *cfg, bool *ret,
	struct err *e) MUST_USE;

struct receipts_owed {
	uint64_t n;
	int64_t since; /* wall: when the first of them landed */
};

/* All of it, in figures. Not configured: none. */
enum rc receipts_count(struct catalog *c, const struct source_config *cfg,
	struct receipts_owed *ret, struct err *e) MUST_USE;

struct receipts_given {
	uint64_t n;
	uint64_t lost;	    /* could not be, and will not */
	struct str trouble; /* why the first of them */
	bool more;	    /* are owed by now */
};

#define RECEIPTS_MOST 256 /* at once */

/*
 * Gives what a source owes into a place, oldest first, up to RECEIPTS_MOST.
 * `zone` is the zone's path. r is empty before; its trouble is the caller's.
 * BAD_SOURCE: the place or the ledger failed, and what was not given is owed
 * still. BROKEN: the catalog.
 */
enum rc receipts_give(struct lane *l, const char *zone,
	const struct source_config *cfg, const struct outbox *o,
	struct receipts_given *r, struct err *e) MUST_USE;

#endif
