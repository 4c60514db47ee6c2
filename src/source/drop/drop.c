#include "source/drop/drop.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

struct drop {
	char *path;
	int root;
	bool recursive;
};

static struct drop *
drop_of(struct source *s)
{
	return (struct drop *)s;
}

/* ---- signatures ---- */

/*
 * Anybody may set an mtime beyond what fits; the nearest that fits stands for
 * it. The ctime, which nobody can set, still tells the change.
 */
static int64_t
drop_time(const struct timespec *ts)
{
	int64_t ns;

	if (__builtin_mul_overflow(ts->tv_sec, CLOCK_SECOND, &ns) ||
		__builtin_add_overflow(ns, ts->tv_nsec, &ns))
		return ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static struct signature
drop_signature(const struct stat *st)
{
	return (struct signature){
		.size = (uint64_t)st->st_size,
		.mtime = drop_time(&st->st_mtim),
		.ctime = drop_time(&st->st_ctim),
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
drop_fault(int cause)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].cause == cause)
			return faults[i].code;
	return BAD_ITEM;
}

static enum rc
drop_fail(struct err *e, int cause, const char *what, const void *name,
	size_t len)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	enum rc rc = drop_fault(cause);

	if (rc == END)
		return END;
	str_add_quoted(&text, name, len);
	return err_sys(e, rc, cause, "%s %s", what, text.s);
}

/* ---- one name ---- */

/*
 * Opens the directory a name lies in, component by component, so that no
 * link on the way is followed whatever happens meanwhile. *ret_last is the
 * last component. END: gone.
 */
static enum rc
drop_walk(struct drop *d, const struct str *name, int *ret_fd,
	const char **ret_last, struct err *e)
{
	CLEANUP(str_release) struct str one = STR_INIT;
	const char *at = name->s, *slash;
	int fd = -1, next;

	/* A duplicate, so that the caller has one rule for closing. */
	fd = fcntl(d->root, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return drop_fail(e, errno, "open", name->s, name->len);
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
		return drop_fail(
			e, cause, "open the folder of", name->s, name->len);
	}
	*ret_fd = fd;
	*ret_last = at;
	return OK;
}

/* A path below the root that leaves it nowhere. */
static bool
is_below(const uint8_t *name, size_t len)
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

static enum rc
drop_find(struct drop *d, const uint8_t *name, size_t len, struct str *path,
	int *ret_dir, const char **ret_last, struct err *e)
{
	if (!is_below(name, len)) {
		str_add_quoted(path, name, len);
		return err_set(e, BAD_ITEM,
			"%s is not a path below the source's root", path->s);
	}
	str_addn(path, name, len);
	return drop_walk(d, path, ret_dir, ret_last, e);
}

static enum rc
drop_fetch(struct source *s, const uint8_t *name, size_t len, int *ret_fd,
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

	rc = drop_find(drop_of(s), name, len, &path, &dir, &last, e);
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
		return drop_fail(e, errno, "open", name, len);
	if (fd >= 0 && fstat(fd, &st) < 0) {
		rc = drop_fail(e, errno, "stat", name, len);
		io_drop(&fd);
		return rc;
	}
	if (fd < 0 || !S_ISREG(st.st_mode)) {
		io_drop(&fd);
		return err_set(e, BAD_ITEM, "%s is not a regular file", text.s);
	}
	if (fcntl(fd, F_SETFL, 0) < 0) {
		rc = drop_fail(e, errno, "open", name, len);
		io_drop(&fd);
		return rc;
	}
	*ret = drop_signature(&st);
	*ret_fd = fd;
	return OK;
}

static enum rc
drop_look(struct source *s, const uint8_t *name, size_t len,
	enum item_type *ret_type, struct signature *ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(io_drop) int dir = -1;
	const char *last;
	struct stat st;
	enum rc rc;

	rc = drop_find(drop_of(s), name, len, &path, &dir, &last, e);
	if (rc != OK)
		return rc;
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return drop_fail(e, errno, "stat", name, len);
	if (S_ISDIR(st.st_mode))
		return END;
	if (ret_type != NULL)
		*ret_type = S_ISREG(st.st_mode) ? ITEM_FILE
			: S_ISLNK(st.st_mode)	? ITEM_SYMLINK
						: ITEM_OTHER;
	*ret = drop_signature(&st);
	return OK;
}

/* ---- listing ---- */

struct listing {
	enum rc (*each)(void *arg, const struct item *it, struct err *e);
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why);
	void *arg;
	bool recursive;
	const char *root;
	struct str path; /* below the root, of the entry at hand */
	unsigned depth;
	struct {
		DIR *dir;
		size_t len; /* of path, with the slash */
	} level[SOURCE_DEPTH_MAX + 1];
};

static void
tell(struct listing *l, int cause, const char *what)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct err e = ERR_INIT;

	str_add_quoted(&text, l->path.s, l->path.len);
	if (cause != 0)
		err_sys(&e, BAD_SOURCE, cause, "%s %s", what, text.s);
	else
		err_set(&e, BAD_SOURCE, "%s %s", what, text.s);
	l->trouble(l->arg, (const uint8_t *)l->path.s, l->path.len, &e);
}

