#include "source/sftp/trunk.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "source/sftp/trunk-state.h"

#define LOOK_AGAIN (CLOCK_SECOND / 5) /* so long nobody sees a cancellation */
#define GOODBYE (2 * CLOCK_SECOND)
#define SILENCE (60 * CLOCK_SECOND) /* of the child, beyond its timeouts */

/*
 * Who sends less than this, over several times the time of quiet that it may
 * have, is no partner but a way to hold us up.
 */
#define PACE_LEAST 1024 /* bytes a second */
#define PACE_TIMES 5
#define PACE_ANSWER (60 * PACE_LEAST)

/* What the listener alone has. */
struct listener {
	struct trunk *trunk;
	int64_t heard; /* monotonic: the last event */
	int64_t paced; /* since when bytes are counted */
	uint64_t bytes;
};

void
trunk_ring(struct trunk *l)
{
	const uint64_t one = 1;

	/* It can only be full of rings. */
	(void)!write(l->ring, &one, sizeof(one));
}

/* ---- requests ---- */

void
trunk_ask(struct trunk *l, struct trunk_request *r)
{
	pthread_mutex_lock(&l->lock);
	r->done = r->cancelled = false;
	r->fault = SFTP_FINE;
	r->err = (struct err)ERR_INIT;
	r->lost = 0;
	r->told = r->size = r->received = 0;
	r->next = NULL;
	*l->last = r;
	l->last = &r->next;
	l->queued++;
	pthread_mutex_unlock(&l->lock);
	trunk_ring(l);
}

enum rc
trunk_wait(struct trunk *l, struct trunk_request *r, struct err *e)
{
	pthread_mutex_lock(&l->lock);
	while (!r->done)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
	if (r->fault == SFTP_FINE)
		return OK;
	*e = r->err;
	return e->code;
}

void
trunk_cancel(struct trunk *l, struct trunk_request *r)
{
	pthread_mutex_lock(&l->lock);
	r->cancelled = true;
	pthread_mutex_unlock(&l->lock);
	trunk_ring(l);
}

