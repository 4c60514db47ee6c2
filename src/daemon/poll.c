#include "daemon/poll.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine-state.h"
#include "daemon/partition.h"
#include "daemon/sweep.h"
#include "daemon/waits.h"

struct polling {
	const struct poll_options *o;
	const struct api *api;
	struct engine *engine;
	struct lane *lane;
	struct session *session;
	struct poll_report *report;
	struct waits waits; /* as it began */
	int64_t began;	    /* monotonic */
	pthread_mutex_t lock;
	uint64_t count[DISPOSITIONS]; /* under lock */
};

void
poll_report_init(struct poll_report *r)
{
	*r = (struct poll_report){.sum = STREAM_REPORT_INIT};
	pass_report_init(&r->look);
}

void
poll_report_release(struct poll_report *r)
{
	pass_report_release(&r->look);
	stream_report_release(&r->sum);
}

static void
one_done(void *arg, const struct delivery *d)
{
	struct polling *p = arg;

	pthread_mutex_lock(&p->lock);
	p->count[d->disposition]++;
	pthread_mutex_unlock(&p->lock);
	if (p->o->done != NULL)
		p->o->done(p->o->arg, d);
}

static void
add_report(struct polling *p, const char *stream, const char *partition,
	const struct stream_report *r)
{
	struct poll_report *all = p->report;

	all->sum.windows += r->windows;
	all->sum.pages += r->pages;
	all->sum.requests += r->requests;
	all->sum.records += r->records;
	all->sum.seen += r->seen;
	all->sum.files += r->files;
	all->sum.deletes += r->deletes;
	all->sum.skipped += r->skipped;
	if (r->failed && all->failed++ == 0)
		str_addf(&all->look.trouble, "%s%s%s: %s", stream,
			partition != NULL ? " " : "",
			partition != NULL ? partition : "", r->why.s);
	all->parked += r->parked != 0;
	if (p->o->through != NULL)
		p->o->through(p->o->arg, stream, partition, r);
}

struct turn {
	struct polling *p;
	const struct api_stream *stream;
};

static enum rc
reconcile(const struct stream_options *o, struct polling *p, struct err *e)
{
	struct stream_report r = STREAM_REPORT_INIT;
	bool swept;
	enum rc rc = sweep_run(o, &swept, &r, e);

	if (rc == OK && swept)
		add_report(p, o->stream->name, SWEEP_PARTITION, &r);
	stream_report_release(&r);
	return rc;
}

/* OK: it has waited, and need not any more. END: it has not. */
static enum rc
has_waited(const struct turn *t, const char *partition, struct err *e)
{
	struct polling *p = t->p;
	struct catalog_stream s;
	enum rc rc = catalog_stream_find(lane_catalog(p->lane),
		p->o->config->name, t->stream->name,
		partition != NULL ? partition : "", &s, e);

	if (rc != OK)
		return rc;
	return s.parked != 0 && s.parked <= p->report->look.pass.started ? OK
									 : END;
}

static enum rc
run_partition(void *arg, const char *partition, struct err *e)
{
	const struct turn *t = arg;
	struct polling *p = t->p;
	struct stream_report r = STREAM_REPORT_INIT;
	const struct stream_options o = {
		.engine = p->engine,
		.lane = p->lane,
		.api = p->o->config->name,
		.description = p->api,
		.stream = t->stream,
		.partition = partition,
		.session = p->session,
		.cancel = p->o->cancel,
		.between = p->o->stream != NULL,
		.keep = p->o->keep,
		.from = p->o->from,
		.to = p->o->to,
	};
	enum rc rc = p->o->waited ? has_waited(t, partition, e) : OK;
	bool well;

	if (rc != OK)
		return rc == END ? OK : rc;
	rc = stream_run(&o, &r, e);
	well = rc == OK && !r.failed && r.parked == 0 && !o.between;
	if (rc == OK)
		add_report(p, t->stream->name, partition, &r);
	stream_report_release(&r);
	return well && t->stream->reconcile.set ? reconcile(&o, p, e) : rc;
}

/* It fails alone: others have their turn. */
static void
fail(struct turn *t, struct err *e)
{
	struct stream_report r = STREAM_REPORT_INIT;

	r.failed = true;
	str_add(&r.why, e->text);
	*e = (struct err)ERR_INIT;
	add_report(t->p, t->stream->name, NULL, &r);
	stream_report_release(&r);
}

/* For each record of its parent; without the parent's list, for none. */
static enum rc
run_children(struct turn *t, struct err *e)
{
	struct polling *p = t->p;
	struct parents parents;
	enum rc rc = parents_read(
		&parents, p->api, t->stream, p->session, p->engine->spool, e);

	if (rc == OK)
		rc = partition_each(t->stream, session_vars(p->session),
			&parents, run_partition, t, e);
	parents_release(&parents);
	if (rc != BAD_SOURCE && rc != BAD_ITEM)
		return rc;
	fail(t, e);
	return OK;
}

