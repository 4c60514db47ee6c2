#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

enum rc
buf_reserve(struct buf *b, size_t more, struct err *e)
{
	size_t cap = b->cap > 0 ? b->cap : 4096;

	if (more > b->max || b->len > b->max - more)
		return err_set(e, BAD_ITEM, "more than %zu bytes", b->max);
	if (b->data != NULL && b->len + more <= b->cap)
		return OK;
	while (cap < b->len + more)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	b->data = mem_resize(b->data, cap, 1);
	b->cap = cap;
	return OK;
}

enum rc
buf_add(struct buf *b, const void *p, size_t n, struct err *e)
{
	if (buf_reserve(b, n, e) != OK)
		return e->code;
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	return OK;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n > 0)
		memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}
