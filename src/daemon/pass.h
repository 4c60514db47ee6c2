/*
 * pass.h - one look at one source: every name listed gets one disposition,
 * and the sum is checked. Between passes, a look at single names that a
 * watcher hinted at.
 */
#ifndef DAEMON_PASS_H
#define DAEMON_PASS_H

#include <stdatomic.h>

#include "daemon/after.h"
#include "daemon/engine.h"

/* A single pass does not wait longer than this for a second look. */
#define PASS_WAIT_MOST (300 * INT64_C(1000000000))

struct pass_options {
	const struct source_config *config;
	/* Once it is set the look is abandoned; NULL: nobody sets it. */
	const atomic_bool *cancel;
	/* Called by the committer for each delivery once it is durable. */
	void (*done)(void *arg, const struct delivery *d);
	void *arg;
};

/* Deliveries that wait for a human, and the first of them. */
struct pass_stuck {
	uint64_t count;
	uint8_t *name; /* NULL: none */
	size_t len;
	char *reason;
};

struct pass_report {
	struct catalog_pass pass; /* trouble points into `trouble` */
	struct str remark;	  /* to be told, though it is no trouble */
	struct str trouble;
	uint64_t troubles; /* directories that could not be listed */
	uint64_t settled;  /* quarantined, and somebody has decided */
	uint64_t failed;   /* pending because they could not be read */
	/* Of archives, beside the names: what became of those that are new. */
	uint64_t members[DISPOSITIONS];
	uint64_t missing; /* of them, that could not be had */
	uint64_t no_room; /* pending because the disk would be full */
	struct pass_stuck stuck[CONDITIONS]; /* by what they wait for */
	struct after_report after;
	struct str receipts; /* why some were not given at the source, or "" */
	int64_t wait; /* ns until another look may help, 0: none would soon */
};

/* Names to look at, which may become more while they are. */
struct pass_list {
	struct pass_name *name;
	size_t n;
	/* Adds what is to be looked at too by now, each name once; false:
	   nothing is. NULL: these are all. */
	bool (*more)(void *arg, struct pass_list *l);
	void *arg;
};

void pass_report_init(struct pass_report *r);
void pass_report_release(struct pass_report *r);

/*
 * Looks at the source, lands what is complete, waits until it is durable,
 * does what is to be done at the source after that, and records the pass.
 * BAD_SOURCE: it could not be looked at (recorded too); AGAIN: *cancel, and
 * what was not done is left as if nobody had looked; BROKEN: we must stop, or
 * the sums do not close.
 */
enum rc pass_run(struct engine *g, const struct pass_options *o,
	struct pass_report *r, struct err *e) MUST_USE;

/*
 * The same for some names only; no pass is recorded, for nothing is said of
 * the others. A name that is gone ends as ignored if it was pending. What
 * comes while names are read and made durable joins in: one who drops files
 * for an hour is not served in steps, each of which waits for the disk.
 */
enum rc pass_names(struct engine *g, const struct pass_options *o,
	struct pass_list *l, struct pass_report *r, struct err *e) MUST_USE;

#endif
