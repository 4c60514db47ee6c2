/* source/http/rule and wait: what an answer means, and how long to wait. */
#include "source/http/rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "source/http/wait.h"
#include "unit.h"

#include "api-text.h"

#define S CLOCK_SECOND
#define NOW (INT64_C(1767225600) * S) /* 2026-01-01T00:00:00Z */

/* ---- waits ---- */

static void
test_shapes_of_a_wait(void **state UNUSED)
{
	static const struct {
		enum api_unit unit;
		const char *text;
		int64_t wait; /* -1: refused */
	} rows[] = {
		{API_UNIT_S, "30", 30 * S},
		{API_UNIT_S, " 30 ", 30 * S},
		{API_UNIT_S, "0", 0},
		{API_UNIT_S, "1.5", 1500 * S / 1000},
		{API_UNIT_S, "Thu, 01 Jan 2026 00:01:00 GMT", 60 * S},
		{API_UNIT_S, "Wed, 31 Dec 2025 23:59:00 GMT", 0},
		{API_UNIT_S, "99999999999999999999", WAIT_MAX},
		{API_UNIT_S, "-5", -1},
		{API_UNIT_S, "", -1},
		{API_UNIT_S, "soon", -1},
		{API_UNIT_S, "10s", -1},
		{API_UNIT_MS, "2500", 2500 * S / 1000},
		{API_UNIT_MINUTES, "3", 180 * S},
		{API_UNIT_EPOCH_S, "1767225660", 60 * S},
		{API_UNIT_EPOCH_S, "1767225540", 0},
		{API_UNIT_EPOCH_S, "-1", -1},
		{API_UNIT_EPOCH_MS, "1767225600250", S / 4},
		{API_UNIT_HTTP_DATE, "Thu, 01 Jan 2026 01:00:00 GMT", 3600 * S},
		{API_UNIT_HTTP_DATE, "60", -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t wait = -1;
		bool right = wait_parse(rows[i].unit, rows[i].text,
			strlen(rows[i].text), NOW, &wait);

		if (right != (rows[i].wait >= 0) ||
			(right && wait != rows[i].wait))
			fail_msg("%s: %lld", rows[i].text, (long long)wait);
	}
}

static uint64_t fixed_chance;

static uint64_t
chance(void)
{
	return fixed_chance;
}

static void
test_jitter_is_full(void **state UNUSED)
{
	const struct api_retry r = {.base = S, .max = 10 * S};

	assert_true(wait_most(&r, 0) == S);
	assert_true(wait_most(&r, 3) == 8 * S);
	assert_true(wait_most(&r, 4) == 10 * S);
	assert_true(wait_most(&r, 4000000) == 10 * S);
	wait_replace_chance(chance);
	fixed_chance = 0;
	assert_true(wait_jitter(&r, 3, 0) == 0);
	assert_true(wait_jitter(&r, 3, 60 * S) == 60 * S);
	fixed_chance = (uint64_t)(8 * S);
	assert_true(wait_jitter(&r, 3, 0) == 8 * S);
	assert_true(wait_jitter(&r, 3, 60 * S) == 68 * S);
	fixed_chance++;
	assert_true(wait_jitter(&r, 3, 0) == 0);
	wait_replace_chance(NULL);
}

/*
 * Fifty sources are turned away at one instant and told the same. Each tenth
 * of the time gets some of them, and none too many: with 5,000 throws a
 * tenth expects 500, with a deviation of 21; five of those on each side.
 */
static void
test_a_storm_does_not_come_back_at_once(void **state UNUSED)
{
	const struct api_retry r = {.base = 20 * S, .max = 120 * S};
	unsigned tenth[10] = {0};
	int64_t first = INT64_MAX, last = 0;

	for (int i = 0; i < 5000; i++) {
		int64_t wait = wait_jitter(&r, 0, 30 * S);

		assert_true(wait >= 30 * S && wait <= 50 * S);
		tenth[(wait - 30 * S) * 10 / (20 * S + 1)]++;
	}
	for (int i = 0; i < 10; i++)
		if (tenth[i] < 395 || tenth[i] > 605)
			fail_msg("tenth %d has %u of 5000", i, tenth[i]);
	for (int i = 0; i < 50; i++) {
		int64_t wait = wait_jitter(&r, 0, 30 * S);

		first = wait < first ? wait : first;
		last = wait > last ? wait : last;
	}
	/* That all 50 lie within half of it: less than one in 10^13. */
	assert_true(last - first > 10 * S);
}

/* ---- rules ---- */

/* Fields of the body as "PATH=VALUE" lines; of headers from the answer. */
struct body {
	const char *path, *value[4];
};

struct told {
	const struct http_answer *answer;
	const struct body *body;
};

static enum rc
value_of(const void *arg, const struct api_selector *s, size_t i,
	struct str *ret)
{
	const struct told *t = arg;
	struct str path = STR_INIT;
	const char *p;
	size_t len;
	enum rc rc = END;

	if (s->from == API_FROM_HEADER) {
		p = http_answer_field(t->answer, s->name, &len);
		if (p == NULL || i > 0)
			return END;
		str_addn(ret, p, len);
		return OK;
	}
	jsonpath_write(&s->path, &path);
	for (const struct body *b = t->body; b != NULL && b->path != NULL; b++)
		if (strcmp(b->path, path.s) == 0 && i < 4 &&
			b->value[i] != NULL) {
			str_add(ret, b->value[i]);
			rc = OK;
		}
	str_release(&path);
	return rc;
}

static struct rule_verdict
decided_at(int64_t now, const struct api *a, enum api_phase phase,
	unsigned status, const char *fields, const struct body *body,
	const char *text)
{
	struct http_answer answer;
	struct told t = {&answer, body};
	struct rule_verdict v;
	struct err e = ERR_INIT;

	http_answer_init(&answer, -1);
	answer.status = status;
	str_add(&answer.fields, fields);
	must(http_body_add(&answer.body, text, strlen(text), &e), &e);
	rule_decide(&(struct rule_input){.rules = a->stream[0].rules,
			    .auth = a->stream[0].auth,
			    .phase = phase,
			    .answer = &answer,
			    .value = value_of,
			    .arg = &t,
			    .now = now},
		&v);
	http_answer_release(&answer);
	return v;
}

static struct rule_verdict
decided(const struct api *a, enum api_phase phase, unsigned status,
	const char *fields, const struct body *body, const char *text)
{
	return decided_at(NOW, a, phase, status, fields, body, text);
}

#define API(rules) \
	"    base_url: https://x.example\n" \
	"    pagination: {type: none}\n" rules

/* The wait of a rule with that list, and an answer with these fields. */
static int64_t
waits(const char *config, const char *list, int64_t now, const char *fields)
{
	struct str text = STR_INIT;
	struct rule_verdict v;
	struct config *c;

	str_addf(&text,
		API("    config: {%s}\n"
		    "    errors: [{when: {status: 429}, do: rate_limited, "
		    "wait: [%s]}]\n"
		    "    streams: {s: {request: {path: /x}}}\n"),
		config, list);
	c = api_text(text.s);
	v = decided_at(
		now, c->source[0].api, API_PHASE_PAGE, 429, fields, NULL, "");
	assert_int_equal(v.action, API_RATE_LIMITED);
	config_free(c);
	str_release(&text);
	return v.wait;
}

/* NOW is midnight of 2026-01-01 in UTC. */
static void
test_an_allowance_until_midnight(void **state UNUSED)
{
	static const struct {
		const char *config, *zone;
		int64_t now, wait; /* s */
	} rows[] = {
		{"", "UTC", 3600, 82800},
		{"", "UTC", -1, 1},
		{"", "Europe/Berlin", 0, 82800},
		{"", "America/New_York", 0, 18000},
		{"zone: Asia/Kolkata", "'{{config.zone}}'", 0, 66600},
		/* 2026-03-29 in Berlin has 23 hours, 2026-10-25 has 25. */
		{"", "Europe/Berlin", 7513200 + 3600, 79200},
		{"", "Europe/Berlin", 7596000 - 1, 1},
		{"", "Europe/Berlin", 25653600 + 3600, 86400},
		{"", "Europe/Berlin", 25743600 - 1, 1},
		/* 2018-02-17 in Sao Paulo has the hour before midnight twice.
		 */
		{"", "America/Sao_Paulo", -248308200, 5400},
		{"", "America/Sao_Paulo", -248304600, 1800},
		/* Just after it, whose clock is behind is asked again soon. */
		{"", "UTC", 0, 6000},
		{"", "UTC", 2, 6000},
		{"", "UTC", 3599, 6000},
		{"", "Europe/Berlin", 7513200 + 3599, 6000},
		{"", "Europe/Berlin", 7596000, 6000},
		{"", "Europe/Berlin", 25653600 + 3599, 6000},
		{"", "Europe/Berlin", 25743600, 6000},
		/* 2018-11-04 there begins at one o'clock. */
		{"", "America/Sao_Paulo", -225925200 + 1800, 6000},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str list = STR_INIT;
		int64_t wait;

		str_addf(&list, "{midnight: %s}, {fixed: 100m}", rows[i].zone);
		wait = waits(rows[i].config, list.s, NOW + rows[i].now * S, "");
		if (wait != rows[i].wait * S)
			fail_msg("%s %lld: %lld s", rows[i].zone,
				(long long)rows[i].now, (long long)(wait / S));
		str_release(&list);
	}
}
static void
test_midnight_alone(void **state UNUSED)
{
	static const char after[] = "retry-after: 7\n";
	static const char list[] = "{midnight: UTC}";

	assert_true(waits("", list, NOW + 7200 * S, after) == 79200 * S);
	assert_true(waits("", list, NOW + 2 * S, "") == 3600 * S);
	assert_true(waits("", list, NOW + 2 * S, after) == 3600 * S);
	assert_true(waits("", "{header: X}, {midnight: UTC}", NOW, "x: 5\n") ==
		5 * S);
	assert_true(waits("", "{midnight: UTC}, {header: X}", NOW, "x: 5\n") ==
		5 * S);
}

/* The source does not say which zone. */
static void
test_a_midnight_that_is_not_known(void **state UNUSED)
{
	static const char zone[] = "zone: []";

	assert_true(waits(zone, "{midnight: '{{config.zone}}'}, {fixed: 100m}",
			    NOW, "") == 6000 * S);
	assert_true(waits(zone, "{midnight: '{{config.zone}}'}", NOW,
			    "retry-after: 7\n") == 7 * S);
	assert_true(waits(zone, "{midnight: '{{config.zone}}'}", NOW, "") == 0);
}

static void
test_what_holds_for_every_api(void **state UNUSED)
{
	static const struct {
		unsigned status;
		int action; /* -1: fine */
	} rows[] = {
		{200, -1},
		{201, -1},
		{204, API_EMPTY},
		{304, API_EMPTY},
		{400, API_FAIL},
		{401, API_FAIL},
		{403, API_FAIL},
		{404, API_FAIL},
		{408, API_RETRY},
		{409, API_FAIL},
		{425, API_RETRY},
		{429, API_RATE_LIMITED},
		{500, API_RETRY},
		{501, API_FAIL},
		{502, API_RETRY},
		{503, API_RETRY},
		{504, API_RETRY},
		{522, API_RETRY},
	};
	struct config *c =
		api_text(API("    streams: {s: {request: {path: /x}}}\n"));
	const struct api *a = c->source[0].api;
	struct rule_verdict v;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		v = decided(a, API_PHASE_PAGE, rows[i].status, "", NULL, "");
		if (v.fine != (rows[i].action < 0) ||
			(!v.fine && (int)v.action != rows[i].action))
			fail_msg("%u: %d", rows[i].status, (int)v.action);
		assert_true(v.wait == 0);
	}
	v = decided(a, API_PHASE_PAGE, 503, "retry-after: 7\n", NULL, "");
	assert_true(v.wait == 7 * S);
	v = decided(a, API_PHASE_PAGE, 429,
		"Retry-After: Thu, 01 Jan 2026 00:02:00 GMT\n", NULL, "");
	assert_true(v.wait == 120 * S);
	config_free(c);
	c = api_text(API(
		"    secrets: {r: {env: R}}\n"
		"    auth: {type: oauth2, token_url: 'https://x/t', params: "
		"{refresh_token: '{{secret.r}}'}}\n"
		"    streams: {s: {request: {path: /x}}}\n"));
	v = decided(c->source[0].api, API_PHASE_PAGE, 401, "", NULL, "");
	assert_int_equal(v.action, API_REFRESH_AUTH);
	config_free(c);
}

