/*
 * Zip archives: the directory as directory.c found it right, the data by
 * libarchive, which goes by the same directory. Names are the directory's
 * bytes; libarchive would make them fit the locale. That both are at the same
 * member is checked for each.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "late/archive.h"
#include "unpack/directory.h"
#include "unpack/reader.h"

/* A member that libarchive cannot get over is passed by starting again. */
enum { AGAIN_MAX = 100 };

struct reader {
	struct input *in;
	const char *password;
	struct directory dir;
	struct archive *archive;
	uint8_t *piece;
	struct err input_failed;
	size_t next; /* the entry that libarchive comes to */
	unsigned again;
	bool stuck;	  /* libarchive goes no further */
	uint64_t at;	  /* bytes of the member so far */
	const char *bars; /* why its data cannot be had */
	struct str finding;
};

static la_ssize_t
read_zip(struct archive *a, void *arg, const void **ret)
{
	struct reader *r = arg;
	size_t n;

	if (input_next(r->in, r->piece, &n, &r->input_failed) != OK) {
		archive_set_error(a, EIO, "%s", r->input_failed.text);
		return ARCHIVE_FATAL;
	}
	*ret = r->piece;
	return (la_ssize_t)n;
}

static la_int64_t
seek_zip(struct archive *a UNUSED, void *arg, la_int64_t offset, int whence)
{
	struct reader *r = arg;
	la_int64_t size = (la_int64_t)r->in->size;

	if (whence == SEEK_CUR)
		offset += (la_int64_t)r->in->at;
	else if (whence == SEEK_END)
		offset += size;
	if (offset < 0 || offset > size)
		return ARCHIVE_FATAL;
	r->in->at = (uint64_t)offset;
	return offset;
}

static enum rc
zip_bad(const struct reader *r, struct err *e)
{
	const char *text =
		r->archive != NULL ? archive_error_string(r->archive) : NULL;

	return err_set(e, BAD_ITEM, "zip: %s", text != NULL ? text : "damaged");
}

/* libarchive, at the first member. */
static enum rc
zip_begin(struct reader *r, struct err *e)
{
	if (r->archive != NULL)
		archive_read_free(r->archive);
	r->in->at = 0;
	r->next = 0;
	r->stuck = false;
	r->archive = NULL;
	if (late_archive(e) != OK)
		return e->code;
	r->archive = archive_read_new();
	if (r->archive == NULL ||
		archive_read_support_format_zip_seekable(r->archive) !=
			ARCHIVE_OK ||
		(r->password[0] != '\0' &&
			archive_read_add_passphrase(r->archive, r->password) !=
				ARCHIVE_OK) ||
		archive_read_set_seek_callback(r->archive, seek_zip) !=
			ARCHIVE_OK ||
		archive_read_open(r->archive, r, NULL, read_zip, NULL) !=
			ARCHIVE_OK)
		return zip_bad(r, e);
	return OK;
}

static void
zip_close(struct reader *r)
{
	if (r->archive != NULL)
		archive_read_free(r->archive);
	directory_release(&r->dir);
	str_release(&r->finding);
	free(r->piece);
	free(r);
}

static enum rc
zip_open(const struct reader_from *from, struct reader **ret, struct err *e)
{
	struct reader *r = mem_alloc(sizeof(*r));
	enum rc rc;

	r->in = from->in;
	r->password = from->password;
	r->piece = mem_alloc(INPUT_PIECE);
	r->finding = (struct str)STR_INIT;
	rc = directory_read(r->in, from->limits, &r->dir, e);
	/* libarchive knows no zip without members. */
	if (rc == OK && r->dir.n > 0)
		rc = zip_begin(r, e);
	if (rc != OK) {
		zip_close(r);
		return rc;
	}
	*ret = r;
	return OK;
}

/* ---- members ---- */

static bool
is_ascii(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\0' || p[i] >= 0x80)
			return false;
	return true;
}

/*
 * The same name, where both can know it: libarchive turns backslashes, adds a
 * slash to a folder's name, and gives none that is not of this locale.
 */
static bool
is_name(const char *theirs, const uint8_t *name, size_t len)
{
	if (!is_ascii(name, len))
		return true;
	if (theirs == NULL)
		return len == 0;
	for (size_t i = 0; i < len; i++, theirs++)
		if (*theirs != (char)name[i] &&
			(*theirs != '/' || name[i] != '\\'))
			return false;
	return theirs[0] == '\0' || strcmp(theirs, "/") == 0;
}

/* The member that libarchive is at is the directory's. */
static bool
is_same(const struct reader *r, const struct zip_entry *z,
	struct archive_entry *a)
{
	/* A link's bytes are where it leads to; libarchive has read them. */
	if (archive_entry_size_is_set(a) &&
		archive_entry_filetype(a) != AE_IFLNK &&
		(uint64_t)archive_entry_size(a) != z->size)
		return false;
	return is_name(archive_entry_pathname(a), r->dir.bytes.data + z->name,
		z->name_len);
}

