/*
 * batch.h - the answers of one window on their way into landing files.
 *
 *	b = batch_open(&options);
 *	batch_add(b, &part, &e)		each answer that brings something new
 *	batch_close(b, position, with, arg, &e)	all came: land what is left
 *	batch_free(b);			also abandons what is not landed
 *
 * An answer is a part of the file, verbatim; between two parts lies a line
 * feed of ours. A file that has grown beyond BATCH_ROLL is landed before the
 * window is complete: that is safe, because what is landed is remembered,
 * and the position moves only with the last.
 *
 * One batch belongs to one thread; the lane too.
 */
#ifndef DAEMON_BATCH_H
#define DAEMON_BATCH_H

#include "daemon/engine.h"
#include "daemon/memory.h"
#include "landfall/http.h"

#define BATCH_ROLL (UINT64_C(128) << 20)
#define BATCH_PARTS (512u << 10) /* bytes of what is said of parts */

struct batch_options {
	struct engine *engine;
	struct lane *lane;
	const char *api;       /* the source: "klaviyo" */
	const char *source;    /* "klaviyo.events": outlives the lane's wait */
	const char *stream;    /* "events" */
	const char *partition; /* "channel=email"; NULL: none */
	/* What was asked for; NULL: not by window. */
	const char *start, *end;
	bool beside;	  /* it does not move the stream's position */
	const char *stem; /* "events.20260101T000000Z" */
	struct dialect dialect;
	struct memory *memory;
};

/* One answer. */
struct batch_part {
	const struct http_answer *answer;
	const char *method;
	const char *url;      /* without secrets */
	const uint8_t *fresh; /* a bit for each record: it is new */
	uint64_t bits;	      /* of them; records beyond are new */
	uint64_t records, n_fresh;
	uint64_t deletes; /* of them: they say that something is gone */
	/* It came out of an archive; member NULL: it did not. */
	const uint8_t *member;
	size_t member_len;
	uint64_t container_size;
	const uint8_t *container_sha256;
};

struct batch;

struct batch *batch_open(const struct batch_options *o) MUST_USE;
void batch_free(struct batch *b);

/* BROKEN: our disk. AGAIN: no room on it; nothing was added. */
enum rc
batch_add(struct batch *b, const struct batch_part *p, struct err *e) MUST_USE;

/*
 * Lands what is left; position: where the stream stands then. `with` is
 * called in the same transaction, or when there is nothing to land in one of
 * its own. Durable when it returns OK.
 */
enum rc batch_close(struct batch *b, const char *position,
	enum rc (*with)(struct catalog *c, void *arg, struct err *e), void *arg,
	struct err *e) MUST_USE;

/* What has landed; what was to be and is in the zone already: again. */
struct batch_report {
	uint64_t files, records, deletes;
	uint64_t again;
};
const struct batch_report *batch_report(const struct batch *b);

#endif
