/* loop/: schedules and arrival contracts. */
#include "landfall/schedule.h"
#include "loop/calendar.h"
#include "loop/cron.h"
#include "loop/zoneinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

#define MINUTES (60 * CLOCK_SECOND)
#define HOURS (60 * MINUTES)
#define NEVER INT64_MAX

static bool
have_tzdata(void)
{
	return access(ZONEINFO_DIR "/Europe/Berlin", R_OK) == 0;
}

#define need_tzdata() \
	do { \
		if (!have_tzdata()) { \
			fprintf(stderr, \
				"skipped: no " ZONEINFO_DIR \
				" (package tzdata)\n"); \
			skip(); \
		} \
	} while (0)

static struct zoneinfo *
zone(const char *name)
{
	struct zoneinfo *z;
	struct err e = ERR_INIT;

	must(zoneinfo_load(name, &z, &e), &e);
	return z;
}

static struct cron *
cron(const char *text)
{
	struct cron *c;
	struct err e = ERR_INIT;

	must(cron_parse(text, &c, &e), &e);
	return c;
}

static int64_t
utc(const char *text)
{
	int64_t wall;

	assert_true(clock_parse_time(text, &wall));
	return wall;
}

static void
assert_time(int64_t wall, const char *expected)
{
	struct str s = STR_INIT;

	if (wall == NEVER)
		str_add(&s, "never");
	else
		clock_add_time(&s, wall);
	assert_string_equal(s.s, expected);
	str_release(&s);
}

/* ---- cron ---- */

/* Expression, from, and the next three times, UTC. */
static const struct {
	const char *text, *from, *next[3];
} crons[] = {
	{"30 2 * * *", "2026-01-01T00:00:00Z",
		{"2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z",
			"2026-01-03T02:30:00Z"}},
	{"*/20 * * * *", "2026-01-01T00:00:01Z",
		{"2026-01-01T00:20:00Z", "2026-01-01T00:40:00Z",
			"2026-01-01T01:00:00Z"}},
	{"5-15/5,50 23 * * *", "2026-01-01T23:05:00Z",
		{"2026-01-01T23:05:00Z", "2026-01-01T23:10:00Z",
			"2026-01-01T23:15:00Z"}},
	{"0 0 29 2 *", "2026-01-01T00:00:00Z",
		{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z",
			"2036-02-29T00:00:00Z"}},
	{"0 12 31 * *", "2026-02-01T00:00:00Z",
		{"2026-03-31T12:00:00Z", "2026-05-31T12:00:00Z",
			"2026-07-31T12:00:00Z"}},
	/* The 13th or a Friday: either. */
	{"0 0 13 * fri", "2026-03-12T00:00:00Z",
		{"2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z",
			"2026-03-27T00:00:00Z"}},
	{"0 0 13 * fri", "2026-04-11T00:00:00Z",
		{"2026-04-13T00:00:00Z", "2026-04-17T00:00:00Z",
			"2026-04-24T00:00:00Z"}},
	/* A field that begins with * restricts nothing: both. */
	{"0 0 */2 * mon", "2026-03-01T00:00:00Z",
		{"2026-03-09T00:00:00Z", "2026-03-23T00:00:00Z",
			"2026-04-13T00:00:00Z"}},
	{"0 0 * * 7", "2026-03-01T00:00:01Z",
		{"2026-03-08T00:00:00Z", "2026-03-15T00:00:00Z",
			"2026-03-22T00:00:00Z"}},
	{"0 0 * * Fri-Sun", "2026-03-02T00:00:00Z",
		{"2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z",
			"2026-03-08T00:00:00Z"}},
	{"0 6 1 JAN,jul *", "2026-01-02T00:00:00Z",
		{"2026-07-01T06:00:00Z", "2027-01-01T06:00:00Z",
			"2027-07-01T06:00:00Z"}},
	{"  0\t0  1 */6 * ", "2026-01-02T00:00:00Z",
		{"2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z",
			"2027-07-01T00:00:00Z"}},
	{"@daily", "2026-12-31T00:00:01Z",
		{"2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z",
			"2027-01-03T00:00:00Z"}},
	{"@weekly", "2026-03-02T00:00:00Z",
		{"2026-03-08T00:00:00Z", "2026-03-15T00:00:00Z",
			"2026-03-22T00:00:00Z"}},
	{"@monthly", "2026-11-02T00:00:00Z",
		{"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z",
			"2027-02-01T00:00:00Z"}},
	{"@yearly", "2026-11-02T00:00:00Z",
		{"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z",
			"2029-01-01T00:00:00Z"}},
	{"@hourly", "2026-11-02T23:59:59Z",
		{"2026-11-03T00:00:00Z", "2026-11-03T01:00:00Z",
			"2026-11-03T02:00:00Z"}},
};

