/*
 * alert.h - what is wrong with a source after a look at it, and what of that
 * is news: recorded in the catalog, in one transaction with what was told
 * last, so that no crash loses it and nobody hears it twice.
 *
 * The same event of the same source is told once, until it changes or is
 * over; what was quarantined is told in bundles.
 */
#ifndef DAEMON_ALERT_H
#define DAEMON_ALERT_H

#include "daemon/arrival.h"
#include "daemon/pass.h"

struct alert_view {
	const struct config *config;
	const struct source_config *source;
	const struct pass_report *pass;	      /* the look */
	const struct arrival_report *arrival; /* after it */
	bool full;			      /* it saw every name */
	bool failed;			      /* or could not be */
	bool overdue; /* nobody may look, and the deadline has passed */
	/* A daemon looks again: it does not tell what may pass by itself. */
	bool patient;
};

/*
 * From now on what is quarantined is news. Before the first look; once is
 * enough, and again does no harm.
 */
enum rc alert_begin(struct lane *l, const struct source_config *cfg,
	struct err *e) MUST_USE;

/*
 * Everything of the lane is durable. *ret_wait: ns until there may be more
 * to tell without anything happening, 0: not soon; *ret_new: something is to
 * be delivered. BROKEN: the catalog.
 */
enum rc alert_judge(struct lane *l, const struct alert_view *v,
	int64_t *ret_wait, bool *ret_new, struct err *e) MUST_USE;

#endif
