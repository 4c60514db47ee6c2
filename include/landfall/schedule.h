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
#include "base/str.h"

/* ---- time zones: TZif files (RFC 8536) of the system ---- */

struct zoneinfo;

/*
 * Loads "Europe/Berlin" from the system's database ("UTC" needs none).
 * BAD_ITEM: no such zone, or its file is damaged. The footer's rule (RFC 8536
 * section 3.3) is followed beyond the table, so any year works.
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
	const uint32_t *holidays;
	size_t n_holidays;
};

/* A daily window of local time, minutes since midnight; may wrap. */
struct window {
	bool set;
	uint16_t from, to; /* [from, to); from == to: all day */
};

struct cron; /* five fields, as crontab(5) has them */

enum rc cron_parse(const char *text, struct cron **ret, struct err *e) MUST_USE;
void cron_free(struct cron *c);

struct schedule {
	int64_t every;		 /* ns; 0: by cron alone */
	const struct cron *cron; /* or NULL */
	struct window window;	 /* looks happen only within it */
	struct days days;
	int64_t jitter; /* ns: at most so much later, the same each time */
	const struct zoneinfo *zone;
};

/*
 * The first instant >= after at which to look. last: when the last look
 * began, 0 for never. seed spreads sources by jitter. INT64_MAX: never.
 */
int64_t schedule_next(
	const struct schedule *s, int64_t last, int64_t after, uint64_t seed);

/* Is `wall` inside window and days? */
bool schedule_open(const struct schedule *s, int64_t wall);

/* ---- arrival contracts: `expect` ---- */

struct band {
	uint64_t least, most; /* most UINT64_MAX: no bound */
};

struct expect {
	bool set;
	uint16_t by; /* minutes since local midnight */
	int64_t grace;
	struct days days;
	struct band files, bytes, records; /* of what arrived for that day */
	const struct zoneinfo *zone;
};

enum arrival {
	ARRIVAL_NONE,	 /* nothing is due on this day */
	ARRIVAL_WAITING, /* due, not yet late */
	ARRIVAL_ON_TIME,
	ARRIVAL_LATE,		/* came, but after by + grace */
	ARRIVAL_SHORT,		/* came, outside a band */
	ARRIVAL_MISSING,	/* by + grace passed and nothing came */
	ARRIVAL_COULD_NOT_LOOK, /* we had no complete look since it was due */
};
const char *arrival_name(enum arrival a); /* "on-time", "late", ... */

/* What is known of one contract day, all from the catalog. */
struct arrived {
	uint64_t files, bytes, records; /* landed since the day began */
	int64_t enough_at; /* when files reached its least; 0: not yet */
	int64_t looked;	   /* the newest complete look, 0: none */
};

/*
 * The contract day that `now` belongs to begins at the deadline before the
 * latest one (by + grace of the previous due day) and ends at its own.
 */
struct contract_day {
	int64_t begins, due, late; /* wall: (begins, due], late = due + grace */
};
bool expect_day(const struct expect *x, int64_t now, struct contract_day *ret);

enum arrival expect_judge(const struct expect *x, const struct contract_day *d,
	const struct arrived *a, int64_t now);

#endif
