/*
 * hear.h - the supervisor's side of the slots: what the child tells, judged.
 *
 * The child may be somebody else's by now. What does not fit what came before
 * it, or goes over a limit, ends the archive.
 *
 *	hear_slot(h, p, n);		the next n bytes of frames
 *	hear_next, hear_read		AGAIN: they need another slot
 */
#ifndef UNPACK_HEAR_H
#define UNPACK_HEAR_H

#include "unpack/budget.h"
#include "unpack/protocol.h"

struct hear {
	struct budget budget;
	const uint8_t *slot; /* shared with the child */
	size_t len, at;
	size_t data; /* bytes of a FRAME_DATA that are left at `at` */

	enum { HEAR_BETWEEN, HEAR_FILE, HEAR_OVER, HEAR_END } state;
	bool spoiled;	 /* the file was: why says how */
	uint64_t spoils; /* told between files */
	struct err why;
	bool has_spool; /* the child was given one */

	struct unpack_member member;
	struct str name, finding;
	struct {
		struct str name;
		struct unpack_container c;
	} in[UNPACK_DEPTH_MAX];
	struct unpack_container path[UNPACK_DEPTH_MAX];
	unsigned n_in;
	struct message m;
};

void hear_init(struct hear *h, const struct unpack_limits *l, uint64_t object);
void hear_release(struct hear *h);

void hear_slot(struct hear *h, const uint8_t *p, size_t n);
bool hear_is_done(const struct hear *h); /* with the slot */

/* Nothing more can come: e is what is said from now on. */
enum rc hear_give_up(struct hear *h, const struct err *e);

enum rc
hear_next(struct hear *h, struct unpack_member *ret, struct err *e) MUST_USE;

/* AGAIN: *ret_got of the n are there already. */
enum rc hear_read(struct hear *h, void *p, size_t n, size_t *ret_got,
	struct err *e) MUST_USE;

#endif
