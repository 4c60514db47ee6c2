/*
 * pace.h - not more than so many bytes per second, in the long run, and a
 * quarter of a second's worth at once.
 */
#ifndef SOURCE_SFTP_PACE_H
#define SOURCE_SFTP_PACE_H

#include <stdbool.h>

#include "base/attr.h"

struct pace {
	uint64_t rate; /* bytes per second; 0: as fast as it goes */
	int64_t at;    /* monotonic: until when all is spent */
};

/* May n bytes more be asked for now? */
bool pace_may(const struct pace *p, int64_t now) MUST_USE;
void pace_spend(struct pace *p, uint64_t n, int64_t now);
/* When may it be? */
int64_t pace_when(const struct pace *p);
/* How much to ask for at once, at most `most`. */
uint32_t pace_piece(const struct pace *p, uint32_t most) MUST_USE;

#endif
