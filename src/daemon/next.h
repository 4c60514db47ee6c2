/*
 * next.h - when a source is looked at next, whatever is hinted: from its
 * schedule and its last look alone, so that it is as true without a daemon.
 */
#ifndef DAEMON_NEXT_H
#define DAEMON_NEXT_H

#include "landfall/config.h"

/* Between full looks of a source without a schedule, for a daemon. */
#define NEXT_RESCAN (300 * INT64_C(1000000000))

/*
 * A partner's: it gives no hints, may keep who looks waiting, and a look costs
 * the partner something.
 */
bool next_is_remote(const struct source_config *cfg);

bool next_is_scheduled(const struct source_config *cfg);

/*
 * Only at the times of cron, whatever is hinted: there is neither an interval
 * nor a window in which names are taken as they come.
 */
bool next_is_only_then(const struct source_config *cfg);

/*
 * By schedule: the first instant from `now` on. last: when the last complete
 * look began, 0 for never. INT64_MAX: never.
 */
int64_t next_look(const struct source_config *cfg, int64_t last, int64_t now);

#endif
