/*
 * HTTP through its sandboxed child, which this very program is, against a
 * server on a thread that says exactly the bytes a test wants said.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "landfall/http.h"
#include "late/curl.h"
#include "scratch.h"

/* One connection: what it answers to each request, in turn. */
struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	const char *answer[4]; /* NULL: no more */
	size_t len[4];	       /* 0: it is text */
	bool open;	       /* keep the connection when all is said */
	struct str heard;
	unsigned connections;
};

/* Up to and with the empty line, and a body of the length it says. */
static bool
hear(struct server *s, int c)
{
	size_t at = s->heard.len;
	char byte;

	while (read(c, &byte, 1) == 1) {
		const char *body, *length;

		str_addc(&s->heard, byte);
		body = strstr(s->heard.s + at, "\r\n\r\n");
		if (body == NULL)
			continue;
		length = strcasestr(s->heard.s + at, "content-length: ");
		if (length == NULL ||
			strlen(body + 4) == strtoul(length + 16, NULL, 10))
			return true;
	}
	return false;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int c;

	for (unsigned i = 0; i < 4 && s->answer[i] != NULL;) {
		c = accept(s->fd, NULL, NULL);
		if (c < 0)
			break;
		s->connections++;
		while (i < 4 && s->answer[i] != NULL && hear(s, c)) {
			size_t n = s->len[i] > 0 ? s->len[i]
						 : strlen(s->answer[i]);

			if (write(c, s->answer[i], n) < 0)
				break;
			i++;
			if (!s->open)
				break;
		}
		/* Until the other side has seen it and goes. */
		if (s->open)
			(void)hear(s, c);
		close(c);
	}
	return NULL;
}

