/*
 * verdict.h - what `landfall release` and `landfall reject` share: which
 * quarantined entry is meant, who decides, and why.
 *
 *	st = verdict_parse(&s, c, argc, argv, "released");
 *	st = verdict_open(&s);
 *	... submit or note ...
 *	st = verdict_close(&s, rc, &e);
 */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "cli/cli.h"
#include "daemon/engine.h"

struct verdict {
	struct cli *cli;
	uint64_t entry;
	struct str why; /* "released from quarantine entry 3 by ann: TEXT" */
	struct engine *engine;
	struct lane *lane;
	struct catalog_name name; /* with the quarantined version */
	const struct source_config *config;
	enum status worst;
};

/* How the sentence begins: "released from quarantine", "rejected". */
int verdict_parse(struct verdict *s, struct cli *c, int argc, char **argv,
	const char *how) MUST_USE;

/* Takes the lock; the entry is quarantined, and nobody has settled it. */
enum status verdict_open(struct verdict *s) MUST_USE;

/* rc: what came of it. Waits until it is durable. */
enum status verdict_close(struct verdict *s, enum rc rc, struct err *e);

#endif
