/*
 * handout.h - receipts, handed out before a command that landed something
 * ends.
 */
#ifndef CLI_HANDOUT_H
#define CLI_HANDOUT_H

#include "cli/cli.h"
#include "daemon/engine.h"

/*
 * Gives the receipts that a source owes; everything is durable, no lane is
 * needed. What cannot be given is said, and is owed still:
 * STATUS_ATTENTION.
 */
enum status handout_receipts(
	struct engine *g, const struct cli *c, const struct source_config *s);

#endif
