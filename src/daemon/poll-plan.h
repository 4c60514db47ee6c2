/*
 * poll-plan.h - what a polled API would be asked, and one request to see
 * whether it lets us in.
 */
#ifndef DAEMON_POLL_PLAN_H
#define DAEMON_POLL_PLAN_H

#include "landfall/catalog.h"
#include "landfall/config.h"

#define PLAN_WINDOWS 20 /* of a stream that are told one by one */

struct poll_step {
	const char *stream, *partition; /* partition NULL: none */
	const char *start, *end;	/* of the window; NULL: none */
	const char *position;		/* where it stands; "" nowhere yet */
	const char *method, *url;	/* of its first request; no secrets */
	uint64_t more; /* windows after this one that are not told; else 0 */
};

/*
 * Calls each for the windows to come, of every stream that is polled. Nothing
 * is asked, but secrets are read. BAD_SOURCE: the source cannot be polled as
 * it is configured.
 */
enum rc poll_plan(const struct source_config *cfg, struct catalog *c,
	enum rc (*each)(void *arg, const struct poll_step *s, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * One request, the first of the first stream, whose answer must be right. It
 * lands nothing. state, spool: directories. BAD_SOURCE: it is not.
 */
enum rc poll_try(const struct source_config *cfg, int state, int spool,
	struct err *e) MUST_USE;

#endif
