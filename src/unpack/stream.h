/*
 * stream.h - the bytes of one compressed stream, or of none, in order.
 *
 *	stream_open(kind, &input, &s, &e);	UNPACK_TAR: as they are
 *	while ((rc = stream_next(s, &p, &n, &e)) == OK) ...
 *	rc == END: complete, its checks were right, and nothing is behind it
 *	stream_free(s);
 *
 * Gzip is zlib's, because libarchive's gzip filter does not compare the
 * CRC-32 and takes half a header for the end. The others are libarchive's,
 * with a filter and a format that were chosen here: nothing is guessed.
 */
#ifndef UNPACK_STREAM_H
#define UNPACK_STREAM_H

#include "landfall/unpack.h"

/* How more memory is had, once, from whoever rations it; waits for it. */
struct more {
	bool had;
	void (*ask)(struct more *m);
};

/* A complete object, read by offset. */
struct input {
	int fd;
	uint64_t size;
	uint64_t at;	   /* read so far, by whoever reads in order */
	uint64_t *done;	   /* the same told to somebody; may be NULL */
	struct err *fault; /* where an error of reading is kept; may be NULL */
	struct more *more; /* may be NULL */
};

#define INPUT_PIECE (256u << 10)

/* The next bytes, up to INPUT_PIECE; *ret_n 0: the end. */
enum rc
input_next(struct input *in, void *p, size_t *ret_n, struct err *e) MUST_USE;

/* n bytes at an offset: all of them, or BAD_ITEM. */
enum rc input_at(struct input *in, void *p, size_t n, uint64_t offset,
	struct err *e) MUST_USE;

/* Asks for more memory; false: all there is was had before. */
bool input_more(struct input *in);

struct stream;

enum rc stream_open(enum unpack_kind kind, struct input *in,
	struct stream **ret, struct err *e) MUST_USE;
void stream_free(struct stream *s);

/* The bytes are the stream's, good until its next call. */
enum rc stream_next(struct stream *s, const uint8_t **ret, size_t *ret_n,
	struct err *e) MUST_USE;

#endif
