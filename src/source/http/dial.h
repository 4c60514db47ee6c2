/*
 * dial.h - a connected socket to an origin.
 */
#ifndef SOURCE_HTTP_DIAL_H
#define SOURCE_HTTP_DIAL_H

#include "landfall/http.h"

/*
 * Resolves the host and connects to the first of its addresses that takes it,
 * until `deadline` (monotonic). local: only addresses of this machine count.
 * AGAIN: nobody is there, for now, or *cancel; BAD_SOURCE: it must not be.
 */
enum rc dial(const struct http_origin *o, bool local, int64_t deadline,
	const atomic_bool *cancel, int *ret_fd, struct err *e) MUST_USE;

#endif
