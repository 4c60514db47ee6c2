#include "source/http/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

/* How long a cancellation may go unnoticed. */
#define SLICE_MS 100

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

/* Until it is connected, or refused. 0 or errno. */
static int
wait_connected(int fd, int64_t deadline, const atomic_bool *cancel)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	while (poll(&p, 1, SLICE_MS) <= 0) {
		if (cancel != NULL && *cancel)
			return ECANCELED;
		if (clock_mono() >= deadline)
			return ETIMEDOUT;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

static int
connect_to(const struct addrinfo *a, int64_t deadline,
	const atomic_bool *cancel, int *ret_fd)
{
	int fd = socket(a->ai_family,
		a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	int cause = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		cause = errno == EINPROGRESS
			? wait_connected(fd, deadline, cancel)
			: errno;
	if (cause != 0)
		io_drop(&fd);
	*ret_fd = fd;
	return cause;
}

enum rc
dial(const struct http_origin *o, bool local, int64_t deadline,
	const atomic_bool *cancel, int *ret_fd, struct err *e)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	bool allowed = false;
	char port[12];
	int cause = 0, failed;

	snprintf(port, sizeof(port), "%u", o->port);
	failed = getaddrinfo(o->host.s, port, &hints, &found);
	if (failed != 0)
		return err_set(
			e, AGAIN, "%s: %s", o->host.s, gai_strerror(failed));
	*ret_fd = -1;
	for (const struct addrinfo *a = found; a != NULL && *ret_fd < 0;
		a = a->ai_next) {
		if (local && !is_loopback(a->ai_addr))
			continue;
		allowed = true;
		cause = connect_to(a, deadline, cancel, ret_fd);
	}
	freeaddrinfo(found);
	if (*ret_fd >= 0)
		return OK;
	if (!allowed)
		return err_set(e, BAD_SOURCE,
			"http://%s is not this machine, and without TLS "
			"everybody on the way can read what is sent: use "
			"https, or allow_plaintext: true",
			o->host.s);
	return err_sys(e, AGAIN, cause, "%s port %u", o->host.s, o->port);
}
