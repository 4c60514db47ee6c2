#include "daemon/counter.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/order-state.h"

/* What a command has to hear the end of its order when the daemon ends. */
#define FAREWELL (2 * CLOCK_SECOND)

/* No descriptor is free: who knocks is let in a little later. */
#define BREATH (CLOCK_SECOND / 2)

/* One connection, and what became of it. */
struct guest {
	int fd;		     /* -1: it is gone, or the place is free */
	int64_t deadline;    /* monotonic: to say what it wants */
	uid_t uid;	     /* who it is, as the kernel says */
	struct order *order; /* NULL: it has not said yet */
};

struct counter {
	struct daemon *daemon;
	int listening, bell; /* bell: an eventfd */
	pthread_t thread;
	atomic_bool quit;
	int64_t let_in; /* monotonic: nobody before that */
	struct guest guest[COUNTER_ORDERS];
	struct message message; /* the thread's */
};

void
counter_ring(struct counter *c)
{
	const uint64_t one = 1;

	if (write(c->bell, &one, sizeof(one)) < 0)
		log_say(LOG_ERROR, "eventfd", "%m");
}

/* ---- one guest ---- */

/* At once, or not at all: END and AGAIN are theirs to explain. */
static enum rc
send_now(struct counter *c, int fd)
{
	struct err ignored = ERR_INIT;

	return channel_send(fd, &c->message, clock_mono(), &ignored);
}

/* Who is sent away is told why, if it listens. */
static void
refuse(struct counter *c, int *fd, const char *why)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_addf(&s, "landfall: error: refused: %s\n", why);
	message_begin(&c->message, ORDER_WIRE_TALK);
	message_put_text(&c->message, s.s);
	if (send_now(c, *fd) == OK) {
		message_begin(&c->message, ORDER_WIRE_END);
		message_put_u64(&c->message, ORDER_REFUSED);
		(void)send_now(c, *fd);
	}
	io_drop(fd);
}

/* The order ends when it notices. */
static void
see_off(struct guest *g)
{
	io_drop(&g->fd);
	if (g->order != NULL)
		order_leave(g->order);
}

static void
hear(struct counter *c, struct guest *g)
{
	struct order_request q;
	struct err e = ERR_INIT;
	const char *why;
	enum rc rc = channel_recv(g->fd, &c->message, false, clock_mono(), &e);

	if (rc == AGAIN)
		return;
	/* Nobody has more to say than one order. */
	if ((rc != OK && rc != BAD_ITEM) || g->order != NULL) {
		see_off(g);
		return;
	}
	if (rc == OK)
		rc = order_wire_take(&c->message, &q, &e);
	if (rc != OK) {
		refuse(c, &g->fd, e.text);
		return;
	}
	/* Before: of one that was not told so nothing has been done. */
	message_begin(&c->message, ORDER_WIRE_TAKEN);
	if (send_now(c, g->fd) != OK) {
		see_off(g);
		return;
	}
	g->order = order_start(c->daemon, c, &q, g->uid, &why);
	if (g->order == NULL)
		refuse(c, &g->fd, why);
}

/* True: it waits to hear more than its socket holds. */
static bool
tell(struct counter *c, struct guest *g)
{
	while (g->fd >= 0 && order_next_said(g->order, &c->message)) {
		enum rc rc = send_now(c, g->fd);

		if (rc == AGAIN)
			return true;
		if (rc == OK)
			order_heard(g->order);
		else
			see_off(g);
	}
	return false;
}

static bool
is_free(const struct guest *g)
{
	return g->fd < 0 && g->order == NULL;
}

/* What it has heard to the end is over. True: there is more to be sent. */
static bool
serve(struct counter *c, struct guest *g)
{
	bool over;

	if (g->order == NULL) {
		if (g->fd >= 0 && g->deadline <= clock_mono())
			refuse(c, &g->fd, "it was not said what is wanted");
		return false;
	}
	/* In this order: the last line comes before it is over. */
	over = order_is_over(g->order);
	if (tell(c, g))
		return true;
	if (over) {
		order_free(g->order);
		g->order = NULL;
		io_drop(&g->fd);
	}
	return false;
}

/* ---- the door ---- */

/* Root, and whom the daemon itself runs as. */
static bool
may_give(int fd, uid_t *ret_uid)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return false;
	*ret_uid = who.uid;
	return who.uid == 0 || who.uid == geteuid();
}

