#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/durable.h"
#include "landfall/zone.h"

void
zone_sums_line(struct str *lines, const char *path,
	const uint8_t file_sha256[HASH_LEN])
{
	const char *slash = strrchr(path, '/');

	str_add_hex(lines, file_sha256, HASH_LEN);
	str_addf(lines, "  %s\n", slash != NULL ? slash + 1 : path);
}

/*
 * How many bytes of `lines` the file already ends with, counted from the
 * start of a line. tail is the whole file, or its last len + 1 bytes, of which
 * the first only says whether a line starts behind it. The earliest line that
 * fits is the longest prefix.
 */
static size_t
common(const uint8_t *tail, size_t n, const char *lines, size_t len)
{
	const uint8_t *newline;
	size_t at = 0;

	while (at < n) {
		if (n - at <= len && memcmp(tail + at, lines, n - at) == 0)
			return n - at;
		newline = memchr(tail + at, '\n', n - at);
		if (newline == NULL)
			break;
		at = (size_t)(newline - tail) + 1;
	}
	return 0;
}

/* A link or a fifo in its place is refused, not followed or waited for. */
static enum rc
open_sums(int root, const char *path, int *ret_fd, uint64_t *ret_size,
	struct err *e)
{
	const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
	struct stat st;

	if (io_open(root, path, flags | O_CREAT, 0644, ret_fd, BROKEN, e) != OK)
		return e->code;
	if (fstat(*ret_fd, &st) < 0)
		err_sys(e, BROKEN, errno, "stat %s", path);
	else if (!S_ISREG(st.st_mode))
		err_set(e, BROKEN, "%s is not a regular file", path);
	else {
		*ret_size = (uint64_t)st.st_size;
		return OK;
	}
	io_drop(ret_fd);
	return e->code;
}

enum rc
zone_sums_append(struct zone *z, const char *dir, const char *lines, size_t len,
	struct err *e)
{
	CLEANUP(buf_release) struct buf tail;
	CLEANUP(str_release) struct str path = STR_INIT;
	size_t got = 0, want, have;
	uint64_t size = 0;
	int fd = -1;

	/* One byte more than ours: the newline before them. */
	buf_init(&tail, len + 1);
	str_addf(&path, "%s/" FORMAT_SUMS_NAME, dir);
	if (open_sums(zone_dir(z), path.s, &fd, &size, e) != OK)
		return err_add(e, "zone");
	want = size < len + 1 ? (size_t)size : len + 1;
	if (buf_reserve(&tail, want, e) != OK) {
		err_raise(e, BROKEN);
		goto fail;
	}
	if (io_pread(fd, tail.data, want, size - want, &got, BROKEN, e) != OK)
		goto fail;
	have = common(tail.data, got, lines, len);
	if (have == 0 && got > 0 && tail.data[got - 1] != '\n') {
		err_set(e, BROKEN,
			"ends inside a line that landfall did not write: look "
			"at what follows its last newline, remove that, and "
			"start again");
		goto fail;
	}
	if (durable_append(fd, lines + have, len - have, e) != OK)
		goto fail;
	/*
	 * Whoever writes the first line makes the file's name durable too,
	 * also when a process before us wrote it and died.
	 */
	if (size == have && durable_sync_dir(zone_dir(z), dir, e) != OK)
		goto fail;
	if (io_close(&fd, BROKEN, e) == OK)
		return OK;
fail:
	io_drop(&fd);
	return err_add(e, "zone: %s", path.s);
}
