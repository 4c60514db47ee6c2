#include "base/backoff.h"

#include <sys/random.h>

#include "base/clock.h"

int64_t
backoff_wait(unsigned failures, int64_t base, int64_t ceiling)
{
	int64_t most = base;
	uint64_t random = 0;

	while (failures-- > 1 && most < ceiling)
		most *= 2;
	if (most > ceiling)
		most = ceiling;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)clock_mono();
	return most > 0 ? (int64_t)(random % (uint64_t)most) : 0;
}
