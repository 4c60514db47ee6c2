#include "daemon/hand.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

struct source {
	char *path;
};

struct source *
hand_new(const char *path)
{
	struct source *s = mem_alloc(sizeof(*s));

	s->path = mem_strdup(path);
	return s;
}

void
hand_free(struct source *s)
{
	if (s == NULL)
		return;
	free(s->path);
	free(s);
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
hand_fetch(struct source *s, const uint8_t *name UNUSED, size_t len UNUSED,
	int *ret_fd, struct signature *ret, struct err *e)
{
	struct stat st;
	int fd = -1;

	if (io_open(AT_FDCWD, s->path, O_RDONLY | O_NONBLOCK, 0, &fd, BAD_ITEM,
		    e) != OK)
		return e->code;
	if (fstat(fd, &st) < 0) {
		err_sys(e, BAD_ITEM, errno, "%s", s->path);
	} else if (!S_ISREG(st.st_mode)) {
		err_set(e, BAD_ITEM, "%s is not a regular file", s->path);
	} else {
		sign(ret, &st);
		*ret_fd = fd;
		return OK;
	}
	io_drop(&fd);
	return BAD_ITEM;
}

static enum rc
hand_look(struct source *s, const uint8_t *name UNUSED, size_t len UNUSED,
	enum item_type *ret_type UNUSED, struct signature *ret, struct err *e)
{
	struct stat st;

	if (stat(s->path, &st) < 0)
		return errno == ENOENT
			? END
			: err_sys(e, BAD_ITEM, errno, "%s", s->path);
	sign(ret, &st);
	return OK;
}

const struct source_ops hand_ops = {.fetch = hand_fetch, .look = hand_look};
