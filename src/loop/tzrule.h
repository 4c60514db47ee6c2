/*
 * tzrule.h - "CET-1CEST,M3.5.0,M10.5.0/3": the rule in a TZif file's footer
 * (RFC 8536 section 3.3.1; POSIX.1-2017 Base Definitions 8.3, TZ), by which
 * a zone goes on for ever.
 */
#ifndef LOOP_TZRULE_H
#define LOOP_TZRULE_H

#include <stdbool.h>

#include "base/attr.h"

/* When clocks change, in the local time before the change. */
struct tzrule_change {
	char kind; /* 'J': 1..365 without a leap day, 'N': 0..365, 'M' */
	int month, week, day;
	int32_t second; /* since that day's midnight */
};

struct tzrule {
	int32_t standard; /* seconds east of UTC */
	bool changes;	  /* else all below is unset */
	int32_t summer;
	struct tzrule_change begin, end; /* of summer */
};

bool tzrule_parse(const char *text, size_t len, struct tzrule *ret) MUST_USE;

/* Seconds east of UTC at this second since 1970. */
int32_t tzrule_offset(const struct tzrule *r, int64_t second);

/* The first change after this second; INT64_MAX: none. */
int64_t tzrule_next(const struct tzrule *r, int64_t second);

#endif