static void
test_cron_times(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(crons); i++) {
		struct cron *c = cron(crons[i].text);
		int64_t at = utc(crons[i].from);

		for (size_t k = 0; k < 3; k++) {
			at = cron_next(c, NULL, at);
			assert_time(at, crons[i].next[k]);
			at++;
		}
		cron_free(c);
	}
}

static void
test_cron_mistakes(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "0 fields"},
		{"* * * *", "4 fields"},
		{"* * * * * *", "6 fields"},
		{"60 * * * *", "60 is no minute"},
		{"* 24 * * *", "24 is no hour"},
		{"* * 0 * *", "0 is no day of month"},
		{"* * 32 * *", "32 is no day of month"},
		{"* * * 13 *", "13 is no month"},
		{"* * * foo *", "foo is no month"},
		{"* * * * 8", "8 is no weekday"},
		{"* * * * mond", "mond is no weekday"},
		{"5-1 * * * *", "5-1 is no minute"},
		{"*/0 * * * *", "*/0 is no minute"},
		{"5/10 * * * *", "5/10 is no minute"},
		{"*/ * * * *", "*/ is no minute"},
		{"1, * * * *", "1, is no minute"},
		{",1 * * * *", ",1 is no minute"},
		{"1-2-3 * * * *", "1-2-3 is no minute"},
		{"99999999999999999999 * * * *", "is no minute"},
		{"-1 * * * *", "-1 is no minute"},
		{"@reboot", "not known: @hourly"},
		{"0 0 30 2 *", "never comes"},
		{"0 0 31 2,4,6,9,11 *", "never comes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct cron *c;

		assert_int_equal(cron_parse(cases[i].text, &c, &e), BAD_ITEM);
		if (strstr(e.text, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].text, e.text);
	}
	/* A step beyond all is the first alone. */
	cron_free(cron("*/18446744073709551615 * * * *"));
}

static size_t
count_runs(const struct cron *c, const struct zoneinfo *z, const char *from,
	const char *to)
{
	int64_t at = utc(from);
	size_t n = 0;

	while ((at = cron_next(c, z, at)) < utc(to)) {
		n++;
		at++;
	}
	return n;
}

