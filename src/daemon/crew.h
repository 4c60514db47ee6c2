/*
 * crew.h - errands: small pieces of one worker's job that others of its team
 * do while they have nothing else to do.
 *
 *	crew_begin(&c, lane);
 *	crew_add(&c, errand, fetch);	queued, or done here and now
 *	crew_wait(&c, fetch);		until all of them are done
 *
 * Nobody ever waits for room in the queue, which is short: who finds it full
 * does the errand itself, and who waits for errands does what is queued. So
 * errands cannot block each other, and memory is bounded.
 */
#ifndef DAEMON_CREW_H
#define DAEMON_CREW_H

#include "daemon/fetch.h"

struct crew {
	struct engine *engine;
	struct team *team;
	size_t open; /* queued or under way; under the engine's lock */
};

struct errand {
	struct errand *next;
	struct crew *crew;
	/* On any worker, with that worker's context. */
	void (*run)(struct errand *x, const struct fetch_context *c);
};

void crew_begin(struct crew *c, struct lane *l);
void
crew_add(struct crew *c, struct errand *x, const struct fetch_context *fetch);
void crew_wait(struct crew *c, const struct fetch_context *fetch);

/* For workers: does one errand, if one is queued. Under the engine's lock. */
bool crew_help(struct engine *g, const struct fetch_context *fetch);

#endif
