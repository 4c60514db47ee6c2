#include "landfall/zone.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"

#define DIRS_KNOWN 64  /* directories remembered as made and durable */
#define SWEEP_DEPTH 16 /* nobody but us makes directories in _staging */
#define ID_TEXT 21     /* decimal uint64_t and its NUL */

struct zone {
	int root;
	int staging;
	atomic_uint_fast64_t next_id;
	/* A ring: enough for every source that lands on one day. */
	char *known[DIRS_KNOWN];
	unsigned oldest;
};

/* Makes path below the deepest directory on its way that is there already. */
static enum rc
make_path(const char *path, struct err *e)
{
	CLEANUP(str_release) struct str there = STR_INIT;
	const char *rest;
	struct stat st;
	int fd = -1;

	str_add(&there, path);
	while (there.len > 0 && stat(there.s, &st) < 0) {
		const char *slash = strrchr(there.s, '/');

		if (errno != ENOENT)
			return err_sys(e, BROKEN, errno, "%s", there.s);
		str_cut(&there, slash != NULL ? (size_t)(slash - there.s) : 0);
	}
	rest = path + there.len;
	if (there.len == 0)
		str_add(&there, *path == '/' ? "/" : ".");
	rest += strspn(rest, "/");
	if (io_open(AT_FDCWD, there.s, O_PATH | O_DIRECTORY, 0, &fd, BROKEN,
		    e) != OK)
		return e->code;
	if (*rest != '\0' && durable_mkdirs(fd, rest, 0755, e) != OK) {
		io_drop(&fd);
		return err_add(e, "%s", there.s);
	}
	io_drop(&fd);
	return OK;
}

enum rc
zone_create(const char *path, struct err *e)
{
	int fd = -1;

	if (make_path(path, e) != OK)
		return err_add(e, "make the zone");
	if (io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN,
		    e) != OK)
		return e->code;
	if (durable_mkdirs(fd, FORMAT_STAGING_DIR, 0700, e) != OK) {
		io_drop(&fd);
		return err_add(e, "zone %s", path);
	}
	io_drop(&fd);
	return OK;
}

enum rc
zone_open(const char *path, struct zone **ret, struct err *e)
{
	struct zone *z = mem_alloc(sizeof(*z));
	uint64_t start;

	z->root = z->staging = -1;
	if (io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &z->root, BROKEN,
		    e) != OK)
		goto fail;
	if (io_open(z->root, FORMAT_STAGING_DIR,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &z->staging, BROKEN,
		    e) != OK)
		goto fail;
	/* What another process left can then not be in the way of ours. */
	if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start)) {
		err_sys(e, BROKEN, errno, "getrandom");
		goto fail;
	}
	atomic_init(&z->next_id, start >> 1);
	*ret = z;
	return OK;
fail:
	zone_close(z);
	return err_add(e, "zone %s (`landfall init` makes one)", path);
}

void
zone_close(struct zone *z)
{
	if (z == NULL)
		return;
	for (size_t i = 0; i < DIRS_KNOWN; i++)
		free(z->known[i]);
	io_drop(&z->staging);
	io_drop(&z->root);
	free(z);
}

int
zone_dir(const struct zone *z)
{
	return z->root;
}

/* ---- staging ---- */

static void
id_text(char text[ID_TEXT], uint64_t id)
{
	snprintf(text, ID_TEXT, "%llu", (unsigned long long)id);
}

enum rc
zone_stage(struct zone *z, uint64_t *ret_id, int *ret_fd, struct err *e)
{
	char name[ID_TEXT];
	uint64_t id;

	do {
		id = atomic_fetch_add(&z->next_id, 1);
		id_text(name, id);
		if (io_open(z->staging, name, O_RDWR | O_CREAT | O_EXCL, 0440,
			    ret_fd, BROKEN, e) == OK) {
			*ret_id = id;
			return OK;
		}
	} while (e->cause == EEXIST);
	return err_add(e, "zone: stage");
}

void
zone_unstage(struct zone *z, uint64_t id)
{
	char name[ID_TEXT];

	id_text(name, id);
	(void)unlinkat(z->staging, name, 0);
}

static enum rc sweep(int dir, const char *keep, unsigned depth, struct err *e);

/* Never follows a link: unlink and O_NOFOLLOW take the name itself. */
static enum rc
sweep_entry(int dir, const char *name, unsigned depth, struct err *e)
{
	int fd = -1;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return OK;
	if (errno != EISDIR)
		return err_sys(e, BROKEN, errno, "remove %s", name);
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return OK;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, BROKEN, errno, "remove %s", name);
	if (depth == SWEEP_DEPTH)
		return err_set(
			e, BROKEN, "%s: too many nested directories", name);
	if (io_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd,
		    BROKEN, e) != OK ||
		sweep(fd, NULL, depth + 1, e) != OK)
		return err_add(e, "%s", name);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, BROKEN, errno, "remove %s", name);
	return OK;
}

