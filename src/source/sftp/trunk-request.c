/*
 * What is asked over a trunk: queued until a connection is there, sent, asked
 * again when its connection was lost, done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/sftp/trunk-state.h"

void
trunk_ask(struct trunk *l, struct trunk_request *r)
{
	pthread_mutex_lock(&l->lock);
	r->done = r->cancelled = false;
	r->fault = SFTP_FINE;
	r->err = (struct err)ERR_INIT;
	r->lost = 0;
	r->told = r->size = r->received = 0;
	r->next = NULL;
	*l->last = r;
	l->last = &r->next;
	l->queued++;
	pthread_mutex_unlock(&l->lock);
	trunk_ring(l);
}

enum rc
trunk_wait(struct trunk *l, struct trunk_request *r, struct err *e)
{
	pthread_mutex_lock(&l->lock);
	while (!r->done)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
	if (r->fault == SFTP_FINE)
		return OK;
	*e = r->err;
	return e->code;
}

void
trunk_cancel(struct trunk *l, struct trunk_request *r)
{
	pthread_mutex_lock(&l->lock);
	r->cancelled = true;
	pthread_mutex_unlock(&l->lock);
	trunk_ring(l);
}

/* It is nobody's any more. Not under lock. */
static void
finish(struct trunk *l, struct trunk_request *r)
{
	if (r->finished != NULL) {
		r->finished(r->arg, r);
		return;
	}
	pthread_mutex_lock(&l->lock);
	r->done = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

static void
fail_request(
	struct trunk_request *r, enum sftp_fault fault, const struct err *e)
{
	r->fault = fault;
	r->err = *e;
	r->err.code = sftp_fault_rc(fault);
	if (r->err.cause != EKEYREJECTED)
		r->err.cause = 0;
}

/* ---- sending ---- */

/* The first of the queue. Under lock. */
static struct trunk_request *
take_queued(struct trunk *l)
{
	struct trunk_request *r = l->queue;

	l->queue = r->next;
	if (l->queue == NULL)
		l->last = &l->queue;
	l->queued--;
	return r;
}

/* It is asked again before others are. Under lock. */
static void
put_back(struct trunk *l, struct trunk_request *r)
{
	r->next = l->queue;
	l->queue = r;
	if (r->next == NULL)
		l->last = &r->next;
	l->queued++;
}

/* NULL: it is not sent, or not any more. An id has its place. */
static struct trunk_request *
sent_of(const struct trunk *l, uint64_t id)
{
	struct trunk_request *r = l->sent[id % TRUNK_SENT_MAX];

	return r != NULL && r->id == id ? r : NULL;
}

static enum rc
send_request(struct trunk *l, struct trunk_request *r, struct err *e)
{
	switch (r->kind) {
	case TRUNK_LIST:
		return sftp_list(l->sftp, r->id, &r->list, e);
	case TRUNK_FETCH:
		r->mark = r->fetch.offset;
		return sftp_fetch(l->sftp, r->id, &r->fetch, e);
	case TRUNK_LOOK:
		return sftp_look(l->sftp, r->id, r->one.path, r->one.path_len,
			r->one.follow, e);
	case TRUNK_REMOVE:
		return sftp_remove(l->sftp, r->id, r->one.path, r->one.path_len,
			r->one.expected, e);
	case TRUNK_MOVE:
		return sftp_move(l->sftp, r->id, &r->move, e);
	case TRUNK_PUT:
		return sftp_put(l->sftp, r->id, &r->put, e);
	}
	abort();
}

void
trunk_send(struct trunk *l)
{
	struct err e = ERR_INIT;

	while (l->queue != NULL && l->n_sent < TRUNK_SENT_MAX &&
		trunk_up(l, SLOT_UP) > 0 && !l->child_gone) {
		struct trunk_request *r = take_queued(l);

		do
			r->id = l->next_id++;
		while (l->sent[r->id % TRUNK_SENT_MAX] != NULL);
		if (send_request(l, r, &e) != OK) {
			put_back(l, r);
			l->child_gone = e.code != AGAIN;
			return;
		}
		l->sent[r->id % TRUNK_SENT_MAX] = r;
		l->n_sent++;
	}
}

void
trunk_send_cancels(struct trunk *l)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < TRUNK_SENT_MAX && l->n_sent > 0; i++)
		if (l->sent[i] != NULL && l->sent[i]->cancelled &&
			!l->child_gone &&
			sftp_cancel(l->sftp, l->sent[i]->id, &e) != OK)
			l->child_gone = true;
}

/* ---- what becomes of it ---- */

/* So much of a fetch is good. */
static void
note_size(struct trunk_request *r, uint64_t size, const uint8_t *sum)
{
	if (size <= r->size && r->size > 0)
		return;
	r->size = size;
	memcpy(r->sum, sum, HASH_LEN);
}

