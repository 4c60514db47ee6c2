/* source/http/window and timefmt: windows of time, and how times are written.
 */
#include "source/http/window.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "source/http/timefmt.h"
#include "unit.h"

#define S CLOCK_SECOND
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

static int64_t
at(const char *text)
{
	int64_t v = 0;

	if (!api_parse_time(text, strlen(text), &v))
		fail_msg("%s", text);
	return v;
}

/* ---- times ---- */

static void
test_formats(void **state UNUSED)
{
	static const struct {
		const char *format, *text;
	} rows[] = {
		{"rfc3339", "2026-02-28T23:59:59Z"},
		{"rfc3339_ms", "2026-02-28T23:59:59.123Z"},
		{"epoch_s", "1772323199"},
		{"epoch_ms", "1772323199123"},
		{"date", "2026-02-28"},
		{"%Y%m%dT%H", "20260228T23"},
		{"%Y-%m-%d %H:%M:%S.%f", "2026-02-28 23:59:59.123456"},
		{"100%% %Y", "100% 2026"},
	};
	int64_t t = at("2026-02-28T23:59:59.123456789Z");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_format f;
		struct err e = ERR_INIT;
		struct str s = STR_INIT, again = STR_INIT;
		int64_t back = 0;

		must(api_format_parse(rows[i].format, &f, &e), &e);
		timefmt_add(&s, &f, t);
		assert_string_equal(s.s, rows[i].text);
		assert_true(timefmt_parse(&f, s.s, s.len, &back));
		timefmt_add(&again, &f, back);
		assert_string_equal(again.s, s.s);
		assert_true(back <= t);
		free(f.custom);
		str_release(&s);
		str_release(&again);
	}
}

