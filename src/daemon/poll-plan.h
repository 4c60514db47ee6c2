/*
 * poll-plan.h - what a polled API would be asked, and one request to see
 * whether it lets us in.
 */
#ifndef DAEMON_POLL_PLAN_H
#define DAEMON_POLL_PLAN_H

#include "landfall/catalog.h"
#include "landfall/config.h"

#define PLAN_WINDOWS 20 /* of a stream that are told one by one */
#define PLAN_PARTITIONS 20

struct poll_step {
	const char *stream, *partition; /* partition NULL: none */
	const char *list_for; /* its list is read for this one's partitions */
	const char *start, *end;  /* of the window; NULL: none */
	const char *position;	  /* where it stands; "" nowhere yet */
	const char *method, *url; /* of its first request; no secrets */
	uint64_t more; /* windows after this one that are not told; else 0 */
	uint64_t more_partitions; /* instead of a request: as many again */
};

/*
 * Calls each for the windows to come, of every stream that is polled. Which
 * partitions a parent gives is known from the run before, or else nobody
 * knows: it is told once, with the variables' names for their values. Nothing
 * is asked, but secrets are read. BAD_SOURCE: the source cannot be polled as
 * it is configured.
 */
enum rc poll_plan(const struct source_config *cfg, struct catalog *c,
	enum rc (*each)(void *arg, const struct poll_step *s, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * One request, the first of the first stream, whose answer must be right. It
 * lands nothing. state, spool: directories. facts: what the paths of the
 * profile found in it. BAD_SOURCE: it is not.
 */
enum rc poll_try(const struct source_config *cfg, int state, int spool,
	struct str *facts, struct err *e) MUST_USE;

#endif