/* dir is the sweep's from now on. */
static enum rc
sweep(int dir, const char *keep, unsigned depth, struct err *e)
{
	DIR *d = fdopendir(dir);
	struct dirent *entry;
	enum rc rc = OK;

	if (d == NULL) {
		rc = err_sys(e, BROKEN, errno, "list");
		io_drop(&dir);
		return rc;
	}
	while (rc == OK) {
		errno = 0;
		entry = readdir(d);
		if (entry == NULL) {
			if (errno != 0)
				rc = err_sys(e, BROKEN, errno, "list");
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0 ||
			(keep != NULL && strcmp(entry->d_name, keep) == 0))
			continue;
		rc = sweep_entry(dirfd(d), entry->d_name, depth, e);
	}
	closedir(d);
	return rc;
}

enum rc
zone_sweep(struct zone *z, const char *keep, struct err *e)
{
	int fd = -1;

	/* A descriptor of its own: reading moves the position. */
	if (io_open(z->staging, ".", O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN,
		    e) != OK ||
		sweep(fd, keep, 0, e) != OK)
		return err_add(e, "zone: sweep " FORMAT_STAGING_DIR);
	return OK;
}

/* ---- publishing ---- */

static void
add_parent(struct str *s, const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	str_addn(s, path, len > 0 ? len - 1 : 0);
	if (s->len == 0)
		str_addc(s, '.');
}

static bool
is_known(const struct zone *z, const char *dir)
{
	for (size_t i = 0; i < DIRS_KNOWN; i++)
		if (z->known[i] != NULL && strcmp(z->known[i], dir) == 0)
			return true;
	return false;
}

static void
forget(struct zone *z)
{
	for (size_t i = 0; i < DIRS_KNOWN; i++) {
		free(z->known[i]);
		z->known[i] = NULL;
	}
}

/*
 * A directory we meet for the first time may have been made by a process
 * that died before it synced the parent that names it.
 */
static enum rc
sync_ancestors(struct zone *z, const char *dir, struct err *e)
{
	CLEANUP(str_release) struct str parent = STR_INIT;

	for (size_t len = strlen(dir);; len = parent.len) {
		str_clear(&parent);
		add_parent(&parent, dir, len);
		if (durable_sync_dir(z->root, parent.s, e) != OK)
			return e->code;
		if (strcmp(parent.s, ".") == 0)
			return OK;
	}
}

static enum rc
make_dir(struct zone *z, const char *dir, struct err *e)
{
	if (is_known(z, dir))
		return OK;
	if (durable_mkdirs(z->root, dir, 0755, e) != OK ||
		sync_ancestors(z, dir, e) != OK)
		return err_add(e, "zone");
	free(z->known[z->oldest]);
	z->known[z->oldest] = mem_strdup(dir);
	z->oldest = (z->oldest + 1) % DIRS_KNOWN;
	return OK;
}

enum rc
zone_publish(struct zone *z, uint64_t id, const char *path, struct err *e)
{
	CLEANUP(str_release) struct str dir = STR_INIT;
	char name[ID_TEXT];

	id_text(name, id);
	add_parent(&dir, path, strlen(path));
	if (make_dir(z, dir.s, e) != OK)
		return e->code;
	if (durable_publish(z->staging, name, z->root, path, e) == OK)
		return OK;
	if (e->cause != ENOENT)
		return err_add(e, "zone");
	/* Somebody removed a directory we remember, or the staged file. */
	forget(z);
	if (make_dir(z, dir.s, e) != OK)
		return e->code;
	if (durable_publish(z->staging, name, z->root, path, e) != OK)
		return err_add(e, "zone");
	return OK;
}

enum rc
zone_sync_parent(struct zone *z, const char *path, struct err *e)
{
	CLEANUP(str_release) struct str dir = STR_INIT;

	add_parent(&dir, path, strlen(path));
	if (durable_sync_dir(z->root, dir.s, e) != OK)
		return err_add(e, "zone");
	return OK;
}

/* ---- reading ---- */

enum rc
zone_read(struct zone *z, const char *path, int *ret_fd, struct err *e)
{
	struct stat st;
	int fd = -1;

	/* O_NONBLOCK: what stands there may be a fifo by now. */
	if (io_open(z->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd,
		    BROKEN, e) != OK)
		return e->cause == ENOENT ? END : err_add(e, "zone");
	if (fstat(fd, &st) < 0)
		err_sys(e, BROKEN, errno, "zone: stat %s", path);
	else if (!S_ISREG(st.st_mode))
		err_set(e, BROKEN, "zone: %s is not a regular file", path);
	else {
		*ret_fd = fd;
		return OK;
	}
	io_drop(&fd);
	return e->code;
}

enum rc
zone_space(
	struct zone *z, uint64_t *ret_free, uint64_t *ret_size, struct err *e)
{
	struct statvfs v;

	if (fstatvfs(z->root, &v) < 0)
		return err_sys(e, BROKEN, errno, "zone: free space");
	*ret_free = (uint64_t)v.f_bavail * v.f_frsize;
	*ret_size = (uint64_t)v.f_blocks * v.f_frsize;
	return OK;
}
