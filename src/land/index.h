/*
 * index.h - the record index "LFIX" while it is being built.
 *
 * Fed with spans (as a scan_sink) it decides where frames are cut and keeps
 * what the index must say of them. The writer uses it, and verification
 * builds it a second time to see that the stored one tells the truth.
 *
 *	index_init(&ix, spool);
 *	s = scan_new(&dialect, &index_sink, &ix);
 *	... scan_step(...); index_settled(&ix, offset, &e); ...
 *	index_end(&ix, size, &e);
 *	index_write(&ix, ...);
 *	index_release(&ix);
 *
 * Rule of the cut: a frame ends at the last span end within
 * FORMAT_FRAME_TARGET bytes of its start, or, when a span is longer than
 * that, exactly there. It follows from the spans alone, so the same bytes
 * always give the same frames.
 *
 * Memory: 24 bytes a frame, and at most INDEX_HELD exceptions; the rest goes
 * to an unlinked file.
 */
#ifndef LAND_INDEX_H
#define LAND_INDEX_H

#include "base/err.h"
#include "landfall/land.h"

#define INDEX_HELD 4096
#define INDEX_EXCEPTIONS_MAX (1u << 26) /* 2 GiB on disk */

struct index_frame {
	uint64_t start; /* object offset */
	uint64_t first_record;
	uint32_t records; /* ordinary ones that start in it */
	uint32_t flags;
};

struct index {
	/* frame[0 .. closed) are cut; frame[closed] is open, if started. */
	struct index_frame *frame;
	size_t closed;
	size_t cap;
	uint64_t cut;	   /* last span end within the open frame */
	uint64_t span;	   /* start of the span to come, and */
	size_t span_frame; /* the frame it starts in */
	uint64_t records;  /* ordinary, so far */
	uint64_t malformed;
	struct landed_span header;  /* the first header record */
	struct landed_span trailer; /* the last trailer record */
	struct scan_exception run; /* neighbours joined so far; count 0: none */
	uint8_t *held;		   /* exceptions as they lie on disk */
	size_t n_held;
	uint32_t exceptions; /* written out, held ones included */
	/* Was this record landed before? NULL: none was. */
	bool (*seen)(void *arg, uint64_t offset, uint64_t length);
	void *seen_arg;
	uint64_t n_seen;
	int spool;	/* directory; the caller's */
	int fd;		/* the unlinked file, or -1 */
	struct err err; /* the first failure; sinks cannot return one */
};

extern const struct scan_sink index_sink; /* arg: struct index * */

void index_init(struct index *ix, int spool);
void index_release(struct index *ix);

/*
 * Every byte below offset belongs to a span, known or begun: frames that
 * must be cut by now are cut. BROKEN: the temporary file failed; BAD_ITEM:
 * more frames or exceptions than the format holds.
 */
enum rc
index_settled(struct index *ix, uint64_t offset, struct err *e) MUST_USE;

/* The object has `size` bytes: the last frame is closed. */
enum rc index_end(struct index *ix, uint64_t size, struct err *e) MUST_USE;

/* Bytes of the LFIX payload. After index_end. */
uint64_t index_size(const struct index *ix);

/* The payload in pieces, in order. After index_end. */
enum rc index_write(struct index *ix,
	enum rc (*each)(void *arg, const void *p, size_t n, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* One exception as it lies on disk, and back. */
void
index_pack(uint8_t p[FORMAT_INDEX_EXCEPTION], const struct scan_exception *x);
void
index_unpack(struct scan_exception *x, const uint8_t p[FORMAT_INDEX_EXCEPTION]);

#endif
