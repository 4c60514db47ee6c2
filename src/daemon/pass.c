#include "daemon/pass.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/alert.h"
#include "daemon/decide.h"
#include "daemon/gone.h"
#include "daemon/handover.h"
#include "daemon/receipts.h"
#include "daemon/room.h"
#include "daemon/set.h"
#include "landfall/side.h"

/*
 * A look in progress: the listing thread decides, the committer counts what
 * came out of it.
 */
struct looking {
	const struct pass_options *options;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct lane *lane;
	struct pass_report *report;
	struct room *room;
	struct source_place place;
	struct str facts; /* how its bytes come here */
	struct decision decision;
	struct set *set;    /* whose members are being submitted */
	struct str refusal; /* why there is no room for it */
	int64_t began;	    /* monotonic */
	pthread_mutex_t lock;
	/* Under lock. */
	uint64_t count[DISPOSITIONS];
	uint64_t failed, no_room, missing;
	uint64_t members[DISPOSITIONS];
	struct pass_stuck stuck[CONDITIONS];
};

/* Under lock. */
static void
add_stuck(struct pass_stuck *s, const uint8_t *name, size_t len,
	const char *reason)
{
	if (s->count++ > 0)
		return;
	s->name = mem_dup(name, len);
	s->len = len;
	s->reason = mem_strdup(reason);
}

static void
one_done(void *arg, const struct delivery *d)
{
	struct looking *k = arg;

	pthread_mutex_lock(&k->lock);
	if (d->member) {
		k->members[d->disposition]++;
		pthread_mutex_unlock(&k->lock);
		if (k->options->done != NULL)
			k->options->done(k->options->arg, d);
		return;
	}
	k->count[d->disposition]++;
	k->missing += d->members.missing;
	/* Pending out of fetching: it was ready, and could not be had. */
	if (d->no_room)
		k->no_room++;
	else if (d->disposition == DISPOSITION_PENDING && d->tried)
		k->failed++;
	if (d->needs != CONDITION_NONE)
		add_stuck(&k->stuck[d->needs], d->name, d->name_len, d->reason);
	pthread_mutex_unlock(&k->lock);
	if (k->ops->forget != NULL && d->disposition != DISPOSITION_PENDING)
		k->ops->forget(k->source, d->name, d->name_len);
	if (k->options->done != NULL)
		k->options->done(k->options->arg, d);
}

static void
take_counts(struct looking *k)
{
	struct pass_report *r = k->report;

	pthread_mutex_lock(&k->lock);
	for (unsigned i = 0; i < DISPOSITIONS; i++)
		r->pass.count[i] += k->count[i];
	for (unsigned i = 0; i < DISPOSITIONS; i++)
		r->members[i] += k->members[i];
	r->missing += k->missing;
	r->failed += k->failed;
	r->no_room += k->no_room;
	memcpy(r->stuck, k->stuck, sizeof(r->stuck));
	memset(k->stuck, 0, sizeof(k->stuck));
	pthread_mutex_unlock(&k->lock);
}

void
pass_report_init(struct pass_report *r)
{
	*r = (struct pass_report){.remark = STR_INIT,
		.receipts = STR_INIT,
		.trouble = STR_INIT,
		.after.trouble = STR_INIT};
}

void
pass_report_release(struct pass_report *r)
{
	str_release(&r->remark);
	str_release(&r->receipts);
	str_release(&r->trouble);
	str_release(&r->after.trouble);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		free(r->stuck[i].name);
		free(r->stuck[i].reason);
	}
}

