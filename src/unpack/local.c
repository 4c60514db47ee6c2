#include "unpack/local.h"

#include <string.h>

#include "base/bytes.h"

enum {
	ZIP64_ID = 0x0001,
	STORED = 0,
	WEIGHTY = ZIP_ENCRYPTED | ZIP_DESCRIPTOR | ZIP_STRONG | ZIP_UTF8 |
		ZIP_MASKED, /* flags that say how to read it */
};

/* ---- zip64 ---- */

static bool
take_wide(uint64_t *field, const uint8_t **p, size_t *n)
{
	if (field == NULL || *field != 0xffffffff)
		return true;
	if (*n < 8)
		return false;
	*field = get_le64(*p);
	*p += 8;
	*n -= 8;
	return true;
}

static bool
take_zip64(struct zip64 *z, const uint8_t *p, size_t n)
{
	z->found = true;
	if (!take_wide(z->size, &p, &n) || !take_wide(z->packed, &p, &n) ||
		!take_wide(z->begin, &p, &n))
		return false;
	if (z->begin == NULL || z->disk != 0xffff)
		return true;
	if (n < 4)
		return false;
	z->disk = get_le32(p);
	return true;
}

bool
zip64_read(struct zip64 *z, const uint8_t *extra, size_t n)
{
	/* Fewer than four bytes are padding, which some writers leave. */
	while (n >= 4) {
		size_t len = get_le16(extra + 2);

		if (len > n - 4)
			return false;
		if (get_le16(extra) == ZIP64_ID &&
			(z->found || !take_zip64(z, extra + 4, len)))
			return false;
		extra += 4 + len;
		n -= 4 + len;
	}
	return z->found ||
		(*z->size != 0xffffffff && *z->packed != 0xffffffff &&
			(z->begin == NULL ||
				(*z->begin != 0xffffffff &&
					z->disk != 0xffff)));
}

/* ---- the header ---- */

/* Name and extra field of the local header, into room for both. */
enum { VARIABLE_MAX = 2 * 0xffff };

struct local {
	uint8_t head[LOCAL_LEN];
	uint8_t variable[VARIABLE_MAX];
	size_t name_len, extra_len;
};

static enum rc
read_local(struct input *in, uint64_t at, uint64_t limit, struct local *l,
	struct err *e)
{
	uint64_t room = limit - at;
	size_t n;

	/* Most are short: one read for the header and what belongs to it. */
	n = room < 512 ? (size_t)room : 512;
	if (input_at(in, l->variable, n, at, e) != OK)
		return e->code;
	memcpy(l->head, l->variable, LOCAL_LEN);
	l->name_len = get_le16(l->head + 26);
	l->extra_len = get_le16(l->head + 28);
	if (l->name_len + l->extra_len > room - LOCAL_LEN)
		return END;
	if (l->name_len + l->extra_len <= n - LOCAL_LEN) {
		memmove(l->variable, l->variable + LOCAL_LEN, n - LOCAL_LEN);
		return OK;
	}
	return input_at(
		in, l->variable, l->name_len + l->extra_len, at + LOCAL_LEN, e);
}

/*
 * Sizes and sum of the local header are the directory's. Where a descriptor
 * follows they may be left at zero, each alone.
 */
static const char *
compare_sizes(const struct local *l, const struct zip_entry *z)
{
	bool later = (z->flags & ZIP_DESCRIPTOR) != 0;
	uint64_t packed = get_le32(l->head + 18), size = get_le32(l->head + 22);
	uint32_t crc = get_le32(l->head + 14);
	struct zip64 wide = {.size = &size, .packed = &packed};
	bool ones = size == 0xffffffff || packed == 0xffffffff;

	if (!zip64_read(&wide, l->variable + l->name_len, l->extra_len) &&
		!(later && ones))
		return "its local header's extra field is broken";
	if (crc != z->crc && !(later && crc == 0))
		return "local header and directory disagree about its CRC";
	if ((packed != z->packed &&
		    !(later && (packed == 0 || packed == 0xffffffff))) ||
		(size != z->size &&
			!(later && (size == 0 || size == 0xffffffff))))
		return "local header and directory disagree about its size";
	return NULL;
}

static const char *
compare(const struct local *l, const struct directory *d,
	const struct zip_entry *z)
{
	if (memcmp(l->head, "PK\3\4", 4) != 0)
		return "its offset in the directory leads to no local header";
	if (l->name_len != z->name_len ||
		memcmp(l->variable, d->bytes.data + z->name, z->name_len) != 0)
		return "local header and directory disagree about its name";
	if (((get_le16(l->head + 6) ^ z->flags) & WEIGHTY) != 0)
		return "local header and directory disagree about its flags";
	if (get_le16(l->head + 8) != z->method)
		return "local header and directory disagree about its method";
	return compare_sizes(l, z);
}

/* ---- what is behind the data ---- */

/*
 * The data descriptor (4.3.9): with a signature or not, with sizes of 4 bytes
 * or 8. Which one is not said, so the one that is right. 0: none is.
 */
static size_t
descriptor_len(const uint8_t *p, size_t n, const struct zip_entry *z)
{
	for (size_t sign = 4;; sign = 0) {
		const uint8_t *q = p + sign;

		if (sign == 0 || (n >= 4 && memcmp(p, "PK\7\10", 4) == 0)) {
			if (n >= sign + 12 && get_le32(q) == z->crc &&
				get_le32(q + 4) == z->packed &&
				get_le32(q + 8) == z->size)
				return sign + 12;
			if (n >= sign + 20 && get_le32(q) == z->crc &&
				get_le64(q + 4) == z->packed &&
				get_le64(q + 12) == z->size)
				return sign + 20;
		}
		if (sign == 0)
			return 0;
	}
}

static enum rc
check_descriptor(struct input *in, struct zip_entry *z, uint64_t limit,
	const char **ret_what, struct err *e)
{
	uint8_t p[24];
	size_t n = limit - z->end < sizeof(p) ? (size_t)(limit - z->end)
					      : sizeof(p);

	if (input_at(in, p, n, z->end, e) != OK)
		return e->code;
	n = descriptor_len(p, n, z);
	if (n == 0)
		*ret_what = "what stands behind its data (sizes, CRC) and the "
			    "directory disagree";
	z->end += n;
	return OK;
}

bool
local_check(struct input *in, struct directory *d, size_t i, uint64_t limit,
	const char **ret_what, struct err *e)
{
	struct zip_entry *z = &d->entry[i];
	static struct local l; /* one thread in the child; large */
	uint64_t data;
	enum rc rc;

	*ret_what = NULL;
	if (limit < LOCAL_LEN || z->begin > limit - LOCAL_LEN) {
		*ret_what = "its offset in the directory is outside of the "
			    "archive";
		return false;
	}
	rc = read_local(in, z->begin, limit, &l, e);
	if (rc != OK && rc != END)
		return false;
	*ret_what = rc == END ? "its local header reaches into the directory"
			      : compare(&l, d, z);
	if (*ret_what != NULL)
		return false;
	data = z->begin + LOCAL_LEN + l.name_len + l.extra_len;
	if (z->packed > limit - data) {
		*ret_what = "its data reach into the directory";
		return false;
	}
	z->end = data + z->packed;
	if (z->method == STORED && !(z->flags & ZIP_ENCRYPTED) &&
		z->packed != z->size)
		*ret_what = "stored as it is, and yet of two sizes";
	else if ((z->flags & ZIP_DESCRIPTOR) &&
		check_descriptor(in, z, limit, ret_what, e) != OK)
		return false;
	return *ret_what == NULL;
}
