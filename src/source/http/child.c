/*
 * The child that speaks HTTP: requests come by message, libcurl talks to a
 * server on a socket that the supervisor connected, and what comes back goes
 * up by message. It knows nothing else and keeps nothing but connections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "landfall/http.h"
#include "late/curl.h"
#include "source/http/inflate.h"
#include "source/http/wire.h"

#define GATHER (60u << 10)

/* One exchange. */
struct talk {
	struct message m;
	CURLM *multi;
	struct buf ca;

	char *method, *url;
	struct http_origin origin; /* of the URL */
	struct curl_slist *fields;
	uint8_t *body;
	size_t body_len;
	int64_t idle, total;
	uint64_t max_body;

	int64_t moved; /* monotonic: when a byte came last */
	struct str head;
	bool in_head;		     /* of the last answer */
	bool told;		     /* HEAD was sent */
	struct str encoding, length; /* as the head has them */
	struct inflate inflate;
	bool compressed;
	uint64_t wire, size;
	uint8_t gather[GATHER];
	size_t gathered;
	enum http_end end; /* what we stopped it for */
	const char *why;
	CURL *curl;
};

static struct talk t; /* large, and there is one */

/* The supervisor is gone, or talks nonsense: so do we end. */
NORETURN static void
leave(const char *what)
{
	fprintf(stderr, "%s", what);
	_exit(1);
}

static void
send_message(void)
{
	struct err e = ERR_INIT;

	if (channel_send(CHILD_CHANNEL, &t.m, CHANNEL_FOREVER, &e) != OK)
		leave(e.text);
}

static void
receive(void)
{
	struct err e = ERR_INIT;
	enum rc rc =
		channel_recv(CHILD_CHANNEL, &t.m, true, CHANNEL_FOREVER, &e);

	if (rc == END)
		_exit(0);
	if (rc != OK)
		leave(e.text);
}

/* ---- what libcurl asks for ---- */

static curl_socket_t
open_socket(void *arg UNUSED, curlsocktype purpose UNUSED,
	struct curl_sockaddr *a UNUSED)
{
	message_begin(&t.m, HTTP_CONNECT);
	send_message();
	receive();
	if (t.m.type != HTTP_SOCKET)
		leave("a socket was due");
	t.moved = clock_mono();
	return t.m.fd >= 0 ? t.m.fd : CURL_SOCKET_BAD;
}

static int
is_connected(
	void *arg UNUSED, curl_socket_t fd UNUSED, curlsocktype purpose UNUSED)
{
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static size_t
stop(enum http_end end, const char *why)
{
	t.end = end;
	t.why = why;
	return 0;
}

/* The value in "Name: value"; false: it is another field's. */
static bool
take_value(const char *p, size_t n, const char *name, struct str *ret)
{
	size_t skip = strlen(name);

	if (n < skip || strncasecmp(p, name, skip) != 0)
		return false;
	while (skip < n && (p[skip] == ' ' || p[skip] == '\t'))
		skip++;
	str_clear(ret);
	str_addn(ret, p + skip, n - skip < 40 ? n - skip : 40);
	return true;
}

/*
 * A line of the head. False: it says two lengths (RFC 9112 section 6.3), of
 * which libcurl would take one.
 */
static bool
look_at_field(const char *p, size_t n)
{
	CLEANUP(str_release) struct str length = STR_INIT;
	bool same;

	(void)take_value(p, n, "content-encoding:", &t.encoding);
	if (!take_value(p, n, "content-length:", &length))
		return true;
	same = t.length.len == 0 || strcmp(t.length.s, length.s) == 0;
	str_clear(&t.length);
	str_addn(&t.length, length.s, length.len);
	return same;
}

static size_t
take_header(char *p, size_t size, size_t n, void *arg UNUSED)
{
	size_t len = size * n;

	t.moved = clock_mono();
	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		str_clear(&t.head);
		str_clear(&t.encoding);
		str_clear(&t.length);
		t.in_head = true;
		return len;
	}
	/* What follows the body (trailers) is nothing we ask for. */
	if (!t.in_head)
		return len;
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (n == 0) {
		t.in_head = false;
		return len;
	}
	if (t.head.len + n + 1 > HTTP_HEADERS_MAX)
		return stop(HTTP_TOO_LARGE, "its headers are over the limit");
	if (!look_at_field(p, n))
		return stop(HTTP_NONSENSE, "it says two lengths");
	for (size_t i = 0; i < n; i++)
		str_addc(&t.head, p[i] == '\n' || p[i] == '\0' ? ' ' : p[i]);
	str_addc(&t.head, '\n');
	return len;
}

