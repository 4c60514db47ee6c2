#include "daemon/courier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/bell.h"
#include "landfall/alert.h"

/* Then it is given up. */
#define AGE_MOST (86400 * CLOCK_SECOND)
#define ATTEMPTS_MOST 200

#define BATCH 64
#define IDLE (60 * CLOCK_SECOND)

/* courier_flush: */
#define ROUNDS 3
#define ROUNDS_TIME (60 * CLOCK_SECOND)
#define ROUND_FAILURES 2 /* then a place is left alone for this round */

/* A copy of a row: the catalog moves on while it is under way. */
struct parcel {
	struct catalog_alert alert;
	char *source, *event, *body;
	const struct alert_config *to; /* NULL: nobody any more */
};

/* Whom somebody of the configuration wants told. */
struct place {
	const struct alert_config *to;
	unsigned failures; /* in a row */
	int64_t until;	   /* monotonic: left alone */
};

struct courier {
	struct engine *engine;
	const struct config *config;
	struct lane *lane;
	struct place *place;
	size_t n_places;
	struct parcel parcel[BATCH];
	size_t n;
	bool all;     /* whether they are due or not */
	int64_t next; /* monotonic: when something may be due */
	atomic_bool cancel;
	pthread_t thread;
	struct bell bell;
};

static int64_t
retry_wait(unsigned failures)
{
	return backoff_wait(failures, BACKOFF_BASE, BACKOFF_CEILING);
}

/* ---- what is to be delivered ---- */

static struct place *
place_of(struct courier *c, const struct alert_config *to)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (c->place[i].to == to)
			return &c->place[i];
	c->place = mem_resize(c->place, c->n_places + 1, sizeof(*c->place));
	c->place[c->n_places] = (struct place){.to = to};
	return &c->place[c->n_places++];
}

static void
may_be_due(struct courier *c, int64_t at)
{
	if (at < c->next)
		c->next = at;
}

static enum rc
take(void *arg, const struct catalog_alert *a, struct err *e UNUSED)
{
	struct courier *c = arg;
	const struct source_config *s = config_source(c->config, a->source);
	const struct alert_config *to = s != NULL ? s->alert : NULL;
	int64_t now = clock_mono(), later = a->due - clock_wall();
	struct parcel *p = &c->parcel[c->n];

	if (!c->all && to != NULL && place_of(c, to)->until > now) {
		may_be_due(c, place_of(c, to)->until);
		return OK;
	}
	if (!c->all && later > 0) {
		/* In the order of due: all others are due later still. */
		may_be_due(c, now + later);
		return END;
	}
	*p = (struct parcel){
		.alert = *a,
		.source = mem_strdup(a->source),
		.event = mem_strdup(a->event),
		.body = mem_strdup(a->body),
		.to = to,
	};
	p->alert.source = p->source;
	p->alert.event = p->event;
	p->alert.body = p->body;
	p->alert.trouble = "";
	return ++c->n < BATCH ? OK : END;
}

static void
drop_parcels(struct courier *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->parcel[i].source);
		free(c->parcel[i].event);
		free(c->parcel[i].body);
	}
	c->n = 0;
}

static enum rc
take_parcels(struct courier *c, struct err *e)
{
	drop_parcels(c);
	c->next = clock_mono() + IDLE;
	return catalog_alert_each(lane_catalog(c->lane), false, take, c, e);
}

/* ---- one attempt and what is recorded of it ---- */

struct outcome {
	int64_t id, due;
	bool delivered, given_up;
	const char *trouble;
};

static enum rc
record(struct catalog *c, void *arg, struct err *e)
{
	const struct outcome *o = arg;

	if (o->delivered)
		return catalog_alert_drop(c, o->id, e);
	return catalog_alert_tried(
		c, o->id, o->due, o->given_up, o->trouble, e);
}

static void
log_outcome(const struct parcel *p, const struct outcome *o)
{
	struct log l = log_begin(o->delivered ? LOG_INFO
			: o->given_up	      ? LOG_ERROR
					      : LOG_WARNING,
		o->delivered	      ? "alert-delivered"
			: o->given_up ? "alert-given-up"
				      : "alert-failed");

	log_text(&l, "source", p->source);
	log_text(&l, "alert", p->event);
	log_u64(&l, "attempts", p->alert.attempts + 1);
	if (!o->delivered)
		log_text(&l, "reason", o->trouble);
	log_end(&l);
}

/*
 * AGAIN: cancelled, nothing is recorded. Otherwise *ret says how it went;
 * its trouble is the attempt's, in `why`.
 */
static enum rc
attempt(struct courier *c, const struct parcel *p, int64_t timeout,
	struct outcome *ret, struct err *why, struct err *e)
{
	const struct catalog_alert *a = &p->alert;
	int64_t now;
	enum rc rc;

	if (p->to == NULL)
		rc = err_set(why, BAD_ITEM,
			"no alert is configured for the source any more");
	else
		rc = alert_send(p->to, p->body, strlen(p->body), timeout,
			&c->cancel, why);
	if (rc == AGAIN)
		return AGAIN;
	now = clock_wall();
	*ret = (struct outcome){
		.id = a->id,
		.delivered = rc == OK,
		.given_up = rc != OK &&
			(p->to == NULL || now - a->at >= AGE_MOST ||
				a->attempts + 1 >= ATTEMPTS_MOST),
		.due = now + retry_wait((unsigned)a->attempts + 1),
		.trouble = why->text,
	};
	if (ret->given_up)
		ret->due = now;
	return lane_write(c->lane, record, ret, e);
}

