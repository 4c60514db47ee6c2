/*
 * backoff.h - how long to leave alone what has failed: full jitter, so that
 * many who failed together do not come back together.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/* What is right for most; ns. */
#define BACKOFF_BASE INT64_C(2000000000)
#define BACKOFF_CEILING INT64_C(300000000000)

/* ns: random(0, min(ceiling, base * 2^(failures - 1))); failures from 1 on. */
int64_t backoff_wait(unsigned failures, int64_t base, int64_t ceiling);

#endif