static void
test_times_that_are_read(void **state UNUSED)
{
	static const struct {
		const char *text, *same; /* NULL: refused */
	} rows[] = {
		{"2026-03-01T00:00:00+01:00", "2026-02-28T23:00:00Z"},
		{"2026-03-01t00:00:00.5-0030", "2026-03-01T00:30:00.5Z"},
		{"2026-03-01 00:00:00Z", "2026-03-01"},
		{"2024-02-29T00:00:00Z", "2024-02-29"},
		{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
		{"2026-02-29", NULL},
		{"2026-13-01", NULL},
		{"2026-03-01T24:00:00Z", NULL},
		{"2026-03-01T00:00:00", NULL},
		{"2026-03-01T00:00:00.Z", NULL},
		{"2026-03-01T00:00:00Zx", NULL},
		{"9999-03-01T00:00:00Z", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t v = 0;
		bool right =
			api_parse_time(rows[i].text, strlen(rows[i].text), &v);

		if (right != (rows[i].same != NULL))
			fail_msg("%s", rows[i].text);
		if (right)
			assert_true(v == at(rows[i].same));
	}
	assert_true(at("1970-01-01") == 0);
}

static void
test_http_dates(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool right;
	} rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", true},
		{"Sunday, 06-Nov-94 08:49:37 GMT", true},
		{"Sun Nov  6 08:49:37 1994", true},
		{"06 Nov 1994 08:49:37 +0000", true},
		{"Sun, 6 Nov 1994 10:49:37 +0200", true},
		{"sun, 06 nov 1994 08:49:37 gmt", true},
		{"Sun, 06 Nov 1994 08:49:37", false},
		{"Sun, 06 Nov 1994 08:49:37 CET", false},
		{"Sun, 31 Feb 1994 08:49:37 GMT", false},
		{"Sun, 06 Nov 1994 08:49:37 GMT x", false},
		{"1994-11-06", false},
		{"120", false},
		{"", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t v = 0;
		bool right = timefmt_parse_http(
			rows[i].text, strlen(rows[i].text), &v);

		if (right != rows[i].right)
			fail_msg("%s", rows[i].text);
		if (right && v != at("1994-11-06T08:49:37Z"))
			fail_msg("%s: %lld", rows[i].text, (long long)v);
	}
}

/* ---- windows ---- */

static const char *
text(struct vars *v, const char *name)
{
	return (const char *)vars_get(v, API_WINDOW, name)->text[0].p;
}

static struct api_incremental
rule(void)
{
	return (struct api_incremental){
		.set = true,
		.start = INT64_C(1767225600) * S, /* 2026-01-01 */
		.granularity = S,
		.align = S,
	};
}

/* Every window until there is none, as "START/END START/END". */
static void
assert_windows(struct windows *it, const char *expected)
{
	struct str s = STR_INIT;
	struct api_window w;

	while (windows_next(it, &w)) {
		if (s.len > 0)
			str_addc(&s, ' ');
		window_add_point(&s, it->rule, w.start);
		str_addc(&s, '/');
		window_add_point(&s, it->rule, w.end);
	}
	assert_string_equal(s.s, expected);
	str_release(&s);
}

static void
test_first_and_following_windows(void **state UNUSED)
{
	struct api_incremental r = rule();
	struct windows it;
	int64_t cursor = at("2026-01-05T12:00:00Z");

	r.window = 2 * DAY;
	r.lag = 60 * S;
	windows_begin(&it, &r, NULL, at("2026-01-05T12:00:00.7Z"));
	assert_windows(&it,
		"2026-01-01T00:00:00Z/2026-01-03T00:00:00Z "
		"2026-01-03T00:00:00Z/2026-01-05T00:00:00Z "
		"2026-01-05T00:00:00Z/2026-01-05T11:59:00Z");
	r.lookback = HOUR;
	windows_begin(&it, &r, &cursor, at("2026-01-05T13:00:00Z"));
	assert_windows(&it, "2026-01-05T11:00:00Z/2026-01-05T12:59:00Z");
	/* Nothing new is complete: nothing is asked, not even again. */
	windows_begin(&it, &r, &cursor, at("2026-01-05T12:00:59Z"));
	assert_windows(&it, "");
	/* A lookback does not reach before the start. */
	cursor = at("2026-01-01T00:30:00Z");
	windows_begin(&it, &r, &cursor, at("2026-01-01T01:01:00Z"));
	assert_windows(&it, "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z");
	/* The clock was set back: nothing is asked backwards. */
	windows_begin(&it, &r, &cursor, at("2025-01-01T00:00:00Z"));
	assert_windows(&it, "");
}

static void
test_align_and_the_four_views(void **state UNUSED)
{
	struct api_incremental r = rule();
	struct err e = ERR_INIT;
	struct vars v = VARS_INIT;
	struct windows it;
	struct api_window w;

	/* Amplitude: hours, both of them inclusive. */
	r.granularity = r.align = HOUR;
	r.window = DAY;
	r.lag = 2 * HOUR;
	must(api_format_parse("%Y%m%dT%H", &r.format, &e), &e);
	windows_begin(&it, &r, NULL, at("2026-01-02T02:59:59Z"));
	assert_true(windows_next(&it, &w));
	window_vars(&r, &w, &v);
	assert_string_equal(text(&v, "start"), "20260101T00");
	assert_string_equal(text(&v, "last"), "20260101T23");
	assert_string_equal(text(&v, "after"), "20251231T23");
	assert_string_equal(text(&v, "end"), "20260102T00");
	assert_false(windows_next(&it, &w));
	free(r.format.custom);
	vars_release(&v);

	/* Intercom: days, and the end in the future. */
	r = rule();
	r.granularity = r.align = DAY;
	r.lag = -2 * DAY;
	windows_begin(&it, &r, NULL, at("2026-01-02T02:59:59Z"));
	assert_windows(&it, "2026-01-01T00:00:00Z/2026-01-04T00:00:00Z");
}

static void
test_retention(void **state UNUSED)
{
	struct api_incremental r = rule();
	struct windows it;
	int64_t now = at("2026-06-30T12:00:00Z");
	int64_t cursor = now - 29 * DAY;

	r.retention = 30 * DAY;
	r.start = 0;
	windows_begin(&it, &r, NULL, now);
	assert_false(it.gap);
	assert_windows(&it, "2026-05-31T12:00:00Z/2026-06-30T12:00:00Z");
	windows_begin(&it, &r, &cursor, now);
	assert_false(it.gap);
	cursor = now - 40 * DAY;
	windows_begin(&it, &r, &cursor, now);
	assert_true(it.gap);
	assert_true(it.gap_from == cursor);
	assert_true(it.gap_to == now - 30 * DAY);
	assert_windows(&it, "2026-05-31T12:00:00Z/2026-06-30T12:00:00Z");
}

static void
test_splitting(void **state UNUSED)
{
	struct api_incremental r = rule();
	struct windows it;
	struct api_window w;
	int64_t sum = 0, from;

	r.align = r.granularity = HOUR;
	windows_between(&it, &r, at("2026-01-01T00:30:00Z"),
		at("2026-01-01T06:10:00Z"));
	assert_true(windows_next(&it, &w));
	from = w.start;
	assert_true(w.end - w.start == 7 * HOUR);
	while (windows_split(&it, &w))
		;
	assert_true(w.start == from && w.end - w.start == HOUR);
	/* What was split off comes next; nothing is left out. */
	do {
		assert_true(w.start == from);
		sum += w.end - w.start;
		from = w.end;
	} while (windows_next(&it, &w));
	assert_true(sum == 7 * HOUR);
}

static void
test_integers(void **state UNUSED)
{
	struct api_incremental r = {.set = true,
		.kind = API_KIND_INT,
		.granularity = 1,
		.align = 1,
		.start = 1,
		.lookback = 10};
	struct vars v = VARS_INIT;
	struct windows it;
	struct api_window w;
	int64_t cursor = 100, n = 0;

	windows_begin(&it, &r, &cursor, 0);
	assert_true(windows_next(&it, &w));
	window_vars(&r, &w, &v);
	assert_string_equal(text(&v, "start"), "90");
	assert_string_equal(text(&v, "after"), "89");
	assert_null(vars_get(&v, API_WINDOW, "end"));
	assert_false(windows_next(&it, &w));
	assert_true(window_parse(&r, "17", 2, &n) && n == 17);
	assert_false(window_parse(&r, "-1", 2, &n));
	vars_release(&v);
}

static void
test_tokens(void **state UNUSED)
{
	struct api_incremental r = rule();
	struct vars v = VARS_INIT;
	struct api_window w = {0, 1};

	r.kind = API_KIND_TOKEN;
	r.format.time = API_TIME_EPOCH_S;
	window_vars(&r, &w, &v);
	assert_string_equal(text(&v, "start"), "1767225600");
	assert_null(vars_get(&v, API_WINDOW, "end"));
	vars_set_text(&v, API_PAGE, "token", "t");
	window_vars(&r, &w, &v);
	assert_null(vars_get(&v, API_WINDOW, "start"));
	vars_release(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_times_that_are_read),
		cmocka_unit_test(test_http_dates),
		cmocka_unit_test(test_first_and_following_windows),
		cmocka_unit_test(test_align_and_the_four_views),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_splitting),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
