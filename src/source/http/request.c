#include "source/http/request.h"

#include <strings.h>

#include "landfall/http.h"
#include "source/http/hide.h"
#include "source/http/request-part.h"

/* ---- whole requests ---- */

static enum rc
make(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v, struct request *r,
	struct err *e)
{
	if (request_set_target(a, s, from, v, r, e) != OK ||
		request_add_query(r, &from->query, v, e) != OK ||
		request_add_body(r, from, v, e) != OK ||
		request_add_headers(r, s->header, v, e) != OK ||
		request_add_headers(r, &from->header, v, e) != OK)
		return e->code;
	return request_add_auth(r, s->auth, v, e);
}

enum rc
request_make(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v,
	struct request *ret, struct err *e)
{
	struct request r = request_begin(from);

	if (make(a, s, from, v, &r, e) != OK) {
		request_release(&r);
		return e->code;
	}
	*ret = r;
	return OK;
}

/* ---- links ---- */

static bool
is_allowed(const struct api *a, const char *host)
{
	for (size_t i = 0; i < a->allow_hosts.n; i++)
		if (strcasecmp(a->allow_hosts.word[i], host) == 0)
			return true;
	return false;
}

/* Whether the link's origin gets credentials; BAD_SOURCE: nothing at all. */
static enum rc
judge_link(const struct api *a, const struct vars *v, const char *previous,
	struct request *r, struct err *e)
{
	CLEANUP(http_origin_release) struct http_origin to = {.host = STR_INIT};
	CLEANUP(http_origin_release)
	struct http_origin mine = {.host = STR_INIT};
	CLEANUP(http_origin_release)
	struct http_origin before = {.host = STR_INIT};
	CLEANUP(str_release) struct str base = STR_INIT;

	if (request_base(a, v, &base, e) != OK)
		return e->code;
	if (http_origin_of(r->url.s, &to, e) != OK ||
		http_origin_of(base.s, &mine, e) != OK ||
		http_origin_of(previous, &before, e) != OK)
		return err_raise(e, BAD_SOURCE);
	r->trusted = http_origin_same(&to, &mine);
	if (r->trusted || http_origin_same(&to, &before))
		return OK;
	if (is_allowed(a, to.host.s) && (to.tls || !mine.tls))
		return OK;
	return err_set(e, BAD_SOURCE,
		"a link leads to another origin (%s://%s:%u), which gets "
		"nothing; allow_hosts: [%s] lets links go there without "
		"credentials",
		to.tls ? "https" : "http", to.host.s, to.port, to.host.s);
}

static enum rc
follow(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const char *previous, const char *link,
	const struct vars *v, struct request *r, struct err *e)
{
	if (http_url_join(previous, link, &r->url, e) != OK)
		return err_raise(e, BAD_SOURCE);
	if (judge_link(a, v, previous, r, e) != OK)
		return e->code;
	str_add(&r->shown, r->url.s);
	(void)hide_secrets(a, v, &r->shown, NULL);
	if (request_add_headers(r, s->header, v, e) != OK ||
		request_add_headers(r, &from->header, v, e) != OK)
		return e->code;
	return request_add_auth(r, s->auth, v, e);
}

enum rc
request_follow(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const char *previous, const char *link,
	const struct vars *v, struct request *ret, struct err *e)
{
	struct request r = request_begin(from);

	r.method = "GET";
	if (follow(a, s, from, previous, link, v, &r, e) != OK) {
		request_release(&r);
		return e->code;
	}
	*ret = r;
	return OK;
}