static void
test_cron_on_days_of_change(void **state UNUSED)
{
	struct zoneinfo *berlin, *howe;
	struct cron *c;

	need_tzdata();
	berlin = zone("Europe/Berlin");
	howe = zone("Australia/Lord_Howe");
	c = cron("30 2 * * *");
	/* Skipped: once, at the change. */
	assert_time(cron_next(c, berlin, utc("2026-03-28T01:30:01Z")),
		"2026-03-29T01:00:00Z");
	assert_time(cron_next(c, berlin, utc("2026-03-29T01:00:00Z")),
		"2026-03-29T01:00:00Z");
	assert_time(cron_next(c, berlin, utc("2026-03-29T01:00:01Z")),
		"2026-03-30T00:30:00Z");
	/* Doubled: once, the first. */
	assert_time(cron_next(c, berlin, utc("2026-10-24T00:30:01Z")),
		"2026-10-25T00:30:00Z");
	assert_time(cron_next(c, berlin, utc("2026-10-25T00:30:01Z")),
		"2026-10-26T01:30:00Z");
	/* Each day of twenty years. */
	assert_int_equal(count_runs(c, berlin, "2020-01-01T00:00:00Z",
				 "2041-01-01T00:00:00Z"),
		calendar_days(2041, 1, 1) - calendar_days(2020, 1, 1));
	cron_free(c);
	c = cron("15 2 * * *");
	assert_int_equal(count_runs(c, howe, "2020-01-01T00:00:00Z",
				 "2041-01-01T00:00:00Z"),
		calendar_days(2041, 1, 1) - calendar_days(2020, 1, 1));
	cron_free(c);
	/* Several in the gap are one look. */
	c = cron("0,20,40 2 * * *");
	assert_int_equal(count_runs(c, berlin, "2026-03-28T23:00:00Z",
				 "2026-03-29T22:00:00Z"),
		1);
	cron_free(c);
	/* Any hour: no hour without one, also when it comes twice. */
	c = cron("*/10 * * * *");
	assert_int_equal(count_runs(c, berlin, "2026-10-24T22:00:00Z",
				 "2026-10-25T23:00:00Z"),
		25 * 6);
	assert_int_equal(count_runs(c, berlin, "2026-03-28T23:00:00Z",
				 "2026-03-29T22:00:00Z"),
		23 * 6);
	cron_free(c);
	zoneinfo_free(berlin);
	zoneinfo_free(howe);
}

/* ---- schedules ---- */

static void
test_every_follows_the_last_look(void **state UNUSED)
{
	const struct schedule s = {.every = 5 * MINUTES};
	const struct schedule none = {.every = 0};
	int64_t t = utc("2026-03-01T10:00:00Z");

	assert_int_equal(schedule_next(&s, 0, t, 1), t);
	assert_int_equal(schedule_next(&s, t, t, 1), t + 5 * MINUTES);
	assert_int_equal(
		schedule_next(&s, t, t + 5 * MINUTES, 1), t + 5 * MINUTES);
	/* Overdue is due now, however often one asks. */
	assert_int_equal(
		schedule_next(&s, t, t + 9 * MINUTES, 1), t + 9 * MINUTES);
	assert_true(schedule_next(&none, t, t, 1) == NEVER);
	assert_true(schedule_open(&none, t));
	/* The end of time is no overflow. */
	assert_true(schedule_next(&s, NEVER - 5, NEVER - 3, 1) >= NEVER - 3);
}

/* All looks from..to, when each takes no time. */
static size_t
looks(const struct schedule *s, int64_t from, int64_t to, uint64_t seed,
	int64_t *ret_first, int64_t *ret_last)
{
	int64_t last = 0, at;
	size_t n = 0;

	*ret_first = *ret_last = 0;
	while ((at = schedule_next(s, last, last == 0 ? from : last, seed)) <
		to) {
		assert_true(at >= from && at >= last);
		assert_true(schedule_open(s, at));
		if (n++ == 0)
			*ret_first = at;
		*ret_last = last = at;
	}
	return n;
}

