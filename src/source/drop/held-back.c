#include "source/drop/held-back.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "source/drop/drop-name.h"

struct back {
	int root;
	held_trouble *trouble;
	void *arg;
	struct str path; /* below the root, of the entry at hand */
	unsigned depth;
};

enum rc
held_back_stuck(
	const char *path, size_t len, const struct err *why, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	str_add_quoted(&text, path, len);
	if (why->cause == EEXIST)
		return err_set(e, BAD_ITEM,
			"%s was to be removed or moved, and cannot go back: "
			"a new file has its name. The older one is "
			"below " HELD_FOLDER
			" in the drop; move it out under another "
			"name",
			text.s);
	return err_set(e, BAD_ITEM,
		"%s was to be removed or moved, and cannot go back; it is "
		"below " HELD_FOLDER " in the drop: %s",
		text.s, why->text);
}

static void
tell(struct back *b, const struct err *why)
{
	struct err e = ERR_INIT;

	if (b->trouble == NULL)
		return;
	held_back_stuck(b->path.s, b->path.len, why, &e);
	b->trouble(b->arg, (const uint8_t *)b->path.s, b->path.len, &e);
}

static void back_folder(struct back *b, int fd);

/* The entry at b->path, `name` in the held directory dir. */
static void
back_entry(struct back *b, int dir, const char *name)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(io_drop) int to = -1;
	struct err e = ERR_INIT;
	const char *last;
	enum rc rc;
	int fd;

	/* A folder of ours that nothing is left in. */
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return;
	rc = drop_name_find(b->root, (const uint8_t *)b->path.s, b->path.len,
		&path, &to, &last, &e);
	if (rc == END)
		err_sys(&e, BAD_ITEM, ENOENT, "its folder");
	if (rc == OK && durable_publish(dir, name, to, last, &e) == OK)
		return;
	if (e.cause == EEXIST && b->depth < SOURCE_DEPTH_MAX) {
		fd = openat(dir, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			back_folder(b, fd);
			(void)unlinkat(dir, name, AT_REMOVEDIR);
			return;
		}
	}
	tell(b, &e);
}

/* What is in the held directory at b->path. Takes fd. Depth is limited. */
static void
back_folder(struct back *b, int fd)
{
	size_t len = b->path.len;
	const struct dirent *entry;
	DIR *dir = fdopendir(fd);

	if (dir == NULL) {
		struct err e = ERR_INIT;

		err_sys(&e, BAD_ITEM, errno, "read");
		io_drop(&fd);
		tell(b, &e);
		return;
	}
	b->depth++;
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		str_cut(&b->path, len);
		if (len > 0)
			str_addc(&b->path, '/');
		str_add(&b->path, entry->d_name);
		back_entry(b, dirfd(dir), entry->d_name);
	}
	str_cut(&b->path, len);
	b->depth--;
	closedir(dir);
}

void
held_back_one(int root, const char *id, held_trouble *trouble, void *arg)
{
	struct back b = {
		.root = root, .trouble = trouble, .arg = arg, .path = STR_INIT};
	CLEANUP(io_drop) int dir = -1;
	struct err e = ERR_INIT;
	int fd;

	if (drop_name_folder(root, HELD_FOLDER, false, &dir, &e) != OK)
		return;
	fd = openat(dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		back_folder(&b, fd);
	(void)unlinkat(dir, id, AT_REMOVEDIR);
	str_release(&b.path);
}

enum rc
held_back_all(int root, held_trouble *trouble, void *arg, struct err *e)
{
	const struct dirent *entry;
	DIR *dir;
	int fd = openat(root, HELD_FOLDER,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return OK; /* not ours, then: the listing tells what it is */
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		err_sys(e, BAD_SOURCE, errno, "read %s in the drop",
			HELD_FOLDER);
		io_drop(&fd);
		return e->code;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strlen(entry->d_name) == 16 &&
			strspn(entry->d_name, "0123456789abcdef") == 16)
			held_back_one(root, entry->d_name, trouble, arg);
	closedir(dir);
	(void)unlinkat(root, HELD_FOLDER, AT_REMOVEDIR);
	return OK;
}
