/*
 * after.h - what becomes of files at their source once the ledger holds them
 * (`after` in the configuration).
 *
 * A second, light listing once everything is durable: whatever is dealt with
 * and still looks the same goes. That is idempotent: what a crash cut short
 * is made up by the next pass.
 */
#ifndef DAEMON_AFTER_H
#define DAEMON_AFTER_H

#include "daemon/engine.h"

/* A name below a source's root. */
struct pass_name {
	const uint8_t *name;
	size_t len;
};

struct after_report {
	uint64_t deleted;
	uint64_t moved;
	uint64_t failed;    /* could not be, and are still there */
	struct str trouble; /* why the first of them */
};

/*
 * One file goes, if it is still exactly the one with this signature; counted.
 * What was done is in `line`, for its story, or nothing: it is gone, or
 * another one by now, or cannot go, which is counted too.
 */
void after_item(const struct source_config *cfg, const struct source_ops *ops,
	struct source *s, const struct item *it, struct after_report *r,
	struct str *line);
void after_failed(struct after_report *r, const struct err *why);

/*
 * For every name of the source, or for some. Everything of the lane is
 * durable. BROKEN: our catalog; what is wrong at the source is counted.
 */
enum rc after_run(struct lane *l, const struct source_config *cfg,
	struct source *s, struct after_report *r, struct err *e) MUST_USE;
enum rc after_names(struct lane *l, const struct source_config *cfg,
	struct source *s, const struct pass_name *names, size_t n,
	struct after_report *r, struct err *e) MUST_USE;

#endif
