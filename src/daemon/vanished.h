/*
 * vanished.h - names that wait and are at their source no more: nobody
 * hinted at their end, so a full look closes their stories.
 */
#ifndef DAEMON_VANISHED_H
#define DAEMON_VANISHED_H

#include "daemon/engine.h"

/*
 * After a look that saw every name, `pending` of them to wait: others that
 * wait in the catalog are looked for, and noted as ignored if they are gone.
 * Everything of the lane is durable. BROKEN: the catalog.
 */
enum rc vanished_note(struct lane *l, const struct source_config *cfg,
	struct source *s, uint64_t pending, struct err *e) MUST_USE;

#endif
