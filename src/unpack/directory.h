/*
 * directory.h - the central directory of a zip, walked before anybody believes
 * the archive (APPNOTE.TXT 6.3.10, sections 4.3 and 4.5).
 *
 * One archive can be two: a reader that goes by the directory and one that
 * goes from local header to local header may see other names and bytes. Here
 * both must tell the same, entries must not share a byte, and nothing that
 * looks like an entry may lie between them. What does not hold is BAD_ITEM.
 */
#ifndef UNPACK_DIRECTORY_H
#define UNPACK_DIRECTORY_H

#include "base/buf.h"
#include "unpack/stream.h"

/* General purpose bits, 4.4.4. */
enum {
	ZIP_ENCRYPTED = 1 << 0,
	ZIP_DESCRIPTOR = 1 << 3, /* sizes stand behind the data */
	ZIP_PATCHED = 1 << 5,
	ZIP_STRONG = 1 << 6,
	ZIP_UTF8 = 1 << 11,
	ZIP_MASKED = 1 << 13,
};

struct zip_entry {
	uint64_t begin, end;   /* local header to what is behind the data */
	uint64_t packed, size; /* bytes */
	uint32_t crc;
	uint16_t flags, method;
	uint16_t mode; /* of unix, where the archive has them; else 0 */
	size_t name;   /* offset in the directory's bytes */
	size_t name_len;
};

struct directory {
	struct zip_entry *entry; /* by begin */
	size_t n;
	struct buf bytes;
};

enum rc directory_read(struct input *in, const struct unpack_limits *l,
	struct directory *ret, struct err *e) MUST_USE;
void directory_release(struct directory *d);

/* "member 'a.csv' (number 3)" */
void directory_name(const struct directory *d, size_t i, struct str *s);

#endif
