/*
 * The socket under messages. Both ends are blocking sockets that are never
 * waited on but in poll, so that every wait has its deadline.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/io.h"
#include "landfall/message.h"

enum { HEAD = 4 };

static enum rc
wait_for(int fd, short what, int64_t deadline, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = what};

	for (;;) {
		int64_t left = deadline - clock_mono();
		int ms = -1;

		if (deadline != CHANNEL_FOREVER) {
			if (left <= 0)
				return err_set(e, AGAIN, "no answer in time");
			/* Rounded up: a wait of 0 ms would spin. */
			left = left / 1000000 + 1;
			ms = left > 1000000 ? 1000000 : (int)left;
		}
		int n = poll(&p, 1, ms);

		if (n > 0)
			return OK;
		if (n < 0 && errno != EINTR)
			return err_sys(e, BROKEN, errno, "poll");
	}
}

/* What a failed call means: try again, wait, gone, or an error. */
static enum rc
explain(int fd, short what, int64_t deadline, const char *call, struct err *e)
{
	switch (errno) {
	case EINTR:
		return OK;
	case EAGAIN:
		return wait_for(fd, what, deadline, e);
	case EPIPE:
	case ECONNRESET:
		return END;
	}
	return err_sys(e, BROKEN, errno, "%s", call);
}

static enum rc
send_parts(int fd, struct msghdr *h, int64_t deadline, struct err *e)
{
	enum rc rc = OK;

	do {
		if (sendmsg(fd, h, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return OK;
		rc = explain(fd, POLLOUT, deadline, "sendmsg", e);
	} while (rc == OK);
	return rc;
}

union control {
	struct cmsghdr head;
	uint8_t space[CMSG_SPACE(sizeof(int))];
};

enum rc
channel_send(int fd, const struct message *m, int64_t deadline, struct err *e)
{
	uint8_t head[HEAD];
	union control c = {0};
	struct iovec parts[] = {
		{head, sizeof(head)},
		{(void *)(uintptr_t)m->body, m->len},
	};
	struct msghdr h = {.msg_iov = parts, .msg_iovlen = 2};

	if (m->bad)
		return err_set(e, BAD_ITEM, "a message is too large to send");
	put_le32(head, m->type);
	if (m->fd >= 0) {
		h.msg_control = &c;
		h.msg_controllen = sizeof(c);
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.head), &m->fd, sizeof(int));
	}
	return send_parts(fd, &h, deadline, e);
}

enum rc
channel_send_data(int fd, uint32_t type, const void *p, size_t n,
	int64_t deadline, struct err *e)
{
	uint8_t head[HEAD];
	struct iovec parts[] = {
		{head, sizeof(head)},
		{(void *)(uintptr_t)p, n},
	};
	struct msghdr h = {.msg_iov = parts, .msg_iovlen = 2};

	if (n > MESSAGE_MAX)
		return err_set(e, BAD_ITEM, "a message is too large to send");
	put_le32(head, type);
	return send_parts(fd, &h, deadline, e);
}

/* One datagram into parts; *ret_n bytes of body. */
static enum rc
recv_parts(int fd, struct message *m, struct msghdr *h, int64_t deadline,
	size_t *ret_n, struct err *e)
{
	uint8_t head[HEAD];
	ssize_t n;
	enum rc rc;

	h->msg_iov[0] = (struct iovec){head, sizeof(head)};
	message_begin(m, 0);
	while ((n = recvmsg(fd, h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT)) < 0) {
		/* It left something unread, which is told once and before
		 * what it still had to say. */
		if (errno == ECONNRESET)
			continue;
		rc = explain(fd, POLLIN, deadline, "recvmsg", e);
		if (rc != OK)
			return rc;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
		c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
			c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&m->fd, CMSG_DATA(c), sizeof(int));
	/* An empty datagram looks like the end; nobody of ours sends one. */
	if (n == 0)
		return END;
	if (n < HEAD || (h->msg_flags & MSG_TRUNC))
		return err_set(e, BAD_ITEM, "a message of %zd bytes%s", n,
			n < HEAD ? "" : " or more");
	m->type = get_le32(head);
	*ret_n = (size_t)n - HEAD;
	return OK;
}

enum rc
channel_recv(
	int fd, struct message *m, bool fds, int64_t deadline, struct err *e)
{
	union control c;
	struct iovec parts[2] = {{0}, {m->body, sizeof(m->body)}};
	struct msghdr h = {.msg_iov = parts, .msg_iovlen = 2};
	size_t n = 0;
	enum rc rc;

	if (fds) {
		h.msg_control = &c;
		/* CMSG_SPACE would have room for a second one, and leak it. */
		h.msg_controllen = CMSG_LEN(sizeof(int));
	}
	rc = recv_parts(fd, m, &h, deadline, &n, e);
	if (rc != OK)
		io_drop(&m->fd);
	m->len = (uint32_t)n;
	return rc;
}

enum rc
channel_recv_data(int fd, struct message *m, uint32_t data, void *p, size_t n,
	size_t *ret_n, int64_t deadline, struct err *e)
{
	struct iovec parts[3] = {{0}, {p, n}, {m->body, sizeof(m->body)}};
	struct msghdr h = {.msg_iov = parts, .msg_iovlen = 3};
	size_t got, first;
	enum rc rc;

	rc = recv_parts(fd, m, &h, deadline, &got, e);
	if (rc != OK)
		return rc;
	/* The room may be larger than a message may be. */
	if (got > MESSAGE_MAX)
		return err_set(e, BAD_ITEM, "a message of %zu bytes", got);
	first = got < n ? got : n;
	m->len = (uint32_t)(got - first);
	*ret_n = first;
	if (m->type == data)
		return OK;
	memmove(m->body + first, m->body, m->len);
	memcpy(m->body, p, first);
	m->len = (uint32_t)got;
	*ret_n = 0;
	return OK;
}
