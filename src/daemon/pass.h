/*
 * pass.h - one look at one source: every name listed gets one disposition,
 * and the sum is checked.
 */
#ifndef DAEMON_PASS_H
#define DAEMON_PASS_H

#include "daemon/engine.h"

/*
 * Counts of a pass while it runs: the listing thread and the committer both
 * add to it.
 */
struct tally;

struct tally *tally_new(void) MUST_USE;
void tally_free(struct tally *t);

/* The engine's done callback forwards each delivery here. */
void tally_done(struct tally *t, const struct delivery *d);

struct pass_report {
	struct catalog_pass pass; /* trouble points into `trouble` */
	struct str trouble;
	uint64_t troubles; /* directories that could not be listed */
	uint64_t settled;  /* quarantined, and somebody has decided */
	uint64_t failed;   /* pending because they could not be read */
	int64_t wait;	   /* ns until another look may help, 0: none would */
};

void pass_report_init(struct pass_report *r);
void pass_report_release(struct pass_report *r);

/*
 * Looks at the source, lands what is complete, waits until it is durable and
 * records the pass. BAD_SOURCE: it could not be looked at (recorded too);
 * BROKEN: we must stop, or the sums do not close.
 */
enum rc
pass_run(struct engine *g, struct tally *t, const struct source_config *cfg,
	struct pass_report *r, struct err *e) MUST_USE;

#endif
