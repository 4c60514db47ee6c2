/*
 * timefmt.h - times as APIs write them: to and from nanoseconds of wall time
 * (clock.h), always in UTC.
 */
#ifndef SOURCE_HTTP_TIMEFMT_H
#define SOURCE_HTTP_TIMEFMT_H

#include "base/str.h"
#include "landfall/api.h"

/* What is finer than the format is cut off, towards the past. */
void timefmt_add(struct str *s, const struct api_format *f, int64_t wall);

/*
 * False: the text is not of this format, or the time not between the years
 * 1678 and 2261. RFC 3339 is read with any offset and fraction; fractions
 * beyond nanoseconds are cut off. Epochs may have a fraction and quotes are
 * no part of the text.
 */
bool timefmt_parse(const struct api_format *f, const void *text, size_t len,
	int64_t *ret_wall) MUST_USE;

/*
 * An HTTP date in each of its three forms (RFC 9110 section 5.6.7), or as
 * mail writes it (RFC 5322 section 3.3) with a numeric zone.
 */
bool
timefmt_parse_http(const void *text, size_t len, int64_t *ret_wall) MUST_USE;

#endif
