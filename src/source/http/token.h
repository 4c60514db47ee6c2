/*
 * token.h - what auth needs before the first request: an access token
 * (oauth2) or what a login gives (session); when it must be had anew, and how
 * a refresh token that was replaced is kept.
 *
 *	token_init(&t, auth, NULL);
 *	token_load(&t, &vars, state, source, &e);
 *	token_use(&t, &vars);		before each request
 *	if (!token_is_fresh(&t, now)) {
 *		token_request(&t, api, &vars, now, &request, &e);
 *		... ask ...
 *		token_take(&t, value, arg, now, &vars, &e);
 *		token_keep(&t, &vars, state, source, now, &e);
 *					before the new token is used
 *	}
 *	token_release(&t);
 *
 * One struct token for each auth that is not none: streams that share the
 * auth share the token. It belongs to one thread at a time, because a
 * refresh token that is good for one use must not be used twice.
 *
 * The kept file is STATE/credentials/SOURCE[.STREAM].json, 0600, one JSON
 * object {"for": ..., "refresh_token": ..., "replaced_at": ...}, replaced
 * atomically and durably before the access token that came with it is used.
 * `for` is the SHA-256 of the configured refresh token that all of them come
 * from: when somebody configures another one, what is kept does not count.
 */
#ifndef SOURCE_HTTP_TOKEN_H
#define SOURCE_HTTP_TOKEN_H

#include "source/http/request.h"

struct token {
	const struct api_auth *auth;
	const char *stream; /* whose auth it is; NULL: the whole source's */
	bool has;	    /* one was taken */
	int64_t expires;    /* wall; 0: not known */
	struct str refresh; /* what replaced the one in params; "" none */
	bool replaced;	    /* refresh is new and not kept yet */
};

/* Whether auth needs any of this. */
bool token_is_needed(const struct api_auth *auth);

void
token_init(struct token *t, const struct api_auth *auth, const char *stream);
void token_release(struct token *t); /* overwrites */

/* A tenth of its life, at most a minute, before it expires it is stale. */
bool token_is_fresh(const struct token *t, int64_t now);

/* {{auth.*}} is what it got, and no other auth; undefined: it has nothing. */
void token_use(const struct token *t, struct vars *v);

/* An answer was 401, or a rule says refresh_auth. */
void token_drop(struct token *t, struct vars *v);

/* BAD_SOURCE: it cannot be made, such as from a key that is none. */
enum rc token_request(const struct token *t, const struct api *a,
	const struct api_stream *s, const struct vars *v, int64_t now,
	struct request *ret, struct err *e) MUST_USE;

/*
 * From a successful answer; value as in rule.h. Defines {{auth.*}}.
 * BAD_SOURCE: something that capture names is not in it. A refresh token that
 * is in it was taken all the same: token_keep() comes next, either way.
 */
enum rc token_take(struct token *t,
	enum rc (*value)(const void *arg, const struct api_selector *s,
		size_t i, struct str *ret),
	const void *arg, int64_t now, struct vars *v, struct err *e) MUST_USE;

/* The selectors that token_take() asks for; as rule_selectors(). */
size_t token_selectors(const struct api_auth *auth,
	const struct api_selector **ret, size_t max);

/* BROKEN: our disk. */
enum rc token_load(struct token *t, struct vars *v, int state,
	const char *source, struct err *e) MUST_USE;
enum rc token_keep(struct token *t, const struct vars *v, int state,
	const char *source, int64_t now, struct err *e) MUST_USE;

#endif
