/*
 * Orders and the looks of their source take turns: the loop gives them, and a
 * backfill gives its own away between two windows.
 */
#include "daemon/order-state.h"

/* Who has not got its turn by then is told what it waits for. */
#define TURN_SOON (CLOCK_SECOND / 2)

const struct order *
order_at(const struct daemon *d, const struct watcher *w)
{
	for (size_t i = 0; i < d->n_orders; i++)
		if (d->order[i]->watcher == w)
			return d->order[i];
	return NULL;
}

const struct order *
order_in_turn(const struct daemon *d, const struct watcher *w)
{
	for (size_t i = 0; i < d->n_orders; i++)
		if (d->order[i]->watcher == w && d->order[i]->turn)
			return d->order[i];
	return NULL;
}

struct order *
order_next(const struct daemon *d, const struct watcher *w)
{
	for (size_t i = 0; i < d->n_orders; i++)
		if (d->order[i]->watcher == w && d->order[i]->waits)
			return d->order[i];
	return NULL;
}

void
order_grant(struct order *o)
{
	struct watcher *w = o->watcher;
	struct daemon *d = o->daemon;

	o->waits = false;
	o->turn = true;
	w->daemon = d;
	w->busy = true;
	d->looking++;
	d->polling += w->config->kind == SOURCE_HTTP;
	d->changed = true;
	pthread_cond_signal(&o->granted);
}

/* Behind all others. Under the daemon's lock. */
static void
queue_up(struct order *o)
{
	struct daemon *d = o->daemon;
	size_t i = 0;

	while (d->order[i] != o)
		i++;
	for (; i + 1 < d->n_orders; i++)
		d->order[i] = d->order[i + 1];
	d->order[i] = o;
	o->waits = true;
	looker_ring(d);
}

void
order_turn_over(struct order *o)
{
	if (o->turn)
		looker_over(o->daemon, o->watcher);
	o->turn = false;
}

/* Has it got it within TURN_SOON, or need not wait? Under the daemon's lock. */
static bool
is_soon(struct order *o)
{
	const int64_t until = clock_mono() + TURN_SOON;
	const struct timespec end = {.tv_sec = until / CLOCK_SECOND,
		.tv_nsec = until % CLOCK_SECOND};
	int n = 0;

	while (!o->turn && !o->cancel && n == 0)
		n = pthread_cond_clockwait(
			&o->granted, &o->daemon->lock, CLOCK_MONOTONIC, &end);
	return o->turn || o->cancel;
}

/* However long it takes; who is cancelled gets none. Under the daemon's lock.
 */
static void
take_turn(struct order *o)
{
	while (!o->turn && !o->cancel)
		pthread_cond_wait(&o->granted, &o->daemon->lock);
	o->waits = false;
}

static void
say_waits(struct order *o)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (o->request.quiet)
		return;
	str_addf(&s, "%s: waits for its turn: the daemon is at it",
		o->watcher->config->name);
	order_say(o, ORDER_WIRE_TALK, s.s);
}

static struct watcher *
watcher_of(struct daemon *d, const struct source_config *source)
{
	for (size_t i = 0; i < d->n_watchers; i++)
		if (d->watcher[i].config == source)
			return &d->watcher[i];
	return NULL;
}

enum rc
order_turn(struct order *o, const struct source_config *source, struct err *e)
{
	struct daemon *d = o->daemon;
	struct watcher *w = watcher_of(d, source);
	bool soon;

	if (w == NULL)
		return END;
	pthread_mutex_lock(&d->lock);
	o->watcher = w;
	queue_up(o);
	soon = is_soon(o);
	pthread_mutex_unlock(&d->lock);
	if (!soon)
		say_waits(o);
	pthread_mutex_lock(&d->lock);
	take_turn(o);
	pthread_mutex_unlock(&d->lock);
	return o->cancel ? err_set(e, AGAIN, "%s", order_cancelled(o)) : OK;
}

void
order_wake(struct order *o)
{
	watcher_wake(o->watcher);
}

/* ---- a backfill ---- */

/* Does anybody wait for its turn? */
static bool
is_wanted(void *arg)
{
	struct order *o = arg;
	struct daemon *d = o->daemon;
	bool wanted;

	pthread_mutex_lock(&d->lock);
	wanted = order_next(d, o->watcher) != NULL || daemon_is_due(o->watcher);
	pthread_mutex_unlock(&d->lock);
	return wanted || o->cancel;
}

static void
give_way(void *arg)
{
	struct order *o = arg;
	struct daemon *d = o->daemon;

	pthread_mutex_lock(&d->lock);
	order_turn_over(o);
	queue_up(o);
	take_turn(o);
	pthread_mutex_unlock(&d->lock);
}

static void
one_done(void *arg, const struct delivery *d)
{
	const struct order *o = arg;

	tell_delivery(d);
	o->view->done(o->view->arg, d);
}

static void
through(void *arg, const char *stream, const char *partition,
	const struct stream_report *r)
{
	const struct order *o = arg;

	poller_tell(o->watcher, stream, partition, r);
	o->view->through(o->view->arg, stream, partition, r);
}

static void
waits(void *arg, const char *why, int64_t ns)
{
	const struct order *o = arg;

	o->view->waits(o->view->arg, why, ns);
	poller_rest(o->watcher, why, ns);
}

static void
goes_on(void *arg)
{
	const struct order *o = arg;

	poller_go_on(o->watcher, &o->cancel);
}

enum rc
order_poll(struct order *o, const struct poll_options *view,
	struct poll_report *r, struct err *e)
{
	struct poll_options options = *view;
	enum rc rc;

	options.cancel = &o->cancel;
	options.done = one_done;
	options.through = through;
	options.waits = waits;
	options.goes_on = goes_on;
	options.wanted = is_wanted;
	options.give_way = give_way;
	options.rate = &o->watcher->rate;
	options.arg = o;
	o->view = view;
	rc = poll_run(o->daemon->engine, &options, r, e);
	if (rc == BROKEN)
		order_fail(o, e);
	return rc;
}
