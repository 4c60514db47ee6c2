/*
 * daemon/arrival: arrival contracts over histories made by hand, above all
 * those whose bands are learned.
 */
#include "daemon/arrival.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "unit.h"

#include "scratch.h"

#define DAY (86400 * CLOCK_SECOND)
#define HOUR (3600 * CLOCK_SECOND)

static char source_name[] = "acme";

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct catalog *catalog;
	uint64_t index;
	struct source_config source;
	struct lesson lesson;
};

static int64_t
utc(const char *text)
{
	int64_t t = 0;

	assert_true(clock_parse_time(text, &t));
	return t;
}

static int
set_up(void **state)
{
	const struct band learned = {.most = UINT64_MAX, .learned = true};
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make_quick(p->path);
	must(catalog_open(p->path, true, &p->catalog, &e), &e);
	must(catalog_begin(p->catalog, &e), &e);
	p->source.name = source_name;
	p->source.expect = (struct expect){
		.set = true,
		.by = 6 * 60,
		.files = learned,
		.bytes = learned,
		.records = learned,
	};
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	catalog_abort(p->catalog);
	catalog_close(p->catalog);
	expect_release(&p->source.expect);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

/* n files landed at t, with so many bytes and records together. */
static void
landed(struct place *p, int64_t t, unsigned n, uint64_t bytes, uint64_t records)
{
	const struct signature sig = {.size = 1};
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < n; i++) {
		char name[32];
		struct catalog_version v = {
			.generation = 1,
			.disposition = DISPOSITION_LANDED,
			.file = name,
			.size = i == 0 ? bytes - (n - 1) : 1,
			.records = i == 0 ? records : 0,
			.landed_at = t,
			.index = p->index++,
		};

		(void)snprintf(name, sizeof(name), "f%llu",
			(unsigned long long)v.index);
		must(catalog_put(p->catalog, source_name, (uint8_t *)name,
			     strlen(name), &sig, t, &v, &e),
			&e);
	}
}

static struct arrival_report
judge(struct place *p, int64_t now)
{
	struct arrival_report r;
	struct err e = ERR_INIT;

	must(arrival_judge(p->catalog, &p->source, now, &p->lesson, &r, &e),
		&e);
	return r;
}

/* A complete look at t. */
static void
looked(struct place *p, int64_t t)
{
	const struct catalog_pass pass = {.source = source_name,
		.started = t,
		.ended = t,
		.outcome = PASS_COMPLETE};
	struct err e = ERR_INIT;

	must(catalog_pass_put(p->catalog, &pass, &e), &e);
}

static void
assert_band(const struct band *b, uint64_t least, uint64_t most)
{
	assert_int_equal(b->least, least);
	assert_int_equal(b->most, most);
}

static void
test_learning(void **state)
{
	struct place *p = *state;
	int64_t t = utc("2026-02-02T05:00:00Z"); /* a Monday */
	struct arrival_report r;

	/* Until there are eight, anything will do. */
	for (int i = 0; i < 7; i++)
		landed(p, t + i * DAY, 3, 3000, 100);
	r = judge(p, t + 7 * DAY);
	assert_int_equal(r.lesson.deadlines, 7);
	assert_band(&r.files, 1, UINT64_MAX);
	assert_band(&r.bytes, 0, UINT64_MAX);
	looked(p, t + 7 * DAY + 2 * HOUR);
	r = judge(p, t + 7 * DAY + 2 * HOUR);
	assert_int_equal(r.outcome, ARRIVAL_MISSING);
	landed(p, t + 7 * DAY + 2 * HOUR, 1, 1, 1);
	r = judge(p, t + 7 * DAY + 2 * HOUR);
	assert_int_equal(r.outcome, ARRIVAL_LATE);
	/* Eight: the median is theirs, whatever the eighth was. */
	r = judge(p, t + 8 * DAY);
	assert_int_equal(r.lesson.deadlines, 8);
	assert_int_equal(r.lesson.weekday, -1);
	assert_band(&r.files, 3, 3);
	assert_band(&r.bytes, 2700, 3300);
	assert_band(&r.records, 90, 110);
	assert_int_equal(r.outcome, ARRIVAL_WAITING);
	/* Two of three: short when it is late, not before. */
	landed(p, t + 8 * DAY, 2, 3000, 100);
	looked(p, t + 8 * DAY + 2 * HOUR);
	assert_int_equal(judge(p, t + 8 * DAY).outcome, ARRIVAL_WAITING);
	assert_int_equal(
		judge(p, t + 8 * DAY + 2 * HOUR).outcome, ARRIVAL_SHORT);
	/* More than ever is told at once. */
	landed(p, t + 9 * DAY, 3, 9000, 100);
	assert_int_equal(judge(p, t + 9 * DAY).outcome, ARRIVAL_SHORT);
}

