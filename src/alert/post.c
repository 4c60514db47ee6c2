/*
 * An alert as the body of an HTTP POST, by libcurl.
 *
 * The URL and the headers may be secrets: error texts name the host alone.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alert/way.h"
#include "base/clock.h"
#include "base/mem.h"
#include "late/curl.h"

#define ANSWER_KEPT 1024

struct post {
	CURL *curl;
	struct curl_slist *headers;
	struct str url;
	struct str host; /* for error texts */
	const atomic_bool *cancel;
	uint8_t said[ANSWER_KEPT];
	size_t said_len;
};

static void
start_library(void)
{
	/* Fails only without memory. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
}

/* What must not stay behind in memory. */
static void
forget(struct str *s)
{
	if (s->cap > 0)
		explicit_bzero(s->s, s->cap);
	str_release(s);
}

static void
post_release(struct post *p)
{
	for (struct curl_slist *i = p->headers; i != NULL; i = i->next)
		explicit_bzero(i->data, strlen(i->data));
	curl_slist_free_all(p->headers);
	curl_easy_cleanup(p->curl);
	forget(&p->url);
	str_release(&p->host);
}

/* The beginning is for the error text; whatever comes after it is dropped. */
static size_t
take_answer(char *data, size_t size, size_t n, void *arg)
{
	struct post *p = arg;
	size_t got = size * n, room = sizeof(p->said) - p->said_len;

	if (room > got)
		room = got;
	memcpy(p->said + p->said_len, data, room);
	p->said_len += room;
	return got;
}

static int
go_on(void *arg, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED,
	curl_off_t d UNUSED)
{
	const struct post *p = arg;

	return p->cancel != NULL && *p->cancel;
}

/* "https://host:port": what of a URL is no secret. */
static void
add_host(struct str *s, const char *url)
{
	const char *host = strstr(url, "://");
	size_t n = host != NULL
		? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#")
		: 0;

	str_add_quoted(s, url, n);
}

static enum rc
find_url(struct post *p, const struct alert_config *a, struct err *e)
{
	struct buf b;

	if (a->url != NULL) {
		str_add(&p->url, a->url);
	} else {
		if (secret_resolve(&a->secret_url, &b, e) != OK)
			return err_add(e, "alert url");
		str_addn(&p->url, b.data, b.len);
		secret_forget(&b);
		if (strlen(p->url.s) != p->url.len ||
			!alert_url_is_right(p->url.s))
			return err_set(e, BAD_SOURCE,
				"alert url: the secret is no URL with http or "
				"https, a host, and no password");
	}
	add_host(&p->host, p->url.s);
	return OK;
}

static enum rc
add_header(struct post *p, const struct alert_header *h, struct err *e)
{
	struct str line = STR_INIT;
	struct curl_slist *more;
	struct buf b;

	str_addf(&line, "%s: ", h->name);
	if (h->text != NULL) {
		str_add(&line, h->text);
	} else {
		size_t bad = 0;

		if (secret_resolve(&h->secret, &b, e) != OK) {
			str_release(&line);
			return err_add(e, "alert header %s", h->name);
		}
		for (size_t i = 0; i < b.len; i++)
			bad += b.data[i] < ' ' || b.data[i] == 0x7f;
		str_addn(&line, b.data, b.len);
		secret_forget(&b);
		if (bad > 0) {
			forget(&line);
			return err_set(e, BAD_SOURCE,
				"alert header %s: the secret has more than "
				"one line, or control characters",
				h->name);
		}
	}
	more = curl_slist_append(p->headers, line.s);
	forget(&line);
	if (more == NULL)
		abort();
	p->headers = more;
	return OK;
}

static const struct alert_header own[] = {
	{.name = (char[]){"Content-Type"},
		.text = (char[]){"application/json"}},
	/* No waiting for leave to send these few bytes. */
	{.name = (char[]){"Expect"}, .text = (char[]){""}},
};

static enum rc
begin(struct post *p, const struct alert_config *a, struct err *e)
{
	if (find_url(p, a, e) != OK)
		return e->code;
	for (size_t i = 0; i < a->n_headers; i++)
		if (add_header(p, &a->header[i], e) != OK)
			return e->code;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		bool given = false;

		for (size_t k = 0; k < a->n_headers; k++)
			given |=
				strcasecmp(a->header[k].name, own[i].name) == 0;
		if (!given && add_header(p, &own[i], e) != OK)
			return e->code;
	}
	return OK;
}

/* Libcurl's own error texts may hold the URL: its codes never do. */
static enum rc
perform(struct post *p, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	CURLcode code = curl_easy_perform(p->curl);
	long status = 0;

	if (code == CURLE_ABORTED_BY_CALLBACK)
		return AGAIN;
	if (code != CURLE_OK)
		return err_set(e, BAD_SOURCE, "POST to %s: %s", p->host.s,
			curl_easy_strerror(code));
	curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return OK;
	way_add_said(&text, p->said, p->said_len);
	return err_set(e, BAD_SOURCE, "POST to %s: status %ld%s%s", p->host.s,
		status,
		status >= 300 && status < 400
			? " (redirections are not followed)"
			: "",
		text.s);
}

static enum rc
post(const struct alert_config *a, const char *body, size_t len,
	int64_t timeout, const atomic_bool *cancel, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(post_release)
	struct post p = {.url = STR_INIT, .host = STR_INIT, .cancel = cancel};

	pthread_once(&once, start_library);
	p.curl = curl_easy_init();
	if (p.curl == NULL)
		abort();
	if (begin(&p, a, e) != OK)
		return e->code;
	curl_easy_setopt(p.curl, CURLOPT_URL, p.url.s);
	curl_easy_setopt(p.curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p.curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p.curl, CURLOPT_TIMEOUT_MS, (long)(timeout / 1000000));
	curl_easy_setopt(p.curl, CURLOPT_HTTPHEADER, p.headers);
	curl_easy_setopt(p.curl, CURLOPT_USERAGENT, "landfall");
	curl_easy_setopt(p.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(p.curl, CURLOPT_POSTFIELDSIZE, (long)len);
	curl_easy_setopt(p.curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(p.curl, CURLOPT_WRITEDATA, &p);
	curl_easy_setopt(p.curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(p.curl, CURLOPT_XFERINFOFUNCTION, go_on);
	curl_easy_setopt(p.curl, CURLOPT_XFERINFODATA, &p);
	return perform(&p, e);
}

static enum rc
send_by_post(const struct alert_config *a, const char *body, size_t len,
	int64_t timeout, const atomic_bool *cancel, struct err *e)
{
	return late_curl(e) == OK ? post(a, body, len, timeout, cancel, e)
				  : e->code;
}

static enum rc
check_url(const struct alert_config *a, struct err *e)
{
	CURLUcode code;
	CURLU *u;

	if (a->url == NULL)
		return OK; /* a secret is there when it is needed */
	if (late_curl(e) != OK)
		return e->code;
	u = curl_url();
	if (u == NULL)
		abort();
	code = curl_url_set(u, CURLUPART_URL, a->url, 0);
	curl_url_cleanup(u);
	if (code == CURLUE_OK)
		return OK;
	return err_set(e, BAD_SOURCE, "alert url: %s", curl_url_strerror(code));
}

const struct alert_way post_way = {.send = send_by_post, .check = check_url};
