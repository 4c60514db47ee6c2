/*
 * poll.h - one run over the streams of one API.
 *
 * A stream that fails or waits keeps no other from its turn.
 */
#ifndef DAEMON_POLL_H
#define DAEMON_POLL_H

#include "daemon/pass.h"
#include "daemon/stream.h"

struct poll_options {
	const struct source_config *config;
	const atomic_bool *cancel;
	/* Called by the committer for each landing once it is durable. */
	void (*done)(void *arg, const struct delivery *d);
	/* Called when a stream, or a partition of it, is through. */
	void (*through)(void *arg, const char *stream, const char *partition,
		const struct stream_report *r);
	void (*waits)(void *arg, const char *why, int64_t ns);
	void (*goes_on)(void *arg); /* as in session.h; either may be NULL */
	void *arg;
	bool (*wanted)(void *arg);
	void (*give_way)(void *arg); /* of a backfill, also as there */
	struct rate *rate;
	bool keep;		     /* as in stream.h */
	const char *record, *replay; /* as in session.h */
	/*
	 * Only streams and partitions whose wait is over, for which nobody is
	 * asked before its time; no pass is recorded.
	 */
	bool waited;
	/* A backfill of one stream, which is no look at the source: no pass is
	 * recorded. NULL: what is new of all. */
	const char *stream;
	int64_t from, to;
};

struct poll_report {
	/* As of any look; its trouble is that of the first that failed. */
	struct pass_report look;
	uint64_t failed, parked; /* streams */
	bool refused;		 /* the API let us in nowhere */
	/* wall: when the first wait ends that did not before it began; 0: none
	   does. Not of a backfill. */
	int64_t wait_ends;
	struct stream_report sum;
};

/* Is that stream asked: for itself, or for one whose deletes it tells? */
bool poll_asks(const struct api *api, size_t stream);

void poll_report_init(struct poll_report *r);
void poll_report_release(struct poll_report *r);

/*
 * OK: all streams were asked. BAD_SOURCE: some failed; recorded too. AGAIN:
 * *cancel. BROKEN: we must stop.
 */
enum rc poll_run(struct engine *g, const struct poll_options *o,
	struct poll_report *r, struct err *e) MUST_USE;

#endif
