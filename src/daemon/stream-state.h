/*
 * stream-state.h - one run over one stream, shared by its parts: stream.c
 * goes from window to window, stream-page.c takes what a page brings, and
 * stream-learn.c what the zone has of it that the catalog does not know.
 */
#ifndef DAEMON_STREAM_STATE_H
#define DAEMON_STREAM_STATE_H

#include "daemon/batch.h"
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
};

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
 * was made again. Position and memory are brought forward.
 */
enum rc stream_learn(struct stream_work *r, struct err *e) MUST_USE;

#endif