/* Bytes of content that are new. */
static uint64_t
progress(struct trunk *l, struct trunk_request *r, const struct sftp_event *ev)
{
	uint64_t before = r->size, fresh;

	note_size(r, ev->size, ev->sum);
	fresh = r->size > r->mark ? r->size - r->mark : 0;
	r->mark += fresh;
	if (r->size > before && before > 0) {
		r->lost = 0;
		pthread_mutex_lock(&l->lock);
		l->failures = 0;
		pthread_mutex_unlock(&l->lock);
	}
	return fresh;
}

uint64_t
trunk_told(struct trunk *l, const struct sftp_event *ev)
{
	struct trunk_request *r = sent_of(l, ev->id);
	uint64_t fresh = 0;

	if (r == NULL)
		return 0;
	if (ev->type == SFTP_PROGRESS)
		fresh = progress(l, r, ev);
	else
		r->told++;
	if (r->event != NULL)
		r->event(r->arg, ev);
	return fresh;
}

static bool
is_network(enum sftp_fault f)
{
	return f == SFTP_NETWORK || f == SFTP_GARBAGE;
}

/*
 * The connection of an unfinished request was lost. What could have been done
 * twice, or was half told, is not asked again.
 */
static bool
may_ask_again(const struct trunk *l, const struct trunk_request *r)
{
	if (l->dead || r->cancelled || r->lost >= l->options.attempts)
		return false;
	switch (r->kind) {
	case TRUNK_LIST:
		return r->told == 0;
	case TRUNK_FETCH:
	case TRUNK_LOOK:
		return true;
	default:
		return false;
	}
}

/* A fetch goes on where it was; all else begins again. Under lock. */
static void
ask_again(struct trunk *l, struct trunk_request *r)
{
	if (r->kind == TRUNK_FETCH && r->size > r->fetch.offset) {
		r->fetch.offset = r->size;
		r->fetch.prefix_sum = r->sum;
		r->lost = 0;
	}
	r->lost++;
	put_back(l, r);
}

/* It is no longer sent. False: it is in the queue again. */
static bool
conclude(struct trunk *l, struct trunk_request *r)
{
	bool again;

	pthread_mutex_lock(&l->lock);
	l->sent[r->id % TRUNK_SENT_MAX] = NULL;
	l->n_sent--;
	if (r->fault == SFTP_FINE)
		l->failures = 0;
	again = is_network(r->fault) && may_ask_again(l, r);
	if (again)
		ask_again(l, r);
	else if (is_network(r->fault) && l->dead)
		fail_request(r, r->fault, &l->why);
	pthread_mutex_unlock(&l->lock);
	return !again;
}

void
trunk_done(struct trunk *l, const struct sftp_event *ev)
{
	struct trunk_request *r = sent_of(l, ev->id);
	struct err e = ERR_INIT;

	if (r == NULL)
		return;
	r->fault = SFTP_FINE;
	if (ev->fault != SFTP_FINE) {
		err_set(&e, BAD_ITEM, "%s", ev->text);
		fail_request(r, ev->fault, &e);
	}
	r->attrs = ev->attrs;
	r->type = ev->kind;
	r->received += ev->received;
	if (r->kind == TRUNK_FETCH)
		note_size(r, ev->size, ev->sum);
	if (conclude(l, r))
		finish(l, r);
}

void
trunk_lose_sent(struct trunk *l, enum sftp_fault fault, const struct err *why)
{
	for (size_t i = 0; i < TRUNK_SENT_MAX; i++) {
		struct trunk_request *r = l->sent[i];

		if (r == NULL)
			continue;
		fail_request(r, fault, why);
		if (conclude(l, r))
			finish(l, r);
	}
}

/* ---- giving up ---- */

void
trunk_ask_no_more(struct trunk *l)
{
	for (size_t i = 0; i < TRUNK_SENT_MAX; i++)
		if (l->sent[i] != NULL)
			l->sent[i]->lost = l->options.attempts;
}

/* Those that somebody gave up, and all of them once the trunk is dead. */
static struct trunk_request *
take_hopeless(struct trunk *l)
{
	struct trunk_request **at = &l->queue;

	for (; *at != NULL; at = &(*at)->next) {
		struct trunk_request *r = *at;

		if (!r->cancelled && !l->dead)
			continue;
		*at = r->next;
		if (l->last == &r->next)
			l->last = at;
		l->queued--;
		return r;
	}
	return NULL;
}

void
trunk_drop_hopeless(struct trunk *l)
{
	struct err cancelled = ERR_INIT;
	struct trunk_request *r;

	err_set(&cancelled, AGAIN, "cancelled");
	for (;;) {
		pthread_mutex_lock(&l->lock);
		r = take_hopeless(l);
		if (r != NULL && (r->cancelled || l->stopped))
			fail_request(r, SFTP_CANCELLED, &cancelled);
		else if (r != NULL)
			fail_request(r, SFTP_NETWORK, &l->why);
		pthread_mutex_unlock(&l->lock);
		if (r == NULL)
			return;
		finish(l, r);
	}
}