static void
start(struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	s->heard = (struct str)STR_INIT;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* No more: what it heard is the caller's now. */
static void
end(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static void
stop(struct server *s)
{
	end(s);
	str_release(&s->heard);
}

struct asked {
	struct http *h;
	struct http_answer a;
	struct http_request r;
	char url[100];
	char path[SCRATCH_PATH];
	int spool;
	struct err e;
};

static void
begin(struct asked *q, unsigned port)
{
	const struct http_options o = {0};

	*q = (struct asked){.e = ERR_INIT};
	q->spool = scratch_make(q->path);
	snprintf(q->url, sizeof(q->url), "http://127.0.0.1:%u/list?key=secret",
		port);
	q->r = (struct http_request){
		.method = "GET",
		.url = q->url,
		.connect = 20 * CLOCK_SECOND,
		.idle = 20 * CLOCK_SECOND,
		.total = 60 * CLOCK_SECOND,
	};
	http_answer_init(&q->a, q->spool);
	must(http_open(&o, &q->h, &q->e), &q->e);
}

static void
finish(struct asked *q)
{
	http_answer_release(&q->a);
	http_close(q->h);
	close(q->spool);
	scratch_remove(q->path);
}

static enum rc
ask(struct asked *q)
{
	q->e = (struct err)ERR_INIT;
	return http_ask(q->h, &q->r, &q->a, NULL, &q->e);
}

static void
assert_body(const struct asked *q, const char *text)
{
	char got[100] = "";
	size_t n;
	struct err e = ERR_INIT;

	must(http_body_read(&q->a.body, got, sizeof(got) - 1, 0, &n, &e), &e);
	assert_string_equal(got, text);
}

static void
test_answers_and_connections(void **state UNUSED)
{
	const struct http_field fields[] = {
		{"Authorization", "Bearer xyzzy"}, {"X-Empty", ""}};
	struct server s = {.open = true,
		.answer = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag:  "
			   "\"a\" \r\n\r\n{\"a\"}",
			"HTTP/1.1 429 No\r\nRetry-After: 7\r\n"
			"Transfer-Encoding: chunked\r\n\r\n"
			"2\r\nno\r\n0\r\n\r\n",
			"HTTP/1.1 302 Go\r\nLocation: http://example.com/\r\n"
			"Content-Length: 0\r\n\r\n"}};
	struct asked q;
	uint8_t sum[HASH_LEN];
	size_t n;

	start(&s);
	begin(&q, s.port);
	q.r.field = fields;
	q.r.n_fields = 2;
	must(ask(&q), &q.e);
	assert_int_equal(q.a.status, 200);
	assert_body(&q, "{\"a\"}");
	hash_bytes("{\"a\"}", 5, sum);
	assert_memory_equal(sum, q.a.sha256, HASH_LEN);
	assert_memory_equal(http_answer_field(&q.a, "etag", &n), "\"a\"", 3);
	assert_int_equal(n, 3);
	assert_null(http_answer_field(&q.a, "tag", &n));
	q.r.method = "POST";
	q.r.body = "{}";
	q.r.body_len = 2;
	must(ask(&q), &q.e);
	assert_int_equal(q.a.status, 429);
	assert_body(&q, "no");
	/* A redirection is an answer like others: nobody follows it. */
	q.r.method = "PATCH";
	must(ask(&q), &q.e);
	assert_int_equal(q.a.status, 302);
	finish(&q);
	end(&s);
	assert_int_equal(s.connections, 1);
	assert_non_null(strstr(s.heard.s, "GET /list?key=secret HTTP/1.1\r\n"));
	assert_non_null(strstr(s.heard.s, "Authorization: Bearer xyzzy\r\n"));
	assert_non_null(strstr(s.heard.s, "X-Empty:\r\n"));
	assert_non_null(strstr(s.heard.s, "Accept-Encoding: gzip\r\n"));
	assert_non_null(strstr(s.heard.s, "\r\n\r\n{}PATCH /list"));
	assert_null(strstr(s.heard.s, "Expect"));
	str_release(&s.heard);
}

/* ASCII digits as gzip, behind a head that says so. */
static size_t
compressed(char *out, size_t cap, size_t cut)
{
	uint8_t zipped[4096];
	z_stream z = {.next_in = (uint8_t *)(uintptr_t) "0123456789",
		.avail_in = 10,
		.next_out = zipped,
		.avail_out = sizeof(zipped)};
	size_t n, head;

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out - cut;
	deflateEnd(&z);
	head = (size_t)snprintf(out, cap,
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		"Content-Length: %zu\r\n\r\n",
		n);
	memcpy(out + head, zipped, n);
	return head + n;
}

static void
test_compression_is_undone_and_must_end(void **state UNUSED)
{
	char whole[500], cut[500];
	struct server s = {.open = true, .answer = {whole, cut}};
	struct asked q;

	s.len[0] = compressed(whole, sizeof(whole), 0);
	s.len[1] = compressed(cut, sizeof(cut), 5);
	start(&s);
	begin(&q, s.port);
	must(ask(&q), &q.e);
	assert_body(&q, "0123456789");
	assert_string_equal(q.a.encoding.s, "gzip");
	assert_int_equal(ask(&q), AGAIN);
	assert_int_equal(q.a.end, HTTP_CUT);
	assert_non_null(strstr(q.e.text, "its compression does not end"));
	finish(&q);
	stop(&s);
}

static void
test_what_is_not_whole(void **state UNUSED)
{
	static const struct {
		const char *answer;
		enum rc rc;
		enum http_end end;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", AGAIN,
			HTTP_CUT},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "9\r\n{",
			AGAIN, HTTP_CUT},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "zz\r\n{",
			AGAIN, HTTP_CUT},
		{"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n"
		 "Content-Length: 1\r\n\r\n{",
			BAD_SOURCE, HTTP_NONSENSE},
		{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		 "Content-Length: 4\r\n\r\n{\"a\"",
			AGAIN, HTTP_CUT},
		{"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n123456789012",
			BAD_SOURCE, HTTP_TOO_LARGE},
		{"nothing like it\r\n\r\n", BAD_SOURCE, HTTP_NONSENSE},
		{"\r\n", BAD_SOURCE, HTTP_NONSENSE},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct server s = {.answer = {cases[i].answer}};
		struct asked q;

		start(&s);
		begin(&q, s.port);
		q.r.max_body = 11;
		if (ask(&q) != cases[i].rc || q.a.end != cases[i].end)
			fail_msg("case %zu: %s, %u: %s", i, err_name(q.e.code),
				q.a.end, q.e.text);
		assert_null(strstr(q.e.text, "secret"));
		assert_non_null(strstr(q.e.text, "GET http://127.0.0.1:"));
		finish(&q);
		stop(&s);
	}
}

