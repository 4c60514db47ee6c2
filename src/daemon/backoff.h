/*
 * backoff.h - how long to leave alone what has failed: full jitter, so that
 * many who failed together do not come back together.
 */
#ifndef DAEMON_BACKOFF_H
#define DAEMON_BACKOFF_H

#include <stdint.h>

/* ns: random(0, min(300 s, 2 s * 2^(failures - 1))); failures from 1 on. */
int64_t backoff_wait(unsigned failures);

#endif
