#include "base/io.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum rc
io_read(int fd, void *p, size_t n, size_t *ret_got, enum rc code, struct err *e)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, code, errno, "read");
		if (r == 0)
			break;
		got += (size_t)r;
	}
	*ret_got = got;
	return OK;
}

enum rc
io_pread(int fd, void *p, size_t n, uint64_t offset, size_t *ret_got,
	enum rc code, struct err *e)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(
			fd, (char *)p + got, n - got, (off_t)(offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, code, errno, "read at offset %llu",
				(unsigned long long)(offset + got));
		if (r == 0)
			break;
		got += (size_t)r;
	}
	*ret_got = got;
	return OK;
}

enum rc
io_write(int fd, const void *p, size_t n, enum rc code, struct err *e)
{
	size_t put = 0;

	while (put < n) {
		ssize_t r = write(fd, (const char *)p + put, n - put);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, code, errno, "write");
		put += (size_t)r;
	}
	return OK;
}

enum rc
io_open(int dir, const char *path, int flags, mode_t mode, int *ret_fd,
	enum rc code, struct err *e)
{
	int fd;

	do
		fd = openat(dir, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return err_sys(e, code, errno, "open %s", path);
	*ret_fd = fd;
	return OK;
}

enum rc
io_close(int *fd, enum rc code, struct err *e)
{
	int r = close(*fd);

	*fd = -1;
	/* Linux releases the descriptor even when close says EINTR. */
	if (r < 0 && errno != EINTR)
		return err_sys(e, code, errno, "close");
	return OK;
}

void
io_drop(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

enum rc
io_read_file(int dir, const char *path, size_t max, struct str *s, enum rc code,
	struct err *e)
{
	char part[4096];
	size_t got;
	int fd;

	if (io_open(dir, path, O_RDONLY, 0, &fd, code, e) != OK)
		return e->cause == ENOENT ? err_raise(e, END) : code;
	do {
		if (io_read(fd, part, sizeof(part), &got, code, e) != OK) {
			io_drop(&fd);
			return err_add(e, "%s", path);
		}
		if (s->len + got > max) {
			io_drop(&fd);
			return err_set(e, BAD_ITEM, "%s: larger than %zu bytes",
				path, max);
		}
		str_addn(s, part, got);
	} while (got == sizeof(part));
	io_drop(&fd);
	return OK;
}