static enum rc
run_stream(struct polling *p, const struct api_stream *s, struct err *e)
{
	struct turn t = {p, s};
	uint64_t failed = p->report->failed;
	enum rc rc;

	/* What another stream looked up is none of this one's business. */
	vars_unset_all(session_vars(p->session), API_LOOKUP);
	if (s->partitions.parent != API_NO_STREAM)
		rc = run_children(&t, e);
	else
		rc = partition_each(s, session_vars(p->session), NULL,
			run_partition, &t, e);
	/* Its last answer has landed, and no question behind it tells. */
	if (rc != OK || p->report->failed > failed)
		return rc;
	rc = session_check(p->session, e);
	if (rc != BAD_SOURCE)
		return rc;
	fail(&t, e);
	return OK;
}

static enum rc
record(struct catalog *c, void *pass, struct err *e)
{
	return catalog_pass_put(c, pass, e);
}

static enum rc
find_waits(struct polling *p, struct err *e)
{
	CLEANUP(waits_release) struct waits w = {.n = 0};
	enum rc rc = waits_read(lane_catalog(p->lane), p->o->config,
		p->report->look.pass.started, &w, e);

	p->report->wait_ends = w.first;
	return rc;
}

static enum rc
conclude(struct polling *p, enum rc outcome, struct err *e)
{
	struct pass_report *r = &p->report->look;
	enum rc rc;

	for (unsigned i = 0; i < DISPOSITIONS; i++) {
		r->pass.count[i] = p->count[i];
		r->pass.listed += p->count[i];
	}
	r->pass.ended = r->pass.started + (clock_mono() - p->began);
	r->pass.trouble = r->trouble.s;
	r->pass.outcome = outcome == AGAIN ? PASS_STOPPED
		: r->trouble.len > 0	   ? PASS_COULD_NOT_LOOK
					   : PASS_COMPLETE;
	/* Who asks for a time again has not seen what is new, of all. */
	if (p->o->stream != NULL)
		return lane_wait(p->lane, e);
	rc = p->o->waited ? lane_wait(p->lane, e)
			  : lane_write(p->lane, record, &r->pass, e);
	return rc == OK ? find_waits(p, e) : rc;
}

bool
poll_asks(const struct api *api, size_t stream)
{
	if (api->stream[stream].enabled)
		return true;
	for (size_t i = 0; i < api->n_streams; i++) {
		const struct api_stream *s = &api->stream[i];

		for (size_t k = 0; k < s->deletes.n && s->enabled; k++)
			if (s->deletes.row[k].kind == API_DELETE_STREAM &&
				s->deletes.row[k].stream == stream)
				return true;
	}
	return false;
}

static enum rc
run_streams(struct polling *p, struct err *e)
{
	enum rc rc = p->o->waited
		? waits_read(lane_catalog(p->lane), p->o->config,
			  p->report->look.pass.started, &p->waits, e)
		: OK;

	for (size_t i = 0; i < p->api->n_streams && rc == OK; i++) {
		const struct api_stream *s = &p->api->stream[i];

		if (p->o->waited && !p->waits.over[i])
			continue;
		if (p->o->stream != NULL ? strcmp(s->name, p->o->stream) == 0
					 : poll_asks(p->api, i))
			rc = run_stream(p, s, e);
	}
	return rc;
}

enum rc
poll_run(struct engine *g, const struct poll_options *o, struct poll_report *r,
	struct err *e)
{
	struct polling p = {.o = o,
		.api = o->config->api,
		.engine = g,
		.report = r,
		.began = clock_mono()};
	const struct session_options so = {.api = p.api,
		.source = o->config->name,
		.spool = g->spool,
		.state = g->state,
		.record = o->record,
		.replay = o->replay,
		.cancel = o->cancel,
		.waits = o->waits,
		.goes_on = o->goes_on,
		.wanted = o->wanted,
		.give_way = o->give_way,
		.rate = o->rate,
		.arg = o->arg};
	const struct lane_options lo = {.done = one_done, .arg = &p};
	struct err lost = ERR_INIT, ours = ERR_INIT;
	enum rc rc;

	r->look.pass.source = o->config->name;
	r->look.pass.started = clock_wall();
	pthread_mutex_init(&p.lock, NULL);
	rc = lane_open(g, &lo, &p.lane, e);
	if (rc == OK) {
		rc = session_open(&so, &p.session, e);
		if (rc == OK)
			rc = run_streams(&p, e);
		if (rc == BAD_SOURCE) {
			str_add(&r->look.trouble, e->text);
			r->failed++;
		}
		lost = *e;
		/* What was begun lands, and how it went is told. */
		if (rc != BROKEN && conclude(&p, rc, &ours) != OK) {
			rc = BROKEN;
			lost = ours;
		}
		*e = lost;
	}
	r->refused = p.session != NULL && session_refused(p.session);
	waits_release(&p.waits);
	session_close(p.session);
	lane_close(p.lane);
	pthread_mutex_destroy(&p.lock);
	if (rc != OK)
		return rc == AGAIN || rc == BAD_SOURCE ? rc
						       : err_raise(e, BROKEN);
	if (r->look.trouble.len == 0)
		return OK;
	return err_set(e, BAD_SOURCE, "%s", r->look.trouble.s);
}
