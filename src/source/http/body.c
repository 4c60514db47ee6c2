/*
 * A body on its way: small ones never meet the disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/http.h"

void
http_body_init(struct http_body *b, int spool)
{
	*b = (struct http_body){.spool = spool, .fd = -1};
}

void
http_body_release(struct http_body *b)
{
	io_drop(&b->fd);
	free(b->held);
	b->held = NULL;
	b->cap = b->n_held = 0;
	b->size = 0;
}

void
http_body_clear(struct http_body *b)
{
	io_drop(&b->fd);
	b->n_held = 0;
	b->size = 0;
}

static void
hold(struct http_body *b, const void *p, size_t n)
{
	if (b->n_held + n > b->cap) {
		size_t cap = b->cap > 0 ? b->cap : 16u << 10;

		while (cap < b->n_held + n)
			cap *= 2;
		b->held = mem_resize(b->held, cap, 1);
		b->cap = cap;
	}
	memcpy(b->held + b->n_held, p, n);
	b->n_held += n;
}

enum rc
http_body_add(struct http_body *b, const void *p, size_t n, struct err *e)
{
	size_t room = HTTP_BODY_HELD - b->n_held;
	size_t held = n < room ? n : room;

	if (held > 0)
		hold(b, p, held);
	b->size += n;
	if (held == n)
		return OK;
	if (b->fd < 0 &&
		io_open(b->spool, ".", O_TMPFILE | O_RDWR, 0600, &b->fd, BROKEN,
			e) != OK)
		return err_add(e, "spool");
	if (io_write(b->fd, (const uint8_t *)p + held, n - held, BROKEN, e) !=
		OK)
		return err_add(e, "spool: a body");
	return OK;
}

enum rc
http_body_read(const struct http_body *b, void *p, size_t n, uint64_t offset,
	size_t *ret_got, struct err *e)
{
	size_t held = 0, got = 0;

	if (offset < b->n_held) {
		held = b->n_held - (size_t)offset;
		if (held > n)
			held = n;
		memcpy(p, b->held + offset, held);
	}
	if (held < n && b->fd >= 0 &&
		io_pread(b->fd, (uint8_t *)p + held, n - held,
			offset + held - b->n_held, &got, BROKEN, e) != OK)
		return err_add(e, "spool: a body");
	*ret_got = held + got;
	return OK;
}
