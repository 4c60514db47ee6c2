/*
 * stream-state.h - one run over one stream, shared by its parts: stream.c
 * goes from window to window, stream-window.c asks for the pages of one and
 * lands them, stream-page.c takes what a page brings, and stream-learn.c what
 * the zone has of it that the catalog does not know.
 */
#ifndef DAEMON_STREAM_STATE_H
#define DAEMON_STREAM_STATE_H

#include "daemon/batch.h"
#include "daemon/paths.h"
#include "daemon/stream.h"
#include "source/http/paging.h"
#include "source/http/window.h"

/* The fields of a record that are asked for: the key's, then the cursor. */
#define STREAM_FIELDS 32

struct stream_work {
	const struct stream_options *o;
	const struct api_stream *stream;
	const struct api_incremental *rule;
	struct stream_report *report;
	struct str source; /* "klaviyo.events" */
	struct catalog_stream row;
	struct str position; /* "" : none yet */
	struct str token;    /* kind token: the newest */
	struct str job;	     /* the one under way, and its window; "" none */
	int64_t began;	     /* wall */
	struct reply *reply;
	struct dialect dialect;
	const struct api_place *field[STREAM_FIELDS];
	size_t n_fields;
	size_t cursor; /* which of them; SIZE_MAX: none */
	size_t flags;  /* the first of those that tell of deletes */
	struct memory memory;
	struct batch *batch;
	struct http_answer answer;
	struct session_outcome outcome;
	/* The page under way. */
	uint8_t *fresh;
	size_t fresh_cap;
	uint64_t bits, n_fresh, deletes;
	int64_t latest;	  /* cursor of the record before; order: asc */
	struct str later; /* commit: run: where it will stand */
	int64_t highest;  /* cursor met in this window */
	bool met;
	bool before; /* a cursor before the window: it may stop */
	struct api_window window;
	bool by_window;
	/* Of this run: a next page was pointed to; a page was full. */
	bool led;
	uint64_t full;
};

/* How the pages of a window end. */
enum stream_ending {
	WINDOW_WHOLE,
	WINDOW_AGAIN,	/* from its first page */
	WINDOW_SPLIT,	/* as a shorter one */
	WINDOW_PARKED,	/* not now */
	WINDOW_KEPT,	/* not whole, but its token can be kept: go on */
	WINDOW_NEW_JOB, /* by another job */
};

/* ---- stream.c ---- */

/* Its row as it is now: it has a number once something was recorded. */
enum rc stream_find_row(struct stream_work *r, struct err *e) MUST_USE;

/* The stream's row as it is to be; for lane_write(). */
enum rc stream_record(struct catalog *c, void *arg, struct err *e) MUST_USE;

/* ---- stream-window.c ---- */

/*
 * One window, or all there is of a stream without windows: asked for and
 * landed, and the position moves with it.
 */
enum rc stream_window(
	struct stream_work *r, enum stream_ending *ret, struct err *e) MUST_USE;

/* All pages from the first, which link may name, to the last. */
enum rc stream_ask_pages(struct stream_work *r, const struct api_request *what,
	enum api_phase phase, const char *link, const char *name,
	enum stream_ending *ret, struct err *e) MUST_USE;

/* What the API's rules pass over is told in the story of the window. */
enum rc stream_tell_skipped(
	struct stream_work *r, const char *name, struct err *e) MUST_USE;

/* It waits until then, and e says why. */
void stream_park(struct stream_work *r, int64_t until, struct err *e);

/* ---- stream-lookup.c ---- */

/* Defines {{lookup.*}}. False: the stream has to wait, or is passed over. */
enum rc
stream_lookups(struct stream_work *r, bool *ret_go_on, struct err *e) MUST_USE;

/* ---- stream-job.c ---- */

/* The window of a job that a run before left behind, into r->window. */
bool stream_job_window(struct stream_work *r);

/* One window by its job, taken up or created; its pages go to the batch. */
enum rc stream_job(struct stream_work *r, const char *name,
	enum stream_ending *ret, struct err *e) MUST_USE;

/* Before the window lands: in that transaction the job is forgotten. */
void stream_job_forget(struct stream_work *r);

/* After it has: the API may drop the results. */
void stream_job_over(struct stream_work *r);

/* ---- stream-page.c, stream-learn.c ---- */

/* Takes the page in answer: what is new of it goes to the batch. */
enum rc stream_page(struct stream_work *r, struct err *e) MUST_USE;

/* Its answers are archives, whose members are read. */
bool stream_is_packed(const struct api_stream *s);

/* From that page to the next. END: it was the last. */
enum rc stream_next_page(
	struct stream_work *r, struct paging *g, struct err *e) MUST_USE;

/* By what a record is known again. */
void stream_digest(const struct stream_work *r, const struct reply_record *x,
	uint8_t ret[HASH_LEN]);

/*
 * What has landed, and is not remembered: after a crash, or when the catalog
 * was made again. Position and memory are brought forward. Each run begins
 * so, a backfill too: with what it lands it says that all before is known.
 */
enum rc stream_learn(struct stream_work *r, struct err *e) MUST_USE;

#endif