static void
let_in(struct counter *c)
{
	int fd = accept4(c->listening, NULL, NULL, SOCK_CLOEXEC);
	struct guest *g = NULL;
	uid_t uid = 0;

	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			c->let_in = clock_mono() + BREATH;
		return;
	}
	for (size_t i = 0; i < COUNTER_ORDERS && g == NULL; i++)
		if (is_free(&c->guest[i]))
			g = &c->guest[i];
	if (!may_give(fd, &uid)) {
		refuse(c, &fd,
			"orders are taken from root and from the user the "
			"daemon runs as");
	} else if (g == NULL) {
		refuse(c, &fd,
			"the daemon has as many orders as it takes at one "
			"time; give it again when one is done");
	} else {
		g->fd = fd;
		g->uid = uid;
		g->deadline = clock_mono() + COUNTER_PATIENCE;
	}
}

static int
to_ms(int64_t until)
{
	int64_t left = until - clock_mono();

	return left <= 0 ? 0 : (int)(left / (CLOCK_SECOND / 1000) + 1);
}

/* One round: whoever has something gets it done, and nobody is waited for. */
static void
go_round(struct counter *c, int64_t until)
{
	struct pollfd p[COUNTER_ORDERS + 2];
	uint64_t rung;
	int64_t now;

	for (size_t i = 0; i < COUNTER_ORDERS; i++) {
		struct guest *g = &c->guest[i];
		bool more = serve(c, g);

		p[i] = (struct pollfd){.fd = g->fd,
			.events = more ? POLLIN | POLLOUT : POLLIN};
		if (g->fd >= 0 && g->order == NULL && g->deadline < until)
			until = g->deadline;
	}
	now = clock_mono();
	if (c->let_in > now && c->let_in < until)
		until = c->let_in;
	p[COUNTER_ORDERS] = (struct pollfd){.fd = c->bell, .events = POLLIN};
	p[COUNTER_ORDERS + 1] = (struct pollfd){
		.fd = c->let_in > now ? -1 : c->listening, .events = POLLIN};
	if (poll(p, ARRAY_LEN(p), to_ms(until)) <= 0)
		return;
	if (p[COUNTER_ORDERS].revents != 0)
		while (read(c->bell, &rung, sizeof(rung)) > 0)
			;
	for (size_t i = 0; i < COUNTER_ORDERS; i++)
		if (p[i].fd >= 0 && (p[i].revents & ~POLLOUT) != 0)
			hear(c, &c->guest[i]);
	if (p[COUNTER_ORDERS + 1].revents != 0)
		let_in(c);
}

static bool
is_empty(const struct counter *c)
{
	for (size_t i = 0; i < COUNTER_ORDERS; i++)
		if (c->guest[i].order != NULL)
			return false;
	return true;
}

static void *
counter_main(void *arg)
{
	struct counter *c = arg;
	int64_t end;

	while (!c->quit)
		go_round(c, clock_mono() + 3600 * CLOCK_SECOND);
	end = clock_mono() + FAREWELL;
	while (!is_empty(c) && clock_mono() < end)
		go_round(c, end);
	return NULL;
}

/* ---- opening and closing ---- */

static void
release(struct counter *c)
{
	for (size_t i = 0; i < COUNTER_ORDERS; i++) {
		struct guest *g = &c->guest[i];

		io_drop(&g->fd);
		if (g->order != NULL)
			order_free(g->order);
	}
	io_drop(&c->listening);
	io_drop(&c->bell);
	free(c);
}

static enum rc
open_door(struct counter *c, struct err *e)
{
	c->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->bell < 0)
		return err_sys(e, BROKEN, errno, "eventfd");
	return order_wire_listen(
		engine_state_dir(c->daemon->engine), &c->listening, e);
}

enum rc
counter_start(struct daemon *d, struct counter **ret, struct err *e)
{
	struct counter *c = mem_alloc(sizeof(*c));

	c->daemon = d;
	c->listening = c->bell = -1;
	for (size_t i = 0; i < COUNTER_ORDERS; i++)
		c->guest[i].fd = -1;
	if (open_door(c, e) != OK) {
		release(c);
		return e->code;
	}
	if (pthread_create(&c->thread, NULL, counter_main, c) != 0)
		abort();
	*ret = c;
	return OK;
}

void
counter_stop(struct counter *c)
{
	if (c == NULL)
		return;
	c->quit = true;
	counter_ring(c);
	pthread_join(c->thread, NULL);
	(void)unlinkat(engine_state_dir(c->daemon->engine), ORDER_WIRE_NAME, 0);
	release(c);
}
