/*
 * Reading a landing file. Nothing in it is believed: every size is checked
 * against the file and against every other statement of it before memory is
 * taken or a byte decoded.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"
#include "land/index.h"
#include "land/landing.h"

enum { TABLE_MAX = FORMAT_FRAMES_MAX + 3 };

/* pread of exactly n bytes. */
static enum rc
read_at(struct landing *l, void *p, size_t n, uint64_t offset, struct err *e)
{
	size_t got;

	if (io_pread(l->fd, p, n, offset, &got, BAD_ITEM, e) != OK)
		return e->code;
	if (got < n)
		return err_set(e, BAD_ITEM,
			"file ends at %llu, %zu bytes "
			"at %llu were promised",
			(unsigned long long)(offset + got), n,
			(unsigned long long)offset);
	return OK;
}

/*
 * The seek table: footer, count, fit, and the sum of compressed sizes. Frames
 * with Decompressed_Size 0 are the tripwire (first) and LFIX, LFPV (last
 * two); all others are data. An empty object has one data frame of size 0.
 */
static enum rc
read_seek_table(struct landing *l, struct err *e)
{
	uint8_t foot[FORMAT_SEEK_FOOTER], head[FORMAT_SKIPPABLE_HEAD];
	CLEANUP(mem_release) uint8_t *table = NULL;
	uint64_t size, at = 0, raw = 0;
	uint32_t n;

	if (l->file_size < FORMAT_SKIPPABLE_HEAD + FORMAT_SEEK_FOOTER)
		return err_set(e, BAD_ITEM, "too short for a landing file");
	if (read_at(l, foot, sizeof(foot), l->file_size - sizeof(foot), e) !=
		OK)
		return e->code;
	n = get_le32(foot);
	if (get_le32(foot + 5) != FORMAT_SEEK_FOOTER_MAGIC)
		return err_set(e, BAD_ITEM,
			"no seek table at the end: cut short, or not a "
			"landing file");
	if (foot[4] != 0)
		return err_set(e, BAD_ITEM,
			"seek table descriptor is 0x%02x, not 0", foot[4]);
	if (n < 3 || n > TABLE_MAX)
		return err_set(e, BAD_ITEM, "seek table of %u frames", n);
	size = (uint64_t)n * FORMAT_SEEK_ENTRY + FORMAT_SEEK_FOOTER;
	if (size + FORMAT_SKIPPABLE_HEAD > l->file_size)
		return err_set(e, BAD_ITEM,
			"seek table of %u frames does not fit in the file", n);
	l->table_at = l->file_size - size - FORMAT_SKIPPABLE_HEAD;
	if (read_at(l, head, sizeof(head), l->table_at, e) != OK)
		return e->code;
	if (get_le32(head) != FORMAT_SEEK_MAGIC || get_le32(head + 4) != size)
		return err_set(e, BAD_ITEM,
			"seek table frame at %llu is damaged",
			(unsigned long long)l->table_at);
	table = mem_alloc(size);
	if (read_at(l, table, size, l->table_at + sizeof(head), e) != OK)
		return e->code;

	l->first = get_le32(table + 4) == 0 && n > 4 ? 1 : 0;
	l->n_frames = n - 2 - l->first;
	l->frame = mem_array(l->n_frames + 1, sizeof(*l->frame));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = get_le32(table + i * FORMAT_SEEK_ENTRY);
		uint32_t d = get_le32(table + i * FORMAT_SEEK_ENTRY + 4);
		bool data = i >= l->first && i < l->first + l->n_frames;

		if (c < FORMAT_SKIPPABLE_HEAD || d > FORMAT_FRAME_TARGET ||
			(!data && d != 0) ||
			(data && d == 0 && l->n_frames > 1))
			return err_set(e, BAD_ITEM,
				"seek table entry %u: %u bytes for %u", i, c,
				d);
		if (data)
			l->frame[i - l->first] = (struct landing_frame){
				.at = at, .compressed = c, .start = raw};
		if (i == n - 2)
			l->index_at = at;
		if (i == n - 1)
			l->provenance_at = at;
		at += c;
		raw += d;
	}
	l->frame[l->n_frames] = (struct landing_frame){.start = raw};
	if (at != l->table_at)
		return err_set(e, BAD_ITEM,
			"seek table says %llu bytes of frames, there are %llu",
			(unsigned long long)at,
			(unsigned long long)l->table_at);
	return OK;
}

