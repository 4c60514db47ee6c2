/*
 * reader.h - the members of one archive, whatever its format.
 *
 *	ops->open(&archive, &r, &e);
 *	while ((rc = ops->next(r, &entry, &e)) == OK)
 *		while ((rc = ops->data(r, &p, &n, &e)) == OK) ...
 *		rc == END: the member is sound
 *	rc == END: so is the archive
 *	ops->close(r);
 *
 * All bytes of a member are read before the next one. BAD_ITEM from data is
 * the member's fault alone, should next go on; from open and next it is the
 * end.
 */
#ifndef UNPACK_READER_H
#define UNPACK_READER_H

#include "unpack/stream.h"

struct archive_entry;

struct reader_from {
	struct input *in;
	enum unpack_kind kind;
	struct stream *stream; /* tar and single files; the reader's then */
	const uint8_t *name;   /* of the object */
	size_t name_len;
	const char *password; /* "": none */
	const struct unpack_limits *limits;
};

struct reader_entry {
	enum unpack_type type; /* no UNPACK_ARCHIVE: that is seen later */
	const uint8_t *name;
	size_t name_len;
	uint64_t size; /* UNPACK_UNKNOWN */
	bool has_mtime;
	int64_t mtime;
	struct str *finding; /* "" */
};

struct reader;

struct reader_ops {
	enum rc (*open)(const struct reader_from *from, struct reader **ret,
		struct err *e);
	enum rc (*next)(
		struct reader *r, struct reader_entry *ret, struct err *e);
	/* p NULL: so many zeros. */
	enum rc (*data)(
		struct reader *r, const uint8_t **p, size_t *n, struct err *e);
	void (*close)(struct reader *r);
};

extern const struct reader_ops reader_tar, reader_zip, reader_single;

/*
 * What every reader of libarchive's does: type, time, and what a link says,
 * from its entry.
 */
void reader_describe(
	struct archive_entry *a, struct reader_entry *ret, struct str *finding);

#endif
