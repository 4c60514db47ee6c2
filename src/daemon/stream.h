/*
 * stream.h - one stream of a polled API, or one of its partitions: window
 * after window is asked for and landed, and the position moves with each.
 *
 * A crash repeats a window and skips none: the position is recorded in the
 * transaction of the landing. What comes again is known by its bytes, or by
 * its key where that is enough.
 */
#ifndef DAEMON_STREAM_H
#define DAEMON_STREAM_H

#include "daemon/engine.h"
#include "source/http/session.h"

/* What came of a stream in one run. */
struct stream_report {
	uint64_t windows, pages, requests;
	uint64_t records; /* new ones, landed */
	uint64_t seen;	  /* that had landed before */
	uint64_t deletes; /* of the new ones: they say that something is gone */
	uint64_t files;
	uint64_t skipped; /* windows that the API's rules pass over */
	bool moved;	  /* its position did */
	int64_t parked;	  /* wall: it waits until then; 0: it does not */
	struct str why;	  /* it waits, or failed */
	bool failed;
	struct str remark; /* what may be wrong and need not be */
};

#define STREAM_REPORT_INIT \
	{ \
		.why = STR_INIT, .remark = STR_INIT \
	}

void stream_report_release(struct stream_report *r);

struct stream_options {
	struct engine *engine;
	struct lane *lane;
	const char *api; /* the source's name; outlives the lane */
	const struct api *description;
	const struct api_stream *stream;
	const char *partition;	 /* "channel=email"; NULL: it has none */
	struct session *session; /* its variables of the partition are set */
	const atomic_bool *cancel;
	/* A backfill; both 0: what is new. */
	bool between;
	int64_t from, to;
	/* Nothing is forgotten: a backfill that waits is compared with it. */
	bool keep;
};

/*
 * OK: the report says how it went. AGAIN: *cancel. BROKEN: our disk, or the
 * catalog.
 */
enum rc stream_run(const struct stream_options *o, struct stream_report *r,
	struct err *e) MUST_USE;

/*
 * What has landed is counted and remembered, and the position brought behind
 * it, as when a run begins: the catalog may have been made again. The session
 * is not used.
 */
enum rc stream_catch_up(const struct stream_options *o, struct err *e) MUST_USE;

/*
 * Calls each with the partition ("": it has none) of each landing file of the
 * stream, whatever the catalog knows of it. Stops when each returns not OK.
 */
enum rc stream_partitions(const struct stream_options *o,
	enum rc (*each)(void *arg, const char *partition, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* "klaviyo.events": where a stream's landing files are, and their source. */
void
stream_source(struct str *s, const char *api, const struct api_stream *stream);

#endif
