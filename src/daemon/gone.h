/*
 * gone.h - names that were waited for and are no longer there.
 *
 * A listing says what is there. A name that was pending and went meanwhile
 * would be waited for for ever: it ends as ignored.
 */
#ifndef DAEMON_GONE_H
#define DAEMON_GONE_H

#include "daemon/engine.h"

#define GONE_REASON "removed before it was complete"

/* So many in one look; the others follow in the next. */
#define GONE_MOST 10000

/*
 * After a whole listing, when all of it is durable, of which so many names
 * are pending: notes those that are gone, and says how many. Nothing is
 * looked at when as many wait as were seen. BAD_SOURCE: the source failed.
 */
enum rc gone_note(struct lane *l, const struct source_config *cfg,
	const struct source_ops *ops, struct source *s, uint64_t pending,
	uint64_t *ret, struct err *e) MUST_USE;

#endif
