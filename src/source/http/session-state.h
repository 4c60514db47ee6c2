/*
 * session-state.h - what the parts of a session share: session.c has it open,
 * session-try.c asks once and decides what an answer means, session-token.c
 * gets what auth needs first.
 */
#ifndef SOURCE_HTTP_SESSION_STATE_H
#define SOURCE_HTTP_SESSION_STATE_H

#include "source/http/hide.h"
#include "source/http/rate.h"
#include "source/http/record.h"
#include "source/http/session.h"
#include "source/http/token.h"

#define SESSION_SELECTORS 128 /* that rules or a token ask for */

/* What is had of an auth; streams with the same one share it. */
struct held_token {
	struct token token;
	struct reply *reply;
};

/* Reads an answer for what rules ask, once they do. */
struct look {
	const struct api_rules *rules;
	struct reply *reply;
	const struct http_answer *answer; /* NULL: it was not asked yet */
	bool read;
};

struct session {
	struct session_options o;
	struct vars vars;
	struct http *http; /* NULL: not needed right now */
	struct record *record;
	struct rate rate;
	struct str previous; /* the URL asked last; it may hold secrets */
	struct held_token *token;
	size_t n_tokens;
	struct look *look;
	size_t n_looks;
	uint64_t requests;
	bool refused; /* who we are, or what we may */
	bool let_in;  /* something was answered well */
};

/* One question, asked as often as that helps. */
struct attempt {
	struct session *s;
	const struct session_question *q;
	struct http_answer *a;
	struct session_outcome *out;
	struct rate_of of;
	unsigned tries;	  /* that count */
	unsigned limited; /* that were turned away for their number */
	int64_t limited_for;
	bool refreshed;
	struct held_token *token; /* it is asked for; NULL: a page is */
};

/* Takes secrets out of a text, as hide_secrets(); arg: the session. */
size_t
session_hide(const void *arg, struct str *text, struct hide_piece *piece);

/* Reads an answer for values alone. */
struct reply *session_reply(const struct api_selector **selector, size_t n);

/* ---- session-try.c ---- */

/* As session_ask(), and END: ask again. */
enum rc session_try(struct attempt *t, struct err *e) MUST_USE;

/* ---- session-token.c ---- */

/* What there is of the stream's auth; NULL: e says why. */
struct held_token *session_token(struct session *s,
	const struct api_stream *stream, struct err *e) MUST_USE;

/* A new one. OK with verdict PARK is possible. */
enum rc session_log_in(struct session *s, const struct session_question *q,
	struct held_token *h, struct session_outcome *ret,
	struct err *e) MUST_USE;

#endif