static enum rc
submit(struct looking *k, const struct item *it, struct err *e)
{
	static const struct catalog_version none = {0};
	const struct decision *d = &k->decision;
	struct job *j = job_new(k->config, it->name, it->name_len);

	j->source = k->source;
	j->cancel = k->options->cancel;
	j->signature = it->signature;
	j->seen_at = d->known ? d->name.first_seen : clock_wall();
	j->evidence = mem_strdup(d->evidence.s);
	claims_move(&j->claims, &k->decision.claims);
	j->transport = k->facts.s;
	j->set = k->set;
	if (job_know(j, lane_catalog(k->lane),
		    d->known ? &d->name.version : &none, e) != OK) {
		job_free(j);
		return e->code;
	}
	if (sides_record(k->lane, k->config->name, it->name, it->name_len,
		    &d->sides, e) != OK) {
		job_free(j);
		return e->code;
	}
	/* It may be on its way long before its turn comes. */
	if (k->ops->want != NULL)
		k->ops->want(k->source, it->name, it->name_len, &it->signature);
	return lane_submit(k->lane, j, e);
}

/* Somebody was told of what is quarantined, and has rejected it. */
static enum rc
note_settled(struct looking *k, struct err *e)
{
	uint64_t by;
	enum rc rc = catalog_settled(
		lane_catalog(k->lane), k->decision.name.version.index, &by, e);

	k->report->pass.count[DISPOSITION_QUARANTINED]++;
	k->report->settled += rc == OK;
	return rc == END ? OK : rc;
}

/*
 * It waits for room, as it did at the look before: nothing new to record, or
 * a full disk would be written to for each name and look.
 */
static enum rc
wait_for_room(struct looking *k, const struct item *it, const char *why,
	struct err *e)
{
	const struct catalog_name *known = &k->decision.name;
	struct pass_report *r = k->report;
	struct delivery *note;

	if (k->decision.known && known->disposition == DISPOSITION_PENDING &&
		signature_equal(&known->signature, &it->signature) &&
		strcmp(known->reason, why) == 0) {
		r->pass.unchanged++;
		r->pass.count[DISPOSITION_PENDING]++;
		r->no_room++;
		pthread_mutex_lock(&k->lock);
		add_stuck(&k->stuck[CONDITION_SPACE], it->name, it->name_len,
			why);
		pthread_mutex_unlock(&k->lock);
		return OK;
	}
	note = delivery_new(k->config->name, it->name, it->name_len);
	note->signature = it->signature;
	note->disposition = DISPOSITION_PENDING;
	note->reason = mem_strdup(why);
	note->no_room = true;
	note->needs = CONDITION_SPACE;
	return lane_note(k->lane, note, e);
}

/* It is to be read: now, if there is room. */
static enum rc
take(struct looking *k, const struct item *it, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (room_refuses(k->room, it->signature.size, &why))
		return wait_for_room(k, it, why.s, e);
	return submit(k, it, e);
}

/* What is decided, without reading it. */
static struct delivery *
note_of(const struct looking *k, const struct item *it)
{
	const struct decision *d = &k->decision;
	struct delivery *note =
		delivery_new(k->config->name, it->name, it->name_len);

	note->signature = it->signature;
	note->disposition = d->disposition;
	note->reason = mem_strdup(d->rule.s);
	note->wait = d->wait;
	note->known = d->told ||
		(d->known && d->name.disposition == d->disposition &&
			signature_equal(&d->name.signature, &it->signature) &&
			strcmp(d->name.reason, d->rule.s) == 0);
	return note;
}

/*
 * One of a set, or the manifest that ends it. It is read only if there is
 * room for all of it.
 */
static enum rc
each_of_set(struct looking *k, const struct item *it, struct err *e)
{
	const struct decision *d = &k->decision;

	if (k->set == NULL) {
		k->set = set_new(d->set);
		str_clear(&k->refusal);
		if (room_refuses(k->room, d->set_bytes, &k->refusal))
			set_spoil(k->lane, k->set, k->refusal.s);
	}
	if (d->set_ends) {
		struct set *set = k->set;

		k->set = NULL;
		return set_conclude(k->lane, set, note_of(k, it), e);
	}
	if (k->refusal.len > 0)
		return wait_for_room(k, it, k->refusal.s, e);
	if (d->disposition != DISPOSITION_PENDING)
		return submit(k, it, e);
	/* It changed since the set was found complete. */
	set_spoil(k->lane, k->set, d->rule.s);
	return lane_note(k->lane, note_of(k, it), e);
}

