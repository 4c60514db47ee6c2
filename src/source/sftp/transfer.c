/*
 * One file, from what the server said of it to its last byte.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "source/sftp/transfer-state.h"

/* So much of what was there is compared when a fetch goes on. */
#define WINDOW (UINT64_C(64) << 10)

/* Between two marks. */
#define MARK_BYTES (UINT64_C(4) << 20)
#define MARK_TIME CLOCK_SECOND

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

/* ---- beginning; under lock ---- */

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

	if (p == NULL || p->room == NULL || !transfer_is_large(t))
		return OK;
	rc = p->room(p->arg, t->sig.size, &why, e);
	if (rc != END)
		return rc;
	err_set(e, BAD_ITEM, "%s", why.s);
	e->cause = ENOSPC;
	return BAD_ITEM;
}

void
transfer_begin(struct transfer *t)
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
			.max_size = t->sig.size > 0 ? t->sig.size
						    : TRANSFER_SIDE_MAX},
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

/* ---- reading ---- */

void
transfer_wait(struct transfer *t)
{
	while (t->state == TRANSFER_RUNNING)
		pthread_cond_wait(&t->all->changed, &t->all->lock);
}

/* For who reads it: also a file that is gone is a failure. Under lock. */
static enum rc
outcome(const struct transfer *t, struct err *e)
{
	if (t->err.code == OK)
		return OK;
	*e = t->err;
	return e->code == END ? err_raise(e, BAD_ITEM) : e->code;
}

static enum rc
transfer_read(struct feed *f, void *p, size_t n, size_t *ret_got, struct err *e)
{
	struct transfer *t = (struct transfer *)f;
	struct transfers *all = t->all;
	enum rc rc = OK;

	/* Also where all of it is here, which may be a lot to read. */
	if (transfers_cancelled(all))
		return err_set(e, AGAIN, "cancelled");
	pthread_mutex_lock(&all->lock);
	while (t->state != TRANSFER_OVER && t->have - t->pos < n)
		pthread_cond_wait(&all->changed, &all->lock);
	if (t->state == TRANSFER_OVER)
		rc = outcome(t, e);
	if (t->have - t->pos < n)
		n = (size_t)(t->have - t->pos);
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
	enum rc rc;

	pthread_mutex_lock(&t->all->lock);
	transfer_wait(t);
	rc = outcome(t, e);
	pthread_mutex_unlock(&t->all->lock);
	*ret_fd = t->file.fd;
	return rc;
}

static void
transfer_free(struct feed *f)
{
	transfers_leave((struct transfer *)f);
}

const struct feed_ops transfer_ops = {
	.read = transfer_read,
	.rewind = transfer_rewind,
	.whole = transfer_whole,
	.free = transfer_free,
};