static void
tell_head(void)
{
	long status = 0;

	if (t.told)
		return;
	curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
	message_begin(&t.m, HTTP_HEAD);
	message_put_u64(&t.m, (uint64_t)status);
	message_put_bytes(&t.m, t.head.s, t.head.len);
	send_message();
	t.told = true;
	t.compressed = strcasecmp(t.encoding.s, "gzip") == 0 ||
		strcasecmp(t.encoding.s, "x-gzip") == 0;
	if (t.compressed)
		inflate_begin(&t.inflate);
	else if (t.encoding.len > 0 &&
		strcasecmp(t.encoding.s, "identity") != 0)
		stop(HTTP_NONSENSE,
			"its body is compressed in a way nobody asked for");
}

static void
flush(void)
{
	struct err e = ERR_INIT;

	if (t.gathered > 0 &&
		channel_send_data(CHILD_CHANNEL, HTTP_BODY, t.gather,
			t.gathered, CHANNEL_FOREVER, &e) != OK)
		leave(e.text);
	t.gathered = 0;
}

static bool
put_body(void *arg UNUSED, const uint8_t *p, size_t n)
{
	if (n > t.max_body - t.size) {
		stop(HTTP_TOO_LARGE, "its body is over the limit");
		return false;
	}
	t.size += n;
	while (n > 0) {
		size_t part = GATHER - t.gathered;

		if (part > n)
			part = n;
		memcpy(t.gather + t.gathered, p, part);
		t.gathered += part;
		p += part;
		n -= part;
		if (t.gathered == GATHER)
			flush();
	}
	return true;
}

static size_t
take_body(char *p, size_t size, size_t n, void *arg UNUSED)
{
	size_t len = size * n;

	t.moved = clock_mono();
	tell_head();
	if (t.end != HTTP_WHOLE)
		return 0;
	t.wire += len;
	if (!t.compressed)
		return put_body(NULL, (uint8_t *)p, len) ? len : 0;
	if (inflate_add(&t.inflate, (uint8_t *)p, len, put_body, NULL))
		return len;
	return t.end != HTTP_WHOLE
		? 0
		: stop(HTTP_CUT, "its compression is damaged");
}

/* ---- one request ---- */

static void
wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void
forget(void)
{
	for (struct curl_slist *i = t.fields; i != NULL; i = i->next)
		explicit_bzero(i->data, strlen(i->data));
	curl_slist_free_all(t.fields);
	t.fields = NULL;
	wipe(&t.method);
	wipe(&t.url);
	if (t.body != NULL)
		explicit_bzero(t.body, t.body_len);
	free(t.body);
	t.body = NULL;
	t.body_len = 0;
	explicit_bzero(t.m.body, sizeof(t.m.body));
	inflate_release(&t.inflate);
	t.gathered = 0;
	t.wire = t.size = 0;
	t.told = t.in_head = t.compressed = false;
	t.end = HTTP_WHOLE;
	t.why = "";
	str_clear(&t.head);
	str_clear(&t.encoding);
	str_clear(&t.length);
}

static char *
take_text(void)
{
	size_t n;
	const uint8_t *p = message_take_bytes(&t.m, &n);

	return mem_dup(p, n);
}

static void
take_request(void)
{
	uint64_t n;

	t.method = take_text();
	t.url = take_text();
	t.idle = (int64_t)message_take_u64(&t.m);
	t.total = (int64_t)message_take_u64(&t.m);
	t.max_body = message_take_u64(&t.m);
	t.body_len = message_take_u64(&t.m);
	n = message_take_u64(&t.m);
	for (uint64_t i = 0; i < n && !t.m.bad; i++) {
		char *line = take_text();

		t.fields = curl_slist_append(t.fields, line);
		wipe(&line);
		if (t.fields == NULL)
			abort();
	}
	if (!message_end(&t.m) || t.body_len > HTTP_SEND_MAX)
		leave("a request that makes no sense");
	if (t.body_len == 0)
		return;
	t.body = mem_alloc(t.body_len);
	for (size_t got = 0; got < t.body_len; got += t.m.len) {
		receive();
		if (t.m.type != HTTP_SEND || t.m.len > t.body_len - got)
			leave("a body was due");
		memcpy(t.body + got, t.m.body, t.m.len);
	}
}

