#include "daemon/order-wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"

#define BACKLOG 8

static const struct {
	const char *name;
	size_t args;
} verbs[ORDER_VERBS] = {
	[ORDER_BACKFILL] = {"backfill", 4},
	[ORDER_RESET] = {"reset", 4},
	[ORDER_RELEASE] = {"release", 3},
	[ORDER_REJECT] = {"reject", 2},
};

const char *
order_verb_name(enum order_verb v)
{
	return verbs[v].name;
}

size_t
order_verb_args(enum order_verb v)
{
	return verbs[v].args;
}

bool
order_wire_arg(struct order_request *q, size_t i, const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(q->arg[i]))
		return false;
	memcpy(q->arg[i], text, len + 1);
	return true;
}

void
order_wire_put(struct message *m, const struct order_request *q)
{
	message_begin(m, ORDER_WIRE_GIVEN);
	message_put_u64(m, ORDER_WIRE_VERSION);
	message_put_u64(m, q->verb);
	message_put_u64(m, q->json);
	message_put_u64(m, q->quiet);
	for (size_t i = 0; i < verbs[q->verb].args; i++)
		message_put_text(m, q->arg[i]);
}

enum rc
order_wire_take(struct message *m, struct order_request *ret, struct err *e)
{
	struct order_request q = {.verb = ORDER_VERBS};
	uint64_t version = message_take_u64(m), verb;

	if (m->type != ORDER_WIRE_GIVEN || m->bad)
		return err_set(e, BAD_ITEM, "that is no order");
	verb = message_take_u64(m);
	/* What follows only this version can read. */
	if (version != ORDER_WIRE_VERSION || verb >= ORDER_VERBS)
		return err_set(e, BAD_ITEM,
			"the daemon is another version of landfall and does "
			"not know this order: restart it");
	q.verb = (enum order_verb)verb;
	q.json = message_take_u64(m) != 0;
	q.quiet = message_take_u64(m) != 0;
	for (size_t i = 0; i < verbs[verb].args; i++)
		message_take_text(m, q.arg[i], sizeof(q.arg[i]));
	if (!message_end(m))
		return err_set(e, BAD_ITEM, "that is no order");
	*ret = q;
	return OK;
}

/* Of a few bytes, however deep the directory is. */
static void
make_address(int state, struct sockaddr_un *ret)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	str_addf(&s, "/proc/self/fd/%d/" ORDER_WIRE_NAME, state);
	memcpy(ret->sun_path, s.s, s.len + 1);
}

enum rc
order_wire_listen(int state, int *ret_fd, struct err *e)
{
	struct sockaddr_un at;
	int fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	make_address(state, &at);
	/* Its mode is there with its name. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 &&
		(unlinkat(state, ORDER_WIRE_NAME, 0) == 0 || errno == ENOENT) &&
		bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		listen(fd, BACKLOG) == 0) {
		*ret_fd = fd;
		return OK;
	}
	err_sys(e, BROKEN, errno, ORDER_WIRE_NAME);
	io_drop(&fd);
	return e->code;
}

enum rc
order_wire_connect(int state, int *ret_fd, struct err *e)
{
	/* Where many knock, and nobody opens. */
	const struct timeval patience = {.tv_sec = ORDER_WIRE_PATIENCE};
	struct sockaddr_un at;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), cause;

	make_address(state, &at);
	if (fd >= 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			sizeof(patience)) == 0 &&
		connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		*ret_fd = fd;
		return OK;
	}
	cause = errno;
	io_drop(&fd);
	if (cause == ENOENT || cause == ECONNREFUSED)
		return END;
	if (cause == EAGAIN)
		return err_set(e, AGAIN, "the daemon does not answer");
	return err_sys(e, BROKEN, cause, ORDER_WIRE_NAME);
}
