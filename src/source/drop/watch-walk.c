#include "source/drop/watch-walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "landfall/source.h"
#include "source/drop/held.h"
#include "source/drop/watch-fs.h"

/*
 * IN_EXCL_UNLINK: what happens to a file without a name helps nobody.
 * IN_CREATE is all that a hard link makes.
 */
#define EVENTS \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | \
		IN_ATTRIB | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | \
		IN_ONLYDIR | IN_EXCL_UNLINK)

struct walk {
	const struct watch_walk *w;
	struct str path;
	unsigned depth; /* components of path */
	unsigned open;	/* levels */
	struct {
		DIR *dir;
		size_t len; /* of path, with the slash */
	} level[SOURCE_DEPTH_MAX + 1];
};

static enum rc
fail(struct err *e, int cause, const struct str *path)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	str_add_quoted(&text, path->s, path->len);
	if (cause == ENOSPC)
		return err_sys(e, BAD_SOURCE, cause,
			"watch folder %s: no watches left, raise "
			"/proc/sys/fs/inotify/max_user_watches",
			text.s);
	return err_sys(e, BAD_SOURCE, cause, "watch folder %s", text.s);
}

/* What is missing, unreadable or no directory is the listing's to tell. */
static bool
is_passed_over(int cause)
{
	return cause == ENOENT || cause == EACCES || cause == EPERM ||
		cause == ELOOP || cause == ENOTDIR;
}

/*
 * Watches the open directory at path, and makes it the level to be read if
 * it is new. Takes fd.
 */
static enum rc
enter(struct walk *k, int fd, struct err *e)
{
	const struct watch_walk *w = k->w;
	char self[32];
	struct stat st;
	struct statfs fs;
	bool fresh;
	DIR *dir;
	int wd;

	if (fstat(fd, &st) < 0)
		goto fail;
	if (st.st_dev != w->device || k->path.len == 0) {
		if (fstatfs(fd, &fs) < 0)
			goto fail;
		if (!watch_fs_tells((uint32_t)fs.f_type)) {
			io_drop(&fd);
			return END;
		}
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(w->inotify, self, EVENTS);
	if (wd < 0)
		goto fail;
	fresh = watch_dirs_put(w->dirs, wd, k->path.s, k->path.len, w->round);
	if (!fresh && !w->again) {
		io_drop(&fd);
		return OK;
	}
	dir = fdopendir(fd);
	if (dir == NULL)
		goto fail;
	if (k->path.len > 0)
		str_addc(&k->path, '/');
	k->level[k->open].dir = dir;
	k->level[k->open].len = k->path.len;
	k->open++;
	return OK;
fail:
	if (is_passed_over(errno)) {
		io_drop(&fd);
		return OK;
	}
	fail(e, errno, &k->path);
	io_drop(&fd);
	return e->code;
}

static enum rc
entry(struct walk *k, const struct dirent *entry, struct err *e)
{
	int above = dirfd(k->level[k->open - 1].dir), fd;
	bool is_dir = entry->d_type == DT_DIR;
	struct stat st;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return OK;
	if (entry->d_type == DT_UNKNOWN)
		is_dir = fstatat(above, entry->d_name, &st,
				 AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(st.st_mode);
	str_cut(&k->path, k->level[k->open - 1].len);
	str_add(&k->path, entry->d_name);
	if (!is_dir) {
		if (k->w->found != NULL)
			k->w->found(k->w->arg, k->path.s, k->path.len);
		return OK;
	}
	if (!k->w->recursive || k->depth + k->open > SOURCE_DEPTH_MAX ||
		held_is_folder(k->path.s))
		return OK;
	fd = openat(above, entry->d_name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return enter(k, fd, e);
	return is_passed_over(errno) ? OK : fail(e, errno, &k->path);
}

static enum rc
levels(struct walk *k, struct err *e)
{
	while (k->open > 0) {
		DIR *dir = k->level[k->open - 1].dir;
		const struct dirent *next = readdir(dir);
		enum rc rc;

		/* An error here is one of the listing too, which tells it. */
		if (next == NULL) {
			closedir(dir);
			k->open--;
			continue;
		}
		rc = entry(k, next, e);
		if (rc != OK)
			return rc;
	}
	return OK;
}

/* The directory at path. END: gone, or not to be had. */
static enum rc
open_start(struct walk *k, int *ret, struct err *e)
{
	CLEANUP(str_release) struct str one = STR_INIT;
	const char *at = k->path.s;
	int fd, next;

	fd = openat(k->w->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && *at != '\0') {
		size_t len = strcspn(at, "/");

		str_clear(&one);
		str_addn(&one, at, len);
		at += len + (at[len] == '/');
		/* On the way the right to search is enough. */
		next = openat(fd, one.s,
			(*at == '\0' ? O_RDONLY : O_PATH) | O_DIRECTORY |
				O_NOFOLLOW | O_CLOEXEC);
		io_drop(&fd);
		fd = next;
		k->depth++;
	}
	if (fd < 0)
		return is_passed_over(errno) ? END : fail(e, errno, &k->path);
	*ret = fd;
	return OK;
}

enum rc
watch_walk(
	const struct watch_walk *w, const char *path, size_t len, struct err *e)
{
	struct walk k = {.w = w, .path = STR_INIT};
	int fd = -1;
	enum rc rc;

	str_addn(&k.path, path, len);
	rc = open_start(&k, &fd, e);
	if (rc != OK || k.depth > SOURCE_DEPTH_MAX) {
		io_drop(&fd);
		str_release(&k.path);
		return rc == END ? OK : rc;
	}
	rc = enter(&k, fd, e);
	if (rc == OK)
		rc = levels(&k, e);
	while (k.open > 0)
		closedir(k.level[--k.open].dir);
	str_release(&k.path);
	return rc;
}
