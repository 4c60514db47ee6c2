/*
 * order-wire.h - how a command asks the daemon that is at work on its state
 * directory to do what only one process may do, and what it hears of it.
 *
 * The daemon listens at STATE/orders: a Unix socket, SOCK_SEQPACKET, 0600,
 * that takes orders from root and from its own user. A connection is one
 * order, in messages of message.h:
 *
 *	the command                         the daemon
 *	GIVEN version verb json quiet args ──►
 *	                                   ◄── TAKEN
 *	                                   ◄── OUT, TALK: text, as it comes
 *	                                   ◄── END status
 *
 * version, verb, json, quiet and status are u64; args are text, and what is
 * said is too: lines with their ends, a long one in pieces. Of an order that is
 * refused TALK says why, and END follows at once. Before TAKEN nothing has been
 * done. The end of the connection before END says nothing of what was. Who
 * closes it takes the order back (order.h), and hears nothing of what becomes
 * of it.
 *
 * A socket that a dead daemon has left behind refuses to connect: whoever
 * takes the lock (lock.h) and listens removes it.
 */
#ifndef DAEMON_ORDER_WIRE_H
#define DAEMON_ORDER_WIRE_H

#include "landfall/message.h"

#define ORDER_WIRE_NAME "orders"
#define ORDER_WIRE_VERSION 3 /* of both sides, which start at other times */
#define ORDER_WIRE_ARGS 4
#define ORDER_REFUSED 5	       /* the status of an order that was not taken */
#define ORDER_CANCELLED 3      /* of one that was not done for that */
#define ORDER_WIRE_PATIENCE 30 /* seconds: it takes an order at once */
#define ORDER_WIRE_TEXT 1200   /* bytes of an argument, with the NUL */

enum order_wire_type {
	ORDER_WIRE_GIVEN = 1,
	ORDER_WIRE_TAKEN,
	ORDER_WIRE_OUT,	 /* for the command's standard output */
	ORDER_WIRE_TALK, /* for its standard error */
	ORDER_WIRE_END,
};

enum order_verb {
	ORDER_BACKFILL, /* source, stream, from, to */
	/* source, stream, to; "": the stream's start; "wait", or "" */
	ORDER_RESET,
	ORDER_RELEASE, /* entry, why, over what is newer; "": not said */
	ORDER_REJECT,  /* entry, why */
	ORDER_VERBS
};

/* The name of its command, and how many arguments it has. */
const char *order_verb_name(enum order_verb v);
size_t order_verb_args(enum order_verb v);

struct order_request {
	enum order_verb verb;
	bool json, quiet; /* how its lines are wanted */
	char arg[ORDER_WIRE_ARGS][ORDER_WIRE_TEXT];
};

/* False: an argument is too long. */
bool
order_wire_arg(struct order_request *q, size_t i, const char *text) MUST_USE;

void order_wire_put(struct message *m, const struct order_request *q);

/* BAD_ITEM: it is no order, or one of another version; e says which. */
enum rc order_wire_take(
	struct message *m, struct order_request *ret, struct err *e) MUST_USE;

/*
 * state: the directory; its path may be longer than a socket's may be. The
 * lock is held. BROKEN: it cannot be; e->cause says why.
 */
enum rc order_wire_listen(int state, int *ret_fd, struct err *e) MUST_USE;

/*
 * END: nobody listens. AGAIN: somebody does, and has not answered within
 * ORDER_WIRE_PATIENCE. BROKEN: it cannot be reached.
 */
enum rc order_wire_connect(int state, int *ret_fd, struct err *e) MUST_USE;

#endif
