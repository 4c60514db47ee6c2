#include "land/again.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/io.h"
#include "base/mem.h"
#include "land/land-state.h"

/* One data frame, decoded; readers go forward, mostly. */
struct again {
	size_t entry;	/* of the seek table */
	uint64_t at;	/* in the file */
	uint64_t start; /* in the object */
	bool decoded;
	ZSTD_DCtx *zstd;
	uint8_t *packed, *raw;
};

static struct again *
again_new(void)
{
	struct again *a = mem_alloc(sizeof(*a));

	a->zstd = ZSTD_createDCtx();
	if (a->zstd == NULL)
		abort();
	a->packed = mem_alloc(ZSTD_COMPRESSBOUND(FORMAT_FRAME_TARGET));
	a->raw = mem_alloc(FORMAT_FRAME_TARGET);
	return a;
}

void
again_free(struct again *a)
{
	if (a == NULL)
		return;
	(void)ZSTD_freeDCtx(a->zstd);
	free(a->packed);
	free(a->raw);
	free(a);
}

/* The frame that holds this offset; offset < the object's size. */
static void
seek(struct again *a, const struct land_entry *entry, uint64_t offset)
{
	if (offset < a->start) {
		a->entry = 0;
		a->at = a->start = 0;
		a->decoded = false;
	}
	for (; offset - a->start >= entry[a->entry].raw; a->entry++) {
		a->start += entry[a->entry].raw;
		a->at += entry[a->entry].compressed;
		a->decoded = false;
	}
}

static enum rc
decode(struct land *l, struct again *a, struct err *e)
{
	const struct land_entry *x = &l->entry[a->entry];
	size_t got;

	if (a->decoded)
		return OK;
	if (io_pread(l->fd, a->packed, x->compressed, a->at, &got, BROKEN, e) !=
		OK)
		return err_add(e, "zone: staged landing file");
	if (got == x->compressed)
		got = ZSTD_decompressDCtx(a->zstd, a->raw, FORMAT_FRAME_TARGET,
			a->packed, x->compressed);
	else
		got = 0;
	if (ZSTD_isError(got) || got != x->raw)
		return err_set(e, BROKEN,
			"zone: staged landing file: what was written at %llu "
			"reads back otherwise: the disk or its memory is "
			"failing",
			(unsigned long long)a->at);
	a->decoded = true;
	return OK;
}

enum rc
land_again(struct land *l, void *p, size_t n, uint64_t offset, size_t *ret_got,
	struct err *e)
{
	size_t got = 0;

	if (offset >= l->facts.size)
		n = 0;
	else if (n > l->facts.size - offset)
		n = (size_t)(l->facts.size - offset);
	/* An object of one frame is still in its window. */
	if (l->sent == 0) {
		if (n > 0)
			memcpy(p, l->fill->raw + l->head + offset, n);
		*ret_got = n;
		return OK;
	}
	if (l->again == NULL) {
		if (land_flush(l, e) != OK)
			return e->code;
		l->again = again_new();
	}
	while (got < n) {
		struct again *a = l->again;
		size_t skip, part;

		seek(a, l->entry, offset + got);
		if (decode(l, a, e) != OK)
			return e->code;
		skip = (size_t)(offset + got - a->start);
		part = l->entry[a->entry].raw - skip;
		if (part > n - got)
			part = n - got;
		memcpy((uint8_t *)p + got, a->raw + skip, part);
		got += part;
	}
	*ret_got = got;
	return OK;
}
