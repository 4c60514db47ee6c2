/*
 * polling.h - one run over a polled API, told as it goes.
 */
#ifndef CLI_POLLING_H
#define CLI_POLLING_H

#include "cli/cli.h"
#include "daemon/poll.h"

/* A backfill; stream NULL: what is new of all streams. */
struct polling_range {
	const char *stream;
	int64_t from, to;
};

/* Exchanges to keep, or to play; both NULL: neither. */
struct polling_record {
	const char *record, *replay;
};

/* Of one source. STATUS_BROKEN: e says why. */
enum status polling_run(struct cli *c, struct engine *g,
	const struct source_config *cfg, const struct polling_range *range,
	const struct polling_record *record, struct err *e);

#endif
