#include "unpack/walk.h"

#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/names.h"
#include "unpack/reader.h"

/* Names of one archive that are remembered, to see which come again. */
#define NAMES_BYTES (32u << 20)
#define NAMES_SMALL (2u << 20) /* so many take no memory worth a word */

/* One archive that is being read. */
struct level {
	unsigned depth; /* 0: the object */
	struct input *in;
	const struct reader_ops *ops;
	struct reader *r;
	struct names seen;
	uint64_t *times; /* each name of seen came */
	size_t cap;
};

static const uint8_t zeros[INPUT_PIECE];

/* ---- what is told ---- */

static void
tell_plain(struct walk *w, uint32_t type)
{
	message_begin(&w->m, type);
	tell_message(w->tell, &w->m);
}

static void
tell_text(struct walk *w, uint32_t type, const struct err *why)
{
	size_t n = strlen(why->text);

	message_begin(&w->m, type);
	message_put_bytes(&w->m, why->text, n < TEXT_MAX ? n : TEXT_MAX);
	tell_message(w->tell, &w->m);
}

static uint64_t
packed_look(const struct unpack_look *l)
{
	return (uint64_t)l->content | (uint64_t)l->named << 8 |
		(uint64_t)l->named_tar << 16 | (uint64_t)l->document << 17;
}

struct telling {
	enum unpack_type type;
	const struct reader_entry *entry;
	uint64_t size, nth;
	const char *finding;
	struct unpack_look look;
	const uint8_t *sha256; /* NULL: none */
};

static void
tell_member(struct walk *w, const struct telling *t)
{
	struct message *m = &w->m;

	message_begin(m, FRAME_MEMBER);
	message_put_u64(m, t->type);
	message_put_bytes(m, t->entry->name, t->entry->name_len);
	message_put_u64(m, t->size);
	message_put_u64(m, t->entry->has_mtime);
	message_put_u64(m, (uint64_t)t->entry->mtime);
	message_put_u64(m, t->nth);
	message_put_text(m, t->finding != NULL ? t->finding : "");
	message_put_u64(m, packed_look(&t->look));
	message_put_bytes(m, t->sha256, t->sha256 != NULL ? HASH_LEN : 0);
	tell_message(w->tell, m);
}

/* Context for a human: which member, of all so far. */
static void
in_member(const struct walk *w, const struct reader_entry *t, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_quoted(&s, t->name, t->name_len);
	err_add(e, "member %s (number %llu)", s.s,
		(unsigned long long)w->budget.members);
}

/* A limit: whoever is around does not go on either. */
static enum rc
over(struct walk *w, enum rc rc)
{
	if (rc != OK)
		w->over = true;
	return rc;
}

/* ---- the bytes of a member ---- */

/* The first bytes, and what is left of the block the last of them was in. */
struct first {
	uint8_t head[UNPACK_HEAD];
	size_t n;
	const uint8_t *rest;
	size_t rest_n;
	enum rc rc; /* OK: there is more; END: that was all */
};

static enum rc
next_block(struct level *lv, const uint8_t **p, size_t *n, struct err *e)
{
	enum rc rc = lv->ops->data(lv->r, p, n, e);

	if (rc == OK && *p == NULL)
		*p = zeros;
	return rc;
}

static void
read_first(struct level *lv, struct first *f, struct err *e)
{
	*f = (struct first){.n = 0};
	while (f->n < sizeof(f->head) && f->rc == OK) {
		const uint8_t *p;
		size_t n, room = sizeof(f->head) - f->n;

		f->rc = next_block(lv, &p, &n, e);
		if (f->rc != OK)
			return;
		if (room > n)
			room = n;
		memcpy(f->head + f->n, p, room);
		f->n += room;
		f->rest = p + room;
		f->rest_n = n - room;
	}
}

/* Where the bytes go: to the other side, or into a spool. */
struct sink {
	int spool; /* -1: they are told */
	unsigned level;
	uint64_t granted, size;
	struct hash hash;
};