static bool
is_cancelled(const struct looking *k)
{
	return k->options->cancel != NULL && *k->options->cancel;
}

static enum rc
each_decided(void *arg, const struct item *it, struct err *e)
{
	struct looking *k = arg;
	const struct decision *d = &k->decision;
	struct pass_report *r = k->report;

	/* Nor was what it was decided by whole, perhaps. */
	if (is_cancelled(k))
		return err_set(e, AGAIN, "cancelled");
	r->pass.listed++;
	if (d->wait > r->wait && d->wait <= PASS_WAIT_MOST)
		r->wait = d->wait;
	if (d->unchanged) {
		r->pass.unchanged++;
		if (d->disposition == DISPOSITION_QUARANTINED)
			return note_settled(k, e);
		r->pass.count[d->disposition]++;
		return OK;
	}
	if (d->set != NULL)
		return each_of_set(k, it, e);
	if (d->disposition == DISPOSITION_LANDED ||
		d->disposition == DISPOSITION_NEW_VERSION)
		return take(k, it, e);
	return lane_note(k->lane, note_of(k, it), e);
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

/* Is there anything that could leave the source? */
static bool
is_after_due(const struct source_config *cfg, const struct catalog_pass *p)
{
	return cfg->after.action != AFTER_KEEP &&
		p->count[DISPOSITION_LANDED] + p->count[DISPOSITION_DUPLICATE] +
			p->count[DISPOSITION_NEW_VERSION] +
			p->count[DISPOSITION_UNPACKED] >
		0;
}

/* For what is fetched: on the state's disk, beside the zone's. */
static enum rc
ask_room(void *arg, uint64_t size, struct str *why, struct err *e)
{
	return room_spool(arg, size, why, e);
}

/*
 * Who reads may have to wait for a partner: then others do not wait with
 * them. One more than there are connections keeps them all busy.
 */
static unsigned
readers_of(const struct source_config *cfg)
{
	return cfg->kind == SOURCE_SFTP ? cfg->sftp.connections + 1 : 0;
}

/* Opens the lane and the source. BAD_SOURCE: the lane alone is open. */
static enum rc
begin(struct looking *k, struct engine *g, const struct pass_options *o,
	struct pass_report *r, struct err *e)
{
	enum rc rc;

	*k = (struct looking){
		.options = o,
		.config = o->config,
		.ops = source_ops(o->config->kind),
		.report = r,
		.room = engine_room(g),
		.place = {.state = engine_state_dir(g),
			.spool = engine_spool_limit(g),
			.room = ask_room,
			.arg = engine_room(g),
			.cancel = o->cancel},
		.facts = STR_INIT,
		.refusal = STR_INIT,
		.began = clock_mono(),
	};
	r->pass.source = o->config->name;
	r->pass.started = clock_wall();
	pthread_mutex_init(&k->lock, NULL);
	if (lane_open(g,
		    &(struct lane_options){.done = one_done,
			    .arg = k,
			    .workers = readers_of(o->config)},
		    &k->lane, e) != OK)
		return e->code;
	rc = k->ops->open(k->config, &k->place, &k->source, e);
	if (rc == OK)
		k->ops->facts(k->source, &k->facts);
	if (rc == OK && k->ops->remark != NULL)
		k->ops->remark(k->source, &r->remark);
	decision_init(&k->decision, lane_catalog(k->lane), k->config, k->ops,
		k->source);
	return rc;
}

/* A set that is open keeps what was read of it, and whoever waits for that. */
static void
close_set(struct looking *k)
{
	if (k->set == NULL)
		return;
	set_spoil(k->lane, k->set, "the look was cut short");
	set_close(k->lane, k->set);
	k->set = NULL;
}

static void
end(struct looking *k)
{
	str_release(&k->refusal);
	if (k->lane != NULL)
		decision_release(&k->decision);
	lane_close(k->lane);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		free(k->stuck[i].name);
		free(k->stuck[i].reason);
	}
	if (k->source != NULL)
		k->ops->close(k->source);
	str_release(&k->facts);
	pthread_mutex_destroy(&k->lock);
}

