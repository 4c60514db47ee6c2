#include "unpack/hear.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

void
hear_init(struct hear *h, const struct unpack_limits *l, uint64_t object)
{
	*h = (struct hear){
		.budget = {.limits = l, .object = object},
		.state = HEAR_BETWEEN,
		.name = STR_INIT,
		.finding = STR_INIT,
	};
	for (size_t i = 0; i < ARRAY_LEN(h->in); i++)
		h->in[i].name = (struct str)STR_INIT;
}

void
hear_release(struct hear *h)
{
	str_release(&h->name);
	str_release(&h->finding);
	for (size_t i = 0; i < ARRAY_LEN(h->in); i++)
		str_release(&h->in[i].name);
}

enum rc
hear_give_up(struct hear *h, const struct err *e)
{
	h->state = HEAR_OVER;
	h->why = *e;
	h->at = h->len;
	h->data = 0;
	return e->code;
}

static enum rc
hear_over(struct hear *h, struct err *e)
{
	*e = h->why;
	return e->code;
}

static enum rc
hear_nonsense(struct hear *h, const char *what, struct err *e)
{
	err_set(e, BAD_ITEM, "the unpack child talks nonsense: %s", what);
	return hear_give_up(h, e);
}

void
hear_slot(struct hear *h, const uint8_t *p, size_t n)
{
	h->slot = p;
	h->len = n;
	h->at = 0;
}

bool
hear_is_done(const struct hear *h)
{
	return h->at == h->len;
}

/* The bytes of the slot change under us: each is looked at once. */
static void
take(struct hear *h, void *p, size_t n)
{
	memcpy(p, h->slot + h->at, n);
	__asm__ volatile("" ::: "memory");
	h->at += n;
}

static void
hear_align(struct hear *h)
{
	h->at = FRAME_ALIGN(h->at);
	if (h->at > h->len)
		h->at = h->len;
}

/*
 * The next frame: a FRAME_DATA's bytes are still in the slot, another's are
 * h->m's. AGAIN: the slot is empty.
 */
static enum rc
hear_frame(struct hear *h, struct err *e)
{
	uint8_t head[FRAME_HEAD];
	size_t n;

	if (h->at == h->len)
		return AGAIN;
	if (h->len - h->at < FRAME_HEAD)
		return hear_nonsense(h, "half a frame", e);
	take(h, head, sizeof(head));
	message_begin(&h->m, get_le32(head));
	n = get_le32(head + 4);
	if (n > h->len - h->at)
		return hear_nonsense(h, "a frame beyond its slot", e);
	if (h->m.type == FRAME_DATA) {
		if (n == 0)
			return hear_nonsense(h, "no bytes", e);
		h->data = n;
		return OK;
	}
	if (n > MESSAGE_MAX)
		return hear_nonsense(h, "a frame that is too long", e);
	take(h, h->m.body, n);
	h->m.len = (uint32_t)n;
	hear_align(h);
	return OK;
}

/* What the child says of a failure: for a human, so cut and not reworded. */
static void
hear_text(struct hear *h, struct err *e)
{
	size_t n;
	const uint8_t *p = message_take_bytes(&h->m, &n);

	if (n > TEXT_MAX)
		n = TEXT_MAX;
	err_set(e, BAD_ITEM, "%.*s", (int)n, (const char *)p);
}

/*
 * A disk's fault, and not the archive's: of ours only where it was ours to
 * fill.
 */
static enum rc
hear_bad_end(struct hear *h, struct err *e)
{
	bool no_room = h->m.type == FRAME_NO_ROOM;

	if (no_room && !h->has_spool)
		return hear_nonsense(h, "a spool", e);
	hear_text(h, e);
	if (no_room || h->m.type == FRAME_UNREAD)
		err_raise(e, AGAIN);
	if (no_room)
		e->cause = ENOSPC;
	return hear_give_up(h, e);
}

/* ---- members ---- */

static void
take_str(struct message *m, struct str *s)
{
	size_t n;
	const uint8_t *p = message_take_bytes(m, &n);

	str_clear(s);
	str_addn(s, p, n);
}

static void
take_look(struct message *m, struct unpack_look *l)
{
	uint64_t v = message_take_u64(m);

	l->content = v & 0xff;
	l->named = v >> 8 & 0xff;
	l->named_tar = v >> 16 & 1;
	l->document = v >> 17 & 1;
	if (v >> 18 != 0 || l->content > UNPACK_ZSTD || l->named > UNPACK_ZSTD)
		m->bad = true;
}

static bool
take_member(struct hear *h, struct unpack_member *r)
{
	struct message *m = &h->m;
	const uint8_t *sum;
	uint64_t type = message_take_u64(m);
	size_t n;

	*r = (struct unpack_member){.type = (enum unpack_type)type};
	take_str(m, &h->name);
	r->size = message_take_u64(m);
	r->has_mtime = message_take_u64(m) != 0;
	r->mtime = (int64_t)message_take_u64(m);
	r->nth = message_take_u64(m);
	take_str(m, &h->finding);
	take_look(m, &r->look);
	sum = message_take_bytes(m, &n);
	if (!message_end(m) || type > UNPACK_FINDING || r->nth == 0 ||
		n != (type == UNPACK_ARCHIVE ? HASH_LEN : 0))
		return false;
	memcpy(r->sha256, sum, n);
	r->name = (const uint8_t *)h->name.s;
	r->name_len = h->name.len;
	if (r->type == UNPACK_FINDING)
		r->finding = h->finding.s;
	r->in = h->path;
	r->n_in = h->n_in;
	return true;
}