static enum rc
put(struct walk *w, struct sink *s, const uint8_t *p, size_t n, struct err *e)
{
	enum rc rc;

	if (n == 0)
		return OK;
	rc = budget_bytes(&w->budget, n, e);
	if (rc != OK)
		return over(w, rc);
	s->size += n;
	if (s->spool < 0) {
		tell_data(w->tell, p, n);
		return OK;
	}
	while (s->size > s->granted) {
		s->granted += SPOOL_STEP;
		rc = w->spool(w, s->level, s->granted, false, &s->spool, e);
		if (rc != OK)
			return over(w, rc);
	}
	hash_add(&s->hash, p, n);
	return over(w, io_write(s->spool, p, n, AGAIN, e));
}

static enum rc
put_all(struct walk *w, struct level *lv, struct sink *s, struct first *f,
	struct err *e)
{
	enum rc rc = put(w, s, f->head, f->n, e);

	if (rc == OK)
		rc = put(w, s, f->rest, f->rest_n, e);
	if (rc != OK || f->rc != OK)
		return rc != OK ? rc : f->rc;
	for (;;) {
		const uint8_t *p;
		size_t n;

		rc = next_block(lv, &p, &n, e);
		if (rc == OK)
			rc = put(w, s, p, n, e);
		if (rc != OK)
			return rc;
	}
}

/* ---- members ---- */

/* It could not be read: then nothing is known of what was to come. */
static bool
is_unread(struct walk *w, struct err *e)
{
	if (w->fault.code == OK)
		return false;
	if (!w->over)
		*e = w->fault;
	w->over = true;
	return true;
}

static enum rc
spoiled(struct walk *w, const struct reader_entry *entry, struct err *e)
{
	bool unread = is_unread(w, e);

	in_member(w, entry, e);
	if (unread)
		return e->code;
	tell_text(w, FRAME_SPOILED, e);
	return OK;
}

static enum rc
give_file(struct walk *w, struct level *lv, struct telling *t, struct first *f,
	struct err *e)
{
	struct sink s = {.spool = -1};
	enum rc rc;

	tell_member(w, t);
	/* put_all says it again, unless a limit comes first. */
	rc = put_all(w, lv, &s, f, e);
	if (rc == END) {
		tell_plain(w, FRAME_GOOD);
		return OK;
	}
	if (w->over) {
		in_member(w, t->entry, e);
		return rc;
	}
	return spoiled(w, t->entry, e);
}

static enum rc walk_archive(struct walk *w, struct input *in,
	const uint8_t *name, size_t len, unsigned depth, struct err *e);

/* The archive inside, complete in its spool, is read as any other. */
static enum rc
give_inside(struct walk *w, struct level *lv, struct telling *t, struct sink *s,
	struct err *e)
{
	struct input in = {.fd = s->spool,
		.size = s->size,
		.fault = &w->fault,
		.more = w->more};
	CLEANUP(mem_release)
	uint8_t *name = mem_dup(t->entry->name, t->entry->name_len);
	size_t len = t->entry->name_len;
	enum rc rc;

	t->type = UNPACK_ARCHIVE;
	t->size = s->size;
	tell_member(w, t);
	rc = walk_archive(w, &in, name, len, lv->depth + 1, e);
	if (rc != OK && !w->over && !is_unread(w, e)) {
		CLEANUP(str_release) struct str q = STR_INIT;

		str_add_quoted(&q, name, len);
		err_add(e, "archive %s", q.s);
		tell_text(w, FRAME_SPOILED, e);
		rc = OK;
	}
	if (rc == OK)
		tell_plain(w, FRAME_LEAVE);
	return rc;
}

static enum rc
give_archive(struct walk *w, struct level *lv, struct telling *t,
	struct first *f, struct err *e)
{
	struct sink s = {.spool = -1, .level = lv->depth};
	uint8_t sum[HASH_LEN];
	enum rc rc;

