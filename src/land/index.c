#include "land/index.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"

void
index_init(struct index *ix, int spool)
{
	*ix = (struct index){.spool = spool, .fd = -1};
	ix->cap = 1;
	ix->frame = mem_array(ix->cap, sizeof(*ix->frame));
}

void
index_release(struct index *ix)
{
	free(ix->frame);
	free(ix->held);
	io_drop(&ix->fd);
	ix->frame = NULL;
	ix->held = NULL;
}

static struct index_frame *
open_frame(struct index *ix)
{
	return &ix->frame[ix->closed];
}

/* Close the open frame at `end` and open the next one there. */
static void
cut_at(struct index *ix, uint64_t end)
{
	struct index_frame *next;

	if (ix->closed + 2 > FORMAT_FRAMES_MAX) {
		if (ix->err.code == OK)
			err_set(&ix->err, BAD_ITEM,
				"more than %u frames in one object",
				FORMAT_FRAMES_MAX);
		return;
	}
	if (ix->closed + 2 > ix->cap) {
		ix->cap *= 2;
		ix->frame = mem_resize(ix->frame, ix->cap, sizeof(*ix->frame));
	}
	next = &ix->frame[++ix->closed];
	*next = (struct index_frame){
		.start = end,
		.first_record = ix->records,
		.flags = end != ix->span ? FORMAT_FRAME_INSIDE : 0,
	};
	ix->cut = end;
	if (end == ix->span)
		ix->span_frame = ix->closed;
}

/* Where the open frame must end at the latest. */
static uint64_t
limit(const struct index *ix)
{
	return ix->frame[ix->closed].start + FORMAT_FRAME_TARGET;
}

/* The span that began at ix->span reaches `end`: cut what lies before. */
static void
reach(struct index *ix, uint64_t end)
{
	while (end > limit(ix) && ix->err.code == OK) {
		if (ix->cut > open_frame(ix)->start)
			cut_at(ix, ix->cut);
		else
			cut_at(ix, limit(ix));
	}
}

static void
span_ends(struct index *ix, uint64_t end)
{
	ix->cut = end;
	ix->span = end;
	ix->span_frame = ix->closed;
}

/*
 * The span that began at ix->span is an ordinary record. It counts where it
 * began; frames that were cut inside it before its kind was known come after.
 */
static void
count_record(struct index *ix)
{
	ix->frame[ix->span_frame].records++;
	for (size_t i = ix->span_frame + 1; i <= ix->closed; i++)
		ix->frame[i].first_record++;
	ix->records++;
}

/* Write what is held to the temporary file. */
static void
spill(struct index *ix)
{
	size_t n = ix->n_held * FORMAT_INDEX_EXCEPTION;

	if (ix->err.code != OK)
		return;
	if (ix->fd < 0 &&
		io_open(ix->spool, ".", O_TMPFILE | O_RDWR, 0600, &ix->fd,
			BROKEN, &ix->err) != OK)
		return;
	if (io_write(ix->fd, ix->held, n, BROKEN, &ix->err) == OK)
		ix->n_held = 0;
}

static void
flush_run(struct index *ix)
{
	if (ix->run.count == 0 || ix->err.code != OK)
		return;
	if (ix->exceptions == INDEX_EXCEPTIONS_MAX) {
		err_set(&ix->err, BAD_ITEM,
			"more than %u separate exceptions in one object: is "
			"this the right format and dialect?",
			INDEX_EXCEPTIONS_MAX);
		return;
	}
	if (ix->held == NULL)
		ix->held = mem_array(16, FORMAT_INDEX_EXCEPTION);
	else if (ix->n_held >= 16 && ix->n_held < INDEX_HELD &&
		(ix->n_held & (ix->n_held - 1)) == 0)
		ix->held = mem_resize(
			ix->held, 2 * ix->n_held, FORMAT_INDEX_EXCEPTION);
	else if (ix->n_held == INDEX_HELD)
		spill(ix);
	if (ix->err.code != OK)
		return;
	index_pack(ix->held + ix->n_held * FORMAT_INDEX_EXCEPTION, &ix->run);
	ix->n_held++;
	ix->exceptions++;
	ix->run.count = 0;
}

/* How far ends[i .. n) lie within the open frame: index of the first beyond. */
static size_t
fitting(const struct index *ix, const uint64_t *ends, size_t i, size_t n)
{
	if (ends[n - 1] <= limit(ix))
		return n;
	while (i < n) {
		size_t mid = i + (n - i) / 2;

		if (ends[mid] > limit(ix))
			n = mid;
		else
			i = mid + 1;
	}
	return n;
}

static void
add_records(struct index *ix, const uint64_t *ends, size_t n)
{
	size_t i = 0;

	flush_run(ix);
	while (i < n && ix->err.code == OK) {
		size_t fit = fitting(ix, ends, i, n);

		if (fit > i && ix->span_frame == ix->closed) {
			open_frame(ix)->records += (uint32_t)(fit - i);
			ix->records += fit - i;
			span_ends(ix, ends[fit - 1]);
			i = fit;
			continue;
		}
		/* It begins a frame, or fills several, or began in another. */
		if (ends[i] > limit(ix) && ix->cut > open_frame(ix)->start)
			cut_at(ix, ix->cut);
		count_record(ix);
		reach(ix, ends[i]);
		span_ends(ix, ends[i]);
		i++;
	}
}

