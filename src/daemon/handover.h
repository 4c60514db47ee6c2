/*
 * handover.h - receipts into a folder at a partner, while there is a way to it.
 */
#ifndef DAEMON_HANDOVER_H
#define DAEMON_HANDOVER_H

#include "daemon/engine.h"

/*
 * All that the source owes, at the end of a look; zone is its path. What
 * cannot be given is owed still, and trouble (empty before) says why. Without
 * a receipt.folder it does nothing. BROKEN: the catalog.
 */
enum rc handover_receipts(struct lane *l, const char *zone,
	const struct source_config *cfg, struct source *s, struct str *trouble,
	struct err *e) MUST_USE;

#endif