static void
test_a_window_across_midnight_and_changes(void **state UNUSED)
{
	struct schedule s = {
		.every = 5 * MINUTES,
		.window = {.set = true, .from = 22 * 60, .to = 5 * 60 + 30},
	};
	int64_t first, last;
	static const struct {
		const char *from, *to, *first, *last;
		size_t looks;
	} nights[] = {
		{"2026-02-10T12:00:00Z", "2026-02-11T12:00:00Z",
			"2026-02-10T21:00:00Z", "2026-02-11T04:25:00Z", 90},
		{"2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z",
			"2026-03-28T21:00:00Z", "2026-03-29T03:25:00Z", 78},
		{"2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z",
			"2026-10-24T20:00:00Z", "2026-10-25T04:25:00Z", 102},
	};

	need_tzdata();
	s.zone = zone("Europe/Berlin");
	for (size_t i = 0; i < ARRAY_LEN(nights); i++) {
		assert_int_equal(looks(&s, utc(nights[i].from),
					 utc(nights[i].to), 1, &first, &last),
			nights[i].looks);
		assert_time(first, nights[i].first);
		assert_time(last, nights[i].last);
	}
	assert_false(schedule_open(&s, utc("2026-02-10T20:59:59Z")));
	assert_true(schedule_open(&s, utc("2026-02-10T21:00:00Z")));
	assert_true(schedule_open(&s, utc("2026-02-11T04:29:59Z")));
	assert_false(schedule_open(&s, utc("2026-02-11T04:30:00Z")));
	/* A window belongs to the day on which it begins. */
	for (int d = 1; d <= 5; d++)
		s.days.weekday[d] = true;
	assert_true(schedule_open(&s, utc("2026-02-14T03:00:00Z"))); /* Sat */
	assert_false(schedule_open(&s, utc("2026-02-14T22:00:00Z")));
	assert_false(schedule_open(&s, utc("2026-02-16T03:00:00Z"))); /* Mon */
	assert_true(schedule_open(&s, utc("2026-02-16T22:00:00Z")));
	schedule_release(&s);
}

static void
test_one_window_each_day(void **state UNUSED)
{
	struct schedule s = {.every = CLOCK_SECOND};
	static const struct {
		uint16_t from, to;
		const char *day, *opens, *closes;
	} cases[] = {
		/* Ends in the doubled hour: at the first of both. */
		{60, 150, "2026-10-25", "2026-10-24T23:00:00Z",
			"2026-10-25T00:30:00Z"},
		{150, 210, "2026-10-25", "2026-10-25T00:30:00Z",
			"2026-10-25T02:30:00Z"},
		/* Begins in the gap. */
		{150, 330, "2026-03-29", "2026-03-29T01:00:00Z",
			"2026-03-29T03:30:00Z"},
		/* Skipped whole. */
		{130, 150, "2026-03-29", "2026-03-29T01:00:00Z",
			"2026-03-29T01:20:00Z"},
		{0, 0, "2026-03-29", "2026-03-28T23:00:00Z", NULL},
	};

	need_tzdata();
	s.zone = zone("Europe/Berlin");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char noon[32];
		int64_t opens = utc(cases[i].opens);
		size_t changes = 0;

		s.window = (struct window){true, cases[i].from, cases[i].to};
		assert_true(schedule_open(&s, opens));
		if (cases[i].closes == NULL) {
			assert_true(schedule_open(&s, opens - 1));
			continue;
		}
		assert_false(schedule_open(&s, opens - 1));
		assert_true(schedule_open(&s, utc(cases[i].closes) - 1));
		assert_false(schedule_open(&s, utc(cases[i].closes)));
		snprintf(noon, sizeof(noon), "%sT12:00:00Z", cases[i].day);
		for (int m = -14 * 60; m < 0; m++)
			changes += schedule_open(&s, utc(noon) + m * MINUTES) !=
				schedule_open(
					&s, utc(noon) + (m - 1) * MINUTES);
		assert_int_equal(changes, 2);
	}
	schedule_release(&s);
}

