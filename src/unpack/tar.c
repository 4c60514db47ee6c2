/*
 * Tar archives, by libarchive, from a stream that somebody else decompresses:
 * so it is seen here whether all of the stream was used, and where.
 *
 * The end of an archive is two blocks of zeros. libarchive is content without
 * them; here, an archive that lacks them was cut off.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "late/archive.h"
#include "unpack/reader.h"

enum { END_BLOCKS = 1024 };

struct reader {
	struct stream *stream;
	struct archive *archive;
	struct err stream_failed;
	uint64_t given;	 /* bytes of the stream so far */
	uint64_t filled; /* ... up to the last that is not zero */
	struct str finding;
	uint64_t at, size;   /* in the member */
	const uint8_t *held; /* a block that comes after a hole */
	size_t held_len;
	uint64_t hold_at;
};

static la_ssize_t
read_stream(struct archive *a, void *arg, const void **ret)
{
	struct reader *r = arg;
	const uint8_t *p;
	size_t n, last;

	switch (stream_next(r->stream, &p, &n, &r->stream_failed)) {
	case OK:
		break;
	case END:
		return 0;
	default:
		archive_set_error(a, EIO, "%s", r->stream_failed.text);
		return ARCHIVE_FATAL;
	}
	for (last = n; last > 0 && p[last - 1] == 0;)
		last--;
	if (last > 0)
		r->filled = r->given + last;
	r->given += n;
	*ret = p;
	return (la_ssize_t)n;
}

static enum rc
tar_bad(const struct reader *r, struct err *e)
{
	const char *text = archive_error_string(r->archive);

	if (r->stream_failed.code != OK) {
		*e = r->stream_failed;
		return e->code;
	}
	return err_set(e, BAD_ITEM, "tar: %s, before byte %" PRIu64,
		text != NULL ? text : "damaged", r->given);
}

static void tar_close(struct reader *r);

static enum rc
tar_open(const struct reader_from *from, struct reader **ret, struct err *e)
{
	struct reader *r;

	if (late_archive(e) != OK)
		return e->code;
	r = mem_alloc(sizeof(*r));
	r->stream = from->stream;
	r->finding = (struct str)STR_INIT;
	r->archive = archive_read_new();
	if (r->archive == NULL ||
		archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
		archive_read_open(r->archive, r, NULL, read_stream, NULL) !=
			ARCHIVE_OK) {
		err_set(e, BAD_ITEM, "tar: cannot be opened");
		tar_close(r);
		return BAD_ITEM;
	}
	*ret = r;
	return OK;
}

static void
tar_close(struct reader *r)
{
	if (r->archive != NULL)
		archive_read_free(r->archive);
	stream_free(r->stream);
	str_release(&r->finding);
	free(r);
}

/* The rest of the stream: its checks, and that nothing hides in it. */
static enum rc
tar_end(struct reader *r, struct err *e)
{
	uint64_t end = (uint64_t)archive_read_header_position(r->archive);
	const void *p;
	la_ssize_t n;

	while ((n = read_stream(r->archive, r, &p)) > 0)
		continue;
	if (n < 0)
		return tar_bad(r, e);
	if (r->given < end + END_BLOCKS)
		return err_set(e, BAD_ITEM,
			"tar: truncated: no end mark at byte %" PRIu64, end);
	if (r->filled > end)
		return err_set(e, BAD_ITEM,
			"tar: something else behind its end at byte %" PRIu64,
			end);
	return END;
}

/*
 * A name that is not of this locale's characters is a warning, and its bytes
 * are as they should be. Any other warning is damage.
 */
static bool
is_only_locale(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text != NULL && strstr(text, "current locale") != NULL;
}

static enum rc
tar_next(struct reader *r, struct reader_entry *ret, struct err *e)
{
	struct archive_entry *a;
	int rc = archive_read_next_header(r->archive, &a);
	const char *name;

	if (rc == ARCHIVE_EOF)
		return tar_end(r, e);
	if (rc != ARCHIVE_OK &&
		!(rc == ARCHIVE_WARN && is_only_locale(r->archive)))
		return tar_bad(r, e);
	reader_describe(a, ret, &r->finding);
	name = archive_entry_pathname(a);
	ret->name = (const uint8_t *)(name != NULL ? name : "");
	ret->name_len = strlen((const char *)ret->name);
	r->at = 0;
	r->size = ret->size == UNPACK_UNKNOWN ? 0 : ret->size;
	r->held = NULL;
	return OK;
}

/* A sparse file comes in pieces: what is between them is zeros. */
static size_t
hole(struct reader *r, uint64_t to)
{
	uint64_t n = to - r->at;

	if (n > INPUT_PIECE)
		n = INPUT_PIECE;
	r->at += n;
	return (size_t)n;
}

static enum rc
tar_data(struct reader *r, const uint8_t **p, size_t *n, struct err *e)
{
	const void *block;
	la_int64_t offset = (la_int64_t)r->at;
	int rc;

	*p = NULL;
	if (r->held == NULL) {
		rc = archive_read_data_block(
			r->archive, &block, &r->held_len, &offset);
		if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
			return tar_bad(r, e);
		if (rc == ARCHIVE_EOF) {
			*n = hole(r, r->size);
			return *n > 0 ? OK : END;
		}
		r->held = block;
		r->hold_at = (uint64_t)offset;
	}
	if (r->hold_at < r->at)
		return err_set(e, BAD_ITEM, "tar: pieces out of order");
	*n = hole(r, r->hold_at);
	if (*n > 0)
		return OK;
	*p = r->held;
	*n = r->held_len;
	r->at += r->held_len;
	r->held = NULL;
	return OK;
}

const struct reader_ops reader_tar = {tar_open, tar_next, tar_data, tar_close};
