#include "source/sftp/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

/* Small files that come before they are read. */
#define AHEAD_FILES 128
#define AHEAD_BYTES (UINT64_C(64) << 20)

/* So much of what was there is compared when a fetch goes on. */
#define WINDOW (UINT64_C(64) << 10)

/* Between two marks. */
#define MARK_BYTES (UINT64_C(4) << 20)
#define MARK_TIME CLOCK_SECOND

/* A file whose size the server does not tell, where nothing is kept. */
#define SIDE_MAX (UINT64_C(64) << 20)

enum transfer_state {
	TRANSFER_WANTED,
	TRANSFER_RUNNING,
	TRANSFER_OVER, /* well, when err.code is OK */
};

struct transfer {
	struct feed feed;
	struct transfers *all;
	struct transfer *next;
	uint8_t *name;
	size_t len;
	struct str path;
	struct signature sig;
	struct spooled file; /* fd -1: not begun */
	struct trunk_request request;
	uint64_t pos; /* of who reads */
	/* All below: under lock. */
	enum transfer_state state;
	bool wanted_now; /* there is a feed */
	bool begun_again;
	uint64_t *charge; /* what it is counted in; NULL: nothing */
	uint64_t have;	  /* bytes that can be read */
	uint64_t marked;
	int64_t marked_at;
	struct signature seen;
	struct err err;
};

struct transfers {
	struct transfers_options options;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* All below: under lock. */
	struct transfer *list, **last;
	size_t ahead_files; /* small, begun and not being read */
	uint64_t ahead_bytes;
	uint64_t ahead, reading; /* of the spool: large files */
};

static bool
is_cancelled(const struct transfers *all)
{
	const struct source_place *p = all->options.place;

	return p != NULL && p->cancel != NULL && *p->cancel;
}

static bool
is_large(const struct transfer *t)
{
	return t->sig.size >= SPOOL_NAMED_MIN;
}

/*
 * A signature that stays means that the bytes do. Where a server tells no
 * time, a file of the same size looks like another one each day; where it
 * tells whole minutes, one that is younger than that looks like another one
 * once it is older. Then it is read again, and its bytes decide.
 */
void
transfer_sign(struct signature *sig, const struct sftp_attrs *a)
{
	int64_t now = clock_wall() / CLOCK_SECOND;

	*sig = (struct signature){
		.size = a->has_size ? a->size : 0,
		.mtime = a->has_time ? a->mtime * CLOCK_SECOND : 0,
	};
	if (!a->has_time)
		sig->device = (uint64_t)(now / 86400);
	else if (a->mtime % 60 == 0 && now >= a->mtime && now - a->mtime < 120)
		sig->inode = 1;
}

void
transfer_expect(struct sftp_attrs *a, const struct signature *sig)
{
	*a = (struct sftp_attrs){
		.has_size = true,
		.size = sig->size,
		.has_time = sig->mtime != 0,
		.mtime = sig->mtime / CLOCK_SECOND,
	};
}

/* ---- on the trunk's thread ---- */

/* What is there is good so far. Under lock. */
static void
mark(struct transfer *t, uint64_t have, const uint8_t sum[HASH_LEN])
{
	struct err e = ERR_INIT;

	/* A mark that cannot be written costs a longer way after a crash. */
	(void)!spool_mark(t->all->options.spool, &t->file, t->name, t->len,
		&t->sig, have, sum, &e);
	t->marked = have;
	t->marked_at = clock_mono();
}

static void
on_event(void *arg, const struct sftp_event *ev)
{
	struct transfer *t = arg;

	if (ev->type != SFTP_PROGRESS)
		return;
	pthread_mutex_lock(&t->all->lock);
	/* What a mark vouched for is proven by the first byte behind it. */
	if (ev->size > t->have && ev->size > t->file.have)
		t->have = ev->size;
	if (t->file.named &&
		(t->have >= t->marked + MARK_BYTES ||
			(t->have > t->marked &&
				clock_mono() - t->marked_at >= MARK_TIME)))
		mark(t, ev->size, ev->sum);
	if (t->wanted_now)
		pthread_cond_broadcast(&t->all->changed);
	pthread_mutex_unlock(&t->all->lock);
}

