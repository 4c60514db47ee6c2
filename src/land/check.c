/*
 * Verification of one landing file: read once from front to back, everything
 * stated in it is computed again and compared.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "land/index.h"
#include "land/landing.h"

/* The stored LFIX against one built from the bytes, piece by piece. */
struct compare {
	struct landing *l;
	uint64_t at;
};

static enum rc
compare_part(void *arg, const void *p, size_t n, struct err *e)
{
	struct compare *c = arg;
	uint8_t part[4096];
	size_t got;

	for (size_t done = 0; done < n; done += got) {
		size_t want = n - done < sizeof(part) ? n - done : sizeof(part);

		if (io_pread(c->l->fd, part, want, c->at, &got, BAD_ITEM, e) !=
			OK)
			return e->code;
		if (got < want ||
			memcmp(part, (const uint8_t *)p + done, want) != 0)
			return err_set(e, BAD_ITEM,
				"LFIX: the index differs from what the bytes "
				"say, near byte %llu of the file",
				(unsigned long long)c->at);
		c->at += got;
	}
	return OK;
}

static enum rc
compare_index(struct landing *l, struct index *ix, struct err *e)
{
	struct compare c = {l, l->index_at + FORMAT_SKIPPABLE_HEAD};

	if (index_size(ix) != l->provenance_at - c.at)
		return err_set(e, BAD_ITEM,
			"LFIX: %llu bytes of index, the bytes make %llu",
			(unsigned long long)(l->provenance_at - c.at),
			(unsigned long long)index_size(ix));
	for (size_t i = 0; i < ix->closed; i++)
		if (ix->frame[i].start != l->frame[i].start)
			return err_set(e, BAD_ITEM,
				"frame %zu is cut at %llu instead of %llu", i,
				(unsigned long long)l->frame[i].start,
				(unsigned long long)ix->frame[i].start);
	return index_write(ix, compare_part, &c, e);
}

static enum rc
compare_totals(
	struct landing *l, struct scan *s, const uint8_t *sum, struct err *e)
{
	const struct provenance *p = &l->provenance;
	struct scan_totals t;

	if (memcmp(sum, p->bytes_sha256, HASH_LEN) != 0)
		return err_set(e, BAD_ITEM,
			"the delivered bytes have another SHA-256 than the "
			"provenance says");
	scan_totals(s, &t);
	if (t.bom != p->totals.bom || t.encoding != p->totals.encoding ||
		t.columns != p->totals.columns)
		return err_set(e, BAD_ITEM,
			"the provenance is wrong about the encoding or the "
			"columns");
	if (t.records != p->totals.records + p->api.seen ||
		t.malformed != p->totals.malformed ||
		t.stray_quotes != p->totals.stray_quotes ||
		t.nul_bytes != p->totals.nul_bytes ||
		t.invalid_utf8 != p->totals.invalid_utf8)
		return err_set(
			e, BAD_ITEM, "the provenance counts the records wrong");
	return OK;
}

/*
 * What was seen before cannot be known from the bytes: the stored index is
 * asked whether it says so of exactly this record.
 */
struct recollection {
	struct landing *l;
	uint32_t at; /* exceptions before it lie before the record */
};

static bool
was_seen(void *arg, uint64_t offset, uint64_t length)
{
	struct recollection *r = arg;
	struct err ignored = ERR_INIT;
	struct scan_exception x;

	for (; r->at < r->l->exceptions; r->at++) {
		if (landing_exception(r->l, r->at, &x, &ignored) != OK)
			return false;
		if (x.offset + x.length > offset)
			return x.kind == KIND_SEEN && x.offset <= offset &&
				offset + length <= x.offset + x.length;
	}
	return false;
}

/* Where scanning begins anew, as it did when the parts were put together. */
struct cutting {
	const struct provenance_api *api;
	size_t part; /* the one under way */
};

/*
 * Scans what the window holds from `base` on, part by part; *ret_done of it
 * is settled.
 */
static enum rc
scan_parts(struct cutting *c, struct scan *s, struct index *ix,
	const struct buf *window, uint64_t base, bool last, size_t *ret_done,
	struct err *e)
{
	size_t done = 0;