static void
test_rules_of_a_profile(void **state UNUSED)
{
	/* Meta, Salesforce, Segment, Stripe, and a 200 that is none. */
	struct config *c = api_text(API(
		"    errors:\n"
		"      - when: {status: [400, 403], field: {body: "
		"$.error.code}, values: [4, 17]}\n"
		"        do: rate_limited\n"
		"        wait: [{body: '$.minutes', unit: minutes}, {fixed: "
		"15m}]\n"
		"      - when: {status: 403, field: {body: '$[*].errorCode'}, "
		"values: [REQUEST_LIMIT_EXCEEDED]}\n"
		"        do: rate_limited\n"
		"      - {when: {field: {header: Stripe-Should-Retry}, values: "
		"['false']}, do: fail}\n"
		"      - {when: {status: 500, contains: 'amount of data'}, do: "
		"split_window}\n"
		"      - {when: {status: 200, field: {body: $.ok}, values: "
		"['false']}, do: fail}\n"
		"      - {when: {status: 404, phase: create}, do: skip}\n"
		"    streams:\n"
		"      s:\n"
		"        request: {path: /x, query: {a: '{{window.start}}'}}\n"
		"        incremental: {start: 2026-01-01}\n"
		"        errors: [{when: {status: 404}, do: empty}]\n"));
	const struct api *a = c->source[0].api;
	const struct body meta[] = {
		{"$.error.code", {"17"}}, {"$.minutes", {"3"}}, {NULL, {NULL}}};
	const struct body other[] = {{"$.error.code", {"5"}}, {NULL, {NULL}}};
	const struct body many[] = {
		{"$[*].errorCode", {"A", "REQUEST_LIMIT_EXCEEDED"}},
		{NULL, {NULL}}};
	const struct body not_ok[] = {{"$.ok", {"false"}}, {NULL, {NULL}}};
	struct rule_verdict v;

	v = decided(a, API_PHASE_PAGE, 400, "", meta, "");
	assert_int_equal(v.action, API_RATE_LIMITED);
	assert_true(v.wait == 180 * S);
	v = decided(a, API_PHASE_PAGE, 400, "",
		(struct body[]){meta[0], {NULL, {NULL}}}, "");
	assert_true(v.wait == 900 * S);
	assert_int_equal(decided(a, API_PHASE_PAGE, 400, "", other, "").action,
		API_FAIL);
	assert_int_equal(decided(a, API_PHASE_PAGE, 403, "", many, "").action,
		API_RATE_LIMITED);
	assert_int_equal(decided(a, API_PHASE_PAGE, 503,
				 "Stripe-Should-Retry: false\n", NULL, "")
				 .action,
		API_FAIL);
	/* A rule without a status is for answers that are no success. */
	assert_true(decided(a, API_PHASE_PAGE, 200,
		"Stripe-Should-Retry: false\n", NULL, "")
			    .fine);
	assert_int_equal(decided(a, API_PHASE_PAGE, 500, "", NULL,
				 "Please reduce the amount of data")
				 .action,
		API_SPLIT_WINDOW);
	assert_int_equal(decided(a, API_PHASE_PAGE, 500, "", NULL, "no").action,
		API_RETRY);
	v = decided(a, API_PHASE_PAGE, 200, "", not_ok, "");
	assert_false(v.fine);
	assert_int_equal(v.action, API_FAIL);
	/* The stream's own come first. */
	assert_int_equal(decided(a, API_PHASE_CREATE, 404, "", NULL, "").action,
		API_EMPTY);
	config_free(c);
}

static void
test_selectors_to_be_read(void **state UNUSED)
{
	struct config *c = api_text(API(
		"    errors: [{when: {status: 400, field: {body: $.a}}, do: "
		"retry, wait: [{header: X}, {body: $.b}]}]\n"
		"    streams:\n"
		"      s: {request: {path: /x}, errors: [{when: {status: 401, "
		"field: {body: $.c}}, do: fail}]}\n"));
	const struct api_selector *s[8];

	assert_int_equal(
		rule_selectors(c->source[0].api->stream[0].rules, s, 8), 3);
	assert_string_equal(s[0]->path.step[0].name, "c");
	assert_string_equal(s[2]->path.step[0].name, "b");
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes_of_a_wait),
		cmocka_unit_test(test_jitter_is_full),
		cmocka_unit_test(test_a_storm_does_not_come_back_at_once),
		cmocka_unit_test(test_an_allowance_until_midnight),
		cmocka_unit_test(test_midnight_alone),
		cmocka_unit_test(test_a_midnight_that_is_not_known),
		cmocka_unit_test(test_what_holds_for_every_api),
		cmocka_unit_test(test_rules_of_a_profile),
		cmocka_unit_test(test_selectors_to_be_read),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
