/*
 * landing.h - an open landing file, shared by the parts that read it.
 */
#ifndef LAND_LANDING_H
#define LAND_LANDING_H

#include <errno.h>

#include "base/buf.h"
#include "landfall/land.h"

struct landing_frame {
	uint64_t at; /* in the file */
	uint32_t compressed;
	uint64_t start; /* in the object; one more entry holds its size */
	uint64_t first_record;
	bool inside; /* starts inside a span */
};

struct landing {
	int fd;
	uint64_t file_size;
	uint64_t index_at, provenance_at, table_at;
	uint64_t exceptions_at;
	unsigned first; /* 1: a tripwire comes before the data frames */
	struct landing_frame *frame;
	size_t n_frames;
	uint64_t records;
	uint64_t malformed;
	uint32_t exceptions;
	struct str text; /* of the provenance */
	struct provenance provenance;
	struct provenance_keep keep;
	void *zstd;	 /* ZSTD_DCtx */
	uint8_t *packed; /* one compressed frame */
};

static inline size_t
landing_frame_size(const struct landing *l, size_t i)
{
	return (size_t)(l->frame[i + 1].start - l->frame[i].start);
}

/* Appends the raw bytes of data frame i. BAD_ITEM: damaged. */
enum rc landing_frame(
	struct landing *l, size_t i, struct buf *out, struct err *e) MUST_USE;

/* Exception number i < l->exceptions. */
enum rc landing_exception(struct landing *l, uint32_t i,
	struct scan_exception *ret, struct err *e) MUST_USE;

#endif