	while (c->part + 1 < c->api->n_parts) {
		const struct landed_span *p = &c->api->part[c->part];
		uint64_t end = p->offset + p->length;

		/* Its last byte, and the separator. */
		if (end + 1 > base + window->len)
			break;
		done += scan_step(s, window->data + done,
			(size_t)(end - base) - done, true);
		if (window->data[done] != '\n')
			return err_set(e, BAD_ITEM,
				"no line feed at %llu, where one part ends and "
				"the next begins",
				(unsigned long long)end);
		scan_part(s);
		done++;
		if (index_settled(ix, base + done, e) != OK)
			return e->code;
		c->part++;
	}
	done += scan_step(s, window->data + done, window->len - done, last);
	*ret_done = done;
	return OK;
}

/* The frames, once each: decode, hash, scan. */
static enum rc
check_frames(struct landing *l, struct scan *s, struct index *ix,
	struct hash *bytes, void (*progress)(void *arg, uint64_t bytes),
	void *arg, struct err *e)
{
	struct cutting cutting = {.api = &l->provenance.api};
	struct buf window;
	uint64_t base = 0;
	enum rc rc = OK;

	/* What may stay unsettled, one frame more, and a frame of slack. */
	buf_init(&window,
		(size_t)l->provenance.dialect.max_record +
			3 * FORMAT_FRAME_TARGET);
	for (size_t i = 0; i < l->n_frames && rc == OK; i++) {
		size_t old = window.len, done = 0;

		rc = landing_frame(l, i, &window, e);
		if (rc != OK)
			break;
		hash_add(bytes, window.data + old, window.len - old);
		rc = scan_parts(&cutting, s, ix, &window, base,
			i + 1 == l->n_frames, &done, e);
		if (rc != OK)
			break;
		base += done;
		buf_drop(&window, done);
		rc = index_settled(ix, base, e);
		if (progress != NULL)
			progress(arg, landing_frame_size(l, i));
	}
	if (rc == OK)
		rc = index_end(ix, base, e);
	buf_release(&window);
	return rc;
}

static enum rc
hash_file(struct landing *l, uint8_t sum[HASH_LEN], struct err *e)
{
	uint8_t part[65536];
	struct hash h;
	size_t got;
	uint64_t at = 0;

	hash_init(&h);
	do {
		if (io_pread(l->fd, part, sizeof(part), at, &got, BAD_ITEM,
			    e) != OK) {
			hash_release(&h);
			return e->code;
		}
		hash_add(&h, part, got);
		at += got;
	} while (got == sizeof(part));
	hash_end(&h, sum);
	return OK;
}

enum rc
landing_check(struct landing *l, uint8_t ret_file_sha256[HASH_LEN],
	void (*progress)(void *arg, uint64_t bytes), void *arg, struct err *e)
{
	const struct dialect *d = &l->provenance.dialect;
	struct recollection recollection = {.l = l};
	struct index ix;
	struct hash bytes;
	uint8_t sum[HASH_LEN];
	struct scan *s;
	int spool = -1;
	enum rc rc;

	if (hash_file(l, ret_file_sha256, e) != OK)
		return e->code;
	if (d->max_record > (uint64_t)1 << 30)
		return err_set(e, BAD_ITEM, "dialect: max_record over 1 GiB");
	/* An auditor may have no state directory: any place for a spool. */
	if (io_open(AT_FDCWD,
		    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp",
		    O_RDONLY | O_DIRECTORY, 0, &spool, BAD_ITEM, e) != OK)
		return e->code;
	index_init(&ix, spool);
	if (l->provenance.api.stream != NULL) {
		ix.seen = was_seen;
		ix.seen_arg = &recollection;
	}
	s = scan_new(d, &index_sink, &ix);
	hash_init(&bytes);
	rc = check_frames(l, s, &ix, &bytes, progress, arg, e);
	if (rc == OK) {
		hash_end(&bytes, sum);
		rc = compare_totals(l, s, sum, e);
	}
	if (rc == OK)
		rc = compare_index(l, &ix, e);
	hash_release(&bytes);
	scan_free(s);
	index_release(&ix);
	io_drop(&spool);
	return rc;
}
