/*
 * order.h - what a command asked of the daemon, while it is carried out.
 *
 * An order has a thread of its own, on which the daemon calls
 * daemon_options.carry_out. It does the command's work as the command would
 * have, with the daemon's engine and by the daemon's configuration:
 *
 *	order_turn(o, source, &e)	nobody else is at the source from now on
 *	order_poll(o, &view, &r, &e)	or lane_open(order_engine(o), ...)
 *	order_say(o, ORDER_WIRE_OUT, line)
 *	return status;			its turn ends with it
 *
 * A source is never looked at in two ways at one time: an order and the looks
 * of its source take turns, which the loop gives. A backfill gives its turn
 * away between two windows when somebody waits for it: another order, or a look
 * that is due.
 *
 * It is cancelled when the command is gone, or the daemon ends or reloads. Who
 * waits for a turn then gets none, and a backfill ends where it is: what has
 * landed stays, and the order may be given again. A release, reject or reset
 * that has its turn is carried out to its end.
 */
#ifndef DAEMON_ORDER_H
#define DAEMON_ORDER_H

#include <sys/types.h>

#include "daemon/order-wire.h"
#include "daemon/poll.h"

struct order;

const struct order_request *order_request(const struct order *o);
const struct config *order_config(const struct order *o);
struct engine *order_engine(const struct order *o);
uid_t order_uid(const struct order *o); /* who gave it */

/* A line for the command, without its end (said.h). Any thread. */
void order_say(struct order *o, enum order_wire_type where, const char *line);

/* END: this daemon does not watch the source. AGAIN: cancelled. */
enum rc order_turn(struct order *o, const struct source_config *source,
	struct err *e) MUST_USE;

/*
 * poll_run() of a backfill in its turn; the log is told as of any poll, and
 * the view's done, through and waits as by poll_run(). AGAIN: cancelled.
 */
enum rc order_poll(struct order *o, const struct poll_options *view,
	struct poll_report *r, struct err *e) MUST_USE;

/* What has waited at the source of its turn is asked once the turn is over. */
void order_wake(struct order *o);

/* Why it is cancelled, or was before it ended; NULL: it is not. */
const char *order_cancelled(struct order *o);

/*
 * A delivery of the order's own lane is durable: the log is told, and receipts
 * may be owed. From lane_options.done.
 */
void order_landed(struct order *o, const struct delivery *d);

#endif
