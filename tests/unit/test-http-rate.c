/* source/http/rate: never faster than agreed, whoever asks next. */
#include "source/http/rate.h"

#include <stdio.h>

#include "unit.h"

#include "base/clock.h"

#define T(n) ((n)*CLOCK_SECOND)

static struct api_limit limits[] = {
	{.requests = 2, .per = T(1)}, {.requests = 3, .per = T(10)}};
static struct api_rate row = {
	.scope = API_PER_PARTITION, .limit = limits, .n = ARRAY_LEN(limits)};
static const struct api_rates rates = {.row = &row, .n = 1};
static struct rate r = RATE_INIT;

static int64_t
wait_of(const char *partition, int64_t now)
{
	const struct rate_of of = {&rates, "orders", partition, "/orders"};

	return rate_wait(&r, &of, now);
}

static void
ask(const char *partition, int64_t now)
{
	const struct rate_of of = {&rates, "orders", partition, "/orders"};

	assert_true(rate_wait(&r, &of, now) == 0);
	rate_asked(&r, &of, now);
}

static int
tear_down(void **state UNUSED)
{
	rate_release(&r);
	return 0;
}

static void
test_each_limit_holds(void **state UNUSED)
{
	ask("a", T(100));
	ask("a", T(100));
	assert_true(wait_of("a", T(100)) == T(1));
	assert_true(wait_of("b", T(100)) == 0);
	ask("a", T(101));
	assert_true(wait_of("a", T(102)) == T(8));
	ask("a", T(110));
	ask("a", T(110));
	assert_true(wait_of("a", T(110)) == T(1));
}

static void
test_what_still_counts_is_not_forgotten(void **state UNUSED)
{
	for (int i = 0; i < 3; i++)
		ask("a", T(100 + i));
	ask("b", T(95));
	rate_forget(&r, T(103));
	/* Of the limits for a second nothing counts any more. */
	assert_int_equal(r.n, 2);
	assert_true(wait_of("a", T(103)) == T(7));
	rate_forget(&r, T(106));
	assert_true(wait_of("a", T(106)) == T(4));
	rate_forget(&r, T(112));
	assert_int_equal(r.n, 0);
	assert_null(r.ring);
	ask("a", T(112));
	r.not_before = T(120);
	rate_forget(&r, T(113));
	assert_true(wait_of("b", T(113)) == T(7));
}

/* A thousand partitions are nothing once they were asked for. */
static void
test_memory_is_for_what_counts(void **state UNUSED)
{
	char name[16];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		ask(name, T(20 * i));
		rate_forget(&r, T(20 * i));
		assert_int_equal(r.n, 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_each_limit_holds, tear_down),
		cmocka_unit_test_teardown(
			test_what_still_counts_is_not_forgotten, tear_down),
		cmocka_unit_test_teardown(
			test_memory_is_for_what_counts, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
