/* loop/: time zones against libc, and files that lie. */
#include "loop/zoneinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "loop/calendar.h"
#include "loop/tzrule.h"
#include "unit.h"

static const char *const zones[] = {
	"Europe/Berlin",
	"America/New_York",
	"Australia/Lord_Howe", /* half an hour of summer */
	"Asia/Kolkata",
	"Europe/Dublin",     /* winter is the exception */
	"America/Sao_Paulo", /* had changes at midnight */
	"Africa/Casablanca", /* changes by table until 2087 */
	"Pacific/Apia",	     /* skipped a day */
	"America/St_Johns",  /* changed a minute after midnight */
	"Pacific/Chatham",
	"UTC",
};

static void
need_tzdata(void)
{
	if (access(ZONEINFO_DIR "/Europe/Berlin", R_OK) == 0)
		return;
	fprintf(stderr, "skipped: no " ZONEINFO_DIR " (package tzdata)\n");
	skip();
}

static struct zoneinfo *
load(const char *name)
{
	struct zoneinfo *z;
	struct err e = ERR_INIT;

	must(zoneinfo_load(name, &z, &e), &e);
	return z;
}

static void
use_libc_zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

static void
assert_like_libc(const struct zoneinfo *z, const char *name, int64_t second)
{
	time_t t = (time_t)second;
	struct tm tm;
	struct civil c;

	assert_non_null(localtime_r(&t, &tm));
	zoneinfo_local(z, second * CLOCK_SECOND, &c);
	if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 ||
		c.day != tm.tm_mday || c.hour != tm.tm_hour ||
		c.minute != tm.tm_min || c.second != tm.tm_sec ||
		c.weekday != tm.tm_wday)
		fail_msg("%s at %lld: %d-%d-%d %d:%d:%d, libc %d-%d-%d "
			 "%d:%d:%d",
			name, (long long)second, c.year, c.month, c.day, c.hour,
			c.minute, c.second, tm.tm_year + 1900, tm.tm_mon + 1,
			tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The first second that shows this local time, by asking libc alone. */
static int64_t
libc_first(int64_t local)
{
	int64_t first = INT64_MAX;

	for (int dst = 0; dst <= 1; dst++) {
		struct civil d;
		struct tm tm = {.tm_isdst = dst}, back;
		int64_t day = calendar_day_of(local);
		int left = (int)(local - day * 86400);
		time_t t;

		calendar_date(day, &d);
		tm.tm_year = d.year - 1900;
		tm.tm_mon = d.month - 1;
		tm.tm_mday = d.day;
		tm.tm_hour = left / 3600;
		tm.tm_min = left / 60 % 60;
		tm.tm_sec = left % 60;
		t = mktime(&tm);
		localtime_r(&t, &back);
		if (back.tm_isdst == dst && back.tm_hour == left / 3600 &&
			back.tm_min == left / 60 % 60 && t < first)
			first = t;
	}
	return first;
}

static void
test_every_hour_is_that_of_libc(void **state UNUSED)
{
	need_tzdata();
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct zoneinfo *z = load(zones[i]);
		int64_t end = calendar_days(2041, 1, 1) * 86400;

		use_libc_zone(zones[i]);
		for (int64_t t = calendar_days(2009, 12, 30) * 86400; t < end;
			t += 3600)
			assert_like_libc(z, zones[i], t);
		zoneinfo_free(z);
	}
}

/* Each quarter of an hour for a day around each change, and its edges. */
static void
test_changes_are_those_of_libc(void **state UNUSED)
{
	size_t changes = 0;

	need_tzdata();
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct zoneinfo *z = load(zones[i]);
		int64_t at = calendar_days(2020, 1, 1) * 86400;
		int64_t end = calendar_days(2041, 1, 1) * 86400;

		use_libc_zone(zones[i]);
		while ((at = zoneinfo_change(z, at)) < end) {
			changes++;
			assert_like_libc(z, zones[i], at - 1);
			assert_like_libc(z, zones[i], at);
			for (int q = -96; q <= 96; q++) {
				int64_t t = at + q * 900;
				int64_t local = t + zoneinfo_offset(z, t);

				assert_like_libc(z, zones[i], t);
				assert_int_equal(zoneinfo_second(z, local),
					libc_first(local));
			}
		}
		zoneinfo_free(z);
	}
	/* Two a year for six of them, and Morocco's. */
	assert_in_range(changes, 6 * 42, 8 * 42);
}

static void
test_years_beyond_the_table_follow_the_rule(void **state UNUSED)
{
	need_tzdata();
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct zoneinfo *z = load(zones[i]);

		use_libc_zone(zones[i]);
		for (int year = 1900; year <= 2261; year += 19)
			for (int day = 1; day <= 366; day++)
				assert_like_libc(z, zones[i],
					calendar_days(year, 1, day) * 86400 +
						day * 200);
		zoneinfo_free(z);
	}
}