static void
test_times(void **state UNUSED)
{
	struct server s = {.open = true,
		.answer = {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"}};
	const atomic_bool cancelled = true;
	struct asked q;

	start(&s);
	begin(&q, s.port);
	q.r.idle = CLOCK_SECOND / 5;
	assert_int_equal(ask(&q), AGAIN);
	assert_int_equal(q.a.end, HTTP_SLOW);
	assert_non_null(strstr(q.e.text, "idle time"));
	q.r.idle = 20 * CLOCK_SECOND;
	must(ask(&q), &q.e);
	q.r.total = CLOCK_SECOND / 5;
	assert_int_equal(ask(&q), AGAIN);
	assert_int_equal(http_ask(q.h, &q.r, &q.a, &cancelled, &q.e), AGAIN);
	finish(&q);
	stop(&s);
}

static void
test_a_long_body_is_spooled(void **state UNUSED)
{
	enum { SIZE = 3 << 20 };
	char *text = mem_alloc(SIZE + 100);
	uint8_t *got = mem_alloc(SIZE);
	struct server s = {.answer = {text}};
	struct asked q;
	size_t head, n;

	head = (size_t)snprintf(text, 100,
		"HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", SIZE);
	for (size_t i = 0; i < SIZE; i++)
		text[head + i] = (char)(i * 31 >> 8);
	s.len[0] = head + SIZE;
	start(&s);
	begin(&q, s.port);
	must(ask(&q), &q.e);
	assert_int_equal(q.a.body.size, SIZE);
	assert_int_equal(q.a.body.n_held, HTTP_BODY_HELD);
	must(http_body_read(&q.a.body, got, SIZE, 0, &n, &q.e), &q.e);
	assert_int_equal(n, SIZE);
	assert_memory_equal(got, text + head, SIZE);
	must(http_body_read(&q.a.body, got, 10, HTTP_BODY_HELD - 5, &n, &q.e),
		&q.e);
	assert_memory_equal(got, text + head + HTTP_BODY_HELD - 5, 10);
	finish(&q);
	stop(&s);
	free(text);
	free(got);
}

static void
test_who_may_be_asked(void **state UNUSED)
{
	const struct http_field two[] = {{"X", "a\r\nY: b"}};
	struct asked q;

	begin(&q, 1);
	assert_int_equal(ask(&q), AGAIN);
	assert_int_equal(q.a.end, HTTP_NO_CONNECTION);
	assert_non_null(strstr(q.e.text, "Connection refused"));
	/* 192.0.2.0/24 is nobody's (RFC 5737): refused before it is asked. */
	q.r.url = "http://192.0.2.1/?key=secret";
	assert_int_equal(ask(&q), BAD_SOURCE);
	assert_non_null(strstr(q.e.text, "allow_plaintext"));
	q.r.url = "ftp://127.0.0.1/";
	assert_int_equal(ask(&q), BAD_SOURCE);
	q.r.url = "http://a:b@127.0.0.1/";
	assert_int_equal(ask(&q), BAD_SOURCE);
	q.r.url = "http://127.0.0.1:1/";
	q.r.field = two;
	q.r.n_fields = 1;
	assert_int_equal(ask(&q), BAD_SOURCE);
	assert_null(strstr(q.e.text, "Y: b"));
	finish(&q);
}

static void
test_urls(void **state UNUSED)
{
	static const char *const joined[][3] = {
		{"https://a.example/v1/x?p=1", "https://a.example/v1/y?p=2#f",
			"https://a.example/v1/y?p=2#f"},
		{"https://a.example/v1/x?p=1", "/z?q", "https://a.example/z?q"},
		{"https://a.example/v1/x?p=1", "?p=2",
			"https://a.example/v1/x?p=2"},
		{"https://a.example/v1/x", "y/../w", "https://a.example/v1/w"},
		{"https://a.example/v1/x", "//b.example/",
			"https://b.example/"},
	};
	struct http_origin a, b;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(joined); i++) {
		CLEANUP(str_release) struct str s = STR_INIT;

		must(http_url_join(joined[i][0], joined[i][1], &s, &e), &e);
		assert_string_equal(s.s, joined[i][2]);
	}
	must(http_origin_of("https://A.example/x", &a, &e), &e);
	must(http_origin_of("https://a.example:443/?y", &b, &e), &e);
	assert_true(http_origin_same(&a, &b));
	http_origin_release(&b);
	must(http_origin_of("https://a.example:444/", &b, &e), &e);
	assert_false(http_origin_same(&a, &b));
	http_origin_release(&b);
	must(http_origin_of("http://a.example:443/", &b, &e), &e);
	assert_false(http_origin_same(&a, &b));
	http_origin_release(&b);
	must(http_origin_of("http://[::1]:8080/", &b, &e), &e);
	assert_string_equal(b.host.s, "::1");
	http_origin_release(&a);
	http_origin_release(&b);
}

static const struct child_kind kinds[] = {
	{HTTP_CHILD, CHILD_FETCH, http_child, late_curl},
	{NULL, 0, NULL, NULL},
};

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_and_connections),
		cmocka_unit_test(test_compression_is_undone_and_must_end),
		cmocka_unit_test(test_what_is_not_whole),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_a_long_body_is_spooled),
		cmocka_unit_test(test_who_may_be_asked),
		cmocka_unit_test(test_urls),
	};

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
