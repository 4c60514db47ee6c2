/*
 * session.h - a conversation with one API: requests with what they need to
 * be let in, asked again when that may help, and never faster than agreed.
 *
 *	session_open(&options, &s, &e)		secrets are read now
 *	session_ask(s, &question, &answer, &outcome, &e)
 *	session_check(s, &e)
 *	session_close(s)
 *
 * Waits are for the caller's thread, cut short by *cancel, and never longer
 * than the stream's max_wait: what would be is a verdict, SESSION_PARK.
 */
#ifndef SOURCE_HTTP_SESSION_H
#define SOURCE_HTTP_SESSION_H

#include "base/clock.h"
#include "source/http/reply.h"
#include "source/http/vars.h"

struct rate;

struct session_options {
	const struct api *api;
	const char *source; /* its name, for what is kept of tokens */
	int spool, state;   /* directories */
	const char *record; /* folder to keep the exchanges in; NULL */
	const char *replay; /* or to play them from, without a server */
	const atomic_bool *cancel;
	/* Told before each wait: why, and how long, ns. May be NULL. */
	void (*waits)(void *arg, const char *why, int64_t ns);
	/* And after it, however it ended. May be NULL. */
	void (*goes_on)(void *arg);
	/*
	 * For session_give_way(): does anybody else wait to ask this API, and
	 * has its turn until that returns. Both NULL: nobody does.
	 */
	bool (*wanted)(void *arg);
	void (*give_way)(void *arg);
	/* What was asked before counts too; lent, and told anew. NULL: none. */
	struct rate *rate;
	void *arg;
};

/* In a longer wait the child is gone, and its connections are closed. */
#define SESSION_REST (5 * CLOCK_SECOND)

struct session;

/* BAD_SOURCE: a secret is not there. */
enum rc session_open(const struct session_options *o, struct session **ret,
	struct err *e) MUST_USE;
void session_close(struct session *s);

/* The variables of its requests: the caller sets windows, pages, ... */
struct vars *session_vars(struct session *s);

/* What a request is for, and how its answer is read. */
struct session_question {
	const struct api_stream *stream;
	const char *partition; /* for limits that are its own; or NULL */
	const struct api_request *request;
	enum api_phase phase;
	const char *link;    /* instead of the request's own URL; or "" */
	struct reply *reply; /* must find the answer right; NULL: nobody */
};

enum session_verdict {
	SESSION_ANSWER,	       /* whole, and right */
	SESSION_EMPTY,	       /* the API says so: no data */
	SESSION_SPLIT,	       /* too much: halve the window */
	SESSION_SHRINK,	       /* too much: halve the page */
	SESSION_RESTART_PAGES, /* from the first page again */
	SESSION_RESTART_JOB,
	SESSION_SKIP, /* nothing of this will come: e says why */
	SESSION_PARK, /* not before `until`: e says why */
};

/*
 * A wait for longer is one that somebody should hear of. One for the next day
 * of a zone, which may have 25 hours, and some chance is not.
 */
#define SESSION_LONG (INT64_C(26) * 3600 * CLOCK_SECOND)

struct session_outcome {
	enum session_verdict verdict;
	int64_t until;	    /* wall, of SESSION_PARK */
	const char *method; /* as it was asked, for provenance */
	struct str url;	    /* without secrets */
};

void session_outcome_init(struct session_outcome *o);
void session_outcome_release(struct session_outcome *o);

/*
 * OK: there is a verdict. AGAIN: *cancel. BAD_SOURCE: it failed for good, or
 * as often as it may be tried; e says how. BROKEN: our disk.
 */
enum rc session_ask(struct session *s, const struct session_question *q,
	struct http_answer *a, struct session_outcome *ret,
	struct err *e) MUST_USE;

/*
 * Behind the last question. BAD_SOURCE: something could not be recorded; AGAIN:
 * *cancel, and the last of it may be cut. What
 * was answered is taken all the same; only another question fails of it.
 */
enum rc session_check(const struct session *s, struct err *e) MUST_USE;

/* Waits as between requests. AGAIN: *cancel. */
enum rc session_wait(
	struct session *s, int64_t ns, const char *why, struct err *e) MUST_USE;

/*
 * Between two questions, and not before the first: whoever waits for its turn
 * has it, and meanwhile nothing is kept of connections and tokens, which are
 * theirs to replace. AGAIN: *cancel.
 */
enum rc session_give_way(struct session *s, struct err *e) MUST_USE;

/*
 * So far nothing was answered but that we are not let in: 401 or 403, or no
 * token for what we are. Who asks on will hear it again, and may be locked out.
 */
bool session_refused(const struct session *s);

uint64_t session_requests(const struct session *s);

/* How many more the API said that it allows; *ret_allowed 0: of how many it
 * did not say. False: it says nothing of it. */
bool session_left(
	const struct session *s, uint64_t *ret_left, uint64_t *ret_allowed);

#endif
