#include "unpack/directory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "unpack/local.h"

enum {
	END_LEN = 22,
	END_COMMENT_MAX = 0xffff,
	LOCATOR_LEN = 20,
	END64_LEN = 56,
	CENTRAL_LEN = 46,
	MADE_BY_UNIX = 3,
	DIRECTORY_MAX = 24 << 20,  /* bytes; it is held in memory, */
	DIRECTORY_SMALL = 1 << 20, /* ... what libarchive makes of it too */
};

#define PRIu PRIu64

/* What the end of the archive says about the directory. */
struct place {
	uint64_t at;	 /* of the end record, where the directory ends */
	uint64_t offset; /* of the directory */
	uint64_t size;
	uint64_t entries;
	uint64_t here; /* ... on this disk */
	uint32_t disk, first_disk;
};

/* ---- the end of the archive ---- */

/*
 * The last record, if its comment reaches exactly to the end: a byte behind
 * it, and nobody knows what that belongs to. An earlier one that does too
 * makes two archives of one. (Others are of zips inside, not compressed.)
 */
static enum rc
find_end(
	struct input *in, uint8_t ret[END_LEN], uint64_t *ret_at, struct err *e)
{
	size_t n = in->size < END_LEN + END_COMMENT_MAX
		? (size_t)in->size
		: END_LEN + END_COMMENT_MAX;
	CLEANUP(mem_release) uint8_t *tail = mem_alloc(n);
	size_t found = n;

	if (input_at(in, tail, n, in->size - n, e) != OK)
		return e->code;
	for (size_t i = n; i-- > 0;) {
		bool whole;

		if (i + END_LEN > n || memcmp(tail + i, "PK\5\6", 4) != 0)
			continue;
		whole = i + END_LEN + get_le16(tail + i + 20) == n;
		if (found == n && !whole)
			return err_set(e, BAD_ITEM,
				"zip: its end record at offset %" PRIu
				" does not reach to the last byte: truncated, "
				"or something else behind it",
				in->size - n + i);
		if (found < n && whole)
			return err_set(e, BAD_ITEM,
				"zip: two ends of the archive, at offsets "
				"%" PRIu " and %" PRIu,
				in->size - n + i, in->size - n + found);
		if (found == n)
			found = i;
	}
	if (found == n)
		return err_set(e, BAD_ITEM,
			"zip: truncated: the directory at its end is missing");
	memcpy(ret, tail + found, END_LEN);
	*ret_at = in->size - n + found;
	return OK;
}

static bool
is_saturated(const struct place *p)
{
	return p->entries == 0xffff || p->here == 0xffff ||
		p->size == 0xffffffff || p->offset == 0xffffffff ||
		p->disk == 0xffff || p->first_disk == 0xffff;
}

/* A field of the old record is the new one's, or says to look there. */
static bool
agrees(uint64_t was, uint64_t is, uint64_t saturated)
{
	return was == is || was == saturated;
}

/* Zip64: another end record, found by a locator right before the old one. */
static enum rc
read_end64(struct input *in, struct place *p, struct err *e)
{
	uint8_t locator[LOCATOR_LEN], r[END64_LEN];
	struct place old = *p;
	uint64_t at;

	if (p->at < LOCATOR_LEN + END64_LEN ||
		input_at(in, locator, sizeof(locator), p->at - LOCATOR_LEN,
			e) != OK ||
		memcmp(locator, "PK\6\7", 4) != 0) {
		if (!is_saturated(p))
			return OK;
		return err_set(e, BAD_ITEM,
			"zip: its end record refers to a zip64 one that is "
			"not there");
	}
	at = get_le64(locator + 8);
	if (at > p->at - LOCATOR_LEN - END64_LEN ||
		input_at(in, r, sizeof(r), at, e) != OK ||
		memcmp(r, "PK\6\6", 4) != 0 ||
		get_le64(r + 4) != p->at - LOCATOR_LEN - at - 12)
		return err_set(e, BAD_ITEM,
			"zip: the zip64 end record is not where its locator "
			"says (offset %" PRIu ")",
			at);
	p->disk = get_le32(r + 16);
	p->first_disk = get_le32(r + 20);
	p->here = get_le64(r + 24);
	p->entries = get_le64(r + 32);
	p->size = get_le64(r + 40);
	p->offset = get_le64(r + 48);
	p->at = at;
	if (get_le32(locator + 4) != 0 || get_le32(locator + 16) > 1)
		p->disk = 1;
	if (!agrees(old.entries, p->entries, 0xffff) ||
		!agrees(old.size, p->size, 0xffffffff) ||
		!agrees(old.offset, p->offset, 0xffffffff))
		return err_set(e, BAD_ITEM,
			"zip: its end record and the zip64 one disagree");
	return OK;
}

