#include "daemon/order-state.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/engine-state.h"

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
order_say(struct order *o, enum order_wire_type where, const char *line)
{
	pthread_mutex_lock(&o->lock);
	said_add(&o->said, where, line);
	pthread_mutex_unlock(&o->lock);
	counter_ring(o->counter);
}

bool
order_next_said(struct order *o, struct message *m)
{
	bool any;

	pthread_mutex_lock(&o->lock);
	any = said_next(&o->said, m);
	pthread_mutex_unlock(&o->lock);
	return any;
}

void
order_heard(struct order *o)
{
	pthread_mutex_lock(&o->lock);
	said_heard(&o->said);
	pthread_mutex_unlock(&o->lock);
}

/* ---- cancelling ---- */

/* Under the daemon's lock. */
static void
cancel(struct order *o, const char *why)
{
	pthread_mutex_lock(&o->lock);
	if (o->why == NULL)
		o->why = mem_dup(why, strlen(why));
	o->cancel = true;
	pthread_mutex_unlock(&o->lock);
	pthread_cond_signal(&o->granted);
	pthread_cond_broadcast(&o->daemon->place);
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
	CLEANUP(str_release) struct str why = STR_INIT;

	if (d->err.code != OK)
		str_addf(&why, "the daemon cannot go on: %s", d->err.text);
	else
		str_add(&why,
			d->stop ? "the daemon was told to end"
				: "the daemon reads its configuration anew");
	for (size_t i = 0; i < d->n_orders; i++)
		cancel(d->order[i], why.s);
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

/* ---- its life ---- */

void
order_fail(struct order *o, const struct err *e)
{
	struct daemon *d = o->daemon;

	pthread_mutex_lock(&d->lock);
	if (d->err.code == OK)
		d->err = *e;
	pthread_mutex_unlock(&d->lock);
}

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
	/* What is done before it notices is done. */
	if (why != NULL && status == ORDER_CANCELLED)
		log_text(&l, "cancelled", why);
	log_end(&l);
}

static void
say_end(struct order *o, int status)
{
	pthread_mutex_lock(&o->lock);
	said_end(&o->said, (uint64_t)status);
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
		order_fail(o, &e);
	pthread_mutex_lock(&d->lock);
	order_turn_over(o);
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

static void
release(struct order *o)
{
	pthread_cond_destroy(&o->granted);
	pthread_mutex_destroy(&o->lock);
	said_release(&o->said);
	free(o->why);
	free(o);
}

/* NULL: it has begun. Under the daemon's lock. */
static const char *
begin(struct order *o)
{
	struct daemon *d = o->daemon;

	if (d->cancel)
		return "the daemon ends, or reads its configuration anew";
	if (pthread_create(&o->thread, NULL, order_main, o) != 0)
		return "the daemon has no thread for it: give it again later";
	d->order[d->n_orders++] = o;
	looker_ring(d);
	return NULL;
}

struct order *
order_start(struct daemon *d, struct counter *c, const struct order_request *q,
	uid_t uid, const char **ret_why)
{
	struct order *o = mem_alloc(sizeof(*o));
	const char *why;

	o->daemon = d;
	o->counter = c;
	o->request = *q;
	o->uid = uid;
	said_init(&o->said, d->engine->spool, engine_room(d->engine));
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->granted, NULL);
	pthread_mutex_lock(&d->lock);
	why = begin(o);
	pthread_mutex_unlock(&d->lock);
	if (why == NULL)
		return o;
	*ret_why = why;
	release(o);
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
	pthread_join(o->thread, NULL);
	release(o);
}