/* A skippable frame of ours: magic, exact length, tag, version. */
static enum rc
read_skippable(struct landing *l, uint64_t at, uint64_t end, const char *tag,
	uint64_t max, struct str *s, struct err *e)
{
	uint8_t head[FORMAT_SKIPPABLE_HEAD + 8];
	uint64_t size = end - at;

	if (size < sizeof(head) || size > max)
		return err_set(e, BAD_ITEM, "%s frame of %llu bytes", tag,
			(unsigned long long)size);
	if (read_at(l, head, sizeof(head), at, e) != OK)
		return e->code;
	if (get_le32(head) != FORMAT_SKIPPABLE_MAGIC ||
		get_le32(head + 4) != size - FORMAT_SKIPPABLE_HEAD ||
		memcmp(head + 8, tag, 4) != 0)
		return err_set(e, BAD_ITEM, "no %s frame at %llu", tag,
			(unsigned long long)at);
	if (get_le16(head + 12) != FORMAT_VERSION)
		return err_set(e, BAD_ITEM,
			"%s version %u: written by a newer landfall?", tag,
			get_le16(head + 12));
	if (get_le16(head + 14) != 0)
		return err_set(e, BAD_ITEM, "%s flags are not 0", tag);
	if (s != NULL) {
		CLEANUP(mem_release)
		uint8_t *p = mem_alloc((size_t)size - sizeof(head));

		if (read_at(l, p, (size_t)size - sizeof(head),
			    at + sizeof(head), e) != OK)
			return e->code;
		str_addn(s, p, (size_t)size - sizeof(head));
	}
	return OK;
}

/*
 * The index head and the frames; exceptions stay in the file and are read as
 * they are needed. Their consistency is landing_check's business, their
 * bounds are checked wherever they are used.
 */
static enum rc
read_index(struct landing *l, struct err *e)
{
	uint8_t head[FORMAT_INDEX_HEAD];
	uint64_t payload = l->index_at + FORMAT_SKIPPABLE_HEAD, size;
	uint64_t record = 0;

	if (read_skippable(l, l->index_at, l->provenance_at, FORMAT_INDEX_TAG,
		    UINT32_MAX, NULL, e) != OK ||
		read_at(l, head, sizeof(head), payload, e) != OK)
		return e->code;
	l->records = get_le64(head + 8);
	l->malformed = get_le64(head + 16);
	l->exceptions = get_le32(head + 28);
	size = FORMAT_INDEX_HEAD +
		(uint64_t)get_le32(head + 24) * FORMAT_INDEX_FRAME +
		(uint64_t)l->exceptions * FORMAT_INDEX_EXCEPTION;
	if (get_le32(head + 24) != l->n_frames ||
		payload + size != l->provenance_at)
		return err_set(e, BAD_ITEM,
			"LFIX: %u frames and %u exceptions do not fit %zu "
			"data frames and the size of the index",
			get_le32(head + 24), l->exceptions, l->n_frames);
	l->exceptions_at = l->provenance_at -
		(uint64_t)l->exceptions * FORMAT_INDEX_EXCEPTION;
	for (size_t i = 0; i < l->n_frames; i++) {
		uint8_t p[FORMAT_INDEX_FRAME];

		if (read_at(l, p, sizeof(p),
			    payload + FORMAT_INDEX_HEAD +
				    i * FORMAT_INDEX_FRAME,
			    e) != OK)
			return e->code;
		l->frame[i].first_record = get_le64(p);
		l->frame[i].inside =
			(get_le32(p + 12) & FORMAT_FRAME_INSIDE) != 0;
		if (l->frame[i].first_record != record)
			return err_set(e, BAD_ITEM,
				"LFIX: frame %zu starts at record %llu, %llu "
				"came before it",
				i, (unsigned long long)l->frame[i].first_record,
				(unsigned long long)record);
		record += get_le32(p + 8);
	}
	if (record != l->records)
		return err_set(e, BAD_ITEM,
			"LFIX: frames hold %llu records, the file %llu",
			(unsigned long long)record,
			(unsigned long long)l->records);
	return OK;
}

static enum rc
read_provenance(struct landing *l, struct err *e)
{
	if (read_skippable(l, l->provenance_at, l->table_at,
		    FORMAT_PROVENANCE_TAG,
		    FORMAT_PROVENANCE_MAX + FORMAT_SKIPPABLE_HEAD +
			    FORMAT_PROVENANCE_HEAD,
		    &l->text, e) != OK ||
		provenance_read(&l->provenance, &l->keep, l->text.s,
			l->text.len, e) != OK)
		return e->code;
	if (l->provenance.size != l->frame[l->n_frames].start)
		return err_set(e, BAD_ITEM,
			"provenance says %llu bytes, the frames hold %llu",
			(unsigned long long)l->provenance.size,
			(unsigned long long)l->frame[l->n_frames].start);
	if (l->provenance.totals.records != l->records ||
		l->provenance.totals.malformed != l->malformed)
		return err_set(e, BAD_ITEM,
			"provenance and index disagree on the records");
	return OK;
}

