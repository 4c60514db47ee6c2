/*
 * local.h - one zip member where it lies: its local header, data and what is
 * behind them, against what the directory says.
 */
#ifndef UNPACK_LOCAL_H
#define UNPACK_LOCAL_H

#include "unpack/directory.h"

#define LOCAL_LEN 30u

/*
 * The zip64 extra field (4.5.3): values of the fields that are all ones, in
 * this order, and no others. begin NULL: the header has no such field.
 */
struct zip64 {
	uint64_t *size, *packed, *begin;
	uint32_t disk;
	bool found;
};

/* False: it is not what the fields ask for. */
bool zip64_read(struct zip64 *z, const uint8_t *extra, size_t n) MUST_USE;

/*
 * Entry i of d, and sets its end, which must not be beyond `limit`. False:
 * *ret_what says how they differ, or, where it is NULL, e is an error.
 */
bool local_check(struct input *in, struct directory *d, size_t i,
	uint64_t limit, const char **ret_what, struct err *e) MUST_USE;

#endif
