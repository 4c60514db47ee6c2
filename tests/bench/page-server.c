/*
 * page-server PAGES RECORDS: an API of prepared pages, for benchmarks: the
 * server must not be what is measured.
 *
 * Prints its port, then serves until its standard input ends:
 *
 *	/pages/N	page N of PAGES, from 1; its $.links.next is the next
 *	/rows/BYTES	about as many bytes of JSON lines
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "pages.h"

#define REQUEST_MAX 8192

static struct {
	int fd; /* all pages, one behind the other */
	off_t *start;
	unsigned pages;
} store;

static void
prepare(unsigned pages, unsigned records)
{
	FILE *f = tmpfile();
	struct pages m;
	off_t at = 0;

	if (f == NULL)
		abort();
	store.start = mem_array(pages + 2, sizeof(*store.start));
	store.pages = pages;
	pages_init(&m, 1);
	for (unsigned i = 1; i <= pages; i++) {
		CLEANUP(str_release) struct str s = STR_INIT;
		char next[40];

		snprintf(next, sizeof(next), "/pages/%u", i + 1);
		pages_add(&m, &s, records, i < pages ? next : NULL);
		store.start[i] = at;
		if (fwrite(s.s, 1, s.len, f) != s.len)
			abort();
		at += (off_t)s.len;
	}
	store.start[pages + 1] = at;
	if (fflush(f) != 0)
		abort();
	store.fd = fileno(f);
}

static bool
say(int c, const void *p, size_t n, int flags)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = send(
			c, (const char *)p + at, n - at, flags | MSG_NOSIGNAL);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

static bool
send_page(int c, unsigned long n)
{
	off_t at = store.start[n], end = store.start[n + 1];
	char head[200];
	int len = snprintf(head, sizeof(head),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		"Content-Length: %lld\r\n\r\n",
		(long long)(end - at));

	if (!say(c, head, (size_t)len, MSG_MORE))
		return false;
	while (at < end)
		if (sendfile(c, store.fd, &at, (size_t)(end - at)) <= 0)
			return false;
	return true;
}

static bool
send_rows(int c, unsigned long long bytes)
{
	static const char pad[] =
		"................................................";
	char rows[1 << 16], head[200];
	unsigned long long sent = 0, row = 0;

	snprintf(head, sizeof(head),
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	if (!say(c, head, strlen(head), 0))
		return false;
	while (sent < bytes) {
		size_t n = 0;

		while (n + 200 < sizeof(rows))
			n += (size_t)snprintf(rows + n, sizeof(rows) - n,
				"{\"id\":%llu,\"text\":\"%s\"}\n", row++, pad);
		if (!say(c, rows, n, 0))
			return false;
		sent += n;
	}
	return false; /* the end of the connection is that of the body */
}

static void *
serve(void *arg)
{
	int c = (int)(intptr_t)arg, one = 1;
	char request[REQUEST_MAX];
	unsigned long long n;
	size_t got = 0;
	bool more = true;

	setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (more) {
		ssize_t part =
			recv(c, request + got, sizeof(request) - 1 - got, 0);

		if (part <= 0)
			break;
		got += (size_t)part;
		request[got] = '\0';
		if (strstr(request, "\r\n\r\n") == NULL)
			continue;
		got = 0;
		if (sscanf(request, "GET /pages/%llu ", &n) == 1 && n > 0 &&
			n <= store.pages)
			more = send_page(c, n);
		else if (sscanf(request, "GET /rows/%llu ", &n) == 1)
			more = send_rows(c, n);
		else
			break;
	}
	close(c);
	return NULL;
}

static void *
accept_all(void *arg)
{
	int fd = (int)(intptr_t)arg, c;
	pthread_t t;

	while ((c = accept(fd, NULL, NULL)) >= 0)
		if (pthread_create(&t, NULL, serve, (void *)(intptr_t)c) == 0)
			pthread_detach(t);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t t;

	if (argc != 3) {
		fprintf(stderr, "usage: page-server PAGES RECORDS\n");
		return 1;
	}
	prepare((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]));
	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 64) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &len) < 0 ||
		pthread_create(&t, NULL, accept_all, (void *)(intptr_t)fd) !=
			0) {
		perror("page-server");
		return 1;
	}
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