static enum rc
read_end(struct input *in, const struct unpack_limits *l, struct place *p,
	struct err *e)
{
	uint8_t r[END_LEN] = {0};

	if (find_end(in, r, &p->at, e) != OK)
		return e->code;
	p->disk = get_le16(r + 4);
	p->first_disk = get_le16(r + 6);
	p->here = get_le16(r + 8);
	p->entries = get_le16(r + 10);
	p->size = get_le32(r + 12);
	p->offset = get_le32(r + 16);
	if (read_end64(in, p, e) != OK)
		return e->code;
	if (p->disk != 0 || p->first_disk != 0 || p->here != p->entries)
		return err_set(e, BAD_ITEM,
			"zip: a part of an archive that was split over "
			"several files");
	if (p->offset > p->at || p->size != p->at - p->offset)
		return err_set(e, BAD_ITEM,
			"zip: its directory (offset %" PRIu ", %" PRIu
			" bytes) does not end where the archive does (%" PRIu
			")",
			p->offset, p->size, p->at);
	if (p->entries > l->members)
		return err_set(e, BAD_ITEM,
			"zip: %" PRIu " members, more than %" PRIu
			" (max_members)",
			p->entries, l->members);
	if (p->size > DIRECTORY_MAX || p->entries > p->size / CENTRAL_LEN)
		return err_set(e, BAD_ITEM,
			"zip: a directory of %" PRIu " bytes for %" PRIu
			" members",
			p->size, p->entries);
	return OK;
}

/* ---- its entries ---- */

void
directory_name(const struct directory *d, size_t i, struct str *s)
{
	str_add(s, "member ");
	str_add_quoted(
		s, d->bytes.data + d->entry[i].name, d->entry[i].name_len);
	str_addf(s, " (number %zu)", i + 1);
}

static enum rc
entry_bad(const struct directory *d, size_t i, const char *what, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	directory_name(d, i, &s);
	return err_set(e, BAD_ITEM, "zip: %s: %s", s.s, what);
}

/* Entry i at p, n bytes to the directory's end; *ret_n: its length. */
static enum rc
parse_entry(struct directory *d, size_t i, const uint8_t *p, size_t n,
	size_t *ret_n, struct err *e)
{
	struct zip_entry *z = &d->entry[i];
	size_t name_len, extra_len, len;
	struct zip64 wide;

	if (n < CENTRAL_LEN || memcmp(p, "PK\1\2", 4) != 0)
		return err_set(e, BAD_ITEM,
			"zip: entry %zu of its directory is none", i + 1);
	name_len = get_le16(p + 28);
	extra_len = get_le16(p + 30);
	len = CENTRAL_LEN + name_len + extra_len + get_le16(p + 32);
	if (len > n)
		return err_set(e, BAD_ITEM,
			"zip: entry %zu of its directory reaches beyond it",
			i + 1);
	*z = (struct zip_entry){
		.begin = get_le32(p + 42),
		.packed = get_le32(p + 20),
		.size = get_le32(p + 24),
		.crc = get_le32(p + 16),
		.flags = get_le16(p + 8),
		.method = get_le16(p + 10),
		.mode = p[5] == MADE_BY_UNIX ? get_le16(p + 40) : 0,
		.name = (size_t)(p - d->bytes.data) + CENTRAL_LEN,
		.name_len = name_len,
	};
	wide = (struct zip64){.size = &z->size,
		.packed = &z->packed,
		.begin = &z->begin,
		.disk = get_le16(p + 34)};
	if (!zip64_read(&wide, p + CENTRAL_LEN + name_len, extra_len))
		return entry_bad(d, i, "its zip64 sizes are not there", e);
	if (wide.disk != 0)
		return entry_bad(d, i, "it is said to be in another file", e);
	*ret_n = len;
	return OK;
}

