/*
 * record.h - exchanges kept for a bug report or a new profile, and played
 * again without a server.
 *
 *	DIR/SOURCE/0001.json	method, url, status, headers; no secrets
 *	DIR/SOURCE/0001.body	the answer's body, decoded
 *
 * Of an answer that brings a token a stand-in is kept: {"NAME": VALUE} for what
 * auth captures. A value is kept if it is a place, of which base_url is made,
 * and is else another. No answer's cookies are kept.
 * Secrets are hidden wherever an API repeats them. What else a body holds is
 * what the API sent: look before you give it away.
 */
#ifndef SOURCE_HTTP_RECORD_H
#define SOURCE_HTTP_RECORD_H

#include "landfall/http.h"
#include "source/http/hide.h"

struct record;

struct record_options {
	const char *dir, *source;
	bool play; /* an existing one is played */
	/* Takes out of a text what must not be kept, as hide_secrets(). */
	size_t (*hide)(
		const void *arg, struct str *text, struct hide_piece *piece);
	const void *arg;
	const atomic_bool *cancel; /* what is being kept then is cut */
};

/* BAD_SOURCE: it cannot be. */
enum rc record_open(const struct record_options *o, struct record **ret,
	struct err *e) MUST_USE;
void record_close(struct record *r);
bool record_plays(const struct record *r);

/*
 * url: without secrets. token: it was asked for one. What cannot be kept is
 * record_check()'s to tell, and nothing is kept after it: an answer may hold
 * what is given once, and is taken whether a copy of it can be made or not.
 */
void record_keep(struct record *r, const char *method, const char *url,
	const struct http_answer *a, bool token);

/* The exchange kept last was a login with success: v has what it brought. */
void record_login(struct record *r, const struct api *a,
	const struct api_auth *auth, const struct vars *v);

/* BAD_SOURCE: something could not be kept. AGAIN: *cancel. r may be NULL. */
enum rc record_check(const struct record *r, struct err *e) MUST_USE;

/* What a login that is played brought under that name. */
void
record_brought(const struct http_answer *a, const char *name, struct str *ret);

/* BAD_SOURCE: something else was asked there, or nothing more. */
enum rc record_play(struct record *r, const char *method, const char *url,
	struct http_answer *a, struct err *e) MUST_USE;

#endif
