/*
 * request.h - from a request as a profile describes it to the one that is
 * sent, with what auth adds.
 *
 *	struct request r;
 *	if (request_make(api, stream, &stream->request, &vars, &r, &e) != OK)
 *		...
 *	... r.method, r.url, r.field, r.body ...; r.shown in logs
 *	request_release(&r);		overwrites: it holds secrets
 *
 * Credentials, and whatever else is secret, go to the origin of base_url and
 * nowhere else. A stream with an auth of its own and a whole URL has the
 * origin of that URL instead.
 */
#ifndef SOURCE_HTTP_REQUEST_H
#define SOURCE_HTTP_REQUEST_H

#include "source/http/vars.h"

struct request_field {
	char *name;
	struct str value;
};

struct request {
	const char *method; /* the profile's */
	struct str url;
	struct str shown;	     /* url with *** for secrets */
	struct request_field *field; /* headers; each name once */
	size_t n;
	struct str body;
	bool has_body;
	int64_t connect, idle, total; /* ns; total 0: none */
	bool trusted;		      /* the origin that gets credentials */
};

/*
 * v must define what is known now; auth.access_token for oauth2, and what a
 * session captured. BAD_SOURCE: it cannot be made; e says which part.
 */
enum rc request_make(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v,
	struct request *ret, struct err *e) MUST_USE;

/*
 * The request that a link on a page asks for: the same headers, no body. link
 * may be relative to `previous`. BAD_SOURCE: it leads to another origin,
 * which is not among allow_hosts. To one that is, it goes without anything
 * secret.
 */
enum rc request_follow(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const char *previous, const char *link,
	const struct vars *v, struct request *ret, struct err *e) MUST_USE;

/*
 * The request that gets a token: oauth2's form without grant_type, or the
 * login of a session. It carries what its own templates say and no auth.
 * s: NULL for the auth of the whole source. without_refresh: the form has no
 * refresh_token; a newer one will be added.
 */
enum rc request_login(const struct api *a, const struct api_stream *s,
	const struct api_auth *auth, bool without_refresh, const struct vars *v,
	struct request *ret, struct err *e) MUST_USE;

/* One more field of a form. */
void request_add_form(struct request *r, const char *name, const char *value);

void request_release(struct request *r);

/* base_url as it is now, without slashes at its end. */
enum rc request_base(const struct api *a, const struct vars *v, struct str *ret,
	struct err *e) MUST_USE;

/* Adds or replaces a header; the name's case does not count. */
void request_set_field(
	struct request *r, const char *name, const char *value, size_t len);

#endif
