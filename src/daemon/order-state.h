/*
 * order-state.h - what the parts of the daemon share of orders: order.c
 * carries them out, order-turn.c sees to it that nobody else is at their
 * source, counter.c takes them in and hands out what they say.
 */
#ifndef DAEMON_ORDER_STATE_H
#define DAEMON_ORDER_STATE_H

#include "daemon/counter.h"
#include "daemon/daemon-state.h"
#include "daemon/order.h"
#include "daemon/said.h"

struct order {
	struct daemon *daemon;
	struct counter *counter;
	struct order_request request;
	uid_t uid;
	pthread_t thread;
	const struct poll_options *view; /* of the poll under way */
	atomic_bool cancel;
	/* Under the daemon's lock: */
	struct watcher *watcher; /* where it has a turn, or wants one */
	bool waits, turn;
	pthread_cond_t granted;
	pthread_mutex_t lock;
	/* Under lock: */
	char *why; /* it is cancelled; set once */
	struct said said;
	bool over; /* its thread has nothing more to do */
};

/* ---- counter.c, on its thread ---- */

/* NULL: not now; *ret_why says why. It is on its way otherwise. */
struct order *order_start(struct daemon *d, struct counter *c,
	const struct order_request *q, uid_t uid, const char **ret_why);

/* Nobody hears it any more. */
void order_leave(struct order *o);

/* What is to be heard next, and that it was; false: nothing so far. */
bool order_next_said(struct order *o, struct message *m);
void order_heard(struct order *o);
bool order_is_over(struct order *o);

/* Waits for its last words, where it is not over: cancel it before. */
void order_free(struct order *o);

/* ---- order.c and order-turn.c ---- */

/* What breaks the engine ends the daemon, whoever met it. */
void order_fail(struct order *o, const struct err *e);

/* If it has one. Under the daemon's lock. */
void order_turn_over(struct order *o);

/* ---- daemon.c, poller.c and tell.c, under the daemon's lock ---- */

/* One that is, or will be, carried out at this source; NULL: none. */
const struct order *order_at(const struct daemon *d, const struct watcher *w);

/* The one whose turn it is there; NULL: none's. */
const struct order *
order_in_turn(const struct daemon *d, const struct watcher *w);

/* Whose turn it is next there; NULL: nobody waits. */
struct order *order_next(const struct daemon *d, const struct watcher *w);
void order_grant(struct order *o);

/* The daemon ends or reloads. */
void order_cancel_all(struct daemon *d);

#endif
