#include "daemon/order-state.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/engine-state.h"

/* Who has not got its turn by then is told what it waits for. */
#define TURN_SOON (CLOCK_SECOND / 2)

const struct order_request *
order_request(const struct order *o)
{
	return &o->request;
}

const struct config *
order_config(const struct order *o)
{
	return o->daemon->config;
}

struct engine *
order_engine(const struct order *o)
{
	return o->daemon->engine;
}

uid_t
order_uid(const struct order *o)
{
	return o->uid;
}

void
order_landed(struct order *o, const struct delivery *d)
{
	tell_delivery(d);
	clerk_ring(o->daemon->clerk);
}

/* ---- what the command hears ---- */

void
order_line_free(struct order_line *l)
{
	if (l == NULL)
		return;
	free(l->text);
	free(l);
}

/* Under lock. */
static void
append(struct order *o, struct order_line *l)
{
	*o->last = l;
	o->last = &l->next;
}

void
order_say(struct order *o, enum order_wire_type where, const char *text)
{
	struct order_line *l;
	size_t len = strlen(text);

	/* What a message holds, and its length. */
	if (len > MESSAGE_MAX - 4)
		len = MESSAGE_MAX - 4;
	pthread_mutex_lock(&o->lock);
	if (o->queued + len > ORDER_QUEUE) {
		o->lost++;
	} else {
		l = mem_alloc(sizeof(*l));
		l->type = where;
		l->text = mem_dup(text, len);
		append(o, l);
		o->queued += len;
	}
	pthread_mutex_unlock(&o->lock);
	counter_ring(o->counter);
}

struct order_line *
order_take(struct order *o)
{
	struct order_line *l;

	pthread_mutex_lock(&o->lock);
	l = o->line;
	if (l != NULL) {
		o->line = l->next;
		if (o->line == NULL)
			o->last = &o->line;
		o->queued -= l->text != NULL ? strlen(l->text) : 0;
		pthread_cond_signal(&o->taken);
	}
	pthread_mutex_unlock(&o->lock);
	return l;
}

/* Is the command so far behind that it is worth a wait? Under lock. */
static bool
is_behind(const struct order *o)
{
	return o->queued > ORDER_QUEUE / 2;
}

/* ---- cancelling ---- */

/* Under the daemon's lock. */
static void
cancel(struct order *o, const char *why)
{
	pthread_mutex_lock(&o->lock);
	if (o->why == NULL)
		o->why = why;
	o->cancel = true;
	pthread_cond_signal(&o->taken);
	pthread_mutex_unlock(&o->lock);
	pthread_cond_signal(&o->granted);
}

void
order_leave(struct order *o)
{
	pthread_mutex_lock(&o->daemon->lock);
	cancel(o, "the command was ended");
	pthread_mutex_unlock(&o->daemon->lock);
}

void
order_cancel_all(struct daemon *d)
{
	for (size_t i = 0; i < d->n_orders; i++)
		cancel(d->order[i],
			d->stop ? "the daemon was told to end"
				: "the daemon reads its configuration anew");
}

const char *
order_cancelled(struct order *o)
{
	const char *why;

	pthread_mutex_lock(&o->lock);
	why = o->why;
	pthread_mutex_unlock(&o->lock);
	return why;
}

/* ---- turns ---- */