static void
assert_wall(const struct zoneinfo *z, struct civil c, const char *utc)
{
	struct str s = STR_INIT;

	clock_add_time(&s, zoneinfo_wall(z, &c));
	assert_string_equal(s.s, utc);
	str_release(&s);
}

#define AT(y, m, d, h, min) \
	((struct civil){ \
		.year = y, .month = m, .day = d, .hour = h, .minute = min})

static void
test_skipped_and_doubled_times(void **state UNUSED)
{
	struct zoneinfo *z;

	need_tzdata();
	z = load("Europe/Berlin");
	assert_wall(z, AT(2026, 3, 29, 1, 59), "2026-03-29T00:59:00Z");
	assert_wall(z, AT(2026, 3, 29, 2, 0), "2026-03-29T01:00:00Z");
	assert_wall(z, AT(2026, 3, 29, 2, 30), "2026-03-29T01:00:00Z");
	assert_wall(z, AT(2026, 3, 29, 3, 0), "2026-03-29T01:00:00Z");
	assert_wall(z, AT(2026, 3, 29, 3, 1), "2026-03-29T01:01:00Z");
	assert_wall(z, AT(2026, 10, 25, 2, 30), "2026-10-25T00:30:00Z");
	assert_wall(z, AT(2026, 10, 25, 3, 0), "2026-10-25T02:00:00Z");
	assert_wall(z, AT(2200, 7, 1, 12, 0), "2200-07-01T10:00:00Z");
	zoneinfo_free(z);
	z = load("Australia/Lord_Howe");
	assert_wall(z, AT(2026, 10, 4, 2, 15), "2026-10-03T15:30:00Z");
	assert_wall(z, AT(2026, 4, 5, 1, 45), "2026-04-04T14:45:00Z");
	zoneinfo_free(z);
	z = load("Pacific/Apia");
	assert_wall(z, AT(2011, 12, 30, 12, 0), "2011-12-30T10:00:00Z");
	zoneinfo_free(z);
	assert_wall(NULL, AT(2026, 3, 29, 2, 30), "2026-03-29T02:30:00Z");
}

static void
test_names_lead_nowhere_else(void **state UNUSED)
{
	static const char *const wrong[] = {"", "/etc/passwd", "../passwd",
		"Europe/../../etc/passwd", "Europe//Berlin", "Europe/", ".",
		"Europe/Berl in", "Europe/Berlin\n", "Mars/Olympus", "zone.tab",
		"Europe"};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct zoneinfo *z = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(zoneinfo_load(wrong[i], &z, &e), BAD_ITEM);
		assert_null(z);
		assert_true(e.text[0] != '\0');
	}
	zoneinfo_free(load("UTC"));
}

/* Whatever the bytes, an answer or a refusal, within the bytes. */
static void
test_damaged_files_are_refused(void **state UNUSED)
{
	struct str file = STR_INIT;
	struct err e = ERR_INIT;
	struct zoneinfo *z;
	size_t refused = 0;

	need_tzdata();
	must(io_read_file(AT_FDCWD, ZONEINFO_DIR "/Europe/Berlin",
		     ZONEINFO_SIZE_MAX, &file, BAD_ITEM, &e),
		&e);
	/* Every cut: an exact copy, so that a sanitizer sees the edge. */
	for (size_t len = 0; len < file.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);

		memcpy(copy, file.s, len);
		assert_int_equal(zoneinfo_parse(copy, len, &z, &e), BAD_ITEM);
		free(copy);
	}
	for (size_t i = 0; i < file.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *copy = malloc(file.len);

			memcpy(copy, file.s, file.len);
			copy[i] ^= (uint8_t)(1u << bit);
			if (zoneinfo_parse(copy, file.len, &z, &e) == OK) {
				struct civil c;

				for (int64_t d = -90000; d < 90000; d += 701)
					zoneinfo_local(z,
						d * 86400 * CLOCK_SECOND, &c);
				(void)zoneinfo_second(z, 1 << 30);
				zoneinfo_free(z);
			} else {
				refused++;
			}
			free(copy);
		}
	assert_true(refused > 300);
	str_release(&file);
}

