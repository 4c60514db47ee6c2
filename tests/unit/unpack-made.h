/*
 * unpack-made.h - archives made in memory, and what must come out.
 */
#ifndef TESTS_UNPACK_MADE_H
#define TESTS_UNPACK_MADE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "landfall/unpack.h"
#include "unit.h"

#include "scratch.h"

static struct unpack_options options = {
	.fd = -1, .spool = -1, .limits = UNPACK_LIMITS_DEFAULT};

struct making {
	struct archive *a;
	int fd;
};

static inline struct making
make(int format, int filter)
{
	struct making m = {.a = archive_write_new()};

	m.fd = memfd_create("archive", MFD_CLOEXEC);
	assert_int_equal(archive_write_set_format(m.a, format), ARCHIVE_OK);
	if (filter != 0)
		assert_int_equal(
			archive_write_add_filter(m.a, filter), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(m.a, 1);
	assert_int_equal(archive_write_open_fd(m.a, m.fd), ARCHIVE_OK);
	return m;
}

static inline void
add_typed(struct making *m, const char *name, const void *p, size_t n,
	unsigned type, const char *link)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, type);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, 1000000000, 0);
	archive_entry_set_size(e, (la_int64_t)n);
	if (link != NULL && type == AE_IFLNK)
		archive_entry_set_symlink(e, link);
	else if (link != NULL)
		archive_entry_set_hardlink(e, link);
	assert_int_equal(archive_write_header(m->a, e), ARCHIVE_OK);
	if (n > 0)
		assert_int_equal(archive_write_data(m->a, p, n), n);
	archive_entry_free(e);
}

static inline void
add(struct making *m, const char *name, const void *p, size_t n)
{
	add_typed(m, name, p, n, AE_IFREG, NULL);
}

static inline int
made(struct making *m)
{
	assert_int_equal(archive_write_free(m->a), ARCHIVE_OK);
	return m->fd;
}

static inline struct unpack *
begin(int fd, const char *name)
{
	struct unpack_options o = options;
	struct err e = ERR_INIT;
	struct unpack *u = NULL;

	o.fd = fd;
	o.size = (uint64_t)lseek(fd, 0, SEEK_END);
	o.name = (const uint8_t *)name;
	o.name_len = strlen(name);
	must(unpack_open(&o, &u, &e), &e);
	assert_null(unpack_weak(u));
	return u;
}

static inline struct unpack_member
expect(struct unpack *u, enum unpack_type type, const char *name)
{
	struct err e = ERR_INIT;
	struct unpack_member m;

	must(unpack_next(u, &m, &e), &e);
	assert_int_equal(m.type, type);
	assert_int_equal(m.name_len, strlen(name));
	assert_memory_equal(m.name, name, m.name_len);
	return m;
}

static inline void
expect_bytes(struct unpack *u, const void *p, size_t n)
{
	uint8_t *room = malloc(n + 1);
	struct err e = ERR_INIT;
	size_t got;

	must(unpack_read(u, room, n + 1, &got, &e), &e);
	assert_int_equal(got, n);
	assert_memory_equal(room, p, n);
	free(room);
}

static inline void
expect_end(struct unpack *u, int fd)
{
	struct err e = ERR_INIT;
	struct unpack_member m;

	for (int i = 0; i < 2; i++)
		if (unpack_next(u, &m, &e) != END)
			fail_msg("no end: %s", e.text);
	assert_true(unpack_over(u));
	unpack_free(u);
	close(fd);
}

static inline void
expect_bad(struct unpack *u, const char *text)
{
	struct err e = ERR_INIT;
	struct unpack_member m;
	enum rc rc;

	while ((rc = unpack_next(u, &m, &e)) == OK)
		continue;
	assert_int_equal(rc, BAD_ITEM);
	if (strstr(e.text, text) == NULL)
		fail_msg("'%s' has no '%s'", e.text, text);
}

static uint8_t large[3 << 20];

static const struct {
	int format, filter;
	const char *name;
} formats[] = {
	{ARCHIVE_FORMAT_ZIP, 0, "x.zip"},
	{ARCHIVE_FORMAT_TAR_USTAR, 0, "x.tar"},
	{ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP, "x.tar.gz"},
	{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, "x.tar.bz2"},
	{ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_XZ, "x.tar.xz"},
	{ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_ZSTD, "x.tar.zst"},
};

static inline int
copy_into(struct making *m, const char *name, int fd)
{
	size_t n = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *p = malloc(n);

	assert_int_equal(pread(fd, p, n, 0), n);
	add(m, name, p, n);
	free(p);
	close(fd);
	return made(m);
}

static inline int
begin_inner(void)
{
	struct making m = make(ARCHIVE_FORMAT_ZIP, 0);

	add(&m, "a.csv", "id;n\n", 5);
	return made(&m);
}

#endif
