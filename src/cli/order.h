/*
 * order.h - commands that a daemon may be in the way of: whoever has the state
 * directory does the work. Where nobody has it, it is done here; where a
 * daemon has it, that is asked to (daemon/order-wire.h), and what it says is
 * printed as if it had been done here, to the exit status.
 *
 *	parse, cli_config(), make a request, check it
 *	return order_give(c, &request);
 *
 * Each such command has a function that does what the request asks, with c's
 * configuration, which is the daemon's there, and printing as cli.h says for
 * what a daemon may do. It is the same function in both places.
 *
 * A command that is ended (^C) takes its order back: what has landed stays.
 */
#ifndef CLI_ORDER_H
#define CLI_ORDER_H

#include "cli/cli.h"
#include "daemon/engine.h"
#include "daemon/order.h"

/* What is done, and where. */
struct order_work {
	struct cli *cli;
	struct engine *engine;
	const struct order_request *request;
	struct order *order; /* given to this daemon; NULL: it is done here */
};

enum status order_give(struct cli *c, const struct order_request *q);

/* For daemon_options.carry_out; cli: of `landfall run`. An enum status. */
int order_carry_out(void *cli, struct order *o);

/*
 * Nobody else is at the source from now on until the work is done. What is
 * not STATUS_DONE is told, or will be.
 */
enum status order_wait(struct order_work *w, const struct source_config *s);

#endif
