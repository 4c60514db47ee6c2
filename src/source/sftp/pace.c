#include "source/sftp/pace.h"

#include "base/clock.h"

/* What may be spent ahead of time. */
#define AHEAD (CLOCK_SECOND / 4)

bool
pace_may(const struct pace *p, int64_t now)
{
	return p->rate == 0 || p->at <= now + AHEAD;
}

void
pace_spend(struct pace *p, uint64_t n, int64_t now)
{
	if (p->rate == 0)
		return;
	/* What was not used in time is gone. */
	if (p->at < now)
		p->at = now;
	p->at += (int64_t)((double)n * (double)CLOCK_SECOND / (double)p->rate);
}

int64_t
pace_when(const struct pace *p)
{
	return p->at - AHEAD;
}

uint32_t
pace_piece(const struct pace *p, uint32_t most)
{
	uint64_t piece = p->rate / 8;

	if (p->rate == 0 || piece >= most)
		return most;
	return piece < 1024 ? 1024 : (uint32_t)piece;
}
