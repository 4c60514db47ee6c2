/*
 * All files that are on their way: what comes beforehand, who may be read,
 * and how much of the spool each of the two has.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/sftp/transfer-state.h"

/* Small files that come before they are read. */
#define AHEAD_FILES 128
#define AHEAD_BYTES (UINT64_C(64) << 20)

/* ---- the list; under lock ---- */

static struct transfer *
find(struct transfers *all, const uint8_t *name, size_t len)
{
	struct transfer *t = all->list;

	while (t != NULL && (t->len != len || memcmp(t->name, name, len) != 0))
		t = t->next;
	return t;
}

static struct transfer *
add(struct transfers *all, const uint8_t *name, size_t len,
	const struct signature *sig)
{
	struct transfer *t = mem_alloc(sizeof(*t));

	t->all = all;
	t->name = mem_dup(name, len);
	t->len = len;
	t->path = (struct str)STR_INIT;
	t->sig = *sig;
	t->file.fd = -1;
	*all->last = t;
	all->last = &t->next;
	return t;
}

static void
unlink_transfer(struct transfer *t)
{
	struct transfer **at = &t->all->list;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (t->all->last == &t->next)
		t->all->last = at;
}

/* Under lock; it is over. */
static void
drop(struct transfer *t)
{
	struct transfers *all = t->all;
	bool item = t->request.fault != SFTP_FINE &&
		t->request.fault != SFTP_NETWORK &&
		t->request.fault != SFTP_GARBAGE &&
		t->request.fault != SFTP_CANCELLED;

	/* What comes of a fault of its own is no use to the next look. */
	if (t->file.named &&
		(item ||
			(t->err.code == AGAIN &&
				t->request.fault == SFTP_FINE)))
		spool_forget(all->options.spool, t->name, t->len);
	spool_leave(&t->file);
	if (t->charge != NULL)
		*t->charge -= t->sig.size;
	unlink_transfer(t);
	str_release(&t->path);
	free(t->name);
	free(t);
}

/* ---- coming beforehand; under lock ---- */

static void
count_ahead(struct transfer *t, bool more)
{
	struct transfers *all = t->all;

	if (transfer_is_large(t))
		return;
	if (more) {
		all->ahead_files++;
		all->ahead_bytes += t->sig.size;
	} else {
		all->ahead_files--;
		all->ahead_bytes -= t->sig.size;
	}
}

static void
charge(struct transfer *t, uint64_t *account)
{
	t->charge = account;
	*account += t->sig.size;
}

static uint64_t
spool_limit(const struct transfers *all)
{
	return all->options.place != NULL ? all->options.place->spool
					  : TRANSFER_SIDE_MAX;
}

static size_t
large_running(const struct transfers *all)
{
	size_t n = 0;

	for (const struct transfer *t = all->list; t != NULL; t = t->next)
		n += t->state == TRANSFER_RUNNING && transfer_is_large(t);
	return n;
}

/* Begins what is wanted, as far as it may come beforehand. */
static void
begin_some(struct transfers *all)
{
	size_t large = large_running(all);
	bool small_full = false, large_full = false;

	if (transfers_cancelled(all))
		return;
	for (struct transfer *t = all->list;
		t != NULL && !(small_full && large_full); t = t->next) {
		if (t->state != TRANSFER_WANTED || t->wanted_now)
			continue;
		if (!transfer_is_large(t)) {
			small_full |= all->ahead_files >= AHEAD_FILES ||
				all->ahead_bytes + t->sig.size > AHEAD_BYTES;
			if (small_full)
				continue;
			count_ahead(t, true);
		} else {
			large_full |= large >= all->options.connections ||
				all->ahead + t->sig.size > spool_limit(all) / 4;
			if (large_full)
				continue;
			charge(t, &all->ahead);
			large++;
		}
		transfer_begin(t);
	}
}

