#include "source/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#define ADDRESSES_MAX 8
#define NEXT_AFTER (CLOCK_SECOND / 4) /* RFC 8305 section 5 */
#define LOOK_AGAIN (CLOCK_SECOND / 5) /* whether to give up */

/* ---- the resolver ---- */

/* Shared by who asks and the thread that answers; the last one frees it. */
struct question {
	pthread_mutex_t lock;
	char *host;
	char port[8];
	/* Under lock. */
	unsigned holders;
	bool answered;
	int rc; /* of getaddrinfo */
	struct addrinfo *answer;
};

static void
question_leave(struct question *q)
{
	bool last;

	pthread_mutex_lock(&q->lock);
	last = --q->holders == 0;
	pthread_mutex_unlock(&q->lock);
	if (!last)
		return;
	if (q->answer != NULL)
		freeaddrinfo(q->answer);
	pthread_mutex_destroy(&q->lock);
	free(q->host);
	free(q);
}

static void *
resolver_main(void *arg)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct question *q = arg;
	struct addrinfo *answer = NULL;
	int rc = getaddrinfo(q->host, q->port, &hints, &answer);

	pthread_mutex_lock(&q->lock);
	q->rc = rc;
	q->answer = rc == 0 ? answer : NULL;
	q->answered = true;
	pthread_mutex_unlock(&q->lock);
	question_leave(q);
	return NULL;
}

static bool
is_cancelled(const struct dial *d)
{
	return d->cancel != NULL &&
		atomic_load_explicit(d->cancel, memory_order_relaxed);
}

static bool
is_answered(struct question *q)
{
	bool answered;

	pthread_mutex_lock(&q->lock);
	answered = q->answered;
	pthread_mutex_unlock(&q->lock);
	return answered;
}

/* Addresses in digits need no thread and cannot take long. */
static int
resolve_digits(const struct question *q, struct addrinfo **ret)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST,
	};

	return getaddrinfo(q->host, q->port, &hints, ret);
}

static enum rc
resolve(const struct dial *d, struct question *q, int64_t deadline,
	struct err *e)
{
	pthread_attr_t attr;
	pthread_t thread;
	int64_t nap = CLOCK_SECOND / 2000;

	if (resolve_digits(q, &q->answer) == 0)
		return OK;
	q->answer = NULL;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	q->holders++;
	if (pthread_create(&thread, &attr, resolver_main, q) != 0) {
		q->holders--;
		pthread_attr_destroy(&attr);
		return err_set(e, AGAIN, "no thread to resolve a name");
	}
	pthread_attr_destroy(&attr);
	while (!is_answered(q)) {
		if (is_cancelled(d) || clock_mono() >= deadline)
			return err_set(e, AGAIN,
				"%s: the resolver has no answer in time",
				d->host);
		clock_sleep(nap);
		if (nap < LOOK_AGAIN)
			nap *= 2;
	}
	if (q->rc == EAI_SYSTEM)
		return err_set(e, AGAIN, "%s: cannot be resolved", d->host);
	if (q->rc != 0)
		return err_set(
			e, AGAIN, "%s: %s", d->host, gai_strerror(q->rc));
	return OK;
}

/* ---- the race ---- */

struct attempt {
	int fd; /* -1: over */
	char text[INET6_ADDRSTRLEN + 16];
	struct sockaddr_storage address;
	socklen_t len;
};

struct race {
	const struct dial *dial;
	struct attempt attempt[ADDRESSES_MAX];
	unsigned n, begun;
	struct str failures;
};

static bool
is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)a;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)a;

		return IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
	}
	return false;
}

static void
add_address(struct race *r, const struct addrinfo *a)
{
	struct attempt *t = &r->attempt[r->n];
	char host[INET6_ADDRSTRLEN] = "?";

	if (r->n == ADDRESSES_MAX || a->ai_addrlen > sizeof(t->address))
		return;
	if (r->dial->local && !is_loopback(a->ai_addr))
		return;
	(void)getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), NULL,
		0, NI_NUMERICHOST);
	memcpy(&t->address, a->ai_addr, a->ai_addrlen);
	t->len = a->ai_addrlen;
	t->fd = -1;
	memcpy(t->text, host, sizeof(host));
	r->n++;
}

/* The families in turn, the resolver's first choice first. */
static void
add_addresses(struct race *r, const struct addrinfo *list)
{
	const struct addrinfo *same = list, *other = list;
	int family = list->ai_family;

	while (same != NULL || other != NULL) {
		while (same != NULL && same->ai_family != family)
			same = same->ai_next;
		if (same != NULL) {
			add_address(r, same);
			same = same->ai_next;
		}
		while (other != NULL && other->ai_family == family)
			other = other->ai_next;
		if (other != NULL) {
			add_address(r, other);
			other = other->ai_next;
		}
	}
}

