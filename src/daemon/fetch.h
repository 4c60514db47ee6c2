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
	struct engine *engine;
	struct zone *zone;
	struct land_pool *pool;
	int spool; /* directory */
	struct room *room;
	atomic_uint_fast64_t *bytes;   /* read so far, for progress */
	atomic_uint_fast64_t *own;     /* of this job; NULL: nobody asks */
	atomic_uint_fast64_t *members; /* taken out of archives */
};

/* So many bytes more were read. */
void fetch_progress(const struct fetch_context *c, uint64_t n);

/*
 * *ret: the delivery to commit or note; of an archive a chain, its members
 * first, that must stay together. BROKEN: nothing is returned.
 */
enum rc fetch_job(const struct fetch_context *c, const struct job *j,
	struct delivery **ret, struct err *e) MUST_USE;

/* ---- for container.c: an archive as one delivery ---- */

/* It is left alone; the reason goes to the catalog. */
void fetch_leave(struct delivery *d, enum disposition as, const char *reason);

/* END: it changed while it was read, and d says so. */
enum rc fetch_look_again(
	const struct job *j, struct delivery *d, struct err *e) MUST_USE;

/*
 * Stages all bytes of the feed from the first one on, as one record: into
 * quarantine when there is a reason. END: it is left, and d says why.
 */
enum rc
fetch_whole(const struct fetch_context *c, const struct job *j, struct feed *f,
	const char *reason, struct delivery *d, struct err *e) MUST_USE;

#endif
