/*
 * said.h - what an order has said and its command has not heard yet.
 *
 *	said_add(&s, ORDER_WIRE_OUT, line);	as it comes
 *	said_end(&s, status);			nothing more will
 *
 *	while (said_next(&s, &message))
 *		if (sent)
 *			said_heard(&s);
 *
 * It is kept in an unlinked file of the spool: who hears slowly, or nothing,
 * delays nobody and costs no memory. The file may grow to SAID_MOST, and leaves
 * limits.free_space; for what does not fit the command hears how much was left
 * out, and why. The caller's lock is held.
 */
#ifndef DAEMON_SAID_H
#define DAEMON_SAID_H

#include "daemon/order-wire.h"
#include "daemon/room.h"

#define SAID_MOST (UINT64_C(1) << 30)

struct said {
	int spool; /* directory */
	struct room *room;
	int fd; /* -1: nothing has been said */
	uint64_t size, heard, next;
	uint64_t left_out; /* lines */
	struct str why;	   /* they are */
	uint64_t status;
	bool ends, over; /* the end: it was said, and it was heard */
};

void said_init(struct said *s, int spool, struct room *room);
void said_release(struct said *s);

/* A line, without its end, for one of the command's outputs. */
void said_add(struct said *s, enum order_wire_type where, const char *line);
void said_end(struct said *s, uint64_t status);

/* What is to be heard next; false: nothing so far. */
bool said_next(struct said *s, struct message *m);
void said_heard(struct said *s); /* that */

#endif
