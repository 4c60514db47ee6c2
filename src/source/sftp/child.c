/*
 * The child: one loop that waits for the supervisor and for all connections,
 * and never for one of them.
 */
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "source/sftp/job.h"

enum { BAD_ORDERS = 1, NO_LIBRARY = 2 };

/* Content on its way, of all connections together. */
#define FLIGHT (16u << 20)

struct child_state {
	struct say say;
	struct shared shared;
	struct server server[SFTP_CONNECTIONS_MAX];
	unsigned n;
	struct job *waiting, *waiting_end; /* orders not dealt out yet */
	struct message *m;
	bool goodbye, bad;
};

/* ---- orders ---- */

static struct job *
job_new(struct child_state *c, struct wire_order *o, int file)
{
	uint64_t most = c->shared.options.max_file;

	switch (o->kind) {
	case WIRE_LIST:
		return job_list_new(o);
	case WIRE_FETCH:
		if (most > 0 && (o->max_size == 0 || o->max_size > most))
			o->max_size = most;
		return job_fetch_new(o, file);
	case WIRE_LOOK:
		return job_look_new(o);
	case WIRE_REMOVE:
	case WIRE_MOVE:
		return job_move_new(o);
	case WIRE_PUT:
		return job_put_new(o, file);
	case WIRE_KINDS:
		break;
	}
	return NULL;
}

static void
take_order(struct child_state *c)
{
	struct wire_order o;
	struct job *j;
	bool file;

	if (!wire_take_order(c->m, &o)) {
		c->bad = true;
		return;
	}
	file = o.kind == WIRE_FETCH || o.kind == WIRE_PUT;
	if (file != (c->m->fd >= 0)) {
		c->bad = true;
		return;
	}
	j = job_new(c, &o, c->m->fd);
	c->m->fd = -1;
	if (c->waiting == NULL)
		c->waiting = j;
	else
		c->waiting_end->next = j;
	c->waiting_end = j;
}

static void
take_connect(struct child_state *c)
{
	struct wire_connect k;

	if (!wire_take_connect(c->m, &k) || c->m->fd < 0 || k.slot >= c->n ||
		c->server[k.slot].link.state != LINK_NONE) {
		c->bad = true;
		return;
	}
	server_open(&c->server[k.slot], c->m->fd, &k);
	c->m->fd = -1;
}

static struct server *
take_slot(struct child_state *c)
{
	uint64_t slot = message_take_u64(c->m);

	if (slot < c->n)
		return &c->server[slot];
	c->bad = true;
	return NULL;
}

/* It may have gone down since it was asked about. */
static void
take_trust(struct child_state *c)
{
	struct server *s = take_slot(c);
	bool yes = message_take_u64(c->m) != 0;
	bool ready = s != NULL && s->link.state == LINK_KEY;

	if (ready && !auth_take(&s->link.auth, c->m))
		c->bad = true;
	wire_wipe(c->m);
	io_drop(&c->m->fd);
	if (!ready || c->bad)
		return;
	if (yes)
		link_login(&s->link,
			c->shared.now +
				(int64_t)c->shared.options.auth_timeout);
	else
		server_close(s, SFTP_UNTRUSTED, "its host key is not trusted");
}

static void
take_drop(struct child_state *c)
{
	struct server *s = take_slot(c);

	if (s != NULL)
		server_close(s, SFTP_CANCELLED, "given up");
}

static void
end_waiting(struct child_state *c, struct job **at, enum sftp_fault f,
	const char *why)
{
	struct job *j = *at;
	struct sftp_event ev = {
		.type = SFTP_DONE, .id = j->id, .fault = f, .text = why};

	say_event(&c->say, &ev);
	*at = j->next;
	j->ops->release(j);
	free(j);
	c->waiting_end = c->waiting;
	while (c->waiting_end != NULL && c->waiting_end->next != NULL)
		c->waiting_end = c->waiting_end->next;
}

static void
take_cancel(struct child_state *c)
{
	uint64_t id = message_take_u64(c->m);
	struct job **at = &c->waiting;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	if (*at != NULL) {
		end_waiting(c, at, SFTP_CANCELLED, "cancelled");
		return;
	}
	for (unsigned i = 0; i < c->n; i++)
		for (struct job *j = c->server[i].jobs; j != NULL; j = j->next)
			if (j->id == id && !j->over)
				server_done(j, SFTP_CANCELLED, "cancelled");
}

static void
take_message(struct child_state *c)
{
	switch (c->m->type) {
	case WIRE_CONNECT:
		take_connect(c);
		break;
	case WIRE_TRUST:
		take_trust(c);
		break;
	case WIRE_ORDER:
		take_order(c);
		break;
	case WIRE_CANCEL:
		take_cancel(c);
		break;
	case WIRE_DROP:
		take_drop(c);
		break;
	case WIRE_GOODBYE:
		c->goodbye = true;
		break;
	default:
		c->bad = true;
	}
	io_drop(&c->m->fd);
}

static void
take_messages(struct child_state *c)
{
	struct err e = ERR_INIT;

	while (!c->goodbye && !c->bad) {
		enum rc rc = channel_recv(CHILD_CHANNEL, c->m, true, 0, &e);

		if (rc == AGAIN)
			return;
		if (rc == OK) {
			take_message(c);
		} else {
			c->goodbye = true;
			c->bad = rc != END;
		}
	}
}

/* ---- dealing them out ---- */

