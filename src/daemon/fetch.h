/*
 * fetch.h - one job: from the source's bytes to a staged landing file.
 *
 * Runs on a worker thread. Whatever is wrong with the item becomes a note
 * (pending with the reason), never an error; errors are our own disk.
 */
#ifndef DAEMON_FETCH_H
#define DAEMON_FETCH_H

#include <stdatomic.h>

#include "daemon/engine.h"
#include "daemon/room.h"

struct fetch_context {
	struct zone *zone;
	struct land_pool *pool;
	int spool; /* directory */
	struct room *room;
	atomic_uint_fast64_t *bytes; /* read so far, for progress */
};

/* *ret: the delivery to commit or note. BROKEN: nothing is returned. */
enum rc fetch_job(const struct fetch_context *c, const struct job *j,
	struct delivery **ret, struct err *e) MUST_USE;

#endif