static void
open_fields(struct courier *c, struct engine *g, const struct config *cfg)
{
	c->engine = g;
	c->config = cfg;
	bell_init(&c->bell);
}

static void
release_fields(struct courier *c)
{
	drop_parcels(c);
	free(c->place);
	lane_close(c->lane);
	bell_release(&c->bell);
}

/* ---- the thread ---- */

static enum rc
deliver(struct courier *c, struct err *e)
{
	enum rc rc = take_parcels(c, e);

	for (size_t i = 0; i < c->n && rc == OK; i++) {
		const struct parcel *p = &c->parcel[i];
		struct place *place = p->to != NULL ? place_of(c, p->to) : NULL;
		struct err why = ERR_INIT;
		struct outcome o;

		/* It failed for another one a moment ago. */
		if (place != NULL && place->until > clock_mono()) {
			may_be_due(c, place->until);
			continue;
		}
		rc = attempt(
			c, p, p->to != NULL ? p->to->timeout : 0, &o, &why, e);
		if (rc != OK)
			break;
		log_outcome(p, &o);
		if (place != NULL && o.delivered)
			place->failures = 0;
		else if (place != NULL)
			place->until =
				clock_mono() + retry_wait(++place->failures);
		if (!o.delivered && !o.given_up)
			may_be_due(c, clock_mono());
	}
	return rc;
}

static void *
courier_main(void *arg)
{
	struct courier *c = arg;
	struct err e = ERR_INIT;

	/* A broken engine is everybody's matter, and told by it. */
	while (!c->cancel && deliver(c, &e) == OK)
		/* Rounded up, or it would spin just before. */
		bell_wait(&c->bell, c->next + CLOCK_SECOND / 100, &c->cancel);
	return NULL;
}

enum rc
courier_start(struct engine *g, const struct config *cfg, struct courier **ret,
	struct err *e)
{
	struct courier *c = mem_alloc(sizeof(*c));

	open_fields(c, g, cfg);
	if (lane_open(g, NULL, &c->lane, e) != OK) {
		release_fields(c);
		free(c);
		return e->code;
	}
	if (pthread_create(&c->thread, NULL, courier_main, c) != 0)
		abort();
	*ret = c;
	return OK;
}

void
courier_ring(struct courier *c)
{
	bell_ring(&c->bell);
}

void
courier_stop(struct courier *c)
{
	if (c == NULL)
		return;
	c->cancel = true;
	courier_ring(c);
	pthread_join(c->thread, NULL);
	release_fields(c);
	free(c);
}

/* ---- once ---- */

static void
add_trouble(struct courier_report *r, const struct parcel *p, const char *why)
{
	str_addf(&r->trouble, "alert %s of %s was not delivered: %s\n",
		p->event, p->source, why);
}

/* Each of them once, what fails with its trouble. */
static enum rc
flush_round(struct courier *c, int64_t deadline, struct courier_report *r,
	struct err *e)
{
	enum rc rc = take_parcels(c, e);

	str_clear(&r->trouble);
	r->left = 0;
	for (size_t i = 0; i < c->n_places; i++)
		c->place[i].failures = 0;
	for (size_t i = 0; i < c->n && rc == OK; i++) {
		const struct parcel *p = &c->parcel[i];
		struct place *place = p->to != NULL ? place_of(c, p->to) : NULL;
		int64_t timeout = deadline - clock_mono();
		struct err why = ERR_INIT;
		struct outcome o;

		if (timeout <= 0 ||
			(place != NULL && place->failures >= ROUND_FAILURES)) {
			add_trouble(r, p,
				timeout <= 0 ? "there was no time left"
					     : "the one before it failed too");
			r->left++;
			continue;
		}
		if (p->to != NULL && p->to->timeout < timeout)
			timeout = p->to->timeout;
		rc = attempt(c, p, timeout, &o, &why, e);
		if (rc != OK)
			break;
		r->delivered += o.delivered;
		r->given_up += o.given_up;
		if (o.delivered)
			continue;
		if (place != NULL)
			place->failures++;
		r->left += !o.given_up;
		add_trouble(r, p, why.text);
		if (o.given_up)
			log_outcome(p, &o);
	}
	return rc;
}

enum rc
courier_flush(struct engine *g, const struct config *cfg,
	struct courier_report *r, struct err *e)
{
	struct courier *c = mem_alloc(sizeof(*c));
	int64_t deadline = clock_mono() + ROUNDS_TIME;
	enum rc rc;

	open_fields(c, g, cfg);
	c->all = true;
	rc = lane_open(g, NULL, &c->lane, e);
	for (unsigned i = 1; i <= ROUNDS && rc == OK; i++) {
		rc = flush_round(c, deadline, r, e);
		if (rc != OK || r->left == 0 || clock_mono() >= deadline)
			break;
		if (i < ROUNDS)
			clock_sleep(retry_wait(i) / 2);
	}
	release_fields(c);
	free(c);
	return rc == OK ? OK : err_raise(e, BROKEN);
}
