#include "source/drop/drop-name.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

/* ---- signatures ---- */

/*
 * Anybody may set an mtime beyond what fits; the nearest that fits stands for
 * it. The ctime, which nobody can set, still tells the change.
 */
static int64_t
time_of(const struct timespec *ts)
{
	int64_t ns;

	if (__builtin_mul_overflow(ts->tv_sec, CLOCK_SECOND, &ns) ||
		__builtin_add_overflow(ns, ts->tv_nsec, &ns))
		return ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

struct signature
drop_name_sign(const struct stat *st)
{
	return (struct signature){
		.size = (uint64_t)st->st_size,
		.mtime = time_of(&st->st_mtim),
		.ctime = time_of(&st->st_ctim),
		.inode = st->st_ino,
		.device = st->st_dev,
	};
}

/* ---- errors ---- */

/* Whose fault an errno is; what is not listed is the item's. */
static const struct {
	int cause;
	enum rc code;
} faults[] = {
	{ENOENT, END},
	{EMFILE, AGAIN},
	{ENFILE, AGAIN},
	{ENOMEM, AGAIN},
	{EAGAIN, AGAIN}, /* a lease is being broken */
	{EIO, BAD_SOURCE},
	{ESTALE, BAD_SOURCE},
	{ENOTCONN, BAD_SOURCE},
	{ETIMEDOUT, BAD_SOURCE},
};

static enum rc
fault_of(int cause)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].cause == cause)
			return faults[i].code;
	return BAD_ITEM;
}

enum rc
drop_name_fail(struct err *e, int cause, const char *what, const void *name,
	size_t len)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	enum rc rc = fault_of(cause);

	if (rc == END)
		return END;
	str_add_quoted(&text, name, len);
	return err_sys(e, rc, cause, "%s %s", what, text.s);
}

/* ---- one name ---- */

/* Component by component: see the header. */
static enum rc
walk_to(int root, const struct str *name, int *ret_fd, const char **ret_last,
	struct err *e)
{
	CLEANUP(str_release) struct str one = STR_INIT;
	const char *at = name->s, *slash;
	int fd = -1, next;

	/* A duplicate, so that the caller has one rule for closing. */
	fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return drop_name_fail(e, errno, "open", name->s, name->len);
	for (; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
		struct stat st;
		int cause;

		str_clear(&one);
		str_addn(&one, at, (size_t)(slash - at));
		next = openat(fd, one.s,
			O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next >= 0) {
			io_drop(&fd);
			fd = next;
			continue;
		}
		cause = errno;
		if (cause == ENOTDIR) {
			bool link = fstatat(fd, one.s, &st,
					    AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISLNK(st.st_mode);

			/* A file in its place: what we want is not there. */
			cause = link ? ELOOP : ENOENT;
		}
		io_drop(&fd);
		return drop_name_fail(
			e, cause, "open the folder of", name->s, name->len);
	}
	*ret_fd = fd;
	*ret_last = at;
	return OK;
}

bool
drop_name_is_below(const uint8_t *name, size_t len)
{
	size_t start = 0;

	if (len == 0 || memchr(name, '\0', len) != NULL)
		return false;
	for (size_t i = 0; i <= len; i++) {
		size_t n = i - start;

		if (i < len && name[i] != '/')
			continue;
		if (n == 0 || (n == 1 && name[start] == '.') ||
			(n == 2 && memcmp(name + start, "..", 2) == 0))
			return false;
		start = i + 1;
	}
	return true;
}

enum rc
drop_name_find(int root, const uint8_t *name, size_t len, struct str *path,
	int *ret_dir, const char **ret_last, struct err *e)
{
	if (!drop_name_is_below(name, len)) {
		str_add_quoted(path, name, len);
		return err_set(e, BAD_ITEM,
			"%s is not a path below the source's root", path->s);
	}
	str_addn(path, name, len);
	return walk_to(root, path, ret_dir, ret_last, e);
}

enum rc
drop_name_open(int root, const uint8_t *name, size_t len, int *ret_fd,
	struct signature *ret, struct err *e)
{
	/* A fifo must not hang us, nor a terminal become ours. */
	const int flags =
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(str_release) struct str text = STR_INIT;
	CLEANUP(io_drop) int dir = -1;
	const char *last;
	struct stat st;
	enum rc rc;
	int fd;

	rc = drop_name_find(root, name, len, &path, &dir, &last, e);
	if (rc != OK)
		return rc;
	str_add_quoted(&text, name, len);
	fd = openat(dir, last, flags);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, BAD_ITEM,
			"%s is a symbolic link, and links are not followed",
			text.s);
	/* ENXIO: a socket, or a device nobody answers for. */
	if (fd < 0 && errno != ENXIO)
		return drop_name_fail(e, errno, "open", name, len);
	if (fd >= 0 && fstat(fd, &st) < 0) {
		rc = drop_name_fail(e, errno, "stat", name, len);
		io_drop(&fd);
		return rc;
	}
	if (fd < 0 || !S_ISREG(st.st_mode)) {
		io_drop(&fd);
		return err_set(e, BAD_ITEM, "%s is not a regular file", text.s);
	}
	if (fcntl(fd, F_SETFL, 0) < 0) {
		rc = drop_name_fail(e, errno, "open", name, len);
		io_drop(&fd);
		return rc;
	}
	*ret = drop_name_sign(&st);
	*ret_fd = fd;
	return OK;
}

enum rc
drop_name_lease(int fd)
{
	/* Ignored unless asked for; the default for leases would kill us. */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return END;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return OK;
	return errno == EAGAIN ? AGAIN : END;
}

/* One step down; with make, a folder that is missing is made. */
static int
step(int dir, const char *name, bool make)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(dir, name, flags);
}

enum rc
drop_name_folder(int dir, const char *path, bool make, int *ret, struct err *e)
{
	CLEANUP(str_release) struct str one = STR_INIT;
	const char *at = path;
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0), next;

	while (fd >= 0 && *at != '\0') {
		size_t len = strcspn(at, "/");

		str_clear(&one);
		str_addn(&one, at, len);
		at += len + (at[len] == '/');
		next = step(fd, one.s, make);
		io_drop(&fd);
		fd = next;
	}
	if (fd < 0)
		return drop_name_fail(
			e, errno, "open folder", path, strlen(path));
	*ret = fd;
	return OK;
}