/* The one with the least to do; NULL: none has room. *ret_any: one may come. */
static struct server *
best_server(struct child_state *c, const struct job *j, bool *ret_any)
{
	struct server *best = NULL;

	*ret_any = false;
	for (unsigned i = 0; i < c->n; i++) {
		struct server *s = &c->server[i];

		if (s->link.state != LINK_NONE && s->link.state != LINK_DEAD)
			*ret_any = true;
		if (!s->up || s->link.state != LINK_UP ||
			(j->is_fetch &&
				s->n_fetches >= c->shared.options.files))
			continue;
		if (best == NULL || s->n_jobs < best->n_jobs)
			best = s;
	}
	return best;
}

/*
 * In order among fetches; a listing or a removal does not wait behind files
 * that have no place yet.
 */
static void
deal(struct child_state *c)
{
	struct job **at = &c->waiting;

	while (*at != NULL) {
		struct job *j = *at;
		bool any;
		struct server *s = best_server(c, j, &any);

		if (!any) {
			end_waiting(c, at, SFTP_NETWORK,
				"there is no connection to the server");
		} else if (s == NULL) {
			at = &j->next;
		} else {
			*at = j->next;
			server_add(s, j);
		}
	}
	c->waiting_end = c->waiting;
	while (c->waiting_end != NULL && c->waiting_end->next != NULL)
		c->waiting_end = c->waiting_end->next;
}

/* ---- waiting ---- */

static int
timeout(const struct child_state *c)
{
	int64_t at = c->shared.now + 10 * CLOCK_SECOND;
	bool fetching = false;

	for (unsigned i = 0; i < c->n; i++) {
		int64_t mine = server_deadline(&c->server[i]);

		if (server_busy(&c->server[i]))
			return 0;
		if (mine < at)
			at = mine;
		fetching |= c->server[i].n_fetches > 0;
	}
	if (fetching && c->shared.pace.rate > 0 &&
		!pace_may(&c->shared.pace, c->shared.now) &&
		pace_when(&c->shared.pace) < at)
		at = pace_when(&c->shared.pace);
	/* What was told is told again a little later, if there is more. */
	if (fetching && at > c->shared.now + CLOCK_SECOND / 10)
		at = c->shared.now + CLOCK_SECOND / 10;
	if (at <= c->shared.now)
		return 0;
	return (int)((at - c->shared.now) / 1000000 + 1);
}

static void
wait_for_something(struct child_state *c)
{
	struct pollfd p[1 + SFTP_CONNECTIONS_MAX];
	bool full = say_full(&c->say);
	int ms = full ? 1000 : timeout(c);

	p[0] = (struct pollfd){.fd = CHILD_CHANNEL, .events = POLLIN};
	if (say_waits(&c->say))
		p[0].events |= POLLOUT;
	for (unsigned i = 0; i < c->n; i++) {
		const struct link *l = &c->server[i].link;

		/* A server whose key is looked at, or whose words find no
		 * room, waits. */
		p[1 + i] = (struct pollfd){.fd = l->state == LINK_NONE ||
					l->state == LINK_KEY || full
				? -1
				: l->fd,
			.events = link_events(l)};
	}
	(void)poll(p, 1 + c->n, ms);
}

/*
 * libssh2 takes memory for each packet and gives it back at once: a heap that
 * shrinks and grows each time costs more than the decryption.
 */
enum { HEAP_KEPT = 16 << 20, HEAP_STEP = 1 << 20 };

static bool
start(struct child_state *c)
{
	struct err e = ERR_INIT;
	struct wire_options *o = &c->shared.options;

	c->m = mem_alloc(sizeof(*c->m));
	say_init(&c->say, CHILD_CHANNEL);
	if (channel_recv(CHILD_CHANNEL, c->m, false, CHANNEL_FOREVER, &e) !=
			OK ||
		c->m->type != WIRE_OPTIONS || !wire_take_options(c->m, o))
		return false;
	c->n = (unsigned)o->connections;
	c->shared.say = &c->say;
	c->shared.pace.rate = o->max_rate;
	c->shared.flight_max = c->shared.share = FLIGHT;
	for (unsigned i = 0; i < c->n; i++)
		server_init(&c->server[i], &c->shared, i);
	return true;
}

/* Connections that fetch have the flight between them. */
static void
share(struct child_state *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n; i++)
		n += c->server[i].n_fetches > 0;
	c->shared.share = c->shared.flight_max / (n > 0 ? n : 1);
}

int
sftp_child(const struct child *child)
{
	struct child_state *c = mem_alloc(sizeof(*c));

	(void)child;
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	(void)mallopt(M_TOP_PAD, HEAP_STEP);
	if (libssh2_init(0) != 0)
		return NO_LIBRARY;
	if (!start(c))
		return BAD_ORDERS;
	while (!c->goodbye && !c->bad && !c->say.gone) {
		c->shared.now = clock_mono();
		take_messages(c);
		deal(c);
		share(c);
		for (unsigned i = 0; i < c->n; i++)
			server_step(&c->server[i]);
		/* Some may have come up. */
		deal(c);
		for (unsigned i = 0; i < c->n; i++)
			server_flush(&c->server[i]);
		say_flush(&c->say);
		if (!c->goodbye)
			wait_for_something(c);
	}
	for (unsigned i = 0; i < c->n; i++)
		server_close(&c->server[i], SFTP_CANCELLED, "goodbye");
	return c->bad ? BAD_ORDERS : 0;
}
