#include "daemon/hand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

struct source {
	char *path;
	char *name;
};

struct source *
hand_new(const char *path, const char *name)
{
	struct source *s = mem_alloc(sizeof(*s));

	s->path = mem_strdup(path);
	s->name = mem_strdup(name);
	return s;
}

void
hand_free(struct source *s)
{
	if (s == NULL)
		return;
	free(s->path);
	free(s->name);
	free(s);
}

static void
add_path(struct str *p, const struct source *s, const uint8_t *name, size_t len)
{
	const char *slash = strrchr(s->path, '/');
	const uint8_t *last = memrchr(name, '/', len);

	if (strlen(s->name) == len && memcmp(s->name, name, len) == 0) {
		str_add(p, s->path);
		return;
	}
	if (slash != NULL)
		str_addn(p, s->path, (size_t)(slash + 1 - s->path));
	last = last != NULL ? last + 1 : name;
	str_addn(p, last, len - (size_t)(last - name));
}

static int64_t
wall_of(const struct timespec *ts)
{
	return ts->tv_sec * CLOCK_SECOND + ts->tv_nsec;
}

static void
sign(struct signature *sig, const struct stat *st)
{
	*sig = (struct signature){
		.size = (uint64_t)st->st_size,
		.mtime = wall_of(&st->st_mtim),
		.ctime = wall_of(&st->st_ctim),
		.inode = st->st_ino,
		.device = st->st_dev,
	};
}

static enum rc
hand_fetch(struct source *s, const uint8_t *name, size_t len,
	struct feed **ret_feed, struct signature *ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct stat st;
	int fd = -1;

	add_path(&path, s, name, len);
	if (io_open(AT_FDCWD, path.s, O_RDONLY | O_NONBLOCK, 0, &fd, BAD_ITEM,
		    e) != OK)
		return e->code;
	if (fstat(fd, &st) < 0) {
		err_sys(e, BAD_ITEM, errno, "%s", path.s);
	} else if (!S_ISREG(st.st_mode)) {
		err_set(e, BAD_ITEM, "%s is not a regular file", path.s);
	} else {
		sign(ret, &st);
		*ret_feed = feed_file(fd);
		return OK;
	}
	io_drop(&fd);
	return BAD_ITEM;
}

static enum rc
hand_look(struct source *s, const uint8_t *name, size_t len,
	enum item_type *ret_type UNUSED, struct signature *ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct stat st;

	add_path(&path, s, name, len);
	if (stat(path.s, &st) < 0)
		return errno == ENOENT
			? END
			: err_sys(e, BAD_ITEM, errno, "%s", path.s);
	sign(ret, &st);
	return OK;
}

const struct source_ops hand_ops = {.fetch = hand_fetch, .look = hand_look};
