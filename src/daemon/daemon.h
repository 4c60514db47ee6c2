/*
 * daemon.h - `landfall run`: watch every source until told to stop.
 *
 * One thread loops over signals, hints and time; a few lookers make passes;
 * the engine lands. What is wrong with a source makes that source wait (with
 * full jitter), never another one.
 *
 * Meanwhile commands that need what it alone may do have it do that (order.h).
 *
 *	SIGTERM, SIGINT   finish what is under way, then end
 *	SIGHUP            read the configuration again; a bad one changes
 *	                  nothing and says why
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "daemon/engine.h"

struct order;

struct daemon_options {
	/* Owned by the daemon from now on. */
	struct config *config;
	/* Only these sources; NULL: all. */
	bool (*chosen)(void *arg, const char *source);
	/*
	 * Does what a command asked for, on the order's own thread; the exit
	 * status for that command. NULL: no orders are taken.
	 */
	int (*carry_out)(void *arg, struct order *o);
	void *arg;
};

/* OK: told to stop. BROKEN: our disk, catalog or ledger failed. */
enum rc daemon_run(const struct daemon_options *o, struct err *e) MUST_USE;

#endif
