#include "daemon/pass.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/decide.h"

struct tally {
	pthread_mutex_t lock;
	uint64_t count[DISPOSITIONS];
	uint64_t failed;
};

struct tally *
tally_new(void)
{
	struct tally *t = mem_alloc(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void
tally_add(struct tally *t, enum disposition d, bool failed)
{
	pthread_mutex_lock(&t->lock);
	t->count[d]++;
	t->failed += failed;
	pthread_mutex_unlock(&t->lock);
}

void
tally_done(struct tally *t, const struct delivery *d)
{
	/* Pending out of fetching: it was ready, and could not be had. */
	tally_add(t, d->disposition,
		d->disposition == DISPOSITION_PENDING && d->tried);
}

static void
tally_take(struct tally *t, struct pass_report *r)
{
	pthread_mutex_lock(&t->lock);
	for (unsigned i = 0; i < DISPOSITIONS; i++) {
		r->pass.count[i] += t->count[i];
		t->count[i] = 0;
	}
	r->failed += t->failed;
	t->failed = 0;
	pthread_mutex_unlock(&t->lock);
}

void
pass_report_init(struct pass_report *r)
{
	*r = (struct pass_report){.trouble = STR_INIT};
}

void
pass_report_release(struct pass_report *r)
{
	str_release(&r->trouble);
}

struct looking {
	struct engine *engine;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct pass_report *report;
	struct decision decision;
};

static enum rc
submit(struct looking *k, const struct item *it, int64_t now, struct err *e)
{
	static const struct catalog_version none = {0};
	const struct decision *d = &k->decision;
	struct job *j = job_new(k->config, it->name, it->name_len);

	j->source = k->source;
	j->signature = it->signature;
	j->seen_at = d->known ? d->name.first_seen : now;
	j->evidence = mem_strdup(d->evidence.s);
	j->transport = "drop";
	if (job_know(j, engine_catalog(k->engine),
		    d->known ? &d->name.version : &none, e) != OK) {
		job_free(j);
		return e->code;
	}
	return engine_submit(k->engine, j, e);
}

/* Somebody was told of what is quarantined, and has rejected it. */
static enum rc
note_settled(struct looking *k, struct err *e)
{
	uint64_t by;
	enum rc rc = catalog_settled(engine_catalog(k->engine),
		k->decision.name.version.index, &by, e);

	k->report->pass.count[DISPOSITION_QUARANTINED]++;
	k->report->settled += rc == OK;
	return rc == END ? OK : rc;
}

static enum rc
each_name(void *arg, const struct item *it, struct err *e)
{
	struct looking *k = arg;
	struct decision *d = &k->decision;
	struct pass_report *r = k->report;
	struct delivery *note;
	int64_t now = clock_wall();

	if (decide(d, engine_catalog(k->engine), k->config, it, now, e) != OK)
		return e->code;
	r->pass.listed++;
	if (d->wait > r->wait)
		r->wait = d->wait;
	if (d->unchanged) {
		r->pass.unchanged++;
		if (d->disposition == DISPOSITION_QUARANTINED)
			return note_settled(k, e);
		r->pass.count[d->disposition]++;
		return OK;
	}
	if (d->disposition == DISPOSITION_LANDED ||
		d->disposition == DISPOSITION_NEW_VERSION)
		return submit(k, it, now, e);
	note = delivery_new(k->config->name, it->name, it->name_len);
	note->signature = it->signature;
	note->disposition = d->disposition;
	note->reason = mem_strdup(d->rule.s);
	return engine_note(k->engine, note, e);
}

static void
each_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct looking *k = arg;
	struct pass_report *r = k->report;

	/* The first one is told in full; the number says there are more. */
	if (r->troubles++ == 0) {
		str_add_quoted(&r->trouble, name, len);
		str_addf(&r->trouble, ": %s", why->text);
	}
}

static enum rc
check_sums(const struct catalog_pass *p, struct err *e)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DISPOSITIONS; i++)
		sum += p->count[i];
	if (sum == p->listed)
		return OK;
	return err_set(e, BROKEN,
		"source %s: %llu names were listed and %llu dispositions came "
		"out: this is a defect of landfall, nothing was removed at "
		"the source",
		p->source, (unsigned long long)p->listed,
		(unsigned long long)sum);
}

enum rc
pass_run(struct engine *g, struct tally *t, const struct source_config *cfg,
	struct pass_report *r, struct err *e)
{
	struct looking k = {
		.engine = g,
		.config = cfg,
		.ops = source_ops(cfg->kind),
		.report = r,
	};
	struct err lost = ERR_INIT; /* the source's own failure */
	struct err ours = ERR_INIT;
	enum rc rc;

	r->pass.source = cfg->name;
	r->pass.started = clock_wall();
	decision_init(&k.decision);
	rc = k.ops->open(cfg, &k.source, e);
	if (rc == OK)
		rc = k.ops->list(k.source, each_name, each_trouble, &k, e);
	decision_release(&k.decision);
	if (rc == BAD_SOURCE) {
		lost = *e;
		str_clear(&r->trouble);
		str_add(&r->trouble, e->text);
		rc = OK;
	}
	/* What was listed before the listing failed still lands. */
	if (engine_drain(g, rc == OK ? e : &ours) != OK)
		rc = BROKEN;
	if (k.source != NULL)
		k.ops->close(k.source);
	if (rc != OK)
		return err_raise(e, BROKEN);
	tally_take(t, r);
	if (r->troubles > 1)
		str_addf(&r->trouble, " (and %llu more)",
			(unsigned long long)(r->troubles - 1));
	r->pass.ended = clock_wall();
	r->pass.trouble = r->trouble.s;
	r->pass.outcome =
		r->trouble.len > 0 ? PASS_COULD_NOT_LOOK : PASS_COMPLETE;
	if (check_sums(&r->pass, e) != OK || engine_pass(g, &r->pass, e) != OK)
		return e->code;
	if (lost.code != OK) {
		*e = lost;
		return e->code;
	}
	return OK;
}