static enum rc
parse(struct directory *d, const struct place *where, struct err *e)
{
	const uint8_t *p = d->bytes.data;
	size_t left = d->bytes.len, n = 0;

	d->entry = mem_array((size_t)where->entries + 1, sizeof(*d->entry));
	for (; d->n < where->entries; d->n++) {
		if (parse_entry(d, d->n, p, left, &n, e) != OK)
			return e->code;
		p += n;
		left -= n;
	}
	if (left > 0)
		return err_set(e, BAD_ITEM,
			"zip: %zu bytes in its directory behind the last of "
			"%zu members",
			left, d->n);
	return OK;
}

/* ---- what is between them ---- */

static int
by_begin(const void *a, const void *b)
{
	const struct zip_entry *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Bytes of nobody may be there (a stub in front, padding), but no member. */
static enum rc
check_gap(struct input *in, uint64_t begin, uint64_t end, struct err *e)
{
	uint8_t p[4];

	if (end - begin < LOCAL_LEN)
		return OK;
	if (input_at(in, p, sizeof(p), begin, e) != OK)
		return e->code;
	if (memcmp(p, "PK\3\4", 4) != 0)
		return OK;
	return err_set(e, BAD_ITEM,
		"zip: a member at offset %" PRIu
		" that its directory does not know",
		begin);
}

static enum rc
check_places(struct input *in, const struct directory *d,
	const struct place *where, struct err *e)
{
	CLEANUP(str_release) struct str a = STR_INIT, b = STR_INIT;
	uint64_t at = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->entry[i].begin < at) {
			directory_name(d, i - 1, &a);
			directory_name(d, i, &b);
			return err_set(e, BAD_ITEM,
				"zip: %s and %s overlap at offset %" PRIu, a.s,
				b.s, d->entry[i].begin);
		}
		if (check_gap(in, at, d->entry[i].begin, e) != OK)
			return e->code;
		at = d->entry[i].end;
	}
	return check_gap(in, at, where->offset, e);
}

/* What the archive itself says it unpacks to is too much already. */
static enum rc
check_sizes(struct input *in, const struct directory *d,
	const struct unpack_limits *l, struct err *e)
{
	uint64_t total = 0;

	for (size_t i = 0; i < d->n; i++) {
		uint64_t n = d->entry[i].size;

		if (n > l->member_bytes)
			return entry_bad(
				d, i, "it says it is over max_member", e);
		if (n > l->total_bytes || total > l->total_bytes - n)
			return err_set(e, BAD_ITEM,
				"zip: it says its members are over max_bytes "
				"together");
		total += n;
	}
	if (total > UNPACK_GRACE && total / l->ratio >= in->size)
		return err_set(e, BAD_ITEM,
			"zip: it says it unpacks %" PRIu " bytes to %" PRIu
			", more than %" PRIu " times as many (max_ratio)",
			in->size, total, l->ratio);
	return OK;
}

static enum rc
check(struct input *in, struct directory *d, const struct place *where,
	const struct unpack_limits *l, struct err *e)
{
	if (check_sizes(in, d, l, e) != OK)
		return e->code;
	qsort(d->entry, d->n, sizeof(*d->entry), by_begin);
	for (size_t i = 0; i < d->n; i++) {
		const char *what = NULL;

		if (!local_check(in, d, i, where->offset, &what, e))
			return what == NULL ? e->code
					    : entry_bad(d, i, what, e);
	}
	return check_places(in, d, where, e);
}

enum rc
directory_read(struct input *in, const struct unpack_limits *l,
	struct directory *ret, struct err *e)
{
	struct place where = {0};
	struct directory d = {0};
	enum rc rc = read_end(in, l, &where, e);

	if (rc != OK)
		return rc;
	if (where.size > DIRECTORY_SMALL)
		(void)input_more(in);
	buf_init(&d.bytes, DIRECTORY_MAX);
	rc = buf_reserve(&d.bytes, (size_t)where.size, e);
	if (rc == OK)
		rc = input_at(
			in, d.bytes.data, (size_t)where.size, where.offset, e);
	if (rc == OK) {
		d.bytes.len = (size_t)where.size;
		rc = parse(&d, &where, e);
	}
	if (rc == OK)
		rc = check(in, &d, &where, l, e);
	if (rc != OK)
		directory_release(&d);
	else
		*ret = d;
	return rc;
}

void
directory_release(struct directory *d)
{
	free(d->entry);
	buf_release(&d->bytes);
}