/* It is nobody's any more. Not under lock. */
static void
finish(struct trunk *l, struct trunk_request *r)
{
	if (r->finished != NULL) {
		r->finished(r->arg, r);
		return;
	}
	pthread_mutex_lock(&l->lock);
	r->done = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

static void
fail_request(
	struct trunk_request *r, enum sftp_fault fault, const struct err *e)
{
	r->fault = fault;
	r->err = *e;
	r->err.code = sftp_fault_rc(fault);
	if (r->err.cause != EKEYREJECTED)
		r->err.cause = 0;
}

static enum rc
send_request(struct trunk *l, struct trunk_request *r, struct err *e)
{
	switch (r->kind) {
	case TRUNK_LIST:
		return sftp_list(l->sftp, r->id, &r->list, e);
	case TRUNK_FETCH:
		r->mark = r->fetch.offset;
		return sftp_fetch(l->sftp, r->id, &r->fetch, e);
	case TRUNK_LOOK:
		return sftp_look(l->sftp, r->id, r->one.path, r->one.path_len,
			r->one.follow, e);
	case TRUNK_REMOVE:
		return sftp_remove(l->sftp, r->id, r->one.path, r->one.path_len,
			r->one.expected, e);
	case TRUNK_MOVE:
		return sftp_move(l->sftp, r->id, &r->move, e);
	case TRUNK_PUT:
		return sftp_put(l->sftp, r->id, &r->put, e);
	}
	abort();
}

/* The first of the queue. Under lock. */
static struct trunk_request *
take_queued(struct trunk *l)
{
	struct trunk_request *r = l->queue;

	l->queue = r->next;
	if (l->queue == NULL)
		l->last = &l->queue;
	l->queued--;
	return r;
}

/* It is asked again before others are. Under lock. */
static void
put_back(struct trunk *l, struct trunk_request *r)
{
	r->next = l->queue;
	l->queue = r;
	if (r->next == NULL)
		l->last = &r->next;
	l->queued++;
}

/* Where a request is among those sent. An id has its place in it. */
static struct trunk_request **
sent_of(struct trunk *l, uint64_t id)
{
	struct trunk_request **at = &l->sent[id % TRUNK_SENT_MAX];

	return *at != NULL && (*at)->id == id ? at : NULL;
}

/* Under lock. */
static void
send_queued(struct trunk *l)
{
	struct err e = ERR_INIT;

	while (l->queue != NULL && l->n_sent < TRUNK_SENT_MAX &&
		trunk_up(l, SLOT_UP) > 0 && !l->child_gone) {
		struct trunk_request *r = take_queued(l);

		do
			r->id = l->next_id++;
		while (l->sent[r->id % TRUNK_SENT_MAX] != NULL);
		if (send_request(l, r, &e) != OK) {
			put_back(l, r);
			l->child_gone = e.code != AGAIN;
			return;
		}
		l->sent[r->id % TRUNK_SENT_MAX] = r;
		l->n_sent++;
	}
}

/*
 * The connection of an unfinished request was lost. What could have been done
 * twice, or was half told, is not asked again.
 */
static bool
may_ask_again(const struct trunk *l, const struct trunk_request *r)
{
	if (l->dead || r->cancelled || r->lost >= l->options.attempts)
		return false;
	switch (r->kind) {
	case TRUNK_LIST:
		return r->told == 0;
	case TRUNK_FETCH:
	case TRUNK_LOOK:
		return true;
	default:
		return false;
	}
}

/* So much of a fetch is good. */
static void
note_size(struct trunk_request *r, uint64_t size, const uint8_t *sum)
{
	if (size <= r->size && r->size > 0)
		return;
	r->size = size;
	memcpy(r->sum, sum, HASH_LEN);
}

static bool
is_network(enum sftp_fault f)
{
	return f == SFTP_NETWORK || f == SFTP_GARBAGE;
}

/* A fetch goes on where it was; all else begins again. Under lock. */
static void
ask_again(struct trunk *l, struct trunk_request *r)
{
	if (r->kind == TRUNK_FETCH && r->size > r->fetch.offset) {
		r->fetch.offset = r->size;
		r->fetch.prefix_sum = r->sum;
		r->lost = 0;
	}
	r->lost++;
	put_back(l, r);
}

/* It is no longer sent. False: it is in the queue again. */
static bool
conclude(struct trunk *l, struct trunk_request *r)
{
	bool again;

	pthread_mutex_lock(&l->lock);
	l->sent[r->id % TRUNK_SENT_MAX] = NULL;
	l->n_sent--;
	if (r->fault == SFTP_FINE)
		l->failures = 0;
	again = is_network(r->fault) && may_ask_again(l, r);
	if (again)
		ask_again(l, r);
	else if (is_network(r->fault) && l->dead)
		fail_request(r, r->fault, &l->why);
	pthread_mutex_unlock(&l->lock);
	return !again;
}

static void
request_done(struct trunk *l, const struct sftp_event *ev)
{
	struct trunk_request **at = sent_of(l, ev->id), *r;
	struct err e = ERR_INIT;

	if (at == NULL)
		return;
	r = *at;
	r->fault = SFTP_FINE;
	if (ev->fault != SFTP_FINE) {
		err_set(&e, BAD_ITEM, "%s", ev->text);
		fail_request(r, ev->fault, &e);
	}
	r->attrs = ev->attrs;
	r->type = ev->kind;
	r->received += ev->received;
	if (r->kind == TRUNK_FETCH)
		note_size(r, ev->size, ev->sum);
	if (conclude(l, r))
		finish(l, r);
}

/* ---- the listener ---- */

static void
request_event(struct listener *x, const struct sftp_event *ev)
{
	struct trunk *l = x->trunk;
	struct trunk_request **at = sent_of(l, ev->id), *r;

	if (at == NULL)
		return;
	r = *at;
	if (ev->type == SFTP_PROGRESS) {
		uint64_t before = r->size;

		note_size(r, ev->size, ev->sum);
		if (r->size > r->mark)
			x->bytes += r->size - r->mark;
		if (r->size > r->mark)
			r->mark = r->size;
		if (r->size > before && before > 0) {
			r->lost = 0;
			pthread_mutex_lock(&l->lock);
			l->failures = 0;
			pthread_mutex_unlock(&l->lock);
		}
	} else {
		r->told++;
		x->bytes += PACE_LEAST;
	}
	if (r->event != NULL)
		r->event(r->arg, ev);
}

static void
take_event(struct listener *x, const struct sftp_event *ev)
{
	struct trunk *l = x->trunk;

	x->heard = clock_mono();
	switch (ev->type) {
	case SFTP_ITEM:
	case SFTP_TROUBLE:
	case SFTP_PROGRESS:
		request_event(x, ev);
		break;
	case SFTP_DONE:
		/* An answer is worth a wait, also over a satellite. */
		x->bytes += ev->received + PACE_ANSWER;
		request_done(l, ev);
		break;
	default:
		pthread_mutex_lock(&l->lock);
		trunk_slot_event(l, ev);
		pthread_mutex_unlock(&l->lock);
		break;
	}
}

/* Everything that is there to be heard. */
static void
take_events(struct listener *x)
{
	struct trunk *l = x->trunk;
	struct sftp_event ev;
	struct err e = ERR_INIT;
	enum rc rc;

	if (l->sftp == NULL)
		return;
	while ((rc = sftp_next(l->sftp, &ev, 0, &e)) == OK)
		take_event(x, &ev);
	if (rc == AGAIN)
		return;
	pthread_mutex_lock(&l->lock);
	l->child_gone = true;
	pthread_mutex_unlock(&l->lock);
}

/* Why the child is gone, in its own words. */
static void
last_words(struct trunk *l, struct err *ret)
{
	struct sftp_event ev;

	if (l->sftp == NULL || sftp_next(l->sftp, &ev, 0, ret) == OK ||
		ret->code != BAD_SOURCE)
		err_set(ret, BAD_SOURCE, "sftp child: gone");
}

/* The child is gone: all that was sent is lost with it. */
static void
bury_child(struct listener *x, enum sftp_fault fault, const struct err *why)
{
	struct trunk *l = x->trunk;

	for (size_t i = 0; i < TRUNK_SENT_MAX; i++) {
		struct trunk_request *r = l->sent[i];

		if (r == NULL)
			continue;
		fail_request(r, fault, why);
		if (conclude(l, r))
			finish(l, r);
	}
}

static enum rc
start_child(struct trunk *l, struct err *e)
{
	const struct sftp_config *c = l->config;
	const struct sftp_start o = {
		.source = l->options.source,
		.connections = c->connections,
		.max_rate = c->max_rate,
		.max_file = l->options.file_limit,
		.auth_timeout = c->auth_timeout,
		.idle_timeout = c->idle_timeout,
		.keepalive = c->keepalive,
	};
	struct sftp *s = NULL;
	enum rc rc = sftp_start(&o, &s, e);

	/* No child now: for whoever looks, the source cannot be reached. */
	if (rc == AGAIN)
		rc = err_raise(e, BAD_SOURCE);
	pthread_mutex_lock(&l->lock);
	l->sftp = s;
	l->child_gone = false;
	if (rc == OK)
		l->weak = sftp_weak(s);
	else
		trunk_kill(l, e);
	pthread_cond_signal(&l->call);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* It is nobody's any more but the caller's. Under lock. */
static struct sftp *
take_child(struct trunk *l, const struct err *why)
{
	struct sftp *s = l->sftp;

	l->sftp = NULL;
	l->weak = NULL;
	l->child_gone = false;
	trunk_slots_lost(l, why);
	return s;
}

static void
replace_child(struct listener *x)
{
	struct trunk *l = x->trunk;
	struct err e = ERR_INIT, why = ERR_INIT;
	struct sftp *old;
	bool dead;

	last_words(l, &why);
	pthread_mutex_lock(&l->lock);
	old = take_child(l, &why);
	dead = l->dead;
	pthread_mutex_unlock(&l->lock);
	sftp_free(old);
	bury_child(x, SFTP_NETWORK, &why);
	if (!dead)
		(void)!start_child(l, &e);
}

static bool
is_to_stop(const struct trunk *l)
{
	return l->quit ||
		(l->options.cancel != NULL && atomic_load(l->options.cancel));
}

/* Nobody waits for anything any more: what is under way is given up. */
static void
stop(struct listener *x)
{
	struct trunk *l = x->trunk;
	struct err e = ERR_INIT, why = ERR_INIT;
	struct sftp *old;

	err_set(&why, AGAIN, "cancelled");
	pthread_mutex_lock(&l->lock);
	l->stopped = true;
	atomic_store(&l->cancel, true);
	trunk_kill(l, &why);
	old = take_child(l, &why);
	pthread_mutex_unlock(&l->lock);
	if (old != NULL)
		(void)!sftp_end(old, clock_mono() + GOODBYE, &e);
	sftp_free(old);
	bury_child(x, SFTP_CANCELLED, &why);
}

/* Those that somebody gave up, and all of them once the trunk is dead. */
static struct trunk_request *
take_hopeless(struct trunk *l)
{
	struct trunk_request **at = &l->queue;

	for (; *at != NULL; at = &(*at)->next) {
		struct trunk_request *r = *at;

		if (!r->cancelled && !l->dead)
			continue;
		*at = r->next;
		if (l->last == &r->next)
			l->last = at;
		l->queued--;
		return r;
	}
	return NULL;
}

static void
drop_hopeless(struct trunk *l)
{
	struct err cancelled = ERR_INIT;
	struct trunk_request *r;

	err_set(&cancelled, AGAIN, "cancelled");
	for (;;) {
		pthread_mutex_lock(&l->lock);
		r = take_hopeless(l);
		if (r != NULL && (r->cancelled || l->stopped))
			fail_request(r, SFTP_CANCELLED, &cancelled);
		else if (r != NULL)
			fail_request(r, SFTP_NETWORK, &l->why);
		pthread_mutex_unlock(&l->lock);
		if (r == NULL)
			return;
		finish(l, r);
	}
}

/* Under lock. */
static void
send_cancels(struct trunk *l)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < TRUNK_SENT_MAX && l->n_sent > 0; i++)
		if (l->sent[i] != NULL && l->sent[i]->cancelled &&
			!l->child_gone &&
			sftp_cancel(l->sftp, l->sent[i]->id, &e) != OK)
			l->child_gone = true;
}

