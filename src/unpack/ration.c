#include "unpack/ration.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"

/* Memory is the process's, whoever unpacks in it: so is this. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t given;
	bool taken;
} ration = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.given = PTHREAD_COND_INITIALIZER,
};

bool
ration_take(int64_t wait)
{
	int64_t end = clock_mono() + wait;
	const struct timespec until = {
		.tv_sec = end / CLOCK_SECOND, .tv_nsec = end % CLOCK_SECOND};
	bool taken;

	pthread_mutex_lock(&ration.lock);
	if (ration.taken)
		pthread_cond_clockwait(
			&ration.given, &ration.lock, CLOCK_MONOTONIC, &until);
	taken = !ration.taken;
	ration.taken = true;
	pthread_mutex_unlock(&ration.lock);
	return taken;
}

void
ration_give(void)
{
	pthread_mutex_lock(&ration.lock);
	ration.taken = false;
	pthread_cond_signal(&ration.given);
	pthread_mutex_unlock(&ration.lock);
}
