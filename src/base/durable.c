#include "base/durable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum rc
durable_sync(int fd, struct err *e)
{
	/* No retry, not even for EINTR: see the header. */
	if (fsync(fd) < 0)
		return err_sys(e, BROKEN, errno, "fsync");
	return OK;
}

void
durable_hint(int fd, uint64_t offset, uint64_t n)
{
	(void)sync_file_range(
		fd, (off_t)offset, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

enum rc
durable_sync_dir(int dir, const char *path, struct err *e)
{
	int fd = -1;

	if (io_open(dir, path, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN, e) != OK)
		return e->code;
	if (durable_sync(fd, e) != OK)
		err_add(e, "directory %s", path);
	else
		e->code = OK;
	io_drop(&fd);
	return e->code;
}

enum rc
durable_sync_fs(int fd, struct err *e)
{
	if (syncfs(fd) < 0)
		return err_sys(e, BROKEN, errno, "syncfs");
	return OK;
}

enum rc
durable_publish(int from_dir, const char *from, int to_dir, const char *to,
	struct err *e)
{
	int r;

	do
		r = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return OK;
	if (errno == EINVAL || errno == ENOSYS) {
		do
			r = linkat(from_dir, from, to_dir, to, 0);
		while (r < 0 && errno == EINTR);
		if (r == 0) {
			/* A name left in staging is swept at the next start. */
			(void)unlinkat(from_dir, from, 0);
			return OK;
		}
	}
	return err_sys(e, errno == EEXIST ? BAD_ITEM : BROKEN, errno,
		"publish as %s", to);
}

/* fsync the directory path[0 .. len) and the one that names it. */
static enum rc
sync_made(int root, char *path, size_t len, struct err *e)
{
	char *slash = memrchr(path, '/', len);
	enum rc rc = durable_sync_dir(root, path, e);

	if (rc != OK)
		return rc;
	if (slash == NULL || slash == path)
		return durable_sync_dir(root, slash == NULL ? "." : "/", e);
	*slash = '\0';
	rc = durable_sync_dir(root, path, e);
	*slash = '/';
	return rc;
}

static enum rc
make_dirs(int root, const char *path, mode_t mode, bool sync, struct err *e)
{
	CLEANUP(str_release) struct str copy = STR_INIT;
	struct stat st;

	if (fstatat(root, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return OK;
	str_add(&copy, path);
	for (size_t i = 1; i <= copy.len; i++) {
		char end = copy.s[i];

		if (end != '/' && end != '\0')
			continue;
		copy.s[i] = '\0';
		if (mkdirat(root, copy.s, mode) < 0 && errno != EEXIST)
			return err_sys(e, BROKEN, errno, "mkdir %s", copy.s);
		if (sync && sync_made(root, copy.s, i, e) != OK)
			return e->code;
		copy.s[i] = end;
	}
	return OK;
}

enum rc
durable_mkdirs(int root, const char *path, mode_t mode, struct err *e)
{
	return make_dirs(root, path, mode, true, e);
}

enum rc
durable_mkdirs_later(int root, const char *path, mode_t mode, struct err *e)
{
	return make_dirs(root, path, mode, false, e);
}

static enum rc
replace(int dir, const char *name, const void *p, size_t n, mode_t mode,
	bool sync, struct err *e)
{
	CLEANUP(str_release) struct str temp = STR_INIT;
	int fd = -1;

	str_addf(&temp, "%s.tmp", name);
	/* A leftover of a crash is in nobody's way. */
	if (unlinkat(dir, temp.s, 0) < 0 && errno != ENOENT)
		return err_sys(e, BROKEN, errno, "remove %s", temp.s);
	if (io_open(dir, temp.s, O_WRONLY | O_CREAT | O_EXCL, mode, &fd, BROKEN,
		    e) != OK)
		return e->code;
	if (io_write(fd, p, n, BROKEN, e) != OK)
		goto fail;
	if (sync && durable_sync(fd, e) != OK)
		goto fail;
	if (io_close(&fd, BROKEN, e) != OK)
		goto fail;
	if (renameat(dir, temp.s, dir, name) < 0) {
		err_sys(e, BROKEN, errno, "rename");
		goto fail;
	}
	return OK;
fail:
	io_drop(&fd);
	(void)unlinkat(dir, temp.s, 0);
	return err_add(e, "%s", name);
}

/* fsync the directory that names `path`. */
static enum rc
sync_parent(int dir, const char *path, struct err *e)
{
	CLEANUP(str_release) struct str parent = STR_INIT;
	const char *slash = strrchr(path, '/');

	str_addn(&parent, path, slash != NULL ? (size_t)(slash - path) : 0);
	return durable_sync_dir(dir, slash != NULL ? parent.s : ".", e);
}

enum rc
durable_replace(int dir, const char *name, const void *p, size_t n, mode_t mode,
	struct err *e)
{
	if (replace(dir, name, p, n, mode, true, e) != OK)
		return e->code;
	return sync_parent(dir, name, e);
}

enum rc
durable_replace_later(int dir, const char *name, const void *p, size_t n,
	mode_t mode, struct err *e)
{
	return replace(dir, name, p, n, mode, false, e);
}

enum rc
durable_move(int dir, const char *from, const char *to, struct err *e)
{
	if (renameat(dir, from, dir, to) < 0)
		return errno == ENOENT ? END
				       : err_sys(e, BROKEN, errno,
						 "rename %s to %s", from, to);
	if (sync_parent(dir, from, e) != OK)
		return e->code;
	return sync_parent(dir, to, e);
}

enum rc
durable_append(int fd, const void *p, size_t n, struct err *e)
{
	if (io_write(fd, p, n, BROKEN, e) != OK)
		return e->code;
	return durable_sync(fd, e);
}
