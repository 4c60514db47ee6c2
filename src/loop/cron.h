/*
 * cron.h - when a cron expression comes next.
 */
#ifndef LOOP_CRON_H
#define LOOP_CRON_H

#include "landfall/schedule.h"

/* The first instant >= after; INT64_MAX: none that int64_t holds. */
int64_t
cron_next(const struct cron *c, const struct zoneinfo *z, int64_t after);

#endif
