/*
 * clock.h - the time seam. Nothing else asks the kernel what time it is.
 *
 * Wall time is nanoseconds since 1970-01-01T00:00:00Z as int64_t (good until
 * 2262); monotonic time is nanoseconds since some unspecified start.
 *
 * Tests replace both through clock_replace(). Processes under test take
 * LANDFALL_TEST_CLOCK: "+SECONDS" or "-SECONDS" shifts the wall clock,
 * "SECONDS" nails it there.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>

#include "base/str.h"

#define CLOCK_SECOND INT64_C(1000000000)

struct clock_ops {
	int64_t (*wall)(void);
	int64_t (*mono)(void);
};

/* NULL: the kernel's clocks again. */
void clock_replace(const struct clock_ops *ops);

int64_t clock_wall(void);
int64_t clock_mono(void);
void clock_sleep(int64_t ns);

/*
 * The wall time since which the wall clock has run beside the monotonic one:
 * when this process saw first that it had been set (or that the machine had
 * slept). 0: it was never seen to be set. What was dated before says little
 * of how long ago it was. Whoever asks often enough sees more. Any thread.
 */
int64_t clock_steady_since(void);

/* RFC 3339 in UTC with whole seconds: 2026-11-23T01:02:03Z. */
void clock_add_time(struct str *s, int64_t wall);

/* RFC 3339 with nanoseconds, for mtimes: 2026-11-23T01:02:03.000000000Z. */
void clock_add_time_ns(struct str *s, int64_t wall);

/* The UTC date: 2026-11-23. */
void clock_add_date(struct str *s, int64_t wall);

/* Reads both RFC 3339 forms above (UTC only); false when it is neither. */
bool clock_parse_time(const char *text, int64_t *ret_wall) MUST_USE;

#endif