/* Only what is asked to be learned is. */
static void
test_one_band_of_three(void **state)
{
	struct place *p = *state;
	int64_t t = utc("2026-02-02T05:00:00Z");
	struct arrival_report r;

	p->source.expect.files = (struct band){.least = 5, .most = 9};
	p->source.expect.records = (struct band){.most = UINT64_MAX};
	for (int i = 0; i < 10; i++)
		landed(p, t + i * DAY, 3, 3000, 100);
	r = judge(p, t + 10 * DAY);
	assert_band(&r.files, 5, 9);
	assert_band(&r.bytes, 2700, 3300);
	assert_band(&r.records, 0, UINT64_MAX);
	p->source.expect.bytes = (struct band){.least = 7, .most = 7};
	p->lesson.due = 0;
	assert_int_equal(judge(p, t + 10 * DAY).lesson.due, 0);
}

/* Weekdays differ, and after eight weeks each has a band of its own. */
static void
test_weekdays(void **state)
{
	struct place *p = *state;
	int64_t t = utc("2026-01-05T05:00:00Z"); /* a Monday */
	struct arrival_report r;

	for (int i = 0; i < 7 * 25; i++)
		landed(p, t + i * DAY, 1, i % 7 >= 5 ? 100 : 10000, 1);
	/* 25 Saturdays, of which 20 count. */
	r = judge(p, t + (7 * 25 + 5) * DAY);
	assert_int_equal(r.lesson.weekday, 6);
	assert_int_equal(r.lesson.deadlines, 20);
	assert_band(&r.bytes, 90, 110);
	p->lesson.due = 0;
	r = judge(p, t + (7 * 25 + 7) * DAY);
	assert_int_equal(r.lesson.weekday, 1);
	assert_band(&r.bytes, 9000, 11000);
}

/* Days of clock changes are days like others, by local time. */
static void
test_clock_changes(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct arrival_report r;
	int64_t t = utc("2026-03-20T04:00:00Z");

	if (zoneinfo_load("Europe/Berlin", &p->source.expect.zone, &e) != OK)
		skip();
	p->source.expect.by = 150; /* 02:30 is skipped on the 29th */
	for (int i = 0; i < 20; i++)
		landed(p, t + i * DAY - (i >= 9 ? HOUR : 0), 2, 2000, 10);
	r = judge(p, utc("2026-04-09T00:00:00Z"));
	assert_int_equal(r.lesson.deadlines, 20);
	assert_band(&r.files, 2, 2);
	/* The 29th itself is judged by the same band. */
	p->lesson.due = 0;
	r = judge(p, utc("2026-03-29T04:00:00Z"));
	assert_int_equal(r.lesson.deadlines, 9);
	assert_band(&r.bytes, 1800, 2200);
	assert_true(r.day.due == utc("2026-03-29T01:00:00Z"));
}

/* What did not come, and days without a deadline, teach nothing. */
static void
test_holidays_and_gaps(void **state)
{
	struct place *p = *state;
	int64_t t = utc("2026-02-02T05:00:00Z"); /* a Monday */
	struct days *days = &p->source.expect.days;
	struct arrival_report r;

	days->holidays = mem_array(1, sizeof(*days->holidays));
	days->holidays[0] = 20260206;
	days->n_holidays = 1;
	for (int i = 1; i < 6; i++)
		days->weekday[i] = true;
	/* 15 weekdays: one a holiday, two without anything, one huge. */
	for (int i = 0; i < 21; i++) {
		if (i % 7 >= 5 || i == 4 || i == 8 || i == 9)
			continue;
		landed(p, t + i * DAY, 1, i == 10 ? 900000 : 1000, 10);
	}
	r = judge(p, t + 21 * DAY);
	assert_int_equal(r.lesson.deadlines, 12);
	assert_band(&r.bytes, 900, 1100);
	/* A holiday's late delivery counts for the deadline it is next to. */
	landed(p, t + 4 * DAY - 20 * HOUR, 1, 1000, 10);
	p->lesson.due = 0;
	r = judge(p, t + 21 * DAY);
	assert_int_equal(r.lesson.deadlines, 12);
}

/* The same deadline is not learned twice: a day's own looks change nothing. */
static void
test_a_lesson_is_kept(void **state)
{
	struct place *p = *state;
	int64_t t = utc("2026-02-02T05:00:00Z");

	for (int i = 0; i < 8; i++)
		landed(p, t + i * DAY, 1, 1000, 10);
	assert_int_equal(judge(p, t + 8 * DAY).lesson.deadlines, 8);
	p->lesson.bytes.least = 77;
	assert_int_equal(judge(p, t + 8 * DAY + HOUR).bytes.least, 77);
	assert_int_equal(judge(p, t + 9 * DAY).bytes.least, 900);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_learning),
		TEST(test_one_band_of_three),
		TEST(test_weekdays),
		TEST(test_clock_changes),
		TEST(test_holidays_and_gaps),
		TEST(test_a_lesson_is_kept),
	};

	return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
