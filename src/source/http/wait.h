/*
 * wait.h - how long to wait before asking again.
 *
 * What the API asks for comes in many shapes (seconds, milliseconds, minutes,
 * epochs, dates); how long it really is, is that plus something random, so
 * that many who were turned away at one instant do not come back at one.
 */
#ifndef SOURCE_HTTP_WAIT_H
#define SOURCE_HTTP_WAIT_H

#include "landfall/api.h"
#include "landfall/schedule.h"

/* More than a year is taken for a year. */
#define WAIT_MAX (INT64_C(366) * 86400 * 1000000000)

/* Who asks for more than that has mistaken the unit, or the year. */
#define WAIT_BELIEVED (INT64_C(30) * 86400 * 1000000000)

/* No API's clock is further behind ours. */
#define WAIT_BEHIND (INT64_C(3600) * 1000000000)

/*
 * A value as a header or body has it, in ns from now. False: it is not of
 * this unit. What lies in the past is 0.
 */
bool wait_parse(enum api_unit unit, const void *text, size_t len, int64_t now,
	int64_t *ret) MUST_USE;

/*
 * Until the next day of that zone begins; NULL: of UTC. False: one began less
 * than WAIT_BEHIND ago, and who still says that its day is over has a clock
 * that is behind ours: what it waits for is near.
 */
bool
wait_midnight(const struct zoneinfo *z, int64_t now, int64_t *ret) MUST_USE;

/*
 * Full jitter: at_least plus random(0, min(max, base * 2^attempt)); attempt
 * counts from 0.
 */
int64_t
wait_jitter(const struct api_retry *r, unsigned attempt, int64_t at_least);

/* The longest that wait_jitter() may add. */
int64_t wait_most(const struct api_retry *r, unsigned attempt);

/* Chance: 64 bits of the kernel's. Tests replace it; NULL: the kernel's. */
void wait_replace_chance(uint64_t (*chance)(void));

#endif