/* Everything that is under way comes to its end here. Under lock. */
static void
give_up(struct trunk *l, const char *why)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < TRUNK_SENT_MAX; i++)
		if (l->sent[i] != NULL)
			l->sent[i]->lost = l->options.attempts;
	for (unsigned i = 0; i < l->config->connections; i++)
		if (l->slot[i].state == SLOT_UP &&
			sftp_drop(l->sftp, i, &e) != OK)
			l->child_gone = true;
	err_set(&e, BAD_SOURCE, "%s port %u: %s", l->config->host,
		l->config->port, why);
	l->failures = l->options.attempts;
	trunk_kill(l, &e);
}

/* Is it still a partner? Under lock. */
static void
check_pace(struct listener *x)
{
	struct trunk *l = x->trunk;
	const struct sftp_config *c = l->config;
	int64_t now = clock_mono(), window = PACE_TIMES * c->idle_timeout;

	if (l->n_sent == 0 || (c->max_rate > 0 && c->max_rate < PACE_LEAST)) {
		x->heard = x->paced = now;
		x->bytes = 0;
		return;
	}
	if (now - x->heard > c->idle_timeout + c->auth_timeout + SILENCE) {
		/* It has its own timeouts; it is not itself any more. */
		x->heard = now;
		l->child_gone = true;
		return;
	}
	if (now - x->paced < window)
		return;
	if (x->bytes < (uint64_t)(window / CLOCK_SECOND) * PACE_LEAST)
		give_up(l, "it sends, but next to nothing: given up");
	x->paced = now;
	x->bytes = 0;
}

