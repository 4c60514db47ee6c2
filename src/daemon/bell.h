/*
 * bell.h - wakes a thread that waits for work or for a time.
 */
#ifndef DAEMON_BELL_H
#define DAEMON_BELL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	bool ring; /* under lock */
};

void bell_init(struct bell *b);
void bell_release(struct bell *b);

/* There is something new. Any thread. */
void bell_ring(struct bell *b);

/* Until it rings, or rang since the last wait; monotonic `until`; or cancel,
 * with which whoever sets it rings. */
void bell_wait(struct bell *b, int64_t until, const atomic_bool *cancel);

#endif