static enum rc
lost(const struct reader *r, size_t i, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	directory_name(&r->dir, i, &s);
	return err_set(e, BAD_ITEM,
		"zip: %s is not what is found where its directory says", s.s);
}

/* Goes to the next header. */
static enum rc
step(struct reader *r, struct archive_entry **ret, struct err *e)
{
	int rc = archive_read_next_header(r->archive, ret);

	if (rc == ARCHIVE_EOF)
		return lost(r, r->next, e);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return zip_bad(r, e);
	if (!is_same(r, &r->dir.entry[r->next], *ret))
		return lost(r, r->next, e);
	r->next++;
	return OK;
}

/* From the beginning to behind the member that stopped it. */
static enum rc
go_around(struct reader *r, struct err *e)
{
	size_t to = r->next;
	struct archive_entry *a;

	if (++r->again > AGAIN_MAX)
		return err_set(e, BAD_ITEM, "zip: more than %d damaged members",
			AGAIN_MAX);
	if (zip_begin(r, e) != OK)
		return e->code;
	while (r->next < to)
		if (step(r, &a, e) != OK)
			return e->code;
	return OK;
}

/* What makes it hopeless to read it, known from the directory. */
static const char *
barred(const struct reader *r, const struct zip_entry *z)
{
	if (z->flags & (ZIP_STRONG | ZIP_MASKED))
		return "encrypted in a way (strong encryption) that cannot be "
		       "undone here";
	if (z->flags & ZIP_PATCHED)
		return "a patch to another file, not a file";
	if ((z->flags & ZIP_ENCRYPTED) && r->password[0] == '\0')
		return "encrypted, and there is no password for it";
	return NULL;
}

/* Methods that may want a window of any size: lzma, zstd, xz, ppmd. */
static bool
is_wide(const struct zip_entry *z)
{
	enum { STORED = 0, DEFLATED = 8, BZIP2 = 12 };

	return z->method != STORED && z->method != DEFLATED &&
		z->method != BZIP2;
}

static enum rc
zip_next(struct reader *r, struct reader_entry *ret, struct err *e)
{
	const struct zip_entry *z = &r->dir.entry[r->next];
	struct archive_entry *a;

	if (r->next == r->dir.n)
		return END;
	if (r->stuck && go_around(r, e) != OK)
		return e->code;
	if (is_wide(z))
		(void)input_more(r->in);
	if (step(r, &a, e) != OK)
		return e->code;
	/* libarchive makes a file of it. */
	if ((z->mode & S_IFMT) == S_IFIFO)
		archive_entry_set_filetype(a, AE_IFIFO);
	reader_describe(a, ret, &r->finding);
	ret->name = r->dir.bytes.data + z->name;
	ret->name_len = z->name_len;
	ret->size = z->size;
	r->bars = barred(r, z);
	r->at = 0;
	if (ret->type == UNPACK_FOLDER && z->size > 0) {
		str_add(&r->finding, "a folder with bytes of its own");
		ret->type = UNPACK_FINDING;
	}
	return OK;
}

/* Of which libarchive says that it is damaged. */
static bool
is_empty_lzma(const struct zip_entry *z)
{
	enum { LZMA = 14, PACKED_MAX = 64 };

	return z->method == LZMA && z->size == 0 && z->crc == 0 &&
		z->packed <= PACKED_MAX && !(z->flags & ZIP_ENCRYPTED);
}

static enum rc
zip_data(struct reader *r, const uint8_t **p, size_t *n, struct err *e)
{
	const struct zip_entry *z = &r->dir.entry[r->next - 1];
	const void *block;
	la_int64_t offset;
	int rc;

	if (r->bars != NULL)
		return err_set(e, BAD_ITEM, "%s", r->bars);
	if (is_empty_lzma(z))
		return END;
	rc = archive_read_data_block(r->archive, &block, n, &offset);
	if (rc == ARCHIVE_EOF && r->at == z->size)
		return END;
	if (rc == ARCHIVE_EOF) {
		r->stuck = true;
		return err_set(e, BAD_ITEM,
			"zip: %" PRIu64 " bytes where the directory says "
			"%" PRIu64,
			r->at, z->size);
	}
	if (rc != ARCHIVE_OK) {
		r->stuck = true;
		(void)zip_bad(r, e);
		/* The old encryption lets one wrong password of 256 through. */
		return z->flags & ZIP_ENCRYPTED
			? err_add(e, "encrypted (is the password right?)")
			: e->code;
	}
	*p = block;
	r->at += *n;
	return OK;
}

const struct reader_ops reader_zip = {zip_open, zip_next, zip_data, zip_close};