/* The directory at path, entry `name` of the one above. */
static void
descend(struct listing *l, const char *name)
{
	DIR *above = l->level[l->depth].dir, *dir;
	int fd;

	if (l->depth == SOURCE_DEPTH_MAX) {
		tell(l, 0, "too many nested folders");
		return;
	}
	fd = openat(dirfd(above), name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		tell(l, errno, "list folder");
		io_drop(&fd);
		return;
	}
	str_addc(&l->path, '/');
	l->depth++;
	l->level[l->depth].dir = dir;
	l->level[l->depth].len = l->path.len;
}

static enum rc
list_entry(struct listing *l, const struct dirent *entry, struct err *e)
{
	struct item it = {0};
	struct stat st;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return OK;
	if (entry->d_type == DT_DIR && !l->recursive)
		return OK;
	str_cut(&l->path, l->level[l->depth].len);
	str_add(&l->path, entry->d_name);
	if (fstatat(dirfd(l->level[l->depth].dir), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) < 0) {
		/* Gone since it was read: no longer a name. */
		if (errno != ENOENT)
			tell(l, errno, "stat");
		return OK;
	}
	if (S_ISDIR(st.st_mode)) {
		if (l->recursive)
			descend(l, entry->d_name);
		return OK;
	}
	it.name = (const uint8_t *)l->path.s;
	it.name_len = l->path.len;
	it.type = S_ISREG(st.st_mode) ? ITEM_FILE
		: S_ISLNK(st.st_mode) ? ITEM_SYMLINK
				      : ITEM_OTHER;
	it.signature = drop_signature(&st);
	return l->each(l->arg, &it, e);
}

/*
 * An end that is no error would look like "no new files": a root that was
 * removed, unmounted or replaced since it was opened is not listed.
 */
static enum rc
check_root(const struct drop *d, struct err *e)
{
	struct stat ours, now;

	if (fstat(d->root, &ours) < 0 || stat(d->path, &now) < 0)
		return err_sys(e, BAD_SOURCE, errno, "drop %s", d->path);
	if (ours.st_ino != now.st_ino || ours.st_dev != now.st_dev)
		return err_set(e, BAD_SOURCE,
			"drop %s: another directory stands there than when "
			"the source was opened (mounted, unmounted or "
			"replaced)",
			d->path);
	return OK;
}

static enum rc
list_levels(struct listing *l, struct err *e)
{
	for (;;) {
		DIR *dir = l->level[l->depth].dir;
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (entry != NULL) {
			enum rc rc = list_entry(l, entry, e);

			if (rc != OK)
				return rc;
			continue;
		}
		if (errno != 0 && l->depth == 0)
			return err_sys(
				e, BAD_SOURCE, errno, "list %s", l->root);
		if (l->depth == 0)
			return OK;
		str_cut(&l->path, l->level[l->depth].len - 1);
		if (errno != 0)
			tell(l, errno, "list folder");
		closedir(dir);
		l->depth--;
	}
}

static enum rc
drop_list(struct source *s,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	struct drop *d = drop_of(s);
	struct listing l = {.each = each,
		.trouble = trouble,
		.arg = arg,
		.recursive = d->recursive,
		.root = d->path,
		.path = STR_INIT};
	enum rc rc;
	int fd;

	if (check_root(d, e) != OK)
		return e->code;
	/* A descriptor of its own: reading moves the position. */
	if (io_open(d->root, ".", O_RDONLY | O_DIRECTORY, 0, &fd, BAD_SOURCE,
		    e) != OK)
		return err_add(e, "drop %s", d->path);
	l.level[0].dir = fdopendir(fd);
	if (l.level[0].dir == NULL) {
		err_sys(e, BAD_SOURCE, errno, "drop %s: list", d->path);
		io_drop(&fd);
		return e->code;
	}
	rc = list_levels(&l, e);
	for (unsigned i = 0; i <= l.depth; i++)
		closedir(l.level[i].dir);
	str_release(&l.path);
	return rc;
}

/* ---- the source ---- */

static void
drop_close(struct source *s)
{
	struct drop *d = drop_of(s);

	if (d == NULL)
		return;
	io_drop(&d->root);
	mem_release(&d->path);
	mem_release(&d);
}

static enum rc
drop_open(const struct source_config *cfg, struct source **ret, struct err *e)
{
	struct drop *d;
	int fd;

	if (io_open(AT_FDCWD, cfg->drop.path, O_RDONLY | O_DIRECTORY, 0, &fd,
		    BAD_SOURCE, e) != OK)
		return err_add(e, "drop");
	d = mem_alloc(sizeof(*d));
	d->path = mem_strdup(cfg->drop.path);
	d->root = fd;
	d->recursive = cfg->drop.recursive;
	*ret = (struct source *)d;
	return OK;
}

const struct source_ops drop_ops = {
	.open = drop_open,
	.close = drop_close,
	.list = drop_list,
	.fetch = drop_fetch,
	.look = drop_look,
};
