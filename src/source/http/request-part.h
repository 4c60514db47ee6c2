/*
 * request-part.h - what requests are made of: request.c puts pages and links
 * together, request-auth.c logins.
 *
 *	struct request r = request_begin(from);
 *	request_set_target(api, stream, from, &vars, &r, &e);
 *	request_add_query(...), request_add_body(...), request_add_headers(...)
 *	request_add_auth(&r, auth, &vars, &e);
 *
 * In this order, for whether the target is trusted decides about what comes
 * behind it. BAD_SOURCE: it cannot be made; e says which part.
 */
#ifndef SOURCE_HTTP_REQUEST_PART_H
#define SOURCE_HTTP_REQUEST_PART_H

#include "source/http/request.h"

/* Nothing but who we are, and its time. */
struct request request_begin(const struct api_request *from);

/* Everything of the URL but the query; trusted is known then. */
enum rc request_set_target(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v, struct request *r,
	struct err *e) MUST_USE;

/* One "name=value", in the URL and as it is shown. */
void request_add_pair(struct request *r, const char *name,
	const struct str *value, bool hidden);

/* A value with a variable that is not defined is left out. */
enum rc request_add_query(struct request *r, const struct api_fields *f,
	const struct vars *v, struct err *e) MUST_USE;
enum rc request_add_header(struct request *r, const char *name,
	const struct api_template *t, const struct vars *v,
	struct err *e) MUST_USE;
enum rc request_add_headers(struct request *r, const struct api_fields *f,
	const struct vars *v, struct err *e) MUST_USE;

/* As from says; or these fields of a form. */
enum rc request_add_body(struct request *r, const struct api_request *from,
	const struct vars *v, struct err *e) MUST_USE;
enum rc request_add_fields(struct request *r, const struct api_fields *f,
	const struct vars *v, struct err *e) MUST_USE;

/* ---- request-auth.c ---- */

/* Nothing, if the request is not trusted. */
enum rc request_add_auth(struct request *r, const struct api_auth *auth,
	const struct vars *v, struct err *e) MUST_USE;

#endif
