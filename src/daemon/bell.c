#include "daemon/bell.h"

#include "base/clock.h"

void
bell_init(struct bell *b)
{
	*b = (struct bell){.ring = false};
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->rung, NULL);
}

void
bell_release(struct bell *b)
{
	pthread_cond_destroy(&b->rung);
	pthread_mutex_destroy(&b->lock);
}

void
bell_ring(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->ring = true;
	pthread_cond_signal(&b->rung);
	pthread_mutex_unlock(&b->lock);
}

void
bell_wait(struct bell *b, int64_t until, const atomic_bool *cancel)
{
	const struct timespec end = {.tv_sec = until / CLOCK_SECOND,
		.tv_nsec = until % CLOCK_SECOND};

	pthread_mutex_lock(&b->lock);
	while (!b->ring && !*cancel &&
		pthread_cond_clockwait(
			&b->rung, &b->lock, CLOCK_MONOTONIC, &end) == 0)
		;
	b->ring = false;
	pthread_mutex_unlock(&b->lock);
}
