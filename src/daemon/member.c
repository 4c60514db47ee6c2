#include "daemon/member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"

/* Bytes that nobody has announced ask for room in such steps. */
#define ROOM_STEP (UINT64_C(64) << 20)

struct source {
	struct signature signature;
	int fd; /* all of it, or -1 and: */
	uint8_t *first;
	size_t n;
	struct unpack *unpack; /* the others; NULL: there are none */
	uint64_t granted;      /* bytes there is room for */
	struct room *room;
	struct err lost;
};

struct source *
member_new(const struct signature *sig, const uint8_t *first, size_t n)
{
	struct source *s = mem_alloc(sizeof(*s));

	s->signature = *sig;
	s->fd = -1;
	s->first = mem_dup(first, n);
	s->n = n;
	return s;
}

struct source *
member_new_file(const struct signature *sig, int fd)
{
	struct source *s = member_new(sig, NULL, 0);

	s->fd = fd;
	return s;
}

void
member_free(struct source *s)
{
	if (s == NULL)
		return;
	io_drop(&s->fd);
	free(s->first);
	free(s);
}

void
member_follow(struct source *s, struct unpack *u, uint64_t told, struct room *r)
{
	s->unpack = u;
	s->granted = told > s->n ? told : s->n;
	s->room = r;
}

const char *
member_lost(const struct source *s, bool *ret_later, bool *ret_no_room)
{
	*ret_later = s->lost.code == AGAIN;
	*ret_no_room = *ret_later && s->lost.cause == ENOSPC;
	return s->lost.code != OK ? s->lost.text : NULL;
}

/* ---- its bytes ---- */

struct member_feed {
	struct feed feed;
	struct source *source;
	uint64_t at;
};

/* There is room for what was not announced, or there is none. */
static enum rc
ask_for_room(struct source *s, uint64_t upto, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum rc rc = OK;

	while (s->granted < upto && rc == OK) {
		rc = room_take(s->room, ROOM_STEP, &why, e);
		if (rc != OK)
			break;
		room_give(s->room, ROOM_STEP);
		s->granted += ROOM_STEP;
	}
	return rc == END ? err_set(e, AGAIN, "%s", why.s) : rc;
}

static enum rc
read_more(struct member_feed *f, void *p, size_t n, size_t *ret_got,
	struct err *e)
{
	struct source *s = f->source;
	enum rc rc = ask_for_room(s, f->at + n, e);

	if (rc == OK)
		rc = unpack_read(s->unpack, p, n, ret_got, e);
	if (rc != OK)
		s->lost = *e;
	return rc;
}

static enum rc
member_read(
	struct feed *feed, void *p, size_t n, size_t *ret_got, struct err *e)
{
	struct member_feed *f = (struct member_feed *)feed;
	struct source *s = f->source;
	size_t had = f->at < s->n ? s->n - (size_t)f->at : 0, got = 0;

	if (had > n)
		had = n;
	if (had > 0)
		memcpy(p, s->first + f->at, had);
	f->at += had;
	if (had < n && s->unpack != NULL &&
		read_more(f, (uint8_t *)p + had, n - had, &got, e) != OK)
		return e->code;
	f->at += got;
	*ret_got = had + got;
	return OK;
}

static enum rc
member_rewind(struct feed *feed, struct err *e UNUSED)
{
	struct member_feed *f = (struct member_feed *)feed;

	if (f->at > f->source->n)
		return END;
	f->at = 0;
	return OK;
}

static void
member_feed_free(struct feed *feed)
{
	free(feed);
}

static const struct feed_ops feed_ops = {
	.read = member_read,
	.rewind = member_rewind,
	.free = member_feed_free,
};

static enum rc
member_fetch(struct source *s, const uint8_t *name UNUSED, size_t len UNUSED,
	struct feed **ret_feed, struct signature *ret, struct err *e UNUSED)
{
	struct member_feed *f;

	*ret = s->signature;
	if (s->fd >= 0) {
		*ret_feed = feed_file(s->fd);
		s->fd = -1;
		return OK;
	}
	f = mem_alloc(sizeof(*f));
	feed_init(&f->feed, &feed_ops);
	f->source = s;
	*ret_feed = &f->feed;
	return OK;
}

/* The archive is looked at again, for all of its members. */
static enum rc
member_look(struct source *s, const uint8_t *name UNUSED, size_t len UNUSED,
	enum item_type *ret_type UNUSED, struct signature *ret,
	struct err *e UNUSED)
{
	*ret = s->signature;
	return OK;
}

const struct source_ops member_ops = {
	.fetch = member_fetch,
	.look = member_look,
};
