/*
 * shape.h - how a delivery is shaped, from its first bytes: byte order mark,
 * header, number of columns. A source whose deliveries change shape has
 * drifted away from its dialect.
 */
#ifndef DAEMON_SHAPE_H
#define DAEMON_SHAPE_H

#include "daemon/engine.h"

struct shape {
	struct catalog_shape facts;
	struct str header; /* its first bytes, for a message */
	uint8_t delimiter; /* that would divide the header; 0: ours is right */
};

#define SHAPE_INIT \
	{ \
		.header = STR_INIT \
	}

void shape_release(struct shape *s);

/*
 * Looks at the first bytes of a feed. END: they have no shape: nothing there, a
 * format without one, or a header that is larger than a megabyte.
 */
enum rc shape_read(const struct dialect *d, struct feed *f, struct shape *ret,
	struct err *e) MUST_USE;

/* True: it is not that of the delivery before, and `why` says how. */
bool shape_differs(const struct shape *s, const struct dialect *d,
	const struct catalog_shape *before, struct str *why);

#endif