	s.granted = SPOOL_STEP;
	rc = over(w, w->spool(w, s.level, s.granted, true, &s.spool, e));
	if (rc != OK)
		return rc;
	hash_init(&s.hash);
	rc = put_all(w, lv, &s, f, e);
	hash_end(&s.hash, sum);
	t->sha256 = sum;
	if (rc == END)
		return give_inside(w, lv, t, &s, e);
	if (w->over) {
		in_member(w, t->entry, e);
		return rc;
	}
	/* What cannot be had is a file that cannot. */
	t->sha256 = NULL;
	t->size = UNPACK_UNKNOWN;
	tell_member(w, t);
	return spoiled(w, t->entry, e);
}

/* An archive that is to be taken apart, by its bytes; a document is not. */
static enum rc
give(struct walk *w, struct level *lv, struct telling *t, struct err *e)
{
	const struct reader_entry *entry = t->entry;
	struct first f;

	read_first(lv, &f, e);
	unpack_look(f.head, f.n, entry->name, entry->name_len, &t->look);
	if (f.rc == BAD_ITEM || t->look.content == UNPACK_NOTHING ||
		t->look.document)
		return give_file(w, lv, t, &f, e);
	if (lv->depth + 2 <= w->job->limits.depth && w->job->spool)
		return give_archive(w, lv, t, &f, e);
	if (w->job->keep_deeper)
		return give_file(w, lv, t, &f, e);
	w->over = true;
	if (!w->job->spool)
		err_set(e, BAD_ITEM,
			"an archive inside an archive, and there "
			"is no place for it");
	else
		err_set(e, BAD_ITEM,
			"archives inside archives, more than %u deep "
			"(max_depth)",
			w->job->limits.depth);
	in_member(w, entry, e);
	return BAD_ITEM;
}

/* How often this name came, this time included. */
static enum rc
count_name(struct walk *w, struct level *lv, const struct reader_entry *entry,
	uint64_t *ret, struct err *e)
{
	size_t i;

	if (lv->seen.text.len > NAMES_SMALL)
		(void)input_more(lv->in);
	i = names_put(&lv->seen, entry->name, entry->name_len);
	if (i == NAMES_FULL)
		return over(w,
			err_set(e, BAD_ITEM,
				"its names are too long "
				"together"));
	if (i >= lv->cap) {
		size_t cap = lv->cap > 0 ? 2 * lv->cap : 64;

		lv->times = mem_resize(lv->times, cap, sizeof(*lv->times));
		memset(lv->times + lv->cap, 0,
			(cap - lv->cap) * sizeof(*lv->times));
		lv->cap = cap;
	}
	*ret = ++lv->times[i];
	if (*ret > 1 && !w->job->number)
		return err_set(e, BAD_ITEM,
			"a member of this name came "
			"before");
	return OK;
}

static enum rc
member(struct walk *w, struct level *lv, const struct reader_entry *entry,
	struct err *e)
{
	const char *finding = walk_name(entry->name, entry->name_len);
	struct telling t = {.type = entry->type,
		.entry = entry,
		.size = entry->size,
		.nth = 1};
	enum rc rc;

	rc = budget_member(&w->budget, entry->name_len, lv->depth + 1, e);
	if (rc != OK)
		return over(w, rc);
	if (entry->type == UNPACK_FINDING)
		finding = entry->finding->s;
	if (finding != NULL)
		t.type = UNPACK_FINDING;
	t.finding = finding;
	if (t.type == UNPACK_FILE) {
		rc = count_name(w, lv, entry, &t.nth, e);
		if (rc == OK)
			return give(w, lv, &t, e);
		in_member(w, entry, e);
		return rc;
	}
	tell_member(w, &t);
	return OK;
}

