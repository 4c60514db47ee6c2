/*
 * tell.h - the child's side of the slots: frames into them.
 *
 *	tell_message(t, &m);	a frame of m's type and body
 *	tell_data(t, p, n);	FRAME_DATA, as many as it takes
 *	tell_flush(t);		everything so far is with the other side
 *
 * Nothing here fails: when nobody listens any more, give() does not return.
 */
#ifndef UNPACK_TELL_H
#define UNPACK_TELL_H

#include "unpack/protocol.h"

struct tell {
	uint8_t *slot; /* SLOT_SIZE bytes, aligned */
	size_t len;    /* of it, filled */
	/* Hands the slot over and puts another in its place. */
	void (*give)(struct tell *t);
};

void tell_message(struct tell *t, const struct message *m);
void tell_data(struct tell *t, const void *p, size_t n);
void tell_flush(struct tell *t);

#endif
