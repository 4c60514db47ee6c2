/*
 * reply-state.h - an answer as it is read, for the files that read it.
 */
#ifndef SOURCE_HTTP_REPLY_STATE_H
#define SOURCE_HTTP_REPLY_STATE_H

#include "base/buf.h"
#include "source/http/reply.h"

#define REPLY_PIECE (128u << 10)

/* What a selector found in the body. */
struct found {
	const struct api_selector *selector;
	struct reply_text *value;
	size_t n;
	bool fresh; /* of the record under way: LAST */
	bool there; /* be it null */
};

struct reply {
	struct reply_spec spec;
	struct dialect dialect;
	const struct api_place **field;
	struct found *found;
	size_t n_found;
	struct reply_text *text; /* of the record under way */
	uint64_t *met;		 /* records that have each field */
	size_t *column;		 /* of each field; SIZE_MAX: not there */
	struct str header;	 /* of the first page */
	size_t n_columns;	 /* in it */

	struct jsonr *json;		       /* the whole body, or one row */
	struct found *of_query[JSONR_QUERIES]; /* or NULL */
	size_t field_of[JSONR_QUERIES];
	size_t n_queries;

	const struct http_answer *answer;
	uint64_t records;
	uint8_t *copy; /* a record that is not in memory */
	size_t cap;
	enum rc (*each)(void *arg, const struct reply_record *x, struct err *e);
	void *arg;
	enum rc rc;
	struct err *e;

	/* Rows. */
	struct buf window;
	uint64_t base;	/* of the window */
	uint64_t start; /* of the span to come */
	size_t at;	/* of the field that comes next in a row */
};

void reply_text_set(struct reply_text *t, const uint8_t *p, size_t n);

/* The record is complete: tell it, and be ready for the next. */
void reply_tell(struct reply *r, struct reply_record *x);

/* ---- reply-row.c ---- */

/* JSON lines and CSV; as reply_read(). */
enum rc reply_read_rows(struct reply *r, struct err *e) MUST_USE;

#endif