static void
test_cron_is_made_up_for_within_the_window(void **state UNUSED)
{
	struct schedule s = {
		.cron = cron("30 2 * * *"),
		.window = {.set = true, .from = 60, .to = 330},
	};

	assert_time(schedule_next(&s, 0, utc("2026-02-10T00:00:00Z"), 1),
		"2026-02-10T02:30:00Z");
	assert_time(schedule_next(&s, utc("2026-02-10T02:30:00Z"),
			    utc("2026-02-10T02:30:00Z"), 1),
		"2026-02-11T02:30:00Z");
	/* Missed, and there is still time. */
	assert_time(schedule_next(&s, utc("2026-02-10T02:30:00Z"),
			    utc("2026-02-11T04:00:00Z"), 1),
		"2026-02-11T04:00:00Z");
	/* Missed, and the window closed. */
	assert_time(schedule_next(&s, utc("2026-02-10T02:30:00Z"),
			    utc("2026-02-11T06:00:00Z"), 1),
		"2026-02-12T02:30:00Z");
	/* A time outside the window is none. */
	s.window.from = 180;
	assert_time(
		schedule_next(&s, 0, utc("2026-02-10T00:00:00Z"), 1), "never");
	cron_free(s.cron);
	s.cron = cron("0 * * * *");
	assert_time(schedule_next(&s, 0, utc("2026-02-10T00:00:00Z"), 1),
		"2026-02-10T03:00:00Z");
	assert_time(schedule_next(&s, utc("2026-02-10T05:00:00Z"),
			    utc("2026-02-10T05:00:00Z"), 1),
		"2026-02-11T03:00:00Z");
	/* With both, whichever comes first. */
	s.every = 45 * MINUTES;
	assert_time(schedule_next(&s, utc("2026-02-10T03:00:00Z"),
			    utc("2026-02-10T03:00:00Z"), 1),
		"2026-02-10T03:45:00Z");
	assert_time(schedule_next(&s, utc("2026-02-10T03:45:00Z"),
			    utc("2026-02-10T03:45:00Z"), 1),
		"2026-02-10T04:00:00Z");
	schedule_release(&s);
}

static void
test_jitter_is_bounded_steady_and_spread(void **state UNUSED)
{
	struct schedule s = {
		.cron = cron("30 2 * * *"),
		.jitter = 10 * MINUTES,
	};
	int64_t from = utc("2026-02-10T00:00:00Z");
	int64_t at = utc("2026-02-10T02:30:00Z");
	unsigned tenth[10] = {0};

	for (uint64_t seed = 0; seed < 50; seed++) {
		int64_t t = schedule_next(&s, 0, from, seed);
		int64_t next = schedule_next(&s, t, t, seed);

		assert_in_range(t - at, 0, s.jitter);
		assert_int_equal(next - t, 24 * HOURS);
		assert_int_equal(schedule_next(&s, 0, t, seed), t);
		tenth[(t - at) * 10 / (s.jitter + 1)]++;
	}
	for (size_t i = 0; i < 10; i++)
		assert_in_range(tenth[i], 1, 14);
	cron_free(s.cron);

	s.cron = NULL;
	s.every = 5 * MINUTES;
	s.window = (struct window){true, 60, 330};
	for (uint64_t seed = 0; seed < 50; seed++) {
		int64_t opens = utc("2026-02-10T01:00:00Z");
		int64_t t = schedule_next(&s, 0, from, seed);
		int64_t next = schedule_next(&s, t, t, seed);

		assert_in_range(t - opens, 0, s.jitter);
		/* Asked again meanwhile, it does not move. */
		assert_int_equal(schedule_next(&s, 0, opens, seed), t);
		assert_in_range(next - t, s.every, s.every + s.jitter);
	}
	/* Longer than the window: still within. */
	s.jitter = 24 * HOURS;
	for (uint64_t seed = 0; seed < 50; seed++)
		assert_true(
			schedule_open(&s, schedule_next(&s, 0, from, seed)));
}

/* Days of 2026..2028 on which this schedule looks, by a daily cron. */
static size_t
days_of(const struct days *days, const char *from, const char *to)
{
	struct schedule s = {.cron = cron("0 12 * * *"), .days = *days};
	int64_t first, last;
	size_t n = looks(&s, utc(from), utc(to), 1, &first, &last);

	cron_free(s.cron);
	return n;
}