static void
wait_for_events(struct trunk *l)
{
	struct pollfd p[2] = {{.fd = l->ring, .events = POLLIN},
		{.fd = -1, .events = POLLIN}};
	int64_t wait;
	uint64_t rung;

	if (l->sftp != NULL)
		p[1].fd = sftp_fd(l->sftp);
	pthread_mutex_lock(&l->lock);
	wait = trunk_next(l);
	pthread_mutex_unlock(&l->lock);
	if (wait > LOOK_AGAIN)
		wait = LOOK_AGAIN;
	(void)poll(p, 2, (int)(wait / 1000000 + 1));
	if (p[0].revents != 0)
		(void)!read(l->ring, &rung, sizeof(rung));
}

static void *
listener_main(void *arg)
{
	struct trunk *l = arg;
	struct listener x = {.trunk = l};
	struct err e = ERR_INIT;

	x.heard = x.paced = clock_mono();
	(void)!start_child(l, &e);
	for (;;) {
		bool gone, quit, over;

		pthread_mutex_lock(&l->lock);
		over = !l->stopped && is_to_stop(l);
		pthread_mutex_unlock(&l->lock);
		if (over)
			stop(&x);
		drop_hopeless(l);
		pthread_mutex_lock(&l->lock);
		trunk_want(l);
		send_cancels(l);
		send_queued(l);
		check_pace(&x);
		gone = l->child_gone;
		quit = l->quit && l->stopped;
		pthread_mutex_unlock(&l->lock);
		if (quit)
			break;
		if (gone)
			replace_child(&x);
		wait_for_events(l);
		take_events(&x);
	}
	drop_hopeless(l);
	return NULL;
}

