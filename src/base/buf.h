/*
 * buf.h - a growing byte buffer that declares its maximum.
 *
 *	struct buf b;
 *	buf_init(&b, 16 << 20);
 *	if (buf_add(&b, p, n, e) != OK) ...	BAD_ITEM when over the maximum
 *	buf_release(&b);
 *
 * The bytes are data[0 .. len). The buffer owns them.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);

/* Room for `more` bytes behind len. BAD_ITEM: over the maximum. */
enum rc buf_reserve(struct buf *b, size_t more, struct err *e) MUST_USE;

enum rc buf_add(struct buf *b, const void *p, size_t n, struct err *e) MUST_USE;

/* Forget the first n bytes; the rest moves to the front. */
void buf_drop(struct buf *b, size_t n);

#endif