const struct order *
order_at(const struct daemon *d, const struct watcher *w)
{
	for (size_t i = 0; i < d->n_orders; i++)
		if (d->order[i]->watcher == w)
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

/* Under the daemon's lock. */
static void
end_turn(struct order *o)
{
	if (o->turn)
		looker_over(o->daemon, o->watcher);
	o->turn = false;
}

/* False: not by then. Under the daemon's lock. */
static bool
wait_for_turn(struct order *o, int64_t until)
{
	const struct timespec end = {.tv_sec = until / CLOCK_SECOND,
		.tv_nsec = until % CLOCK_SECOND};
	int n = 0;

	while (!o->turn && !o->cancel && n == 0)
		n = pthread_cond_clockwait(
			&o->granted, &o->daemon->lock, CLOCK_MONOTONIC, &end);
	return o->turn || o->cancel;
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
	soon = wait_for_turn(o, clock_mono() + TURN_SOON);
	pthread_mutex_unlock(&d->lock);
	if (!soon)
		say_waits(o);
	pthread_mutex_lock(&d->lock);
	while (!wait_for_turn(o, clock_mono() + 3600 * CLOCK_SECOND))
		;
	o->waits = false;
	pthread_mutex_unlock(&d->lock);
	return o->cancel ? err_set(e, AGAIN, "%s", order_cancelled(o)) : OK;
}

/* ---- a backfill ---- */

/* Does anybody wait for its turn? */
static bool
is_wanted(void *arg)
{
	struct order *o = arg;
	struct daemon *d = o->daemon;
	bool wanted;

	pthread_mutex_lock(&o->lock);
	wanted = is_behind(o);
	pthread_mutex_unlock(&o->lock);
	pthread_mutex_lock(&d->lock);
	wanted |=
		order_next(d, o->watcher) != NULL || daemon_is_due(o->watcher);
	pthread_mutex_unlock(&d->lock);
	return wanted || o->cancel;
}

static void
give_way(void *arg)
{
	struct order *o = arg;
	struct daemon *d = o->daemon;

	pthread_mutex_lock(&d->lock);
	end_turn(o);
	pthread_mutex_unlock(&d->lock);
	pthread_mutex_lock(&o->lock);
	while (is_behind(o) && !o->cancel)
		pthread_cond_wait(&o->taken, &o->lock);
	pthread_mutex_unlock(&o->lock);
	pthread_mutex_lock(&d->lock);
	queue_up(o);
	while (!wait_for_turn(o, clock_mono() + 3600 * CLOCK_SECOND))
		;
	o->waits = false;
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

	poller_go_on(o->watcher);
}

/* What breaks the engine ends the daemon, whoever met it. */
static void
fail(struct daemon *d, const struct err *e)
{
	pthread_mutex_lock(&d->lock);
	if (d->err.code == OK)
		d->err = *e;
	pthread_mutex_unlock(&d->lock);
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
		fail(o->daemon, e);
	return rc;
}

/* ---- its life ---- */

static struct log
begin_log(const struct order *o, const char *event)
{
	const struct order_request *q = &o->request;
	CLEANUP(str_release) struct str s = STR_INIT;
	struct log l = log_begin(LOG_INFO, event);

	for (size_t i = 0; i < order_verb_args(q->verb); i++)
		if (*q->arg[i] != '\0')
			str_addf(&s, "%s%s", s.len > 0 ? " " : "", q->arg[i]);
	log_text(&l, "order", order_verb_name(q->verb));
	log_text(&l, "arguments", s.s);
	return l;
}

static void
tell_end(struct order *o, int status)
{
	struct log l = begin_log(o, "order-over");
	const char *why = order_cancelled(o);

	log_u64(&l, "status", (uint64_t)status);
	if (why != NULL)
		log_text(&l, "cancelled", why);
	log_end(&l);
}

/* Nothing is lost without a word. */
static void
say_end(struct order *o, int status)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct order_line *l;

	pthread_mutex_lock(&o->lock);
	if (o->lost > 0) {
		str_addf(&s,
			"landfall: lines left out, for nobody took them in "
			"time: %llu; the daemon's log has what landed",
			(unsigned long long)o->lost);
		l = mem_alloc(sizeof(*l));
		l->type = ORDER_WIRE_TALK;
		l->text = str_take(&s);
		o->queued += strlen(l->text);
		append(o, l);
	}
	l = mem_alloc(sizeof(*l));
	l->type = ORDER_WIRE_END;
	l->status = (uint64_t)status;
	append(o, l);
	o->over = true;
	pthread_mutex_unlock(&o->lock);
	counter_ring(o->counter);
}

/* Neither a turn nor a place is left; who ends waits for none of it. */
static void
retire(struct order *o)
{
	struct daemon *d = o->daemon;
	struct engine *g = d->engine;
	struct err e;
	size_t i = 0;

	pthread_mutex_lock(&g->lock);
	e = g->err;
	pthread_mutex_unlock(&g->lock);
	if (e.code != OK)
		fail(d, &e);
	pthread_mutex_lock(&d->lock);
	end_turn(o);
	while (d->order[i] != o)
		i++;
	d->n_orders--;
	for (; i < d->n_orders; i++)
		d->order[i] = d->order[i + 1];
	looker_ring(d);
	pthread_mutex_unlock(&d->lock);
}

static void *
order_main(void *arg)
{
	struct order *o = arg;
	const struct daemon_options *d = &o->daemon->options;
	struct log l = begin_log(o, "order");
	int status;

	log_u64(&l, "uid", o->uid);
	log_end(&l);
	status = d->carry_out(d->arg, o);
	tell_end(o, status);
	retire(o);
	say_end(o, status);
	return NULL;
}

struct order *
order_start(struct daemon *d, struct counter *c, const struct order_request *q,
	uid_t uid, const char **ret_why)
{
	struct order *o = mem_alloc(sizeof(*o));
	bool now;

	o->daemon = d;
	o->counter = c;
	o->request = *q;
	o->uid = uid;
	o->last = &o->line;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->taken, NULL);
	pthread_cond_init(&o->granted, NULL);
	pthread_mutex_lock(&d->lock);
	now = !d->cancel;
	if (now) {
		d->order[d->n_orders++] = o;
		looker_ring(d);
		if (pthread_create(&o->thread, NULL, order_main, o) != 0)
			abort();
	}
	pthread_mutex_unlock(&d->lock);
	if (now)
		return o;
	*ret_why = "the daemon ends, or reads its configuration anew";
	order_free(o);
	return NULL;
}

bool
order_is_over(struct order *o)
{
	bool over;

	pthread_mutex_lock(&o->lock);
	over = o->over;
	pthread_mutex_unlock(&o->lock);
	return over;
}

void
order_free(struct order *o)
{
	struct order_line *l;

	if (o->over)
		pthread_join(o->thread, NULL);
	while ((l = order_take(o)) != NULL)
		order_line_free(l);
	pthread_cond_destroy(&o->granted);
	pthread_cond_destroy(&o->taken);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