static void
set_up(void)
{
	CURL *c = t.curl;
	struct curl_blob ca = {
		.data = t.ca.data, .len = t.ca.len, .flags = CURL_BLOB_NOCOPY};

	curl_easy_setopt(c, CURLOPT_URL, t.url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t.fields);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* libcurl copies it for each request, however it comes. */
	if (t.ca.len > 0 && t.origin.tls)
		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 128L << 10);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, is_connected);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	/* The idle and total times are ours: the loop below measures. */
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 0L);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (t.body != NULL) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, t.body);
		curl_easy_setopt(
			c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t.body_len);
	}
	if (strcmp(t.method, "HEAD") == 0)
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else if (t.body != NULL || strcmp(t.method, "GET") != 0)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, t.method);
}

/*
 * The name is never resolved here: any address does, for the socket comes
 * connected.
 */
static struct curl_slist *
dummy_address(void)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct curl_slist *list;

	str_addf(&line, "+%s:%u:127.0.0.1", t.origin.host.s, t.origin.port);
	list = curl_slist_append(NULL, line.s);
	if (list == NULL)
		abort();
	return list;
}

static bool
is_over(int64_t began)
{
	int64_t now = clock_mono();

	if (t.total > 0 && now - began > t.total)
		stop(HTTP_SLOW, "it was not whole within the total time");
	else if (t.idle > 0 && now - t.moved > t.idle)
		stop(HTTP_SLOW, "it sent nothing for the idle time");
	return t.end != HTTP_WHOLE;
}

static CURLcode
perform(void)
{
	int64_t began = clock_mono();
	int running = 0, left;
	CURLcode code = CURLE_OK;
	CURLMsg *done;

	t.moved = began;
	if (curl_multi_add_handle(t.multi, t.curl) != CURLM_OK)
		leave("libcurl");
	do {
		if (curl_multi_perform(t.multi, &running) != CURLM_OK)
			leave("libcurl");
		if (running > 0 && !is_over(began))
			(void)curl_multi_poll(t.multi, NULL, 0, 50, NULL);
	} while (running > 0 && t.end == HTTP_WHOLE);
	while ((done = curl_multi_info_read(t.multi, &left)) != NULL)
		if (done->msg == CURLMSG_DONE)
			code = done->data.result;
	if (code == CURLE_OK && t.end == HTTP_WHOLE)
		tell_head();
	return code;
}

static enum http_end
meaning(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return HTTP_WHOLE;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_NO_CONNECTION;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_SLOW;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return HTTP_NOT_TRUSTED;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return HTTP_NONSENSE;
	default:
		return HTTP_CUT;
	}
}

static void
exchange(void)
{
	struct curl_slist *address;
	struct err e = ERR_INIT;
	CURLcode code;

	if (http_origin_of(t.url, &t.origin, &e) != OK)
		leave("a request without an origin");
	address = dummy_address();
	set_up();
	curl_easy_setopt(t.curl, CURLOPT_RESOLVE, address);
	code = perform();
	if (t.end == HTTP_WHOLE && code != CURLE_OK)
		stop(meaning(code), curl_easy_strerror(code));
	else if (t.end == HTTP_WHOLE && t.compressed && t.wire > 0 &&
		!inflate_whole(&t.inflate))
		stop(HTTP_CUT, "its compression does not end");
	(void)curl_multi_remove_handle(t.multi, t.curl);
	/* Its buffers stay, and what it points to does not. */
	curl_easy_reset(t.curl);
	curl_slist_free_all(address);
	http_origin_release(&t.origin);
	flush();
	message_begin(&t.m, HTTP_DONE);
	message_put_u64(&t.m, t.end);
	message_put_text(&t.m, t.why);
	message_put_text(&t.m, t.compressed ? "gzip" : "");
	message_put_u64(&t.m, t.wire);
	send_message();
}

int
http_child(const struct child *c UNUSED)
{
	struct err e = ERR_INIT;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
	t.multi = curl_multi_init();
	t.curl = curl_easy_init();
	if (t.multi == NULL || t.curl == NULL)
		abort();
	buf_init(&t.ca, HTTP_CA_MAX);
	t.head = t.encoding = t.length = (struct str)STR_INIT;
	t.why = "";
	for (;;) {
		receive();
		switch (t.m.type) {
		case HTTP_CA:
			if (buf_add(&t.ca, t.m.body, t.m.len, &e) != OK)
				leave(e.text);
			break;
		case HTTP_REQUEST:
			take_request();
			exchange();
			forget();
			break;
		default:
			leave("a message that makes no sense");
		}
	}
}