/* Version 1 has no footer: its last offset stays. */
static void
test_a_small_file_of_version_1(void **state UNUSED)
{
	uint8_t file[] = {'T', 'Z', 'i', 'f', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0, 0, 0, 2, 0, 0, 0, 4,
		/* at 1000 type 1 */
		0, 0, 3, 0xe8, 1,
		/* types: +1h, -1h */
		0, 0, 0x0e, 0x10, 0, 0, 0xff, 0xff, 0xf1, 0xf0, 0, 0, 'A', 'B',
		'C', 0};
	struct zoneinfo *z = NULL;
	struct err e = ERR_INIT;

	must(zoneinfo_parse(file, sizeof(file), &z, &e), &e);
	assert_int_equal(zoneinfo_offset(z, 999), 3600);
	assert_int_equal(zoneinfo_offset(z, 1000), -3600);
	assert_int_equal(zoneinfo_offset(z, INT64_C(9000000000)), -3600);
	assert_int_equal(zoneinfo_change(z, 0), 1000);
	assert_true(zoneinfo_change(z, 1000) == INT64_MAX);
	zoneinfo_free(z);

	file[48] = 2; /* no such type */
	assert_int_equal(zoneinfo_parse(file, sizeof(file), &z, &e), BAD_ITEM);
	file[48] = 1;
	file[39] = 0; /* no types */
	assert_int_equal(zoneinfo_parse(file, sizeof(file), &z, &e), BAD_ITEM);
	file[39] = 2;
	file[49] = 0x7f; /* an offset of years */
	assert_int_equal(zoneinfo_parse(file, sizeof(file), &z, &e), BAD_ITEM);
	file[49] = 0;
	memset(file + 20, 0xff, 24); /* counts that would overflow */
	assert_int_equal(zoneinfo_parse(file, sizeof(file), &z, &e), BAD_ITEM);
}

static void
test_leap_seconds_are_not_counted(void **state UNUSED)
{
	struct zoneinfo *z;
	struct err e = ERR_INIT;

	if (access(ZONEINFO_DIR "/right/UTC", R_OK) != 0)
		skip();
	assert_int_equal(zoneinfo_load("right/UTC", &z, &e), BAD_ITEM);
	assert_non_null(strstr(e.text, "leap seconds"));
}

static void
test_rules(void **state UNUSED)
{
	static const char *const wrong[] = {"", "C1", "CET", "CET-",
		"CET-1CEST", "CET-25", "CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/168",
		"CET-1CEST,J0,J5", "CET-1CEST,J1,J366", "CET-1CEST,1,366",
		"CET-1CEST,M3.5.0,M10.5.0x", "<+01-1", "CET-1:60",
		"CET-99999999999999999999"};
	struct tzrule r;
	int64_t t;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (tzrule_parse(wrong[i], strlen(wrong[i]), &r))
			fail_msg("%s", wrong[i]);
	assert_true(tzrule_parse("<-0330>3:30", 11, &r));
	assert_int_equal(tzrule_offset(&r, 0), -12600);
	/* Summer the whole year (RFC 8536 section 3.3.1). */
	assert_true(tzrule_parse("XXX3EDT4,0/0,J365/23", 20, &r));
	for (t = calendar_days(2023, 12, 30) * 86400;
		t < calendar_days(2025, 1, 3) * 86400; t += 1800)
		assert_int_equal(tzrule_offset(&r, t), -4 * 3600);
	/* J60 is the first of March in every year, 59 only in some. */
	assert_true(tzrule_parse("AAA0BBB,J60/0,J61/0", 19, &r));
	t = calendar_days(2024, 3, 1) * 86400;
	assert_int_equal(tzrule_offset(&r, t - 1), 0);
	assert_int_equal(tzrule_offset(&r, t), 3600);
	assert_true(tzrule_parse("AAA0BBB,59/0,60/0", 17, &r));
	assert_int_equal(tzrule_offset(&r, t - 3601), 3600);
	assert_int_equal(tzrule_offset(&r, t - 3600), 0);
}

static void
test_the_calendar_is_libcs(void **state UNUSED)
{
	use_libc_zone("UTC");
	for (int64_t day = -720000; day < 2900000; day += 13) {
		time_t t = (time_t)(day * 86400);
		struct civil c;
		struct tm tm;

		gmtime_r(&t, &tm);
		if (tm.tm_year + 1900 < 2 || tm.tm_year + 1900 > 9998)
			continue;
		calendar_date(day, &c);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.weekday, tm.tm_wday);
		assert_int_equal(calendar_days(c.year, c.month, c.day), day);
	}
	assert_int_equal(calendar_month_days(2000, 2), 29);
	assert_int_equal(calendar_month_days(2100, 2), 28);
	assert_int_equal(calendar_month_days(2024, 12), 31);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_calendar_is_libcs),
		cmocka_unit_test(test_every_hour_is_that_of_libc),
		cmocka_unit_test(test_changes_are_those_of_libc),
		cmocka_unit_test(test_years_beyond_the_table_follow_the_rule),
		cmocka_unit_test(test_skipped_and_doubled_times),
		cmocka_unit_test(test_names_lead_nowhere_else),
		cmocka_unit_test(test_damaged_files_are_refused),
		cmocka_unit_test(test_a_small_file_of_version_1),
		cmocka_unit_test(test_leap_seconds_are_not_counted),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests_name("zoneinfo", tests, NULL, NULL);
}
