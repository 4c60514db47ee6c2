#include "source/drop/drop.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/io.h"
#include "base/mem.h"
#include "source/drop/drop-name.h"
#include "source/drop/held.h"

struct drop {
	char *path;
	int root;
	bool recursive;
	struct held held;
};

static struct drop *
drop_of(struct source *s)
{
	return (struct drop *)s;
}

/* ---- one name ---- */

static enum rc
drop_fetch(struct source *s, const uint8_t *name, size_t len,
	struct feed **ret_feed, struct signature *ret, struct err *e)
{
	int fd;
	enum rc rc = drop_name_open(drop_of(s)->root, name, len, &fd, ret, e);

	if (rc == OK)
		*ret_feed = feed_file(fd);
	return rc;
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

	rc = drop_name_find(drop_of(s)->root, name, len, &path, &dir, &last, e);
	if (rc != OK)
		return rc;
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return drop_name_fail(e, errno, "stat", name, len);
	if (S_ISDIR(st.st_mode))
		return END;
	if (ret_type != NULL)
		*ret_type = S_ISREG(st.st_mode) ? ITEM_FILE
			: S_ISLNK(st.st_mode)	? ITEM_SYMLINK
						: ITEM_OTHER;
	*ret = drop_name_sign(&st);
	return OK;
}

static enum rc
drop_closed(struct source *s, const uint8_t *name, size_t len, struct err *e)
{
	CLEANUP(io_drop) int fd = -1;
	struct signature sig;
	enum rc rc;

	rc = drop_name_open(drop_of(s)->root, name, len, &fd, &sig, e);
	if (rc != OK)
		return rc;
	rc = drop_name_lease(fd);
	if (rc != END)
		return rc;
	return err_set(e, BAD_ITEM,
		"who writes cannot be told here: no leases on this filesystem, "
		"or the file is not ours and CAP_LEASE is missing");
}

static enum rc
drop_remove(struct source *s, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e)
{
	return held_remove(&drop_of(s)->held, name, len, expected, e);
}

static enum rc
drop_move(struct source *s, const uint8_t *name, size_t len, const char *folder,
	const struct signature *expected, struct str *ret_to, struct err *e)
{
	return held_move(
		&drop_of(s)->held, name, len, folder, expected, ret_to, e);
}

static enum rc
drop_sync(struct source *s, struct err *e)
{
	if (durable_sync_fs(drop_of(s)->root, e) != OK)
		return err_raise(e, BAD_SOURCE);
	return OK;
}

static enum rc
drop_recover(struct source *s,
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	return held_recover(&drop_of(s)->held, trouble, arg, e);
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
		if (l->recursive && !held_is_folder(l->path.s))
			descend(l, entry->d_name);
		return OK;
	}
	it.name = (const uint8_t *)l->path.s;
	it.name_len = l->path.len;
	it.type = S_ISREG(st.st_mode) ? ITEM_FILE
		: S_ISLNK(st.st_mode) ? ITEM_SYMLINK
				      : ITEM_OTHER;
	it.signature = drop_name_sign(&st);
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
	held_close(&d->held);
	io_drop(&d->root);
	mem_release(&d->path);
	mem_release(&d);
}

static enum rc
drop_open(const struct source_config *cfg,
	const struct source_place *place UNUSED, struct source **ret,
	struct err *e)
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
	held_init(&d->held, fd);
	*ret = (struct source *)d;
	return OK;
}

static void
drop_facts(struct source *s UNUSED, struct str *ret)
{
	str_add(ret, "drop");
}

const struct source_ops drop_ops = {
	.open = drop_open,
	.close = drop_close,
	.facts = drop_facts,
	.list = drop_list,
	.fetch = drop_fetch,
	.look = drop_look,
	.closed = drop_closed,
	.recover = drop_recover,
	.remove = drop_remove,
	.move = drop_move,
	.sync = drop_sync,
};
