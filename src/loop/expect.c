#include <stdlib.h>

#include "base/clock.h"
#include "loop/calendar.h"
#include "loop/zoneinfo.h"

/* So many days in a row without a deadline: there is none. */
#define SEARCH_DAYS 20000

const char *
arrival_name(enum arrival a)
{
	static const char *const names[] = {
		[ARRIVAL_NONE] = "none",
		[ARRIVAL_WAITING] = "waiting",
		[ARRIVAL_ON_TIME] = "on-time",
		[ARRIVAL_LATE] = "late",
		[ARRIVAL_SHORT] = "short",
		[ARRIVAL_MISSING] = "missing",
		[ARRIVAL_COULD_NOT_LOOK] = "could-not-look",
	};

	return names[a];
}

static int64_t
due_on(const struct expect *x, int64_t day)
{
	return calendar_wall(zoneinfo_second(
		x->zone, day * CALENDAR_DAY + (int64_t)x->by * 60));
}

/* A deadline: its day, and when. */
struct deadline {
	int64_t day, due;
};

/* The first on this day or later; step -1: the last on it or before. */
static bool
find_deadline(
	const struct expect *x, int64_t day, int step, struct deadline *ret)
{
	for (int i = 0; i < SEARCH_DAYS; i++, day += step)
		if (calendar_has(&x->days, day)) {
			*ret = (struct deadline){day, due_on(x, day)};
			return true;
		}
	return false;
}

/* Where the day of the later deadline begins. */
static int64_t
between(const struct expect *x, const struct deadline *a,
	const struct deadline *b)
{
	int64_t late = a->due + x->grace;

	/* A grace longer than that would leave no time to tell. */
	return late < b->due ? late + (b->due - late) / 2 : b->due;
}

bool
expect_day(const struct expect *x, int64_t now, struct contract_day *ret)
{
	struct deadline before, last, next;
	int64_t second = calendar_second(now);
	int64_t today =
		calendar_day_of(second + zoneinfo_offset(x->zone, second));

	/* The first deadline after now, and the two before it. */
	if (!find_deadline(x, today - 1, 1, &next))
		return false;
	while (next.due <= now)
		if (!find_deadline(x, next.day + 1, 1, &next))
			return false;
	if (!find_deadline(x, next.day - 1, -1, &last))
		return false;
	if (now >= between(x, &last, &next)) {
		before = last;
		last = next;
		if (!find_deadline(x, last.day + 1, 1, &next))
			return false;
	} else if (!find_deadline(x, last.day - 1, -1, &before)) {
		return false;
	}
	*ret = (struct contract_day){
		.begins = between(x, &before, &last),
		.due = last.due,
		.late = last.due + x->grace,
		.ends = between(x, &last, &next),
	};
	return true;
}

enum arrival
expect_judge(const struct expect *x, const struct contract_day *d,
	const struct arrived *a, int64_t now)
{
	/* More than agreed does not become less. */
	if (a->files > x->files.most || a->bytes > x->bytes.most ||
		a->records > x->records.most)
		return ARRIVAL_SHORT;
	if (a->files >= x->files.least && a->bytes >= x->bytes.least &&
		a->records >= x->records.least)
		return a->enough_at <= d->late ? ARRIVAL_ON_TIME : ARRIVAL_LATE;
	if (now <= d->late)
		return ARRIVAL_WAITING;
	/* What we did not look for is not known to be missing. */
	if (a->looked <= d->late)
		return ARRIVAL_COULD_NOT_LOOK;
	return a->files > 0 ? ARRIVAL_SHORT : ARRIVAL_MISSING;
}

static int
by_amount(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The lower one of two in the middle; sorts. */
static uint64_t
median(uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_amount);
	return v[(n - 1) / 2];
}

struct band
expect_learn(const uint64_t *amount, size_t n)
{
	uint64_t v[EXPECT_LEARN_MOST], m, width;
	struct band b = {.learned = true};

	for (size_t i = 0; i < n; i++)
		v[i] = amount[i];
	m = median(v, n);
	for (size_t i = 0; i < n; i++)
		v[i] = amount[i] > m ? amount[i] - m : m - amount[i];
	if (__builtin_mul_overflow(median(v, n), 5, &width))
		width = UINT64_MAX;
	if (width < m / 10)
		width = m / 10;
	b.least = m > width ? m - width : 0;
	if (__builtin_add_overflow(m, width, &b.most))
		b.most = UINT64_MAX;
	return b;
}

int
expect_weekday(const struct expect *x, const struct contract_day *d)
{
	struct civil c;

	zoneinfo_local(x->zone, d->due, &c);
	return c.weekday;
}

void
expect_release(struct expect *x)
{
	zoneinfo_free(x->zone);
	free(x->days.holidays);
	*x = (struct expect){.set = false};
}
