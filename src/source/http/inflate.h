/*
 * inflate.h - the compression of a body on the wire (RFC 9110 section 8.4.1):
 * gzip, or none. A body whose compression does not end is not whole, which
 * libcurl does not tell; so it is undone here.
 */
#ifndef SOURCE_HTTP_INFLATE_H
#define SOURCE_HTTP_INFLATE_H

#include <stdbool.h>
#include <zlib.h>

#include "base/attr.h"

#define INFLATE_PIECE (60u << 10)

struct inflate {
	z_stream z;
	bool begun;
	bool ended; /* behind a member; another may follow */
	uint8_t piece[INFLATE_PIECE];
};

void inflate_begin(struct inflate *i);
void inflate_release(struct inflate *i);

/*
 * More bytes; what they become goes to each in pieces, until it returns
 * false. False: that, or they are no gzip.
 */
bool inflate_add(struct inflate *i, const uint8_t *p, size_t n,
	bool (*each)(void *arg, const uint8_t *p, size_t n), void *arg);

/* There are no more: was that the end? */
bool inflate_whole(const struct inflate *i);

#endif