static enum rc
record(struct catalog *c, void *pass, struct err *e)
{
	return catalog_pass_put(c, pass, e);
}

/* The look is over: its trouble, its sums, its record. */
static enum rc
conclude(struct looking *k, struct err *e)
{
	struct pass_report *r = k->report;

	if (r->troubles > 1)
		str_addf(&r->trouble, " (and %llu more)",
			(unsigned long long)(r->troubles - 1));
	/* However the clock is set meanwhile. */
	r->pass.ended = r->pass.started + (clock_mono() - k->began);
	r->pass.trouble = r->trouble.s;
	r->pass.outcome =
		r->trouble.len > 0 ? PASS_COULD_NOT_LOOK : PASS_COMPLETE;
	if (check_sums(&r->pass, e) != OK)
		return e->code;
	return lane_write(k->lane, record, &r->pass, e);
}

/*
 * Names that were waited for and have gone are counted like names that are
 * there. Of a listing that was not whole nothing is said to be gone.
 */
static enum rc
note_gone(struct looking *k, struct err *e)
{
	struct err lost = ERR_INIT;
	uint64_t pending, n;
	enum rc rc;

	if (k->report->troubles > 0)
		return OK;
	if (lane_wait(k->lane, e) != OK)
		return e->code;
	pthread_mutex_lock(&k->lock);
	pending = k->count[DISPOSITION_PENDING] +
		k->report->pass.count[DISPOSITION_PENDING];
	pthread_mutex_unlock(&k->lock);
	rc = gone_note(
		k->lane, k->config, k->ops, k->source, pending, &n, &lost);
	k->report->pass.listed += n;
	if (rc != BROKEN)
		return OK; /* at the next look */
	*e = lost;
	return rc;
}

/* Of a look that did not come to its end: because of us, or of its source. */
static enum rc
left_off(const struct looking *k, struct err *e)
{
	return is_cancelled(k) ? AGAIN : err_raise(e, BAD_SOURCE);
}

/* What failed because nobody waits for it is nobody's failure. */
static enum rc
unless_cancelled(const struct looking *k, enum rc rc, struct err *e)
{
	if (rc == BROKEN || !is_cancelled(k))
		return rc;
	return err_set(e, AGAIN, "cancelled");
}

enum rc
pass_run(struct engine *g, const struct pass_options *o, struct pass_report *r,
	struct err *e)
{
	struct err lost = ERR_INIT; /* the source's own failure */
	struct err ours = ERR_INIT;
	struct looking k;
	enum rc rc;

	rc = begin(&k, g, o, r, e);
	if (rc == OK)
		rc = alert_begin(k.lane, k.config, e);
	if (rc == OK)
		rc = receipts_begin(k.lane, k.config, e);
	if (rc == OK)
		rc = k.ops->recover(k.source, each_trouble, &k, e);
	if (rc == OK)
		rc = decide_all(&k.decision, each_decided, each_trouble, &k, e);
	if (rc == OK)
		rc = note_gone(&k, e);
	close_set(&k);
	if (rc == BAD_SOURCE) {
		lost = *e;
		str_clear(&r->trouble);
		str_add(&r->trouble, e->text);
		rc = OK;
	}
	/* What was listed before the listing failed still lands. */
	if (k.lane != NULL && lane_wait(k.lane, rc == OK ? e : &ours) != OK)
		rc = BROKEN;
	rc = unless_cancelled(&k, rc, e);
	if (rc == OK) {
		take_counts(&k);
		if (lost.code == OK && is_after_due(k.config, &r->pass))
			rc = after_run(
				k.lane, k.config, k.source, &r->after, e);
		if (rc == OK && lost.code == OK)
			rc = sides_follow(
				k.lane, k.config, k.source, &r->after, e);
	}
	if (rc == OK && lost.code == OK)
		rc = handover_receipts(k.lane, engine_zone_path(g), k.config,
			k.source, &r->receipts, e);
	rc = unless_cancelled(&k, rc, e);
	if (rc == OK)
		rc = conclude(&k, e);
	end(&k);
	if (rc == AGAIN)
		return left_off(&k, e);
	if (rc != OK)
		return err_raise(e, BROKEN);
	if (lost.code != OK)
		*e = lost;
	return lost.code;
}

