/*
 * One object on its way into a landing file.
 *
 *	source -> window -> hash, scan, index -> frames -> pool -> fd, in order
 *
 * The window is the raw buffer of the task being filled: bytes are read into
 * it, hashed and scanned while the cache holds them, and the buffer itself
 * goes to a compressing thread when the index has cut the frame. Only what
 * lies behind the cut is copied, at most POOL_SLACK bytes ordinarily.
 */
#include "landfall/land.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/durable.h"
#include "base/mem.h"
#include "land/again.h"
#include "land/land-state.h"

/* One read: large enough to be cheap, small enough to stay in the cache. */
#define STEP (256u << 10)

/* Written bytes after which the kernel is asked to begin writing back. */
#define WRITEBACK (4u << 20)

struct land *
land_new(struct land_pool *p, const struct dialect *d, int fd, int spool,
	uint64_t prefix)
{
	struct land *l = mem_alloc(sizeof(*l));

	l->pool = p;
	l->fd = fd;
	l->prefix = prefix;
	l->dialect = *d;
	hash_init(&l->hash);
	hash_init(&l->file_hash);
	index_init(&l->index, spool);
	l->scan = scan_new(d, &index_sink, &l->index);
	l->fill = pool_take(p);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->moved, NULL);
	return l;
}

/* Until every frame handed on is put, or given up after a failure. */
static void
wait_for_frames(struct land *l, unsigned most)
{
	pthread_mutex_lock(&l->lock);
	while (l->in_flight > most)
		pthread_cond_wait(&l->moved, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

void
land_free(struct land *l)
{
	if (l == NULL)
		return;
	wait_for_frames(l, 0);
	pool_give(l->pool, l->fill);
	scan_free(l->scan);
	index_release(&l->index);
	hash_release(&l->hash);
	hash_release(&l->file_hash);
	pthread_cond_destroy(&l->moved);
	pthread_mutex_destroy(&l->lock);
	again_free(l->again);
	free(l->entry);
	free(l);
}

/* ---- the file ---- */

static enum rc
write_bytes(struct land *l, const void *p, size_t n, struct err *e)
{
	if (io_write(l->fd, p, n, BROKEN, e) != OK)
		return err_add(e, "zone: staged landing file");
	hash_add(&l->file_hash, p, n);
	l->offset += n;
	if (l->offset - l->hinted >= WRITEBACK) {
		durable_hint(l->fd, l->hinted, l->offset - l->hinted);
		l->hinted = l->offset;
	}
	return OK;
}

enum rc
land_flush(struct land *l, struct err *e)
{
	size_t n = l->gathered;

	l->gathered = 0;
	return n > 0 ? write_bytes(l, l->gather, n, e) : OK;
}

static enum rc
put_bytes(struct land *l, const void *p, size_t n, struct err *e)
{
	if (n > LAND_GATHER - l->gathered && land_flush(l, e) != OK)
		return e->code;
	if (n > LAND_GATHER)
		return write_bytes(l, p, n, e);
	memcpy(l->gather + l->gathered, p, n);
	l->gathered += n;
	return OK;
}

static void
add_entry(struct land *l, uint64_t compressed, uint64_t raw)
{
	if (l->n_entries == l->cap_entries) {
		l->cap_entries = l->cap_entries > 0 ? 2 * l->cap_entries : 8;
		l->entry =
			mem_resize(l->entry, l->cap_entries, sizeof(*l->entry));
	}
	l->entry[l->n_entries++] = (struct land_entry){
		.compressed = (uint32_t)compressed,
		.raw = (uint32_t)raw,
	};
}

/* The next data frame of the file. */
static enum rc
put_frame(struct land *l, const struct task *t, struct err *e)
{
	add_entry(l, t->out_len, t->raw_len);
	return put_bytes(l, t->out, t->out_len, e);
}

/*
 * An empty zstd frame (RFC 8878 section 3.1.1): magic, a header that says
 * single segment and content size 0, and one last raw block of no bytes.
 */
static enum rc
put_tripwire(struct land *l, struct err *e)
{
	static const uint8_t empty[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00};

	add_entry(l, sizeof(empty), 0);
	return put_bytes(l, empty, sizeof(empty), e);
}

/* Takes the task that is next in the file out of ready; NULL: not there. */
static struct task *
next_ready(struct land *l)
{
	for (struct task **t = &l->ready; *t != NULL; t = &(*t)->next) {
		if ((*t)->number == l->put) {
			struct task *found = *t;

			*t = found->next;
			return found;
		}
	}
	return NULL;
}

void
land_frame_done(struct task *t)
{
	struct land *l = t->land;
	struct land_pool *pool = l->pool;

	pthread_mutex_lock(&l->lock);
	t->next = l->ready;
	l->ready = t;
	/* One thread writes; the others leave their frame and go on. */
	if (!l->writing) {
		l->writing = true;
		while ((t = next_ready(l)) != NULL) {
			struct err e = ERR_INIT;
			bool failed = l->err.code != OK;

			pthread_mutex_unlock(&l->lock);
			if (!failed)
				(void)put_frame(l, t, &e);
			pool_give(pool, t);
			pthread_mutex_lock(&l->lock);
			if (e.code != OK)
				l->err = e;
			l->put++;
			l->in_flight--;
			pthread_cond_signal(&l->moved);
		}
		l->writing = false;
	}
	/* After this unlock the object may be gone. */
	pthread_mutex_unlock(&l->lock);
}

/* ---- from window to frames ---- */

/* Hand the first n bytes of the window to the pool as the next frame. */
static enum rc
send_frame(struct land *l, size_t n, struct err *e)
{
	struct task *t = l->fill;
	size_t rest = l->len - n;

	if (l->sent == 0 && put_tripwire(l, e) != OK)
		return e->code;
	if (l->head == 0 && rest <= n && rest <= POOL_RAW) {
		l->fill = pool_take(l->pool);
		memcpy(l->fill->raw, t->raw + n, rest);
	} else {
		/* A record larger than a frame: the rest stays in place. */
		t = pool_take(l->pool);
		memcpy(t->raw, l->fill->raw + l->head, n);
		l->head += n;
	}
	t->raw_len = n;
	t->land = l;
	t->number = l->sent++;
	l->base += n;
	l->len = rest;
	l->settled = l->settled > n ? l->settled - n : 0;
	wait_for_frames(l, pool_threads(l->pool) + 1);
	pthread_mutex_lock(&l->lock);
	*e = l->err;
	if (e->code == OK)
		l->in_flight++;
	pthread_mutex_unlock(&l->lock);
	if (e->code != OK) {
		pool_give(l->pool, t);
		return e->code;
	}
	pool_submit(l->pool, t);
	return OK;
}

/* Hand on every frame the index has cut. */
static enum rc
send_cut_frames(struct land *l, struct err *e)
{
	while (l->sent < l->index.closed) {
		uint64_t end = l->index.frame[l->sent + 1].start;

		if (send_frame(l, (size_t)(end - l->base), e) != OK)
			return e->code;
	}
	return OK;
}

uint8_t *
land_room(struct land *l, size_t *ret_n)
{
	size_t want = STEP;

	/* Stop just behind where the frame must be cut. */
	if (l->len < POOL_RAW && POOL_RAW - l->len < want)
		want = POOL_RAW - l->len;
	if (l->head > 0 && l->head + l->len + want > l->fill->raw_cap) {
		memmove(l->fill->raw, l->fill->raw + l->head, l->len);
		l->head = 0;
	}
	if (l->head + l->len + want > l->fill->raw_cap)
		pool_grow(l->fill, 2 * l->fill->raw_cap + STEP);
	*ret_n = want;
	return l->fill->raw + l->head + l->len;
}

static void
hash_delivered(struct land *l, const uint8_t *p, size_t n)
{
	uint64_t at = l->facts.size;

	l->facts.size += n;
	if (l->prefix > 0 && at < l->prefix && l->facts.size >= l->prefix) {
		size_t head = (size_t)(l->prefix - at);

		hash_add(&l->hash, p, head);
		hash_peek(&l->hash, l->facts.prefix_sha256);
		l->facts.has_prefix = true;
		p += head;
		n -= head;
	}
	hash_add(&l->hash, p, n);
}

static enum rc
scan_window(struct land *l, bool last, struct err *e)
{
	const uint8_t *window = l->fill->raw + l->head;

	l->settled += scan_step(
		l->scan, window + l->settled, l->len - l->settled, last);
	if (index_settled(&l->index, l->base + l->settled, e) != OK)
		return e->code;
	return send_cut_frames(l, e);
}

enum rc
land_add(struct land *l, size_t n, struct err *e)
{
	hash_delivered(l, l->fill->raw + l->head + l->len, n);
	l->len += n;
	return scan_window(l, false, e);
}

enum rc
land_settle(struct land *l, struct landed *ret, struct err *e)
{
	if (scan_window(l, true, e) != OK ||
		index_end(&l->index, l->facts.size, e) != OK)
		return e->code;
	if (l->sent > 0) {
		if (l->len > 0 && send_frame(l, l->len, e) != OK)
			return e->code;
		wait_for_frames(l, 0);
		if (l->err.code != OK) {
			*e = l->err;
			return e->code;
		}
	} else {
		/* One frame: cheaper here than by way of another thread. */
		l->fill->raw_len = l->len;
		pool_compress(l->pool, l->fill);
		if (put_frame(l, l->fill, e) != OK)
			return e->code;
	}
	hash_end(&l->hash, l->facts.bytes_sha256);
	scan_totals(l->scan, &l->facts.totals);
	l->facts.seen = l->index.n_seen;
	l->facts.totals.records -= l->facts.seen;
	l->facts.header = l->index.header;
	l->facts.trailer = l->index.trailer;
	*ret = l->facts;
	return OK;
}

enum rc
land_part(struct land *l, struct err *e)
{
	size_t room;
	uint8_t *p;

	if (scan_window(l, true, e) != OK)
		return e->code;
	p = land_room(l, &room);
	*p = '\n';
	hash_delivered(l, p, 1);
	l->len++;
	l->settled++;
	scan_part(l->scan);
	if (index_settled(&l->index, l->base + l->settled, e) != OK)
		return e->code;
	return send_cut_frames(l, e);
}

void
land_seen(struct land *l,
	bool (*seen)(void *arg, uint64_t offset, uint64_t length), void *arg)
{
	l->index.seen = seen;
	l->index.seen_arg = arg;
}

/* ---- the trailer ---- */

static enum rc
put_skippable_head(
	struct land *l, uint32_t magic, uint64_t payload, struct err *e)
{
	uint8_t head[FORMAT_SKIPPABLE_HEAD];

	put_le32(head, magic);
	put_le32(head + 4, (uint32_t)payload);
	return put_bytes(l, head, sizeof(head), e);
}

static enum rc
put_index_part(void *arg, const void *p, size_t n, struct err *e)
{
	return put_bytes(arg, p, n, e);
}

static enum rc
put_index(struct land *l, struct err *e)
{
	uint64_t size = index_size(&l->index);

	if (put_skippable_head(l, FORMAT_SKIPPABLE_MAGIC, size, e) != OK)
		return e->code;
	add_entry(l, FORMAT_SKIPPABLE_HEAD + size, 0);
	return index_write(&l->index, put_index_part, l, e);
}

static enum rc
put_provenance(struct land *l, const struct provenance *p, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	uint8_t head[FORMAT_PROVENANCE_HEAD];

	provenance_write(p, &text);
	if (text.len > FORMAT_PROVENANCE_MAX)
		return err_set(
			e, BAD_ITEM, "provenance of %zu bytes", text.len);
	memcpy(head, FORMAT_PROVENANCE_TAG, 4);
	put_le16(head + 4, FORMAT_PROVENANCE_VERSION);
	put_le16(head + 6, 0);
	add_entry(l, FORMAT_SKIPPABLE_HEAD + sizeof(head) + text.len, 0);
	if (put_skippable_head(l, FORMAT_SKIPPABLE_MAGIC,
		    sizeof(head) + text.len, e) != OK ||
		put_bytes(l, head, sizeof(head), e) != OK)
		return e->code;
	return put_bytes(l, text.s, text.len, e);
}

static enum rc
put_seek_table(struct land *l, struct err *e)
{
	size_t size = l->n_entries * FORMAT_SEEK_ENTRY + FORMAT_SEEK_FOOTER;
	CLEANUP(mem_release) uint8_t *table = mem_alloc(size);
	uint8_t *at = table;

	for (size_t i = 0; i < l->n_entries; i++, at += FORMAT_SEEK_ENTRY) {
		put_le32(at, l->entry[i].compressed);
		put_le32(at + 4, l->entry[i].raw);
	}
	put_le32(at, (uint32_t)l->n_entries);
	at[4] = 0;
	put_le32(at + 5, FORMAT_SEEK_FOOTER_MAGIC);
	if (put_skippable_head(l, FORMAT_SEEK_MAGIC, size, e) != OK)
		return e->code;
	return put_bytes(l, table, size, e);
}

enum rc
land_finish(struct land *l, const struct provenance *p, struct landed *ret,
	struct err *e)
{
	if (put_index(l, e) != OK || put_provenance(l, p, e) != OK ||
		put_seek_table(l, e) != OK || land_flush(l, e) != OK)
		return e->code;
	hash_end(&l->file_hash, l->facts.file_sha256);
	l->facts.file_size = l->offset;
	*ret = l->facts;
	return OK;
}