/* Its members say that they are in it. */
static void
hear_enter(struct hear *h)
{
	const struct unpack_member *m = &h->member;
	struct str *name = &h->in[h->n_in].name;
	struct unpack_container *c = &h->path[h->n_in];

	str_clear(name);
	str_addn(name, m->name, m->name_len);
	*c = (struct unpack_container){.name = (const uint8_t *)name->s,
		.name_len = name->len,
		.size = m->size};
	memcpy(c->sha256, m->sha256, HASH_LEN);
	h->n_in++;
}

static enum rc
hear_member(struct hear *h, struct unpack_member *ret, struct err *e)
{
	struct unpack_member *m = &h->member;

	if (!take_member(h, m))
		return hear_nonsense(h, "no member", e);
	if (m->type == UNPACK_ARCHIVE &&
		(h->n_in + 2 > h->budget.limits->depth ||
			h->n_in == UNPACK_DEPTH_MAX))
		return hear_nonsense(h, "too deep", e);
	if (budget_member(&h->budget, m->name_len, h->n_in + 1, e) != OK ||
		(m->type == UNPACK_ARCHIVE &&
			budget_bytes(&h->budget, m->size, e) != OK))
		return hear_give_up(h, e);
	*ret = *m;
	if (m->type == UNPACK_ARCHIVE)
		hear_enter(h);
	else if (m->type == UNPACK_FILE)
		h->state = HEAR_FILE;
	return OK;
}

static enum rc
hear_between(struct hear *h, struct unpack_member *ret, struct err *e)
{
	for (;;) {
		enum rc rc = hear_frame(h, e);

		if (rc != OK)
			return rc;
		switch (h->m.type) {
		case FRAME_MEMBER:
			return hear_member(h, ret, e);
		case FRAME_SPOILED:
			if (h->spoils++ >= h->budget.limits->members)
				return hear_nonsense(h, "no end of it", e);
			hear_text(h, e);
			return BAD_ITEM;
		case FRAME_LEAVE:
			if (h->n_in == 0)
				return hear_nonsense(h, "it left twice", e);
			h->n_in--;
			break;
		case FRAME_OVER:
		case FRAME_NO_ROOM:
		case FRAME_UNREAD:
			return hear_bad_end(h, e);
		case FRAME_END:
			if (h->n_in > 0 || !hear_is_done(h))
				return hear_nonsense(h, "not the end", e);
			h->state = HEAR_END;
			return END;
		default:
			return hear_nonsense(h, "a frame out of place", e);
		}
	}
}

enum rc
hear_next(struct hear *h, struct unpack_member *ret, struct err *e)
{
	while (h->state == HEAR_FILE) {
		uint8_t skipped[4096];
		size_t got = sizeof(skipped);
		enum rc rc = hear_read(h, skipped, sizeof(skipped), &got, e);

		if (rc != OK)
			return rc;
	}
	h->spoiled = false;
	if (h->state == HEAR_OVER)
		return hear_over(h, e);
	return h->state == HEAR_END ? END : hear_between(h, ret, e);
}

/* ---- bytes ---- */

static enum rc
hear_good(struct hear *h, struct err *e)
{
	const struct unpack_member *m = &h->member;

	if (m->size != UNPACK_UNKNOWN && m->size != h->budget.member)
		return hear_nonsense(h, "a size that is wrong", e);
	h->state = HEAR_BETWEEN;
	return OK;
}

/* Up to n bytes; *ret_n 0: the file's end. */
static enum rc
hear_some(struct hear *h, void *p, size_t n, size_t *ret_n, struct err *e)
{
	enum rc rc;

	while (h->data == 0) {
		rc = hear_frame(h, e);
		if (rc != OK)
			return rc;
		switch (h->m.type) {
		case FRAME_DATA:
			break;
		case FRAME_GOOD:
			*ret_n = 0;
			return hear_good(h, e);
		case FRAME_SPOILED:
			h->state = HEAR_BETWEEN;
			h->spoiled = true;
			hear_text(h, e);
			h->why = *e;
			return BAD_ITEM;
		case FRAME_OVER:
		case FRAME_NO_ROOM:
		case FRAME_UNREAD:
			return hear_bad_end(h, e);
		default:
			return hear_nonsense(h, "a frame out of place", e);
		}
	}
	if (n > h->data)
		n = h->data;
	if (budget_bytes(&h->budget, n, e) != OK)
		return hear_give_up(h, e);
	take(h, p, n);
	h->data -= n;
	if (h->data == 0)
		hear_align(h);
	*ret_n = n;
	return OK;
}

enum rc
hear_read(struct hear *h, void *p, size_t n, size_t *ret_got, struct err *e)
{
	size_t got = 0;

	*ret_got = 0;
	while (got < n && h->state == HEAR_FILE) {
		size_t some;
		enum rc rc =
			hear_some(h, (uint8_t *)p + got, n - got, &some, e);

		if (rc != OK)
			return rc;
		got += some;
		*ret_got = got;
	}
	return h->state == HEAR_OVER || h->spoiled ? hear_over(h, e) : OK;
}
