/*
 * pass-state.h - a look in progress: pass.c begins and ends it, pass-item.c
 * has what becomes of each name, pass-report.c counts.
 */
#ifndef DAEMON_PASS_STATE_H
#define DAEMON_PASS_STATE_H

#include <pthread.h>

#include "daemon/decide.h"
#include "daemon/pass.h"
#include "daemon/room.h"
#include "daemon/set.h"

/*
 * A look in progress: the listing thread decides, the committer counts what
 * came out of it.
 */
struct looking {
	const struct pass_options *options;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct lane *lane;
	struct pass_report *report;
	struct room *room;
	struct source_place place;
	struct str facts; /* how its bytes come here */
	struct decision decision;
	struct set *set;    /* whose members are being submitted */
	struct str refusal; /* why there is no room for it */
	int64_t began;	    /* monotonic */
	pthread_mutex_t lock;
	/* Under lock. */
	uint64_t count[DISPOSITIONS];
	uint64_t failed, no_room, missing;
	uint64_t members[DISPOSITIONS];
	struct pass_stuck stuck[CONDITIONS];
};

static inline bool
pass_is_cancelled(const struct looking *k)
{
	return k->options->cancel != NULL && *k->options->cancel;
}

/* ---- pass-item.c: for decide_all; arg is the look ---- */

enum rc pass_item(void *arg, const struct item *it, struct err *e) MUST_USE;
void
pass_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why);

/* ---- pass-report.c ---- */

/* A delivery is durable. On the committer's thread; arg is the look. */
void pass_done(void *arg, const struct delivery *d);

/* A name waits for a human. */
void pass_add_stuck(struct looking *k, enum condition c, const uint8_t *name,
	size_t len, const char *reason);

void pass_free_stuck(struct pass_stuck stuck[CONDITIONS]);

/* All is durable: what was counted goes to the report. */
void pass_take_counts(struct looking *k);

/* BROKEN: names and dispositions do not match. */
enum rc pass_check_sums(const struct catalog_pass *p, struct err *e) MUST_USE;

#endif
