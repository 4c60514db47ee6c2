/*
 * polling.h - one run over a polled API, told as it goes.
 */
#ifndef CLI_POLLING_H
#define CLI_POLLING_H

#include "cli/cli.h"
#include "daemon/order.h"

/* A backfill, which a daemon may have been asked for. */
struct polling_range {
	const char *stream;
	int64_t from, to;
	struct order *order; /* NULL: it was not */
};

/* Exchanges to keep, or to play; both NULL: neither. */
struct polling_record {
	const char *record, *replay;
};

struct polling {
	struct cli *cli;
	struct engine *engine;
	const struct source_config *config;
	const struct polling_range
		*range; /* NULL: what is new of all streams */
	struct polling_record record;
};

/* r is the caller's, initialised. STATUS_BROKEN: e says why. */
enum status
polling_run(const struct polling *p, struct poll_report *r, struct err *e);

#endif
