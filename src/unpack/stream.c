#include "unpack/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "late/archive.h"

struct stream {
	enum unpack_kind kind;
	struct input *in;
	uint8_t *piece; /* INPUT_PIECE bytes of it */
	size_t piece_len;
	struct err input_failed;
	struct err failed; /* said again, should anybody ask again */
	bool ended;

	struct archive *archive;

	z_stream z;
	bool inside;  /* of a gzip member */
	uint8_t *out; /* INPUT_PIECE */
};

/* ---- gzip, by zlib: members one after another ---- */

enum { GZIP_WINDOW = 15 + 16 }; /* with gzip's header and checks */

static enum rc
gzip_open(struct stream *s, struct err *e)
{
	s->out = mem_alloc(INPUT_PIECE);
	if (inflateInit2(&s->z, GZIP_WINDOW) != Z_OK)
		return err_set(e, BAD_ITEM, "gzip: no memory");
	s->inside = true;
	return OK;
}

static enum rc
gzip_fill(struct stream *s, struct err *e)
{
	enum rc rc;

	if (s->z.avail_in > 0)
		return OK;
	rc = input_next(s->in, s->piece, &s->piece_len, e);
	s->z.next_in = s->piece;
	s->z.avail_in = (uInt)s->piece_len;
	return rc;
}

static uint64_t
gzip_at(const struct stream *s)
{
	return s->in->at - s->z.avail_in;
}

/* Behind a member: another, zeros to the end, or nothing. */
static enum rc
gzip_between(struct stream *s, struct err *e)
{
	uint64_t end = gzip_at(s);

	for (;;) {
		if (gzip_fill(s, e) != OK)
			return e->code;
		if (s->z.avail_in == 0) {
			s->ended = true;
			return END;
		}
		if (*s->z.next_in != 0)
			break;
		s->z.next_in++;
		s->z.avail_in--;
	}
	if (gzip_at(s) != end || *s->z.next_in != 0x1f)
		return err_set(e, BAD_ITEM,
			"gzip: something else behind its end, at offset "
			"%" PRIu64,
			gzip_at(s));
	inflateReset(&s->z);
	s->inside = true;
	return OK;
}

static enum rc
gzip_bad(struct stream *s, int code, struct err *e)
{
	if (code == Z_BUF_ERROR)
		return err_set(e, BAD_ITEM,
			"gzip: truncated: it ends at byte %" PRIu64
			" in the middle",
			s->in->size);
	return err_set(e, BAD_ITEM, "gzip: %s, before offset %" PRIu64,
		s->z.msg != NULL ? s->z.msg : "damaged", gzip_at(s));
}

static enum rc
gzip_next(struct stream *s, const uint8_t **ret, size_t *ret_n, struct err *e)
{
	s->z.next_out = s->out;
	s->z.avail_out = INPUT_PIECE;
	while (s->z.avail_out == INPUT_PIECE) {
		enum rc rc = s->inside ? gzip_fill(s, e) : gzip_between(s, e);
		int code;

		if (rc != OK)
			return rc;
		code = inflate(&s->z, Z_NO_FLUSH);
		if (code == Z_STREAM_END)
			s->inside = false;
		else if (code != Z_OK)
			return gzip_bad(s, code, e);
	}
	*ret = s->out;
	*ret_n = INPUT_PIECE - s->z.avail_out;
	return OK;
}

/* ---- the others, by libarchive ---- */

static la_ssize_t
read_input(struct archive *a, void *arg, const void **ret)
{
	struct stream *s = arg;

	if (input_next(s->in, s->piece, &s->piece_len, &s->input_failed) !=
		OK) {
		archive_set_error(a, EIO, "%s", s->input_failed.text);
		return ARCHIVE_FATAL;
	}
	*ret = s->piece;
	return (la_ssize_t)s->piece_len;
}

static enum rc
filter_bad(const struct stream *s, struct err *e)
{
	const char *text = archive_error_string(s->archive);

	return err_set(e, BAD_ITEM, "%s: %s, before offset %" PRIu64,
		unpack_kind_name(s->kind),
		text != NULL ? text : "damaged or truncated", s->in->at);
}