/* ---- the trunk ---- */

static void
release(struct trunk *l)
{
	sftp_free(l->sftp);
	trust_close(l->trust);
	io_drop(&l->ring);
	str_release(&l->address);
	str_release(&l->key);
	str_release(&l->algorithms);
	pthread_cond_destroy(&l->changed);
	pthread_cond_destroy(&l->call);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void
trunk_close(struct trunk *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->quit = true;
	atomic_store(&l->cancel, true);
	pthread_cond_broadcast(&l->call);
	pthread_mutex_unlock(&l->lock);
	trunk_ring(l);
	if (l->started) {
		pthread_join(l->listener, NULL);
		pthread_join(l->dialer, NULL);
	}
	release(l);
}

/* The first connection is up, or none will be. */
static enum rc
wait_until_up(struct trunk *l, struct err *e)
{
	enum rc rc = OK;

	pthread_mutex_lock(&l->lock);
	while (!l->dead && trunk_up(l, SLOT_UP) == 0)
		pthread_cond_wait(&l->changed, &l->lock);
	if (l->dead) {
		*e = l->why;
		rc = e->code;
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

enum rc
trunk_open(const struct trunk_options *o, struct trunk **ret, struct err *e)
{
	struct trunk *l = mem_alloc(sizeof(*l));
	enum rc rc;

	*l = (struct trunk){.options = *o,
		.config = o->config,
		.last = &l->queue,
		.address = STR_INIT,
		.key = STR_INIT,
		.algorithms = STR_INIT};
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	pthread_cond_init(&l->call, NULL);
	l->ring = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = l->ring < 0 ? err_sys(e, BROKEN, errno, "eventfd")
			 : trust_open(o->config, &l->trust, e);
	if (rc == OK) {
		if (pthread_create(&l->listener, NULL, listener_main, l) != 0 ||
			pthread_create(&l->dialer, NULL, trunk_dialer, l) != 0)
			abort();
		l->started = true;
		rc = wait_until_up(l, e);
	}
	if (rc != OK) {
		trunk_close(l);
		return rc;
	}
	*ret = l;
	return OK;
}

void
trunk_add_facts(struct trunk *l, struct str *s)
{
	pthread_mutex_lock(&l->lock);
	str_add(s, "sftp://");
	str_add_percent(s, l->config->user, strlen(l->config->user), "");
	str_addf(s,
		strchr(l->config->host, ':') != NULL ? "@[%s]:%u" : "@%s:%u",
		l->config->host, l->config->port);
	str_addf(s, " (%s; host key %s", l->address.s, l->key.s);
	if (l->algorithms.len > 0)
		str_addf(s, "; %s", l->algorithms.s);
	str_addc(s, ')');
	pthread_mutex_unlock(&l->lock);
}

void
trunk_add_remark(struct trunk *l, struct str *s)
{
	const uint32_t widened = l->config->algorithms;

	pthread_mutex_lock(&l->lock);
	if (l->weak != NULL)
		str_addf(s, "the sandbox of its child is weaker here: %s",
			l->weak);
	pthread_mutex_unlock(&l->lock);
	if (widened == 0)
		return;
	str_addf(s, "%sold algorithms are allowed (", s->len > 0 ? "; " : "");
	for (unsigned i = 0, n = 0; sftp_widening_names[i] != NULL; i++)
		if ((widened & 1u << i) != 0)
			str_addf(s, "%s%s", n++ > 0 ? ", " : "",
				sftp_widening_names[i]);
	str_add(s, "): ask the partner for a newer server");
}
