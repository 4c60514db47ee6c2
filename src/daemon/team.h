/*
 * team.h - threads that read, and the lanes they serve in turn. The engine
 * has one for all; a lane whose source may be slow has one of its own, so that
 * waiting for a partner holds up nobody else.
 */
#ifndef DAEMON_TEAM_H
#define DAEMON_TEAM_H

#include <pthread.h>

#include "daemon/engine.h"

struct team {
	struct engine *engine;
	struct team *next; /* of the engine's teams */
	pthread_t *worker;
	unsigned workers;
	pthread_cond_t has_job;
	/* All below: under the engine's lock. */
	struct lane *lane, **last_lane; /* those with jobs, next one first */
	size_t jobs;			/* queued in them */
	bool stop;
};

void team_start(struct team *t, struct engine *g, unsigned workers);

/* When what is queued is read, or the engine has failed; joins the threads. */
void team_stop(struct team *t);

/* The lane has jobs now, and had none. Under the engine's lock. */
void team_add(struct team *t, struct lane *l);

/* The lane has none any more, for it is given up. Under the engine's lock. */
void team_remove(struct team *t, struct lane *l);

/* The next job, of the lane whose turn it is. Under the engine's lock. */
struct job *team_take(struct team *t);

/* All workers of all teams look again. Under the engine's lock. */
void team_wake_all(struct engine *g);

#endif
