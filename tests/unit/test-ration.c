/* Memory that one archive of a process has at a time. */
#include "unit.h"

#include <pthread.h>

#include "base/clock.h"
#include "unpack/ration.h"

enum { THREADS = 4, TURNS = 2000 };

static unsigned turns; /* of whoever has it */

static void *
take_turns(void *arg UNUSED)
{
	for (int i = 0; i < TURNS; i++) {
		while (!ration_take(CLOCK_SECOND / 1000))
			continue;
		turns++;
		ration_give();
	}
	return NULL;
}

static void
test_one_has_it_at_a_time(void **state UNUSED)
{
	pthread_t t[THREADS];

	turns = 0;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&t[i], NULL, take_turns, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(turns, THREADS * TURNS);
}

static void
test_who_waits_comes_back(void **state UNUSED)
{
	int64_t began = clock_mono();

	assert_true(ration_take(0));
	assert_false(ration_take(CLOCK_SECOND / 50));
	assert_true(clock_mono() - began >= CLOCK_SECOND / 50);
	ration_give();
	assert_true(ration_take(0));
	ration_give();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_has_it_at_a_time),
		cmocka_unit_test(test_who_waits_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
