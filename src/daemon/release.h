/*
 * release.h - a quarantined landing file as a source of one item: its bytes,
 * decoded and verified, so that a release goes through the same pipeline as
 * everything else.
 */
#ifndef DAEMON_RELEASE_H
#define DAEMON_RELEASE_H

#include "daemon/engine.h"

extern const struct source_ops release_ops; /* fetch and look */

/*
 * What is in quarantine as n->version. The configuration outlives it.
 * BAD_ITEM: the landing file is damaged; END: it is not there.
 */
enum rc release_new(const struct config *c, const struct catalog_name *n,
	struct source **ret, struct err *e) MUST_USE;
void release_free(struct source *s);

/* A job for it; what was known of the delivery then is known again. */
struct job *release_job(struct source *s, const struct source_config *cfg,
	const struct catalog_name *n, const char *why) MUST_USE;

#endif
