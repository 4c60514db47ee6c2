/*
 * counter.h - where commands give their orders to the daemon: a thread that
 * listens at STATE/orders (order-wire.h). It never waits for one command, and
 * nobody in the daemon waits for it.
 *
 * Bounded: COUNTER_ORDERS at one time, who comes then is told so; who does not
 * say what he wants within COUNTER_PATIENCE is sent away. A command that takes
 * no lines keeps its place, and delays nobody.
 */
#ifndef DAEMON_COUNTER_H
#define DAEMON_COUNTER_H

#include "base/clock.h"
#include "base/err.h"

#define COUNTER_ORDERS 8
#define COUNTER_PATIENCE (10 * CLOCK_SECOND)

struct counter;
struct daemon;

/* BROKEN: nobody can be heard; the daemon does without. */
enum rc
counter_start(struct daemon *d, struct counter **ret, struct err *e) MUST_USE;

/* An order has something to say, or is over. Any thread. */
void counter_ring(struct counter *c);

/*
 * No order is carried out any more, and none would be begun (cancel of
 * daemon-state.h). Commands have a moment to hear the end of theirs.
 */
void counter_stop(struct counter *c);

#endif
