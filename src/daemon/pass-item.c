/*
 * What becomes of each name of a look, once that is decided.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/pass-state.h"

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
		pass_add_stuck(k, CONDITION_SPACE, it->name, it->name_len, why);
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

/*
 * It stands like that already, for the same reason. What is written to while
 * it waits looks different each time, and waits for the same.
 */
static bool
stands_so(const struct decision *d, const struct item *it)
{
	return d->known && d->name.disposition == d->disposition &&
		strcmp(d->name.reason, d->rule.s) == 0 &&
		(d->disposition == DISPOSITION_PENDING ||
			signature_equal(&d->name.signature, &it->signature));
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
	note->known = d->told || stands_so(d, it);
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

enum rc
pass_item(void *arg, const struct item *it, struct err *e)
{
	struct looking *k = arg;
	const struct decision *d = &k->decision;
	struct pass_report *r = k->report;

	/* Nor was what it was decided by whole, perhaps. */
	if (pass_is_cancelled(k))
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

void
pass_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct looking *k = arg;
	struct pass_report *r = k->report;

	/* The first one is told in full; the number says there are more. */
	if (r->troubles++ == 0) {
		str_add_quoted(&r->trouble, name, len);
		str_addf(&r->trouble, ": %s", why->text);
	}
}