static void
index_exception(void *arg, const struct scan_exception *told)
{
	struct index *ix = arg;
	struct scan_exception here = *told;
	const struct scan_exception *x = &here;

	/* The scanner counts those that were seen before, too. */
	here.record = ix->records;
	if (ix->run.count == 0 || !scan_exception_join(&ix->run, x)) {
		flush_run(ix);
		ix->run = *x;
	}
	if (format_is_malformed(x->kind))
		ix->malformed++;
	else if (x->kind == KIND_HEADER && ix->header.length == 0)
		ix->header = (struct landed_span){x->offset, x->length};
	else if (x->kind == KIND_TRAILER)
		ix->trailer = (struct landed_span){x->offset, x->length};
	reach(ix, x->offset + x->length);
	span_ends(ix, x->offset + x->length);
}

static void
add_seen(struct index *ix, uint64_t end)
{
	const struct scan_exception x = {
		.offset = ix->span,
		.length = end - ix->span,
		.count = 1,
		.kind = KIND_SEEN,
	};

	ix->n_seen++;
	index_exception(ix, &x);
}

static void
index_records(void *arg, const uint64_t *ends, size_t n)
{
	struct index *ix = arg;
	size_t from = 0;
	uint64_t start = ix->span;

	for (size_t i = 0; i < n && ix->seen != NULL; i++) {
		bool seen = ix->seen(ix->seen_arg, start, ends[i] - start);

		start = ends[i];
		if (!seen)
			continue;
		if (i > from)
			add_records(ix, ends + from, i - from);
		add_seen(ix, ends[i]);
		from = i + 1;
	}
	if (n > from)
		add_records(ix, ends + from, n - from);
}

const struct scan_sink index_sink = {index_records, index_exception};

enum rc
index_settled(struct index *ix, uint64_t offset, struct err *e)
{
	reach(ix, offset);
	if (ix->err.code != OK) {
		*e = ix->err;
		return e->code;
	}
	return OK;
}

enum rc
index_end(struct index *ix, uint64_t size, struct err *e)
{
	flush_run(ix);
	if (ix->err.code != OK) {
		*e = ix->err;
		return e->code;
	}
	/* A frame that was opened at the very end holds nothing. */
	if (open_frame(ix)->start < size || ix->closed == 0)
		ix->closed++;
	return OK;
}

uint64_t
index_size(const struct index *ix)
{
	return FORMAT_INDEX_HEAD + ix->closed * FORMAT_INDEX_FRAME +
		(uint64_t)ix->exceptions * FORMAT_INDEX_EXCEPTION;
}

enum rc
index_write(struct index *ix,
	enum rc (*each)(void *arg, const void *p, size_t n, struct err *e),
	void *arg, struct err *e)
{
	uint8_t part[8192];
	uint64_t at = 0, spilled;
	size_t got = 0;

	memcpy(part, FORMAT_INDEX_TAG, 4);
	put_le16(part + 4, FORMAT_INDEX_VERSION);
	put_le16(part + 6, 0);
	put_le64(part + 8, ix->records);
	put_le64(part + 16, ix->malformed);
	put_le32(part + 24, (uint32_t)ix->closed);
	put_le32(part + 28, ix->exceptions);
	if (each(arg, part, FORMAT_INDEX_HEAD, e) != OK)
		return e->code;
	for (size_t i = 0; i < ix->closed; i++) {
		put_le64(part, ix->frame[i].first_record);
		put_le32(part + 8, ix->frame[i].records);
		put_le32(part + 12, ix->frame[i].flags);
		if (each(arg, part, FORMAT_INDEX_FRAME, e) != OK)
			return e->code;
	}
	spilled = (uint64_t)(ix->exceptions - ix->n_held) *
		FORMAT_INDEX_EXCEPTION;
	for (; at < spilled; at += got) {
		if (io_pread(ix->fd, part, sizeof(part), at, &got, BROKEN, e) !=
			OK)
			return e->code;
		if (got == 0)
			return err_set(e, BROKEN,
				"the spooled index is shorter than it was");
		if (each(arg, part, got, e) != OK)
			return e->code;
	}
	if (ix->n_held == 0)
		return OK;
	return each(arg, ix->held, ix->n_held * FORMAT_INDEX_EXCEPTION, e);
}

void
index_pack(uint8_t p[FORMAT_INDEX_EXCEPTION], const struct scan_exception *x)
{
	put_le64(p, x->offset);
	put_le64(p + 8, x->length);
	put_le64(p + 16, x->record);
	put_le32(p + 24, x->count);
	put_le16(p + 28, x->kind);
	put_le16(p + 30, x->detail);
}

void
index_unpack(struct scan_exception *x, const uint8_t p[FORMAT_INDEX_EXCEPTION])
{
	*x = (struct scan_exception){
		.offset = get_le64(p),
		.length = get_le64(p + 8),
		.record = get_le64(p + 16),
		.count = get_le32(p + 24),
		.kind = get_le16(p + 28),
		.detail = get_le16(p + 30),
	};
}