static void
test_days(void **state UNUSED)
{
	uint32_t off[] = {20260101, 20260403, 20261225};
	const struct days ends = {.month_end = true};
	struct days work = {.weekday = {[1] = true,
				    [2] = true,
				    [3] = true,
				    [4] = true,
				    [5] = true}};
	struct schedule s = {.cron = cron("0 12 * * *"), .days = ends};

	assert_int_equal(
		days_of(&ends, "2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z"),
		36);
	assert_time(schedule_next(&s, 0, utc("2028-02-01T00:00:00Z"), 1),
		"2028-02-29T12:00:00Z");
	assert_time(schedule_next(&s, 0, utc("2100-02-01T00:00:00Z"), 1),
		"2100-02-28T12:00:00Z");
	cron_free(s.cron);
	assert_int_equal(
		days_of(&work, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
		261);
	work.holidays = off;
	work.n_holidays = ARRAY_LEN(off);
	assert_int_equal(
		days_of(&work, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
		258);
	/* A last day that is a Saturday is no working day. */
	work.month_end = true;
	assert_int_equal(
		days_of(&work, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
		8);
}

/* ---- contracts ---- */

#define WORKDAYS \
	{ \
		[1] = true, [2] = true, [3] = true, [4] = true, [5] = true \
	}

static struct expect
contract(void)
{
	return (struct expect){
		.set = true,
		.by = 6 * 60,
		.grace = 30 * MINUTES,
		.days = {.weekday = WORKDAYS},
		.files = {.least = 1, .most = UINT64_MAX},
		.bytes = {.least = 0, .most = UINT64_MAX},
		.records = {.least = 0, .most = UINT64_MAX},
	};
}

static void
assert_day(const struct expect *x, const char *now, const char *begins,
	const char *due, const char *ends)
{
	struct contract_day d;

	assert_true(expect_day(x, utc(now), &d));
	assert_time(d.begins, begins);
	assert_time(d.due, due);
	assert_time(d.ends, ends);
	assert_int_equal(d.late, d.due + x->grace);
}

static void
test_contract_days(void **state UNUSED)
{
	struct expect x = contract();
	uint32_t off[] = {20260213};

	/* Tuesday 2026-02-10. */
	assert_day(&x, "2026-02-10T06:10:00Z", "2026-02-09T18:15:00Z",
		"2026-02-10T06:00:00Z", "2026-02-10T18:15:00Z");
	assert_day(&x, "2026-02-10T18:14:59Z", "2026-02-09T18:15:00Z",
		"2026-02-10T06:00:00Z", "2026-02-10T18:15:00Z");
	assert_day(&x, "2026-02-10T18:15:00Z", "2026-02-10T18:15:00Z",
		"2026-02-11T06:00:00Z", "2026-02-11T18:15:00Z");
	/* The weekend is Friday's, then Monday's. */
	assert_day(&x, "2026-02-14T12:00:00Z", "2026-02-12T18:15:00Z",
		"2026-02-13T06:00:00Z", "2026-02-14T18:15:00Z");
	assert_day(&x, "2026-02-15T12:00:00Z", "2026-02-14T18:15:00Z",
		"2026-02-16T06:00:00Z", "2026-02-16T18:15:00Z");
	/* A holiday has no contract. */
	x.days.holidays = off;
	x.days.n_holidays = 1;
	assert_day(&x, "2026-02-13T06:10:00Z", "2026-02-11T18:15:00Z",
		"2026-02-12T06:00:00Z", "2026-02-14T06:15:00Z");
	/* Month ends, with a leap year. */
	x = contract();
	x.days = (struct days){.month_end = true};
	assert_day(&x, "2028-02-29T05:00:00Z", "2028-02-14T18:15:00Z",
		"2028-02-29T06:00:00Z", "2028-03-15T18:15:00Z");
}

static void
test_contract_days_divide_time(void **state UNUSED)
{
	static const char *const zones[] = {
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"};
	static const uint16_t by[] = {0, 135, 150, 360, 1439};

	need_tzdata();
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		for (size_t k = 0; k < ARRAY_LEN(by); k++) {
			struct expect x = contract();
			struct contract_day d, before = {0};
			int64_t t = utc("2025-12-31T00:00:00Z");
			int64_t end = utc("2027-01-02T00:00:00Z");
			size_t n = 0;

			x.days = (struct days){.n_holidays = 0};
			x.by = by[k];
			x.zone = zone(zones[i]);
			assert_true(expect_day(&x, t, &before));
			for (; t < end; t += 7 * MINUTES) {
				assert_true(expect_day(&x, t, &d));
				assert_true(d.begins <= t && t < d.ends);
				assert_true(
					d.begins < d.due && d.late < d.ends);
				if (d.due == before.due) {
					assert_memory_equal(
						&d, &before, sizeof(d));
					continue;
				}
				assert_int_equal(d.begins, before.ends);
				before = d;
				n++;
			}
			assert_in_range(n, 367, 368);
			expect_release(&x);
		}
}

static void
test_a_deadline_on_days_of_change(void **state UNUSED)
{
	struct expect x = contract();
	struct contract_day d;

	need_tzdata();
	x.days = (struct days){.n_holidays = 0};
	x.zone = zone("Europe/Berlin");
	assert_true(expect_day(&x, utc("2026-03-29T03:00:00Z"), &d));
	assert_time(d.due, "2026-03-29T04:00:00Z");
	assert_true(expect_day(&x, utc("2026-10-25T03:00:00Z"), &d));
	assert_time(d.due, "2026-10-25T05:00:00Z");
	x.by = 150;
	assert_true(expect_day(&x, utc("2026-03-29T00:00:00Z"), &d));
	assert_time(d.due, "2026-03-29T01:00:00Z");
	assert_true(expect_day(&x, utc("2026-10-25T00:00:00Z"), &d));
	assert_time(d.due, "2026-10-25T00:30:00Z");
	expect_release(&x);
}

/* Every row can be recomputed by hand, from landfall.yaml(5). */
static void
test_learned_bands(void **state UNUSED)
{
	const uint64_t most = UINT64_MAX;
	const struct {
		uint64_t amount[EXPECT_LEARN_MOST];
		size_t n;
		uint64_t least, most;
	} rows[] = {
		/* The example of the manual. */
		{{1000, 1010, 990, 1000, 1020, 980, 1000, 9000}, 8, 900, 1100},
		{{5}, 1, 5, 5},
		{{3, 3, 3, 3, 3, 3, 3, 3}, 8, 3, 3},
		/* Half of all may be outliers. */
		{{7, 7, 7, 7, 7, 900, 0, 1, 100000}, 9, 7, 7},
		/* The lower one of two in the middle; D is 2. */
		{{1, 2, 3, 4, 5, 6, 7, 8}, 8, 0, 14},
		{{100, 110, 120, 130, 140, 150, 160, 170, 180}, 9, 40, 240},
		{{0, 0, 0, 0, 0, 0, 0, 9}, 8, 0, 0},
		{{most, most, most, 0, 0, 0, 0, most}, 8, 0, 0},
		{{most, most, most, most, most}, 5, most - most / 10, most},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct band b = expect_learn(rows[i].amount, rows[i].n);

		if (b.least != rows[i].least || b.most != rows[i].most)
			fail_msg("row %zu: %llu to %llu", i,
				(unsigned long long)b.least,
				(unsigned long long)b.most);
		assert_true(b.learned);
	}
}

static void
test_outcomes(void **state UNUSED)
{
	struct expect x = contract();
	struct contract_day d;
	int64_t early = utc("2026-02-10T05:00:00Z");
	int64_t due, late, after;
	const uint64_t any = UINT64_MAX;

	assert_true(expect_day(&x, early, &d));
	due = d.due;
	late = d.late;
	after = late + 1;

#define JUDGE(now, ...) \
	expect_judge(&x, &d, &(struct arrived){__VA_ARGS__}, now)
	/* Nothing came. */
	assert_int_equal(JUDGE(early, .looked = early), ARRIVAL_WAITING);
	assert_int_equal(JUDGE(due + 1, .looked = due), ARRIVAL_WAITING);
	assert_int_equal(JUDGE(late, .looked = late), ARRIVAL_WAITING);
	assert_int_equal(JUDGE(after, .looked = after), ARRIVAL_MISSING);
	/* And nobody looked. */
	assert_int_equal(JUDGE(after, .looked = 0), ARRIVAL_COULD_NOT_LOOK);
	assert_int_equal(JUDGE(after, .looked = late), ARRIVAL_COULD_NOT_LOOK);
	assert_int_equal(JUDGE(after, .files = 0, .looked = early),
		ARRIVAL_COULD_NOT_LOOK);
	/* It came. */
	assert_int_equal(
		JUDGE(early, .files = 1, .enough_at = early), ARRIVAL_ON_TIME);
	assert_int_equal(
		JUDGE(after, .files = 1, .enough_at = late), ARRIVAL_ON_TIME);
	assert_int_equal(
		JUDGE(after, .files = 1, .enough_at = after), ARRIVAL_LATE);
	assert_int_equal(
		JUDGE(after, .files = 9, .enough_at = due), ARRIVAL_ON_TIME);
	/* Fewer than agreed. */
	x.files = (struct band){.least = 3, .most = 5};
	assert_int_equal(
		JUDGE(early, .files = 2, .looked = early), ARRIVAL_WAITING);
	assert_int_equal(
		JUDGE(after, .files = 2, .looked = after), ARRIVAL_SHORT);
	assert_int_equal(JUDGE(after, .files = 2, .looked = early),
		ARRIVAL_COULD_NOT_LOOK);
	assert_int_equal(
		JUDGE(after, .files = 0, .looked = after), ARRIVAL_MISSING);
	assert_int_equal(
		JUDGE(after, .files = 5, .enough_at = due), ARRIVAL_ON_TIME);
	/* More than agreed, also before it is due. */
	assert_int_equal(
		JUDGE(early, .files = 6, .enough_at = early), ARRIVAL_SHORT);
	/* Bytes and records. */
	x.files = (struct band){.least = 1, .most = any};
	x.bytes = (struct band){.least = 100, .most = 200};
	assert_int_equal(
		JUDGE(early, .files = 1, .bytes = 99), ARRIVAL_WAITING);
	assert_int_equal(JUDGE(after, .files = 1, .bytes = 99, .looked = after),
		ARRIVAL_SHORT);
	assert_int_equal(
		JUDGE(after, .files = 1, .bytes = 200, .enough_at = due),
		ARRIVAL_ON_TIME);
	assert_int_equal(
		JUDGE(after, .files = 1, .bytes = 201, .enough_at = due),
		ARRIVAL_SHORT);
	x.bytes = (struct band){.most = any};
	x.records = (struct band){.least = 1000, .most = any};
	assert_int_equal(
		JUDGE(after, .files = 1, .records = 999, .looked = after),
		ARRIVAL_SHORT);
	assert_int_equal(
		JUDGE(after, .files = 1, .records = 1000, .enough_at = after),
		ARRIVAL_LATE);
	/* At most, and nothing at least: nothing is fine. */
	x.records = (struct band){.most = any};
	x.files = (struct band){.most = 5};
	assert_int_equal(JUDGE(after, .looked = 0), ARRIVAL_ON_TIME);
#undef JUDGE
	assert_string_equal(arrival_name(ARRIVAL_ON_TIME), "on-time");
	assert_string_equal(
		arrival_name(ARRIVAL_COULD_NOT_LOOK), "could-not-look");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cron_times),
		cmocka_unit_test(test_cron_mistakes),
		cmocka_unit_test(test_cron_on_days_of_change),
		cmocka_unit_test(test_every_follows_the_last_look),
		cmocka_unit_test(test_a_window_across_midnight_and_changes),
		cmocka_unit_test(test_one_window_each_day),
		cmocka_unit_test(test_cron_is_made_up_for_within_the_window),
		cmocka_unit_test(test_jitter_is_bounded_steady_and_spread),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_contract_days),
		cmocka_unit_test(test_contract_days_divide_time),
		cmocka_unit_test(test_a_deadline_on_days_of_change),
		cmocka_unit_test(test_learned_bands),
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