/* A hinted name is not there: was it waited for? */
static enum rc
name_gone(struct looking *k, const struct pass_name *n, struct err *e)
{
	struct catalog_name known;
	struct delivery *note;
	enum rc rc = catalog_find(lane_catalog(k->lane), k->config->name,
		n->name, n->len, &known, e);

	if (rc == END || (rc == OK && known.disposition != DISPOSITION_PENDING))
		return OK;
	if (rc != OK)
		return rc;
	note = delivery_new(k->config->name, n->name, n->len);
	note->signature = known.signature;
	note->disposition = DISPOSITION_IGNORED;
	note->reason = mem_strdup(GONE_REASON);
	k->report->pass.listed++;
	return lane_note(k->lane, note, e);
}

/*
 * Somebody writes to it at this moment: the close will be a hint of its own.
 * A look now would see a file that has only been created. What is kept open
 * for ever is judged by the full looks, which do not ask.
 */
static bool
is_written(const struct looking *k, const struct item *it)
{
	struct err ignored = ERR_INIT;

	return k->ops->closed != NULL && it->type == ITEM_FILE &&
		k->ops->closed(k->source, it->name, it->name_len, &ignored) ==
		AGAIN;
}

static enum rc
look_at(struct looking *k, const struct pass_name *n, struct err *e)
{
	struct item it = {.name = n->name, .name_len = n->len};
	enum rc rc = k->ops->look(
		k->source, it.name, it.name_len, &it.type, &it.signature, e);

	if (rc == END)
		return name_gone(k, n, e);
	/* One of a set is no question of its own. */
	if (rc != OK || side_manifest(k->config) != NULL || is_written(k, &it))
		return rc;
	rc = decide(&k->decision, &it, clock_wall(), e);
	return rc == OK ? each_decided(k, &it, e) : rc;
}

enum rc
pass_names(struct engine *g, const struct pass_options *o, struct pass_list *l,
	struct pass_report *r, struct err *e)
{
	struct err ours = ERR_INIT;
	struct looking k;
	size_t done = 0;
	enum rc rc;

	rc = begin(&k, g, o, r, e);
	do
		for (; done < l->n && rc == OK; done++)
			rc = look_at(&k, &l->name[done], e);
	while (rc == OK && l->more != NULL && l->more(l->arg, l));
	if (k.lane != NULL && lane_wait(k.lane, rc == OK ? e : &ours) != OK)
		rc = BROKEN;
	rc = unless_cancelled(&k, rc, e);
	if (rc == OK) {
		take_counts(&k);
		rc = check_sums(&r->pass, e);
	}
	if (rc == OK && is_after_due(k.config, &r->pass))
		rc = after_names(k.lane, k.config, k.source, l->name, l->n,
			&r->after, e);
	if (rc == OK)
		rc = sides_follow(k.lane, k.config, k.source, &r->after, e);
	rc = unless_cancelled(&k, rc, e);
	end(&k);
	if (rc == AGAIN)
		return left_off(&k, e);
	if (rc != OK && rc != BAD_SOURCE && rc != BAD_ITEM)
		return err_raise(e, BROKEN);
	return rc;
}
