/*
 * engine-state.h - what the parts of the engine share: engine.c opens it,
 * lane.c is its mouth, worker.c its hands, team.c which hands are whose.
 */
#ifndef DAEMON_ENGINE_STATE_H
#define DAEMON_ENGINE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/engine.h"
#include "daemon/room.h"
#include "daemon/team.h"

#define LANE_JOBS 1024 /* names decided, not yet read, in one lane */
#define LANE_LOW 512   /* where whoever waits for room is woken */
#define GROUP_MAX 4096 /* deliveries in one commit, or one set */

struct lane {
	struct lane *next; /* of its team's with jobs, in turn */
	struct engine *engine;
	struct team *team;	 /* whose workers read for it: */
	struct team own;	 /* its own, or the engine's */
	struct catalog *catalog; /* the owner's connection */
	void (*done)(void *arg, const struct delivery *d);
	void *arg;
	/* All below: under the engine's lock. */
	struct job *job, **last_job;
	size_t jobs;	/* queued */
	size_t reading; /* a worker has them */
	size_t open;	/* submitted or noted, not yet done */
};

/* A job that a worker has; on its stack. */
struct reading {
	struct reading *next;
	const struct job *job;
	int64_t since; /* mono */
	atomic_uint_fast64_t bytes;
};

struct engine {
	struct engine_options options;
	int state;     /* directory */
	int spool;     /* directory */
	int lock_file; /* held as long as we live */
	struct commit commit;
	struct land_pool *pool;
	struct recovery recovery;
	struct room room;
	size_t group_max;
	atomic_uint_fast64_t bytes;
	atomic_uint_fast64_t members; /* of archives */

	struct team team; /* for all lanes without one of their own */
	pthread_t committer;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t has_room, has_staged, idle, errand_done;
	/* All below: under lock. */
	struct team *teams;
	size_t jobs; /* queued in all lanes */
	size_t reading;
	uint64_t reading_bytes; /* their sizes as listed */
	struct reading *readings;
	struct errand *errand, **last_errand; /* see crew.h */
	size_t errands;
	struct delivery *staged, **last_staged;
	size_t n_staged;
	size_t committing;
	uint64_t done;
	bool stop;
	struct err err; /* the first BROKEN */
};

/* The engine stops; everybody who waits wakes up. */
void engine_fail(struct engine *g, const struct err *e);

/* Queues a delivery for the committer. Under lock. */
void engine_stage(struct engine *g, struct delivery *d);

void *worker_main(void *team);
void *committer_main(void *engine);

#endif
