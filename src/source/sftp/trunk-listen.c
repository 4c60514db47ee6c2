/*
 * The listener: it starts the child, hears it, sends what is asked, and
 * judges whether the partner still is one.
 */
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
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

/* ---- the child ---- */

/* Why the child is gone, in its own words. */
static void
last_words(struct trunk *l, struct err *ret)
{
	struct sftp_event ev;

	if (l->sftp == NULL || sftp_next(l->sftp, &ev, 0, ret) == OK ||
		ret->code != BAD_SOURCE)
		err_set(ret, BAD_SOURCE, "sftp child: gone");
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
replace_child(struct trunk *l)
{
	struct err e = ERR_INIT, why = ERR_INIT;
	struct sftp *old;
	bool dead;

	last_words(l, &why);
	pthread_mutex_lock(&l->lock);
	old = take_child(l, &why);
	dead = l->dead;
	pthread_mutex_unlock(&l->lock);
	sftp_free(old);
	trunk_lose_sent(l, SFTP_NETWORK, &why);
	if (!dead)
		(void)!start_child(l, &e);
}

/* Nobody waits for anything any more: what is under way is given up. */
static void
stop(struct trunk *l)
{
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
	trunk_lose_sent(l, SFTP_CANCELLED, &why);
}

static bool
is_to_stop(const struct trunk *l)
{
	return l->quit ||
		(l->options.cancel != NULL && atomic_load(l->options.cancel));
}

/* ---- what it says ---- */

static void
take_event(struct listener *x, const struct sftp_event *ev)
{
	struct trunk *l = x->trunk;

	x->heard = clock_mono();
	switch (ev->type) {
	case SFTP_ITEM:
	case SFTP_TROUBLE:
		x->bytes += PACE_LEAST;
		(void)trunk_told(l, ev);
		break;
	case SFTP_PROGRESS:
		x->bytes += trunk_told(l, ev);
		break;
	case SFTP_DONE:
		/* An answer is worth a wait, also over a satellite. */
		x->bytes += ev->received + PACE_ANSWER;
		trunk_done(l, ev);
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

/* ---- is it still a partner? ---- */

/* Everything that is under way comes to its end here. Under lock. */
static void
give_up(struct trunk *l, const char *why)
{
	struct err e = ERR_INIT;

	trunk_ask_no_more(l);
	for (unsigned i = 0; i < l->config->connections; i++)
		if (l->slot[i].state == SLOT_UP &&
			sftp_drop(l->sftp, i, &e) != OK)
			l->child_gone = true;
	err_set(&e, BAD_SOURCE, "%s port %u: %s", l->config->host,
		l->config->port, why);
	l->failures = l->options.attempts;
	trunk_kill(l, &e);
}

/* Under lock. */
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

/* ---- the thread ---- */

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

void *
trunk_listener(void *arg)
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
			stop(l);
		trunk_drop_hopeless(l);
		pthread_mutex_lock(&l->lock);
		trunk_want(l);
		trunk_send_cancels(l);
		trunk_send(l);
		check_pace(&x);
		gone = l->child_gone;
		quit = l->quit && l->stopped;
		pthread_mutex_unlock(&l->lock);
		if (quit)
			break;
		if (gone)
			replace_child(l);
		wait_for_events(l);
		take_events(&x);
	}
	trunk_drop_hopeless(l);
	return NULL;
}
