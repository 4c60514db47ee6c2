/*
 * zoneinfo.h - a time zone from the bytes of a TZif file, and its changes.
 */
#ifndef LOOP_ZONEINFO_H
#define LOOP_ZONEINFO_H

#include "landfall/schedule.h"

#define ZONEINFO_DIR "/usr/share/zoneinfo"
#define ZONEINFO_SIZE_MAX (1u << 18)

/*
 * Versions 1 to 4 (RFC 8536, RFC 9636). BAD_ITEM: damaged, or it counts leap
 * seconds, which nothing else here does.
 */
enum rc zoneinfo_parse(const uint8_t *p, size_t len, struct zoneinfo **ret,
	struct err *e) MUST_USE;

/* Seconds east of UTC at this second since 1970; z may be NULL. */
int32_t zoneinfo_offset(const struct zoneinfo *z, int64_t second);

/* The first second after this one at which the offset may change. */
int64_t zoneinfo_change(const struct zoneinfo *z, int64_t second);

/* The first second at which local time is `local` or later. */
int64_t zoneinfo_second(const struct zoneinfo *z, int64_t local);

#endif
