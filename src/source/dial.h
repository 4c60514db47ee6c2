/*
 * dial.h - a TCP connection to a server by its name, within a time.
 *
 * The resolver of libc has no deadline: it runs on a thread of its own, which
 * is left behind when it takes too long and ends by itself, some time.
 */
#ifndef SOURCE_DIAL_H
#define SOURCE_DIAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct dial {
	const char *host; /* a name, or an address of either kind */
	unsigned port;
	bool local;		   /* only addresses of this machine count */
	int64_t timeout;	   /* ns, for all of it */
	const atomic_bool *cancel; /* may be NULL; looked at now and then */
};

/*
 * All addresses are tried, a new one every so often while those before it do
 * not answer (RFC 8305 section 5); the first that answers is taken. address
 * gets it in digits. END: local, and no address is. AGAIN: none answered, or
 * *cancel; e names each with its reason.
 */
enum rc dial_open(const struct dial *d, int *ret_fd, struct str *address,
	struct err *e) MUST_USE;

#endif