/* What was there did not fit, and nobody has read of it. */
static bool
begin_again(struct transfer *t, const struct trunk_request *r)
{
	struct err e = ERR_INIT;

	if ((r->fault != SFTP_STALE && r->fault != SFTP_CHANGED) ||
		t->begun_again || t->file.have == 0 || t->have > 0 ||
		spool_begin_again(&t->file, &e) != OK)
		return false;
	t->begun_again = true;
	t->request.fetch.offset = 0;
	t->request.fetch.prefix_sum = NULL;
	return true;
}

/* In words for who waits, and what it costs. */
static void
explain(struct transfer *t, const struct trunk_request *r)
{
	struct err *e = &t->err;

	*e = r->err;
	switch (r->fault) {
	case SFTP_CHANGED:
	case SFTP_TOO_LARGE:
		err_set(e, AGAIN,
			"changed while it was fetched (%s): not "
			"complete yet",
			r->err.text);
		break;
	case SFTP_SPOOL:
		/* Room was there when it began: others took it. */
		err_set(e, BAD_ITEM, "%s", r->err.text);
		break;
	case SFTP_GONE:
		e->code = END;
		break;
	case SFTP_CANCELLED:
		e->code = AGAIN;
		break;
	default:
		if (e->code == OK || e->code == END)
			e->code = BAD_ITEM;
		break;
	}
}

