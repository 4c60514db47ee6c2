/*
 * settle.h - what `landfall release` and `landfall reject` share: which
 * quarantined entry is meant, who decides, and why.
 *
 *	st = settle_parse(&s, c, argc, argv, "released");
 *	st = settle_open(&s, done);
 *	... submit or note ...
 *	st = settle_close(&s, rc, &e);
 */
#ifndef CLI_SETTLE_H
#define CLI_SETTLE_H

#include "cli/cli.h"
#include "daemon/engine.h"

struct settle {
	struct cli *cli;
	uint64_t entry;
	struct str why; /* "released from quarantine entry 3 by ann: TEXT" */
	struct engine *engine;
	struct catalog_name name; /* with the quarantined version */
	const struct source_config *config;
	enum status worst;
};

/* How the sentence begins: "released from quarantine", "rejected". */
int settle_parse(struct settle *s, struct cli *c, int argc, char **argv,
	const char *how) MUST_USE;

/* Takes the lock; the entry is quarantined, and nobody has settled it. */
enum status settle_open(struct settle *s) MUST_USE;

/* rc: what came of it. Waits until it is durable. */
enum status settle_close(struct settle *s, enum rc rc, struct err *e);

#endif
