#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "loop/calendar.h"
#include "loop/cron.h"
#include "loop/zoneinfo.h"

/* Days in a row on which nothing may happen before nothing ever does. */
#define SEARCH_DAYS 20000

/* The instants [from, to) in which looks may happen. */
struct opening {
	int64_t from, to;
};

/* The window that begins on this day. */
static struct opening
opening_of(const struct schedule *s, int64_t day)
{
	int64_t from = s->window.set ? s->window.from : 0;
	int64_t to = s->window.set ? s->window.to : 0;
	int64_t midnight = day * CALENDAR_DAY;
	int64_t a, b;

	if (to <= from)
		to += 24 * 60;
	a = zoneinfo_second(s->zone, midnight + from * 60);
	b = zoneinfo_second(s->zone, midnight + to * 60);
	/* Skipped whole: it would never open that day. */
	if (a == b)
		b = a + (to - from) * 60;
	return (struct opening){calendar_wall(a), calendar_wall(b)};
}

/* The opening that holds the instant, or the next one. False: none. */
static bool
find_opening(const struct schedule *s, int64_t wall, struct opening *ret)
{
	int64_t second = calendar_second(wall);
	int64_t today =
		calendar_day_of(second + zoneinfo_offset(s->zone, second));

	/* From yesterday, whose window may wrap. */
	for (int64_t day = today - 1; day < today + SEARCH_DAYS; day++) {
		struct opening o;

		if (!calendar_has(&s->days, day))
			continue;
		o = opening_of(s, day);
		if (o.to > wall) {
			*ret = o;
			return true;
		}
	}
	return false;
}

bool
schedule_open(const struct schedule *s, int64_t wall)
{
	struct opening o;

	return find_opening(s, wall, &o) && o.from <= wall;
}

static int64_t
add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* 0 to jitter, and nothing but the seed decides. */
static int64_t
delay_of(const struct schedule *s, uint64_t seed)
{
	uint8_t bytes[8], sum[HASH_LEN];

	if (s->jitter <= 0)
		return 0;
	put_le64(bytes, seed);
	hash_bytes(bytes, sizeof(bytes), sum);
	return (int64_t)(get_le64(sum) % ((uint64_t)s->jitter + 1));
}

/* Jitter never leads out of the opening. */
static int64_t
delayed(const struct opening *o, int64_t at, int64_t delay)
{
	return add(at, delay) < o->to ? add(at, delay) : at;
}

static int64_t
next_by_interval(
	const struct schedule *s, int64_t last, int64_t after, int64_t delay)
{
	int64_t due = last == 0 ? after : add(add(last, s->every), delay);
	struct opening o;

	if (due < after)
		due = after;
	if (!find_opening(s, due, &o))
		return INT64_MAX;
	if (due < delayed(&o, o.from, delay))
		due = delayed(&o, o.from, delay);
	return due;
}

static int64_t
next_by_cron(
	const struct schedule *s, int64_t last, int64_t after, int64_t delay)
{
	int64_t from = last == 0 ? after - delay : add(last, 1);
	int64_t limit = after + SEARCH_DAYS * CALENDAR_DAY * CLOCK_SECOND;

	/* With a look before, a time since then may be overdue. */
	for (;;) {
		struct opening o;
		int64_t at = cron_next(s->cron, s->zone, from);

		if (at == INT64_MAX || !find_opening(s, at, &o))
			return INT64_MAX;
		if (o.from <= at) {
			at = delayed(&o, at, delay);
			if (at >= after)
				return at;
			if (schedule_open(s, after))
				return after;
			from = after;
		} else {
			from = o.from;
		}
		if (from > limit)
			return INT64_MAX;
	}
}

int64_t
schedule_next(
	const struct schedule *s, int64_t last, int64_t after, uint64_t seed)
{
	int64_t delay = delay_of(s, seed);
	int64_t by_interval = INT64_MAX, by_cron = INT64_MAX;

	if (s->every > 0)
		by_interval = next_by_interval(s, last, after, delay);
	if (s->cron != NULL)
		by_cron = next_by_cron(s, last, after, delay);
	return by_interval < by_cron ? by_interval : by_cron;
}

void
schedule_release(struct schedule *s)
{
	cron_free(s->cron);
	zoneinfo_free(s->zone);
	free(s->days.holidays);
	*s = (struct schedule){.every = 0};
}
