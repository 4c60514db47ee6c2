/*
 * looks.h - names of a folder whose type is to be asked for, in the order in
 * which they were listed. Their answers come in any order.
 */
#ifndef SOURCE_SFTP_LOOKS_H
#define SOURCE_SFTP_LOOKS_H

#include "base/str.h"
#include "landfall/sftp.h"

struct look {
	struct look *next;
	uint64_t number;	 /* unlike any other's */
	struct sftp_attrs attrs; /* as they were listed */
	bool asked;
	size_t len;
	uint8_t name[];
};

struct looks {
	struct look *first, *last;
};

void looks_add(struct looks *x, uint64_t number, const struct str *name,
	const struct sftp_attrs *a);

/* Takes it out; the caller frees. NULL: it is not there. */
struct look *looks_take(struct looks *x, uint64_t number);

void looks_release(struct looks *x);

#endif