static enum rc
members(struct walk *w, struct level *lv, struct err *e)
{
	struct reader_entry entry;
	enum rc rc;

	while ((rc = lv->ops->next(lv->r, &entry, e)) == OK) {
		rc = member(w, lv, &entry, e);
		if (rc != OK)
			return rc;
	}
	return rc == END ? OK : rc;
}

/* ---- archives ---- */

/*
 * Is it a tar archive that is compressed here? The stream begins again
 * afterwards. What is damaged so early is no tar archive.
 */
static bool
holds_tar(enum unpack_kind kind, struct input *in, bool named)
{
	uint8_t head[UNPACK_HEAD];
	struct unpack_look look;
	struct stream *s;
	struct err e = ERR_INIT;
	const uint8_t *p;
	size_t n, len = 0;

	if (stream_open(kind, in, &s, &e) != OK) {
		in->at = 0;
		return false;
	}
	while (len < sizeof(head) && stream_next(s, &p, &n, &e) == OK) {
		if (n > sizeof(head) - len)
			n = sizeof(head) - len;
		memcpy(head + len, p, n);
		len += n;
	}
	stream_free(s);
	in->at = 0;
	unpack_look(head, len, (const uint8_t *)"x.tar", named ? 5 : 1, &look);
	return look.content == UNPACK_TAR;
}

/* Which reader; its stream is open. */
static enum rc
choose(const struct unpack_look *look, struct reader_from *from,
	const struct reader_ops **ret, struct err *e)
{
	*ret = &reader_zip;
	if (look->content == UNPACK_ZIP)
		return OK;
	*ret = &reader_tar;
	if (look->content == UNPACK_TAR)
		return stream_open(UNPACK_TAR, from->in, &from->stream, e);
	if (!holds_tar(look->content, from->in, look->named_tar)) {
		if (look->named_tar)
			return err_set(e, BAD_ITEM,
				"its name says tar, and what is compressed in "
				"it with %s is none, or damaged",
				unpack_kind_name(look->content));
		*ret = &reader_single;
	}
	return stream_open(look->content, from->in, &from->stream, e);
}

static enum rc
walk_archive(struct walk *w, struct input *in, const uint8_t *name, size_t len,
	unsigned depth, struct err *e)
{
	struct reader_from from = {.in = in,
		.name = name,
		.name_len = len,
		.password = w->job->password.s,
		.limits = &w->job->limits};
	struct level lv = {.depth = depth,
		.in = in,
		.seen = NAMES_INIT(
			(size_t)w->job->limits.members, NAMES_BYTES)};
	struct unpack_look look;
	uint8_t head[UNPACK_HEAD];
	size_t n = in->size < sizeof(head) ? (size_t)in->size : sizeof(head);
	enum rc rc = input_at(in, head, n, 0, e);

	if (rc != OK)
		return rc;
	unpack_look(head, n, name, len, &look);
	from.kind = look.content;
	if (look.content == UNPACK_NOTHING)
		return err_set(e, BAD_ITEM, "its bytes are no archive");
	rc = choose(&look, &from, &lv.ops, e);
	if (rc == OK)
		rc = lv.ops->open(&from, &lv.r, e);
	if (rc != OK)
		return rc;
	rc = members(w, &lv, e);
	lv.ops->close(lv.r);
	names_release(&lv.seen);
	mem_release(&lv.times);
	return rc;
}

void
walk(struct walk *w, int fd)
{
	struct input in = {.fd = fd,
		.size = w->job->size,
		.done = w->done,
		.fault = &w->fault,
		.more = w->more};
	struct err e = ERR_INIT;
	enum rc rc = walk_archive(w, &in, (const uint8_t *)w->job->name.s,
		w->job->name.len, 0, &e);

	if (is_unread(w, &e))
		tell_text(w, FRAME_UNREAD, &e);
	else if (rc == OK)
		tell_plain(w, FRAME_END);
	else
		tell_text(w, e.code == AGAIN ? FRAME_NO_ROOM : FRAME_OVER, &e);
	tell_flush(w->tell);
}