void
transfers_want(struct transfers *all, const uint8_t *name, size_t len,
	const struct signature *sig)
{
	pthread_mutex_lock(&all->lock);
	if (find(all, name, len) == NULL) {
		(void)add(all, name, len, sig);
		begin_some(all);
	}
	pthread_mutex_unlock(&all->lock);
}

bool
transfers_wanted(struct transfers *all, const uint8_t *name, size_t len,
	struct signature *ret)
{
	const struct transfer *t;

	pthread_mutex_lock(&all->lock);
	t = find(all, name, len);
	if (t != NULL)
		*ret = t->sig;
	pthread_mutex_unlock(&all->lock);
	return t != NULL;
}

/* ---- being read ---- */

/* A large file waits until those being read leave it room. Under lock. */
static enum rc
take_share(struct transfer *t, struct err *e)
{
	struct transfers *all = t->all;
	uint64_t share = spool_limit(all) - spool_limit(all) / 4;

	if (!transfer_is_large(t))
		return OK;
	if (t->sig.size > share)
		return err_set(e, BAD_ITEM,
			"%llu bytes are more than limits.spool allows for one "
			"file (three quarters of it)",
			(unsigned long long)t->sig.size);
	while (all->reading + t->sig.size > share)
		pthread_cond_wait(&all->changed, &all->lock);
	charge(t, &all->reading);
	return OK;
}

enum rc
transfers_feed(struct transfers *all, const uint8_t *name, size_t len,
	const struct signature *sig, struct feed **ret, struct err *e)
{
	struct transfer *t;
	enum rc rc = OK;

	pthread_mutex_lock(&all->lock);
	t = find(all, name, len);
	if (t == NULL)
		t = add(all, name, len, sig);
	feed_init(&t->feed, &transfer_ops);
	t->wanted_now = true;
	if (t->state != TRANSFER_WANTED)
		count_ahead(t, false);
	else if ((rc = take_share(t, e)) == OK)
		transfer_begin(t);
	while (rc == OK && t->state != TRANSFER_OVER && t->have == 0)
		pthread_cond_wait(&all->changed, &all->lock);
	if (rc == OK && t->state == TRANSFER_OVER && t->err.code != OK) {
		*e = t->err;
		rc = e->code;
	}
	begin_some(all);
	if (rc != OK)
		drop(t);
	pthread_mutex_unlock(&all->lock);
	if (rc == OK)
		*ret = &t->feed;
	return rc;
}

bool
transfers_seen(struct transfers *all, const uint8_t *name, size_t len,
	struct signature *ret)
{
	struct transfer *t;
	bool seen;

	pthread_mutex_lock(&all->lock);
	t = find(all, name, len);
	seen = t != NULL && t->wanted_now && t->state == TRANSFER_OVER &&
		t->err.code == OK;
	if (seen)
		*ret = t->seen;
	pthread_mutex_unlock(&all->lock);
	return seen;
}

void
transfers_leave(struct transfer *t)
{
	struct transfers *all = t->all;

	pthread_mutex_lock(&all->lock);
	if (t->state == TRANSFER_RUNNING)
		trunk_cancel(all->options.trunk, &t->request);
	transfer_wait(t);
	drop(t);
	begin_some(all);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

/* ---- all of them ---- */

struct transfers *
transfers_new(const struct transfers_options *o)
{
	struct transfers *all = mem_alloc(sizeof(*all));

	all->options = *o;
	all->last = &all->list;
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->changed, NULL);
	return all;
}

void
transfers_free(struct transfers *all)
{
	if (all == NULL)
		return;
	pthread_mutex_lock(&all->lock);
	for (struct transfer *t = all->list; t != NULL; t = t->next)
		if (t->state == TRANSFER_RUNNING)
			trunk_cancel(all->options.trunk, &t->request);
	while (all->list != NULL) {
		struct transfer *t = all->list;

		transfer_wait(t);
		/* It was not its turn: what is there of it is for the next. */
		spool_keep(all->options.spool, t->name, t->len);
		drop(t);
	}
	pthread_mutex_unlock(&all->lock);
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
