/*
 * Random access to ordinary records. The index names the exceptions; what
 * lies between two of them is ordinary records only, so scanning that gap
 * alone finds their boundaries again.
 */
#include "base/buf.h"
#include "land/landing.h"

/* A record this large is not assembled in memory. */
#define RECORD_MAX (64u << 20)

struct walk {
	struct landing *l;
	/* The window: object bytes [base, base + window.len). */
	struct buf window;
	uint64_t base;
	size_t next_frame; /* the one behind the window */
	uint64_t number;   /* of the record to come */
	uint64_t offset;   /* where it starts */
	uint64_t first;	   /* the record asked for */
	uint16_t kind;	   /* of what is walked: 0, or seen, or related */
	uint16_t detail;
	enum rc (*each)(
		void *arg, const struct landing_record *r, struct err *e);
	void *arg;
	enum rc rc; /* what each said last */
	struct err *e;
};

static void
walk_records(void *arg, const uint64_t *ends, size_t n)
{
	struct walk *w = arg;

	for (size_t i = 0; i < n && w->rc == OK; i++) {
		struct landing_record r = {
			.number = w->number,
			.kind = w->kind,
			.detail = w->detail,
			.offset = w->offset,
			.bytes = w->window.data + (w->offset - w->base),
			.length = (size_t)(ends[i] - w->offset),
		};

		if (w->number >= w->first)
			w->rc = w->each(w->arg, &r, w->e);
		w->number += w->kind == 0;
		w->offset = ends[i];
	}
}

/* An exception where the index says there is none. */
static void
walk_exception(void *arg, const struct scan_exception *x)
{
	struct walk *w = arg;

	if (w->rc == OK)
		w->rc = err_set(w->e, BAD_ITEM,
			"LFIX: the bytes at %llu are no ordinary record, "
			"though the index says so",
			(unsigned long long)x->offset);
}

static const struct scan_sink walk_sink = {walk_records, walk_exception};

/* Append the next frame to the window; its first bytes up to `keep` go. */
static enum rc
advance(struct walk *w, uint64_t keep)
{
	size_t done = (size_t)(keep - w->base);

	if (done >= w->window.len) {
		w->base += w->window.len;
		w->window.len = 0;
	} else {
		buf_drop(&w->window, done);
		w->base = keep;
	}
	if (w->window.len + FORMAT_FRAME_TARGET > RECORD_MAX)
		return err_set(w->e, BAD_ITEM,
			"record %llu at %llu is larger than %u MiB: read it "
			"with `landfall cat` without --records",
			(unsigned long long)w->number,
			(unsigned long long)w->offset, RECORD_MAX >> 20);
	return landing_frame(w->l, w->next_frame++, &w->window, w->e);
}

/* All records between w->offset and end, which the index calls ordinary. */
static enum rc
walk_gap(struct walk *w, uint64_t end)
{
	const struct provenance *p = landing_provenance(w->l);
	struct scan *s = scan_new_within(
		&p->dialect, p->totals.encoding, w->offset, &walk_sink, w);
	uint64_t settled = w->offset;

	while (settled < end && w->rc == OK) {
		uint64_t have = w->base + w->window.len;
		uint64_t upto = have < end ? have : end;

		if (upto > settled)
			settled += scan_step(s,
				w->window.data + (settled - w->base),
				(size_t)(upto - settled), upto == end);
		if (settled < end && upto < end && w->rc == OK)
			w->rc = advance(w, w->offset);
	}
	scan_free(s);
	return w->rc;
}

/* The first exception at or behind offset; they lie in order. */
static enum rc
find_exception(struct landing *l, uint64_t offset, uint32_t *ret, struct err *e)
{
	uint32_t low = 0, high = l->exceptions;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		struct scan_exception x;

		if (landing_exception(l, mid, &x, e) != OK)
			return e->code;
		if (x.offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return OK;
}

/* The last frame that begins with a span and no later than record `first`. */
static size_t
starting_frame(const struct landing *l, uint64_t first)
{
	size_t low = 0, high = l->n_frames;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (l->frame[mid].first_record <= first)
			low = mid;
		else
			high = mid;
	}
	while (low > 0 && l->frame[low].inside)
		low--;
	return low;
}

/* Is it a record all the same, and wanted? */
static bool
is_wanted(unsigned also, const struct scan_exception *x)
{
	return (x->kind == KIND_SEEN && (also & LANDING_SEEN)) ||
		(x->kind == KIND_RELATED && (also & LANDING_RELATED));
}

enum rc
landing_records(struct landing *l, uint64_t first, unsigned also,
	enum rc (*each)(
		void *arg, const struct landing_record *r, struct err *e),
	void *arg, struct err *e)
{
	struct walk w = {.l = l, .first = first, .each = each, .arg = arg};
	uint64_t size = l->provenance.size;
	uint32_t x = 0;

	if (first >= l->records && (first > 0 || also == 0))
		return END;
	w.e = e;
	w.next_frame = starting_frame(l, first);
	w.number = l->frame[w.next_frame].first_record;
	w.base = w.offset = l->frame[w.next_frame].start;
	buf_init(&w.window, RECORD_MAX);
	w.rc = find_exception(l, w.offset, &x, e);
	while (w.rc == OK && w.offset < size) {
		struct scan_exception next = {.offset = size};

		if (x < l->exceptions)
			w.rc = landing_exception(l, x, &next, e);
		if (w.rc != OK)
			break;
		if (next.offset < w.offset) {
			w.rc = err_set(e, BAD_ITEM,
				"LFIX: exception %u overlaps the one before",
				x);
			break;
		}
		if (next.offset > w.offset && walk_gap(&w, next.offset) != OK)
			break;
		if (is_wanted(also, &next)) {
			w.kind = next.kind;
			w.detail = next.detail;
			if (walk_gap(&w, next.offset + next.length) != OK)
				break;
			w.kind = 0;
		}
		/* Step over the exception, whole frames of it unread. */
		w.offset = next.offset + next.length;
		while (w.offset < size && w.offset >= w.base + w.window.len &&
			w.rc == OK) {
			if (l->frame[w.next_frame + 1].start <= w.offset) {
				w.base = l->frame[++w.next_frame].start;
				w.window.len = 0;
			} else {
				w.rc = advance(&w,
					w.offset < w.base ? w.base : w.offset);
			}
		}
		x++;
	}
	if (w.rc == OK && w.number != l->records)
		w.rc = err_set(e, BAD_ITEM,
			"LFIX: %llu records are promised, walking finds %llu",
			(unsigned long long)l->records,
			(unsigned long long)w.number);
	buf_release(&w.window);
	return w.rc;
}
