/*
 * budget.h - the limits, as both sides count them: the child to stop in time,
 * the supervisor because it does not believe the child.
 */
#ifndef UNPACK_BUDGET_H
#define UNPACK_BUDGET_H

#include "landfall/unpack.h"

struct budget {
	const struct unpack_limits *limits;
	uint64_t object; /* its size */
	uint64_t member; /* bytes of the current one */
	uint64_t total;
	uint64_t members;
};

/* One more member; depth: how many archives it is in. */
enum rc budget_member(struct budget *b, size_t name_len, unsigned depth,
	struct err *e) MUST_USE;

/* n more bytes of it. */
enum rc budget_bytes(struct budget *b, uint64_t n, struct err *e) MUST_USE;

#endif