enum rc
landing_open(int fd, struct landing **ret, struct err *e)
{
	struct landing *l = mem_alloc(sizeof(*l));
	struct stat st;

	l->fd = fd;
	l->text = (struct str)STR_INIT;
	if (fstat(fd, &st) < 0) {
		err_sys(e, BAD_ITEM, errno, "stat");
	} else {
		l->file_size = (uint64_t)st.st_size;
		if (read_seek_table(l, e) == OK && read_index(l, e) == OK &&
			read_provenance(l, e) == OK) {
			l->zstd = ZSTD_createDCtx();
			if (l->zstd == NULL)
				abort();
			*ret = l;
			return OK;
		}
	}
	landing_close(l);
	return e->code;
}

void
landing_close(struct landing *l)
{
	if (l == NULL)
		return;
	io_drop(&l->fd);
	ZSTD_freeDCtx(l->zstd);
	provenance_release(&l->keep);
	str_release(&l->text);
	free(l->frame);
	free(l->packed);
	free(l);
}

const struct provenance *
landing_provenance(const struct landing *l)
{
	return &l->provenance;
}

const char *
landing_provenance_text(const struct landing *l)
{
	return l->text.s;
}

/* Read frame i as it lies in the file: l->packed, and its length. */
static enum rc
read_packed(struct landing *l, size_t i, struct err *e)
{
	size_t n = l->frame[i].compressed;

	if (n > ZSTD_compressBound(FORMAT_FRAME_TARGET) + 64)
		return err_set(e, BAD_ITEM, "frame %zu of %zu bytes", i, n);
	if (l->packed == NULL)
		l->packed =
			mem_alloc(ZSTD_compressBound(FORMAT_FRAME_TARGET) + 64);
	return read_at(l, l->packed, n, l->frame[i].at, e);
}

enum rc
landing_frame(struct landing *l, size_t i, struct buf *out, struct err *e)
{
	size_t want = landing_frame_size(l, i), got;
	unsigned long long promised;

	if (read_packed(l, i, e) != OK || buf_reserve(out, want, e) != OK)
		return e->code;
	promised = ZSTD_getFrameContentSize(l->packed, l->frame[i].compressed);
	/* Decoders ignore this bit (RFC 8878 section 3.1.1.1.1.3); we don't. */
	if ((l->packed[4] & 0x10) != 0)
		return err_set(e, BAD_ITEM, "frame %zu at %llu is damaged", i,
			(unsigned long long)l->frame[i].at);
	if (promised != want)
		return err_set(e, BAD_ITEM,
			"frame %zu at %llu: its header and the seek table "
			"disagree on its size",
			i, (unsigned long long)l->frame[i].at);
	got = ZSTD_decompressDCtx(l->zstd, out->data + out->len, want,
		l->packed, l->frame[i].compressed);
	if (ZSTD_isError(got) || got != want)
		return err_set(e, BAD_ITEM, "frame %zu at %llu: %s", i,
			(unsigned long long)l->frame[i].at,
			ZSTD_isError(got) ? ZSTD_getErrorName(got)
					  : "wrong size");
	out->len += want;
	return OK;
}

enum rc
landing_bytes(struct landing *l,
	enum rc (*each)(void *arg, const uint8_t *p, size_t n, struct err *e),
	void *arg, struct err *e)
{
	struct buf b;
	enum rc rc = OK;

	buf_init(&b, FORMAT_FRAME_TARGET);
	for (size_t i = 0; i < l->n_frames && rc == OK; i++) {
		b.len = 0;
		rc = landing_frame(l, i, &b, e);
		if (rc == OK && b.len > 0)
			rc = each(arg, b.data, b.len, e);
	}
	buf_release(&b);
	return rc;
}

enum rc
landing_exception(struct landing *l, uint32_t i, struct scan_exception *ret,
	struct err *e)
{
	uint8_t p[FORMAT_INDEX_EXCEPTION];

	if (read_at(l, p, sizeof(p),
		    l->exceptions_at + (uint64_t)i * FORMAT_INDEX_EXCEPTION,
		    e) != OK)
		return e->code;
	index_unpack(ret, p);
	if (ret->length == 0 || ret->offset > l->provenance.size ||
		ret->length > l->provenance.size - ret->offset)
		return err_set(e, BAD_ITEM,
			"LFIX: exception %u is outside "
			"the object",
			i);
	return OK;
}

/* So many exceptions are looked at for malformed ones among them. */
#define LOOK_MOST 65536

enum rc
landing_malformed(struct landing *l, struct scan_exception *ret, size_t most,
	size_t *ret_n, struct err *e)
{
	struct scan_exception x;
	size_t n = 0;

	for (uint32_t i = 0; i < l->exceptions && i < LOOK_MOST && n < most;
		i++) {
		if (landing_exception(l, i, &x, e) != OK)
			return e->code;
		if (format_is_malformed(x.kind))
			ret[n++] = x;
	}
	*ret_n = n;
	return OK;
}
