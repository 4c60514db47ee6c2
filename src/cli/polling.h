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

/* Of one source; range NULL: what is new of all streams. STATUS_BROKEN: e says
 * why. */
enum status polling_run(struct cli *c, struct engine *g,
	const struct source_config *cfg, const struct polling_range *range,
	const struct polling_record *record, struct err *e);

#endif
