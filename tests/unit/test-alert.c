/* alert: what a body says, and attempts that fail. */
#include "landfall/alert.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

static void
test_a_body_is_canonical_and_its_id_lasts(void **state UNUSED)
{
	const struct expect x = {.files = {.least = 2, .most = UINT64_MAX},
		.bytes = {.least = 0, .most = UINT64_MAX},
		.records = {.least = 3, .most = 9}};
	const struct contract_day day = {
		.due = 1000 * CLOCK_SECOND, .late = 1060 * CLOCK_SECOND};
	const struct arrived found = {.files = 1, .bytes = 20, .records = 3};
	struct alert a = {.event = ALERT_SHORT,
		.origin = "o/l",
		.source = "s",
		.at = 2000 * CLOCK_SECOND,
		.key = 17,
		.text = "t\"",
		.todo = "d",
		.expect = &x,
		.day = &day,
		.arrived = &found};
	struct str one = STR_INIT, two = STR_INIT;
	const char *id;

	alert_body(&a, &one);
	assert_ptr_equal(
		strstr(one.s,
			"{\"at\":\"1970-01-01T00:33:20Z\",\"event\":\"short\","
			"\"expected\":{\"by\":\"1970-01-01T00:16:40Z\","
			"\"bytes\":{\"least\":0,\"most\":null},"
			"\"files\":{\"least\":2,\"most\":null},"
			"\"late_after\":\"1970-01-01T00:17:40Z\","
			"\"records\":{\"least\":3,\"most\":9}},"
			"\"found\":{\"bytes\":20,\"files\":1,\"records\":3},"
			"\"id\":\""),
		one.s);
	id = strstr(one.s, "\"id\":");
	assert_int_equal(strspn(id + 6, "0123456789abcdef"), 32);
	assert_string_equal(id + 38,
		"\",\"origin\":\"o/l\",\"source\":\"s\",\"text\":"
		"\"t\\\"\",\"what_to_do\":\"d\"}");

	/* Told again, later and in other words: the same alert. */
	a.at++;
	a.text = "x";
	alert_body(&a, &two);
	assert_memory_equal(strstr(two.s, "\"id\":"), id, 38);
	a.key = 18;
	str_clear(&two);
	alert_body(&a, &two);
	assert_memory_not_equal(strstr(two.s, "\"id\":"), id, 38);
	str_release(&one);
	str_release(&two);
}

static void
test_a_recovery_says_of_what_and_names_are_encoded(void **state UNUSED)
{
	struct alert a = {.event = ALERT_RECOVERED,
		.was = ALERT_DRIFT,
		.origin = "o",
		.source = "s",
		.text = "",
		.todo = "",
		.count = 9,
		.name = {{(const uint8_t *)"a b/\xff", 5},
			{(const uint8_t *)"c", 1}},
		.n_names = 2};
	struct str s = STR_INIT;

	alert_body(&a, &s);
	assert_non_null(strstr(s.s, "\"count\":9,"));
	assert_non_null(strstr(
		s.s, "\"name\":\"a%20b/%FF\",\"names\":[\"a%20b/%FF\",\"c\"]"));
	assert_non_null(strstr(s.s, "\"was\":\"drift\""));
	str_release(&s);
}

static enum rc
send_to(const char *script, int64_t timeout, const atomic_bool *cancel,
	struct err *e)
{
	char *argv[] = {
		(char[]){"/bin/sh"}, (char[]){"-c"}, strdup(script), NULL};
	const struct alert_config to = {
		.set = true, .command = argv, .n_command = 3};
	enum rc rc = alert_send(&to, "{}", 2, timeout, cancel, e);

	free(argv[2]);
	return rc;
}

static void
test_a_command_is_bounded(void **state UNUSED)
{
	const atomic_bool cancelled = true;
	int64_t start = clock_mono();
	struct err e = ERR_INIT;

	must(send_to("test \"$(cat)\" = {}", 9 * CLOCK_SECOND, NULL, &e), &e);
	/* Neither read nor wanted: nobody waits, no pipe breaks. */
	must(send_to("exec <&-", 9 * CLOCK_SECOND, NULL, &e), &e);
	/* What it leaves running is its own matter. */
	must(send_to("sleep 2 &", 9 * CLOCK_SECOND, NULL, &e), &e);
	assert_int_equal(send_to("echo no; exit 3", 9 * CLOCK_SECOND, NULL, &e),
		BAD_SOURCE);
	assert_string_equal(e.text, "command /bin/sh: exit status 3: no");
	assert_int_equal(
		send_to("cat /dev/zero; :", CLOCK_SECOND / 2, NULL, &e),
		BAD_SOURCE);
	assert_string_equal(
		e.text, "command /bin/sh: not done within 500ms; ended it");
	assert_int_equal(
		send_to("sleep 60", 60 * CLOCK_SECOND, &cancelled, &e), AGAIN);
	assert_true(clock_mono() - start < 20 * CLOCK_SECOND);
}

static void
test_nobody_there(void **state UNUSED)
{
	struct alert_config to = {
		.set = true, .url = (char[]){"http://127.0.0.1:1/secret"}};
	struct err e = ERR_INIT;

	assert_int_equal(
		alert_send(&to, "{}", 2, CLOCK_SECOND, NULL, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "http://127.0.0.1:1"));
	assert_null(strstr(e.text, "secret"));
	must(alert_check(&to, &e), &e);
	to.url = (char[]){"http://127.0.0.1:99999/"};
	assert_int_equal(alert_check(&to, &e), BAD_SOURCE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_body_is_canonical_and_its_id_lasts),
		cmocka_unit_test(
			test_a_recovery_says_of_what_and_names_are_encoded),
		cmocka_unit_test(test_a_command_is_bounded),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
