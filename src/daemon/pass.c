/*
 * A look at one source from its beginning to its record, and looks at single
 * names of it.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/alert.h"
#include "daemon/gone.h"
#include "daemon/handover.h"
#include "daemon/pass-state.h"
#include "daemon/receipts.h"
#include "landfall/side.h"

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
		    &(struct lane_options){.done = pass_done,
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
	pass_free_stuck(k->stuck);
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

/* What a look is recorded as, whatever of it is told meanwhile. */
static enum rc
record_look(struct looking *k, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct catalog_pass p = k->report->pass;

	/* It saw everything, and not all of that has room. */
	if (*p.trouble == '\0' && k->report->no_room > 0 &&
		room_wanted(k->room, &why))
		p.trouble = why.s;
	return lane_write(k->lane, record, &p, e);
}

/*
 * We failed, and the engine takes nothing any more: whoever asks how things
 * stand should still learn of it. By the lane's own connection, for the
 * committer has ended; where that fails too, nothing is left to say it with.
 */
static void
record_broken(struct looking *k, const struct err *why)
{
	struct catalog *c = lane_catalog(k->lane);
	struct catalog_pass p = {
		.source = k->config->name,
		.started = k->report->pass.started,
		.ended = k->report->pass.started + (clock_mono() - k->began),
		.outcome = PASS_STOPPED,
		.trouble = why->text,
	};
	struct err ignored = ERR_INIT;

	if (catalog_begin(c, &ignored) != OK)
		return;
	if (catalog_pass_put(c, &p, &ignored) != OK ||
		catalog_commit(c, &ignored) != OK)
		catalog_abort(c);
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
	if (pass_check_sums(&r->pass, e) != OK)
		return e->code;
	return record_look(k, e);
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
	return pass_is_cancelled(k) ? AGAIN : err_raise(e, BAD_SOURCE);
}

/* What failed because nobody waits for it is nobody's failure. */
static enum rc
unless_cancelled(const struct looking *k, enum rc rc, struct err *e)
{
	if (rc == BROKEN || !pass_is_cancelled(k))
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
		rc = k.ops->recover(k.source, pass_trouble, &k, e);
	if (rc == OK)
		rc = decide_all(&k.decision, pass_item, pass_trouble, &k, e);
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
		pass_take_counts(&k);
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
	if (rc == BROKEN && k.lane != NULL)
		record_broken(&k, e);
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
	return rc == OK ? pass_item(k, &it, e) : rc;
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
		pass_take_counts(&k);
		rc = pass_check_sums(&r->pass, e);
	}
	if (rc == OK && is_after_due(k.config, &r->pass))
		rc = after_names(k.lane, k.config, k.source, l->name, l->n,
			&r->after, e);
	if (rc == OK)
		rc = sides_follow(k.lane, k.config, k.source, &r->after, e);
	rc = unless_cancelled(&k, rc, e);
	if (rc == BROKEN && k.lane != NULL)
		record_broken(&k, e);
	end(&k);
	if (rc == AGAIN)
		return left_off(&k, e);
	if (rc != OK && rc != BAD_SOURCE && rc != BAD_ITEM)
		return err_raise(e, BROKEN);
	return rc;
}