/* This filter and no other, and not again on what comes out of it. */
static int
filter_set(struct archive *a, enum unpack_kind kind)
{
	int rc = archive_read_set_format(a, ARCHIVE_FORMAT_RAW);

	if (rc != ARCHIVE_OK)
		return rc;
	if (kind == UNPACK_BZIP2)
		return archive_read_append_filter(a, ARCHIVE_FILTER_BZIP2);
	if (kind == UNPACK_XZ)
		return archive_read_append_filter(a, ARCHIVE_FILTER_XZ);
	/* It cannot be appended, only offered: see filter_open. */
	return archive_read_support_filter_zstd(a);
}

static enum rc
filter_open(struct stream *s, struct err *e)
{
	struct archive_entry *entry;

	if (late_archive(e) != OK)
		return e->code;
	s->archive = archive_read_new();
	if (s->archive == NULL)
		return err_set(e, BAD_ITEM, "no memory");
	if (filter_set(s->archive, s->kind) != ARCHIVE_OK ||
		archive_read_open(s->archive, s, NULL, read_input, NULL) !=
			ARCHIVE_OK ||
		archive_read_next_header(s->archive, &entry) != ARCHIVE_OK)
		return filter_bad(s, e);
	if (archive_filter_count(s->archive) != 2)
		return err_set(e, BAD_ITEM,
			"%s: compressed with it more than once",
			unpack_kind_name(s->kind));
	return OK;
}

/* libarchive takes what is no further stream for the end. */
static enum rc
filter_end(struct stream *s, struct err *e)
{
	uint64_t read = (uint64_t)archive_filter_bytes(s->archive, 1);

	if (read != s->in->size)
		return err_set(e, BAD_ITEM,
			"%s: something else behind its end, at offset "
			"%" PRIu64,
			unpack_kind_name(s->kind), read);
	s->ended = true;
	return END;
}

static enum rc
filter_next(struct stream *s, const uint8_t **ret, size_t *ret_n, struct err *e)
{
	const void *p;
	la_int64_t offset;

	switch (archive_read_data_block(s->archive, &p, ret_n, &offset)) {
	case ARCHIVE_OK:
		*ret = p;
		return OK;
	case ARCHIVE_EOF:
		return filter_end(s, e);
	}
	return filter_bad(s, e);
}

/* ---- all of them ---- */

static enum rc
plain_next(struct stream *s, const uint8_t **ret, size_t *ret_n, struct err *e)
{
	if (input_next(s->in, s->piece, ret_n, e) != OK)
		return e->code;
	*ret = s->piece;
	return *ret_n > 0 ? OK : END;
}

enum rc
stream_open(enum unpack_kind kind, struct input *in, struct stream **ret,
	struct err *e)
{
	struct stream *s = mem_alloc(sizeof(*s));
	enum rc rc = OK;

	s->kind = kind;
	s->in = in;
	s->piece = mem_alloc(INPUT_PIECE);
	if (kind == UNPACK_GZIP)
		rc = gzip_open(s, e);
	else if (kind != UNPACK_TAR)
		rc = filter_open(s, e);
	if (rc != OK) {
		stream_free(s);
		return rc;
	}
	*ret = s;
	return OK;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->archive != NULL)
		archive_read_free(s->archive);
	if (s->out != NULL)
		inflateEnd(&s->z);
	free(s->out);
	free(s->piece);
	free(s);
}

static enum rc
kind_next(struct stream *s, const uint8_t **ret, size_t *ret_n, struct err *e)
{
	if (s->kind == UNPACK_GZIP)
		return gzip_next(s, ret, ret_n, e);
	if (s->kind == UNPACK_TAR)
		return plain_next(s, ret, ret_n, e);
	return filter_next(s, ret, ret_n, e);
}

enum rc
stream_next(struct stream *s, const uint8_t **ret, size_t *ret_n, struct err *e)
{
	enum rc rc;

	if (s->ended)
		return END;
	if (s->failed.code != OK) {
		*e = s->failed;
		return e->code;
	}
	rc = kind_next(s, ret, ret_n, e);
	if (rc != OK && rc != END)
		s->failed = *e;
	return rc;
}
