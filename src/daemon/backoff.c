#include "daemon/backoff.h"

#include <sys/random.h>

#include "base/clock.h"

#define BASE (2 * CLOCK_SECOND)
#define MOST (300 * CLOCK_SECOND)

int64_t
backoff_wait(unsigned failures)
{
	int64_t most = BASE;
	uint64_t random = 0;

	while (failures-- > 1 && most < MOST)
		most *= 2;
	if (most > MOST)
		most = MOST;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)clock_mono();
	return (int64_t)(random % (uint64_t)most);
}
