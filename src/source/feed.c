#include "landfall/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

void
feed_init(struct feed *f, const struct feed_ops *ops)
{
	f->ops = ops;
	buf_init(&f->ahead, FEED_HEAD);
	f->taken = 0;
}

enum rc
feed_head(struct feed *f, size_t n, const uint8_t **ret, size_t *ret_got,
	struct err *e)
{
	struct buf *b = &f->ahead;
	size_t got;

	if (b->len < n) {
		size_t more = n - b->len;

		if (buf_reserve(b, more, e) != OK ||
			f->ops->read(f, b->data + b->len, more, &got, e) != OK)
			return e->code;
		b->len += got;
	}
	*ret = b->data;
	*ret_got = b->len < n ? b->len : n;
	return OK;
}

enum rc
feed_read(struct feed *f, void *p, size_t n, size_t *ret_got, struct err *e)
{
	size_t had = f->ahead.len - f->taken, got;

	if (had > n)
		had = n;
	if (had > 0) {
		memcpy(p, f->ahead.data + f->taken, had);
		f->taken += had;
	}
	if (had == n) {
		*ret_got = n;
		return OK;
	}
	if (f->ops->read(f, (uint8_t *)p + had, n - had, &got, e) != OK)
		return e->code;
	*ret_got = had + got;
	return OK;
}

enum rc
feed_rewind(struct feed *f, struct err *e)
{
	enum rc rc;

	if (f->ops->rewind == NULL)
		return END;
	rc = f->ops->rewind(f, e);
	if (rc == OK)
		f->ahead.len = f->taken = 0;
	return rc;
}

enum rc
feed_whole(struct feed *f, int *ret_fd, struct err *e)
{
	return f->ops->whole == NULL ? END : f->ops->whole(f, ret_fd, e);
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	buf_release(&f->ahead);
	f->ops->free(f);
}

/* ---- a file ---- */

struct file {
	struct feed feed;
	int fd;
};

static enum rc
file_read(struct feed *f, void *p, size_t n, size_t *ret_got, struct err *e)
{
	return io_read(((struct file *)f)->fd, p, n, ret_got, BAD_ITEM, e);
}

static enum rc
file_rewind(struct feed *f, struct err *e)
{
	if (lseek(((struct file *)f)->fd, 0, SEEK_SET) < 0)
		return err_sys(e, BAD_ITEM, errno, "seek");
	return OK;
}

static enum rc
file_whole(struct feed *f, int *ret_fd, struct err *e UNUSED)
{
	*ret_fd = ((struct file *)f)->fd;
	return OK;
}

static void
file_free(struct feed *f)
{
	io_drop(&((struct file *)f)->fd);
	free(f);
}

static const struct feed_ops file_ops = {
	.read = file_read,
	.rewind = file_rewind,
	.whole = file_whole,
	.free = file_free,
};

struct feed *
feed_file(int fd)
{
	struct file *f = mem_alloc(sizeof(*f));

	feed_init(&f->feed, &file_ops);
	f->fd = fd;
	return &f->feed;
}
