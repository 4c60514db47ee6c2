#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "landfall/http.h"
#include "late/curl.h"

static void
url_release(CURLU **u)
{
	if (*u != NULL)
		curl_url_cleanup(*u);
}

/* A part as text of our own; false: it is not there. */
static bool
part(CURLU *u, CURLUPart what, unsigned flags, struct str *s)
{
	char *text = NULL;

	if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
		return false;
	str_add(s, text);
	curl_free(text);
	return true;
}

static enum rc
parse(const char *url, CURLU **ret, struct err *e)
{
	CURLUcode code;

	if (late_curl(e) != OK)
		return e->code;
	*ret = curl_url();
	if (*ret == NULL)
		abort();
	if (strlen(url) > HTTP_URL_MAX)
		return err_set(e, BAD_ITEM, "a URL of %zu bytes", strlen(url));
	code = curl_url_set(*ret, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	if (code != CURLUE_OK)
		return err_set(
			e, BAD_ITEM, "not a URL: %s", curl_url_strerror(code));
	return OK;
}

enum rc
http_origin_of(const char *url, struct http_origin *ret, struct err *e)
{
	CLEANUP(url_release) CURLU *u = NULL;
	CLEANUP(str_release) struct str scheme = STR_INIT;
	CLEANUP(str_release) struct str port = STR_INIT;
	struct http_origin o = {.host = STR_INIT};
	uint64_t number = 0;

	if (parse(url, &u, e) != OK)
		return e->code;
	if (!part(u, CURLUPART_SCHEME, 0, &scheme) ||
		!part(u, CURLUPART_HOST, 0, &o.host) ||
		!part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port) ||
		!str_parse_u64(port.s, port.len, &number) ||
		(strcmp(scheme.s, "http") != 0 &&
			strcmp(scheme.s, "https") != 0)) {
		http_origin_release(&o);
		return err_set(
			e, BAD_ITEM, "not a URL with http or https and a host");
	}
	o.tls = strcmp(scheme.s, "https") == 0;
	o.port = (unsigned)number;
	if (o.host.s[0] == '[' && o.host.len > 2) {
		struct str bare = STR_INIT;

		str_addn(&bare, o.host.s + 1, o.host.len - 2);
		str_release(&o.host);
		o.host = bare;
	}
	*ret = o;
	return OK;
}

void
http_origin_release(struct http_origin *o)
{
	str_release(&o->host);
}

bool
http_origin_same(const struct http_origin *a, const struct http_origin *b)
{
	return a->tls == b->tls && a->port == b->port &&
		strcasecmp(a->host.s, b->host.s) == 0;
}

enum rc
http_url_join(
	const char *base, const char *reference, struct str *ret, struct err *e)
{
	CLEANUP(url_release) CURLU *u = NULL;
	CURLUcode code;

	if (parse(base, &u, e) != OK)
		return e->code;
	code = strlen(reference) > HTTP_URL_MAX
		? CURLUE_MALFORMED_INPUT
		: curl_url_set(
			  u, CURLUPART_URL, reference, CURLU_DISALLOW_USER);
	if (code != CURLUE_OK || !part(u, CURLUPART_URL, 0, ret))
		return err_set(
			e, BAD_ITEM, "not a link: %s", curl_url_strerror(code));
	return OK;
}
