/*
 * schedule.h - when to look at a source, and what should have come by then.
 *
 * Pure functions of configuration and time: no clock is read here, so that
 * every hour of every zone can be tested. Wall times are ns since 1970.
 */
#ifndef LANDFALL_SCHEDULE_H
#define LANDFALL_SCHEDULE_H

#include <stdbool.h>

#include "base/err.h"

/* ---- time zones: TZif files (RFC 8536) of the system ---- */

struct zoneinfo;

/*
 * Loads "Europe/Berlin" from the system's database ("UTC" needs none).
 * BAD_ITEM: no such zone, or its file is damaged. The footer's rule (RFC 8536
 * section 3.3) is followed beyond the table, so any year works. Everywhere
 * below a zone of NULL is UTC.
 */
enum rc
zoneinfo_load(const char *name, struct zoneinfo **ret, struct err *e) MUST_USE;
void zoneinfo_free(struct zoneinfo *z);

/* A local calendar time; month 1..12, weekday 0 = Sunday .. 6. */
struct civil {
	int year, month, day;
	int hour, minute, second;
	int weekday;
};

void zoneinfo_local(const struct zoneinfo *z, int64_t wall, struct civil *ret);

/*
 * The instant of a local time. When a clock change skips it, the instant of
 * the change; when it happens twice, the first.
 */
int64_t zoneinfo_wall(const struct zoneinfo *z, const struct civil *c);

/* ---- schedules ---- */

/* Days on which something happens. All-zero: every day. */
struct days {
	bool weekday[7]; /* 0 = Sunday; all false: any */
	bool month_end;	 /* only the last day of a month */
	/* Local dates as YYYYMMDD, sorted; left out whatever else says. */
	uint32_t *holidays;
	size_t n_holidays;
};

/*
 * A daily window of local time, minutes since midnight; may wrap, and then
 * belongs to the day on which it begins. There is one each day, also when
 * clocks change: it ends at the first of two equal local times, and one that
 * a change skips whole begins at the change and keeps its length.
 */
struct window {
	bool set;
	uint16_t from, to; /* [from, to); from == to: all day */
};

/*
 * Five fields and @daily etc. as crontab(5) has them. With fixed hours a
 * local time that is skipped runs at the change, and one that comes twice
 * runs once; where the hour field begins with "*", every local time that
 * happens runs, each time it does.
 */
struct cron;

/* BAD_ITEM: which field is wrong and why, or that such a time never comes. */
enum rc cron_parse(const char *text, struct cron **ret, struct err *e) MUST_USE;
void cron_free(struct cron *c);

/* Plain data that owns what it points to; all-zero: never. */
struct schedule {
	int64_t every;	      /* ns; 0: by cron alone. With both, whichever */
	struct cron *cron;    /* comes first. NULL: by every alone */
	struct window window; /* looks happen only within it */
	struct days days;
	int64_t jitter; /* ns: at most so much later, the same each time */
	struct zoneinfo *zone;
};

void schedule_release(struct schedule *s);

/*
 * The first instant >= after at which to look. last: when the last look
 * began, 0 for never. seed spreads sources by jitter. INT64_MAX: never.
 *
 * A look that is overdue is due at `after`, if the window is open then; so
 * `schedule_next(s, last, now, seed) <= now` asks whether to look now. With
 * last 0, `every` is due at once; cron is due at its first time from `after`
 * on, so keep after at when the waiting began.
 */
int64_t schedule_next(
	const struct schedule *s, int64_t last, int64_t after, uint64_t seed);

/* Is `wall` inside window and days? */
bool schedule_open(const struct schedule *s, int64_t wall);

/* ---- arrival contracts: `expect` ---- */

struct band {
	uint64_t least, most; /* most UINT64_MAX: no bound */
	bool learned; /* from history; the two hold until there is enough */
};

/* Plain data that owns what it points to. */
struct expect {
	bool set;
	uint16_t by; /* minutes since local midnight */
	int64_t grace;
	struct days days;
	struct band files, bytes, records; /* of what arrived for that day */
	struct zoneinfo *zone;
};

void expect_release(struct expect *x);

enum arrival {
	ARRIVAL_NONE,	 /* nothing is ever due */
	ARRIVAL_WAITING, /* due, not yet late */
	ARRIVAL_ON_TIME,
	ARRIVAL_LATE,		/* came, but after by + grace */
	ARRIVAL_SHORT,		/* came, outside a band */
	ARRIVAL_MISSING,	/* by + grace passed and nothing came */
	ARRIVAL_COULD_NOT_LOOK, /* no complete look since by + grace */
};
const char *arrival_name(enum arrival a); /* "on-time", "late", ... */

/* What is known of one contract day, all from the catalog. */
struct arrived {
	uint64_t files, bytes, records; /* landed since the day began */
	int64_t enough_at; /* when all three reached their least; 0: not yet */
	int64_t looked;	   /* when the newest complete look began; 0: none */
};

/*
 * Contract days divide all time: every instant belongs to the deadline it is
 * nearest to, halfway between the end of one (by + grace) and the next `by`.
 * So an early delivery counts for the coming deadline, a late one still for
 * the last, none for two; and an outcome stands long enough to be seen.
 */
struct contract_day {
	int64_t begins; /* the first instant that counts */
	int64_t due, late;
	int64_t ends; /* when the next one begins */
};

/* False: no day is ever due. */
bool expect_day(const struct expect *x, int64_t now, struct contract_day *ret);

/*
 * A band from what arrived for n deadlines before (1 to EXPECT_LEARN_MOST).
 * Robust, and to be recomputed by hand: M is the median (the lower one of two
 * in the middle), D the median of the distances to M, and the band reaches
 * from M - W to M + W, where W is five times D or a tenth of M, whichever is
 * more, all in whole numbers rounded down.
 */
#define EXPECT_LEARN_LEAST 8
#define EXPECT_LEARN_MOST 20
struct band expect_learn(const uint64_t *amount, size_t n);

/* The local weekday of a deadline, 0 = Sunday. */
int expect_weekday(const struct expect *x, const struct contract_day *d);

/* now and all that arrived are within the day. */
enum arrival expect_judge(const struct expect *x, const struct contract_day *d,
	const struct arrived *a, int64_t now);

#endif
