/*
 * fuzz-http-text.c - what an API says in headers: links, waits, dates, times;
 * and templates, which a profile's author says.
 *
 * Input: a byte that chooses, the text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fuzz.h"
#include "source/http/link.h"
#include "source/http/template.h"
#include "source/http/timefmt.h"
#include "source/http/wait.h"

#define NOW (INT64_C(1767225600) * CLOCK_SECOND)

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
fuzz_link(const char *p, size_t n)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (link_find(p, n, "next", &s))
		check(s.len < n && memmem(p, n, s.s, s.len) != NULL &&
			memchr(s.s, '>', s.len) == NULL);
}

static void
fuzz_wait(const char *p, size_t n)
{
	for (int u = API_UNIT_S; u <= API_UNIT_HTTP_DATE; u++) {
		int64_t wait = -1;

		if (wait_parse((enum api_unit)u, p, n, NOW, &wait))
			check(wait >= 0 && wait <= WAIT_MAX);
	}
}

/* What was read is written so that it is read as the same. */
static void
check_time(int64_t t, bool in_range)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const struct api_format f = {.time = API_TIME_RFC3339_MS};
	int64_t again;

	timefmt_add(&s, &f, t);
	if (in_range)
		check(timefmt_parse(&f, s.s, s.len, &again) && again <= t &&
			t - again < CLOCK_SECOND / 1000);
}

static void
fuzz_time(const char *p, size_t n)
{
	static const enum api_time times[] = {
		API_TIME_RFC3339, API_TIME_EPOCH_S, API_TIME_EPOCH_MS};
	int64_t t;

	if (timefmt_parse_http(p, n, &t))
		check_time(t, t > -INT64_C(9200000000) * CLOCK_SECOND);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		const struct api_format f = {.time = times[i]};

		if (timefmt_parse(&f, p, n, &t))
			check_time(t, false);
	}
}

/* A format, a line end, a text of that format. */
static void
fuzz_format(const char *p, size_t n)
{
	const char *end = memchr(p, '\n', n);
	CLEANUP(str_release) struct str format = STR_INIT;
	struct api_format f;
	struct err e = ERR_INIT;
	int64_t t;

	if (end == NULL || memchr(p, '\0', (size_t)(end - p)) != NULL)
		return;
	str_addn(&format, p, (size_t)(end - p));
	if (api_format_parse(format.s, &f, &e) != OK)
		return;
	check(api_format_step(&f) > 0);
	if (timefmt_parse(&f, end + 1, n - (size_t)(end + 1 - p), &t))
		check_time(t, false);
	free(f.custom);
}

static void
fuzz_template(const char *p, size_t n)
{
	struct api_template t;
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;

	if (api_template_parse(p, n, &t, &e) != OK)
		return;
	for (size_t i = 0; i < t.n; i++)
		if (t.part[i].space != API_TEXT)
			vars_set(&v, t.part[i].space, t.part[i].text, p, n);
	for (int place = TEMPLATE_PLAIN; place <= TEMPLATE_HEADER; place++) {
		CLEANUP(str_release) struct str s = STR_INIT;
		enum rc rc = template_one(
			&t, &v, (enum template_place)place, false, &s, &e);

		check(rc == OK || rc == BAD_SOURCE);
		for (size_t i = 0; rc == OK && i < s.len; i++)
			check(place != TEMPLATE_HEADER ||
				(uint8_t)s.s[i] >= ' ');
		if (rc == OK && place == TEMPLATE_QUERY)
			check(strpbrk(s.s, "&=?# ") == NULL);
	}
	vars_release(&v);
	api_template_release(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const targets[])(const char *, size_t) = {
		fuzz_link, fuzz_wait, fuzz_time, fuzz_format, fuzz_template};

	if (n > 0)
		targets[*p % ARRAY_LEN(targets)]((const char *)p + 1, n - 1);
	return 0;
}