static void
fail_attempt(struct race *r, struct attempt *t, int cause)
{
	if (r->failures.len > 0)
		str_add(&r->failures, "; ");
	str_addf(&r->failures, "%s: %s", t->text, strerror(cause));
	io_drop(&t->fd);
}

/* True: it is connected already. */
static bool
begin_attempt(struct race *r)
{
	struct attempt *t = &r->attempt[r->begun++];

	t->fd = socket(t->address.ss_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0) {
		fail_attempt(r, t, errno);
		return false;
	}
	if (connect(t->fd, (const struct sockaddr *)&t->address, t->len) == 0)
		return true;
	if (errno != EINPROGRESS)
		fail_attempt(r, t, errno);
	return false;
}

/* Waits for one of those under way; NULL: none is connected yet. */
static struct attempt *
wait_attempts(struct race *r, int64_t wait)
{
	struct pollfd p[ADDRESSES_MAX];
	struct attempt *of[ADDRESSES_MAX];
	nfds_t n = 0;

	for (unsigned i = 0; i < r->begun; i++) {
		if (r->attempt[i].fd < 0)
			continue;
		p[n] = (struct pollfd){
			.fd = r->attempt[i].fd, .events = POLLOUT};
		of[n++] = &r->attempt[i];
	}
	if (poll(p, n, (int)(wait / 1000000 + 1)) <= 0)
		return NULL;
	for (nfds_t i = 0; i < n; i++) {
		int cause = 0;
		socklen_t len = sizeof(cause);

		if (p[i].revents == 0)
			continue;
		if (getsockopt(p[i].fd, SOL_SOCKET, SO_ERROR, &cause, &len) < 0)
			cause = errno;
		if (cause == 0)
			return of[i];
		fail_attempt(r, of[i], cause);
	}
	return NULL;
}

static unsigned
under_way(const struct race *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->begun; i++)
		n += r->attempt[i].fd >= 0;
	return n;
}

static struct attempt *
run_race(struct race *r, int64_t deadline)
{
	int64_t next = 0; /* when one more is tried */

	for (;;) {
		int64_t now = clock_mono(), wait = deadline - now;
		struct attempt *won;

		if (wait <= 0 || is_cancelled(r->dial))
			return NULL;
		if (r->begun < r->n && (now >= next || under_way(r) == 0)) {
			next = now + NEXT_AFTER;
			if (begin_attempt(r))
				return &r->attempt[r->begun - 1];
			continue;
		}
		if (under_way(r) == 0)
			return NULL;
		if (r->begun < r->n && next - now < wait)
			wait = next - now;
		won = wait_attempts(r, wait < LOOK_AGAIN ? wait : LOOK_AGAIN);
		if (won != NULL)
			return won;
	}
}

static void
set_up(int fd)
{
	int one = 1;

	/* Requests are small, and each is waited for. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static enum rc
connect_one(const struct dial *d, const struct addrinfo *list, int64_t deadline,
	int *ret_fd, struct str *address, struct err *e)
{
	struct race r = {.dial = d, .failures = STR_INIT};
	struct attempt *won;

	add_addresses(&r, list);
	if (r.n == 0 && d->local)
		return END;
	won = run_race(&r, deadline);
	for (unsigned i = 0; i < r.begun && won == NULL; i++)
		if (r.attempt[i].fd >= 0)
			fail_attempt(&r, &r.attempt[i], ETIMEDOUT);
	if (won == NULL) {
		err_set(e, AGAIN, "%s port %u: cannot connect: %s", d->host,
			d->port, r.failures.s);
	} else {
		*ret_fd = won->fd;
		won->fd = -1;
		set_up(*ret_fd);
		str_clear(address);
		str_add(address, won->text);
	}
	for (unsigned i = 0; i < r.begun; i++)
		io_drop(&r.attempt[i].fd);
	str_release(&r.failures);
	return won != NULL ? OK : e->code;
}

enum rc
dial_open(const struct dial *d, int *ret_fd, struct str *address, struct err *e)
{
	int64_t deadline = clock_mono() + d->timeout;
	struct question *q = mem_alloc(sizeof(*q));
	enum rc rc;

	pthread_mutex_init(&q->lock, NULL);
	q->host = mem_strdup(d->host);
	q->holders = 1;
	snprintf(q->port, sizeof(q->port), "%u", d->port);
	rc = resolve(d, q, deadline, e);
	if (rc == OK)
		rc = connect_one(d, q->answer, deadline, ret_fd, address, e);
	question_leave(q);
	return rc;
}
