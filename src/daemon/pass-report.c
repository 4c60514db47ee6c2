/*
 * What comes out of a look: counted as it becomes durable.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/pass-state.h"

void
pass_free_stuck(struct pass_stuck stuck[CONDITIONS])
{
	for (unsigned i = 0; i < CONDITIONS; i++) {
		free(stuck[i].name);
		free(stuck[i].reason);
	}
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
	pass_free_stuck(r->stuck);
}

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

void
pass_add_stuck(struct looking *k, enum condition c, const uint8_t *name,
	size_t len, const char *reason)
{
	pthread_mutex_lock(&k->lock);
	add_stuck(&k->stuck[c], name, len, reason);
	pthread_mutex_unlock(&k->lock);
}

/* Under lock. */
static void
count_name(struct looking *k, const struct delivery *d)
{
	k->count[d->disposition]++;
	k->missing += d->members.missing;
	/* Pending out of fetching: it was ready, and could not be had. */
	if (d->no_room)
		k->no_room++;
	else if (d->disposition == DISPOSITION_PENDING && d->tried)
		k->failed++;
	if (d->needs != CONDITION_NONE)
		add_stuck(&k->stuck[d->needs], d->name, d->name_len, d->reason);
}

void
pass_done(void *arg, const struct delivery *d)
{
	struct looking *k = arg;

	pthread_mutex_lock(&k->lock);
	if (d->member)
		k->members[d->disposition]++;
	else
		count_name(k, d);
	pthread_mutex_unlock(&k->lock);
	if (!d->member && k->ops->forget != NULL &&
		d->disposition != DISPOSITION_PENDING)
		k->ops->forget(k->source, d->name, d->name_len);
	if (k->options->done != NULL)
		k->options->done(k->options->arg, d);
}

void
pass_take_counts(struct looking *k)
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

enum rc
pass_check_sums(const struct catalog_pass *p, struct err *e)
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
