/*
 * profile-row-part.h - how the parts of the table are written, a file each:
 * profile-row-request.c, profile-row-stream.c, profile-row-limit.c, and the
 * blocks that hold them in profile-row.c.
 */
#ifndef CONFIG_PROFILE_ROW_PART_H
#define CONFIG_PROFILE_ROW_PART_H

#include "base/clock.h"
#include "config/profile-row.h"

#define SECOND ((uint64_t)CLOCK_SECOND)
#define DAY (86400 * SECOND)
#define YEARS(n) ((n)*366 * DAY)

#define ROW(k, t, s, field) \
	.key = (k), .type = PROFILE_##t, .offset = offsetof(struct s, field)
#define SAME(k) .key = (k), .type = PROFILE_SAME
#define BLOCK(b, s, rows, text) \
	const struct profile_block profile_##b = { \
		#b, text, rows, ARRAY_LEN(rows), sizeof(struct s)}

#endif