static void
on_finished(void *arg, struct trunk_request *r)
{
	struct transfer *t = arg;
	struct transfers *all = t->all;

	pthread_mutex_lock(&all->lock);
	if (begin_again(t, r)) {
		trunk_ask(all->options.trunk, r);
		pthread_mutex_unlock(&all->lock);
		return;
	}
	transfer_sign(&t->seen, &r->attrs);
	if (r->fault != SFTP_FINE)
		explain(t, r);
	else if (r->size != t->sig.size)
		err_set(&t->err, AGAIN,
			"changed while it was fetched (%llu bytes before, "
			"%llu came): not complete yet",
			(unsigned long long)t->sig.size,
			(unsigned long long)r->size);
	else
		t->have = r->size;
	if (t->file.named && r->size > t->marked)
		mark(t, r->size, r->sum);
	t->state = TRANSFER_OVER;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

/* ---- beginning; all under lock ---- */

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

static void
count_ahead(struct transfer *t, bool more)
{
	struct transfers *all = t->all;

	if (is_large(t))
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

/* Nothing was sent for it: it is over before it began. */
static void
fail(struct transfer *t, const struct err *e)
{
	t->err = *e;
	t->state = TRANSFER_OVER;
	pthread_cond_broadcast(&t->all->changed);
}

/* Is there a place for it on our disk? */
static enum rc
ask_room(struct transfer *t, struct err *e)
{
	const struct source_place *p = t->all->options.place;
	CLEANUP(str_release) struct str why = STR_INIT;
	enum rc rc;

	if (p == NULL || p->room == NULL || !is_large(t))
		return OK;
	rc = p->room(p->arg, t->sig.size, &why, e);
	if (rc != END)
		return rc;
	err_set(e, BAD_ITEM, "%s", why.s);
	e->cause = ENOSPC;
	return BAD_ITEM;
}

static void
begin(struct transfer *t)
{
	const struct transfers_options *o = &t->all->options;
	struct trunk_request *r = &t->request;
	struct err e = ERR_INIT;

	if (ask_room(t, &e) != OK ||
		spool_take(o->spool, t->name, t->len, &t->sig, &t->file, &e) !=
			OK) {
		fail(t, &e);
		return;
	}
	o->path(o->arg, &t->path, t->name, t->len);
	*r = (struct trunk_request){
		.kind = TRUNK_FETCH,
		.fetch = {.path = (const uint8_t *)t->path.s,
			.path_len = t->path.len,
			.spool = t->file.fd,
			.offset = t->file.have,
			.prefix_sum = t->file.have > 0 ? t->file.sum : NULL,
			.window = WINDOW,
			.max_size = t->sig.size > 0 ? t->sig.size : SIDE_MAX},
		.event = on_event,
		.finished = on_finished,
		.arg = t,
	};
	transfer_expect(&r->fetch.expected, &t->sig);
	t->marked = t->file.have;
	t->marked_at = clock_mono();
	t->state = TRANSFER_RUNNING;
	trunk_ask(o->trunk, r);
}

static uint64_t
spool_limit(const struct transfers *all)
{
	return all->options.place != NULL ? all->options.place->spool
					  : SIDE_MAX;
}

static size_t
large_running(const struct transfers *all)
{
	size_t n = 0;

	for (const struct transfer *t = all->list; t != NULL; t = t->next)
		n += t->state == TRANSFER_RUNNING && is_large(t);
	return n;
}

/* Begins what is wanted, as far as it may come beforehand. */
static void
begin_some(struct transfers *all)
{
	size_t large = large_running(all);
	bool small_full = false, large_full = false;

	if (is_cancelled(all))
		return;
	for (struct transfer *t = all->list;
		t != NULL && !(small_full && large_full); t = t->next) {
		if (t->state != TRANSFER_WANTED || t->wanted_now)
			continue;
		if (!is_large(t)) {
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
		begin(t);
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

/* ---- reading ---- */

static enum rc
transfer_read(struct feed *f, void *p, size_t n, size_t *ret_got, struct err *e)
{
	struct transfer *t = (struct transfer *)f;
	struct transfers *all = t->all;
	enum rc rc = OK;

	/* Also where all of it is here, which may be a lot to read. */
	if (is_cancelled(all))
		return err_set(e, AGAIN, "cancelled");
	pthread_mutex_lock(&all->lock);
	while (t->state != TRANSFER_OVER && t->have - t->pos < n)
		pthread_cond_wait(&all->changed, &all->lock);
	if (t->state == TRANSFER_OVER && t->err.code != OK) {
		*e = t->err;
		rc = e->code == END ? err_raise(e, BAD_ITEM) : e->code;
	} else if (t->have - t->pos < n) {
		n = (size_t)(t->have - t->pos);
	}
	pthread_mutex_unlock(&all->lock);
	if (rc != OK)
		return rc;
	if (io_pread(t->file.fd, p, n, t->pos, ret_got, BROKEN, e) != OK)
		return err_add(e, "spool");
	if (*ret_got < n)
		return err_set(e, AGAIN,
			"spool: the file of it is shorter than what came");
	t->pos += n;
	return OK;
}

static enum rc
transfer_rewind(struct feed *f, struct err *e UNUSED)
{
	((struct transfer *)f)->pos = 0;
	return OK;
}

static enum rc
transfer_whole(struct feed *f, int *ret_fd, struct err *e)
{
	struct transfer *t = (struct transfer *)f;
	enum rc rc = OK;

	pthread_mutex_lock(&t->all->lock);
	while (t->state != TRANSFER_OVER)
		pthread_cond_wait(&t->all->changed, &t->all->lock);
	if (t->err.code != OK) {
		*e = t->err;
		rc = e->code == END ? err_raise(e, BAD_ITEM) : e->code;
	}
	pthread_mutex_unlock(&t->all->lock);
	*ret_fd = t->file.fd;
	return rc;
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

static void
wait_over(struct transfer *t)
{
	while (t->state == TRANSFER_RUNNING)
		pthread_cond_wait(&t->all->changed, &t->all->lock);
}

static void
transfer_free(struct feed *f)
{
	struct transfer *t = (struct transfer *)f;
	struct transfers *all = t->all;

	pthread_mutex_lock(&all->lock);
	if (t->state == TRANSFER_RUNNING)
		trunk_cancel(all->options.trunk, &t->request);
	wait_over(t);
	drop(t);
	begin_some(all);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

static const struct feed_ops transfer_ops = {
	.read = transfer_read,
	.rewind = transfer_rewind,
	.whole = transfer_whole,
	.free = transfer_free,
};

/* A large file waits until those being read leave it room. Under lock. */
static enum rc
take_share(struct transfer *t, struct err *e)
{
	struct transfers *all = t->all;
	uint64_t share = spool_limit(all) - spool_limit(all) / 4;

	if (!is_large(t))
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
		begin(t);
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

		wait_over(t);
		/* It was not its turn: what is there of it is for the next. */
		spool_keep(all->options.spool, t->name, t->len);
		drop(t);
	}
	pthread_mutex_unlock(&all->lock);
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
