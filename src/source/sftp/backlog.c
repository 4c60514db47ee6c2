#include "source/sftp/backlog.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define CHUNK (128u << 10)

void
backlog_init(struct backlog *b, int fd)
{
	*b = (struct backlog){.fd = fd};
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->more, NULL);
	buf_init(&b->tail, CHUNK);
	buf_init(&b->chunk, CHUNK + sizeof(uint32_t) + BACKLOG_MAX);
}

void
backlog_release(struct backlog *b)
{
	buf_release(&b->tail);
	buf_release(&b->chunk);
	pthread_cond_destroy(&b->more);
	pthread_mutex_destroy(&b->lock);
	io_drop(&b->fd);
}

/* Under lock. */
static void
write_tail(struct backlog *b)
{
	size_t done = 0;

	while (done < b->tail.len && b->err.code == OK) {
		ssize_t n = pwrite(b->fd, b->tail.data + done,
			b->tail.len - done, (off_t)(b->written + done));

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err_sys(&b->err, BROKEN, errno, "spool: a listing");
	}
	b->written += done;
	b->tail.len = 0;
}

void
backlog_add(struct backlog *b, const void *p, size_t n)
{
	uint32_t len = (uint32_t)n;

	pthread_mutex_lock(&b->lock);
	if (b->tail.len + sizeof(len) + n > CHUNK)
		write_tail(b);
	if (b->err.code == OK &&
		buf_add(&b->tail, &len, sizeof(len), &b->err) == OK)
		(void)!buf_add(&b->tail, p, n, &b->err);
	pthread_cond_signal(&b->more);
	pthread_mutex_unlock(&b->lock);
}

void
backlog_end(struct backlog *b)
{
	pthread_mutex_lock(&b->lock);
	b->ended = true;
	pthread_cond_signal(&b->more);
	pthread_mutex_unlock(&b->lock);
}

/* More bytes behind those of the chunk: from the file, or from the tail. */
static enum rc
refill(struct backlog *b, struct err *e)
{
	enum rc rc = OK;
	size_t got;

	buf_drop(&b->chunk, b->at);
	b->at = 0;
	pthread_mutex_lock(&b->lock);
	while (b->err.code == OK && b->read == b->written && b->tail.len == 0 &&
		!b->ended)
		pthread_cond_wait(&b->more, &b->lock);
	if (b->err.code != OK) {
		*e = b->err;
		rc = err_raise(e, BROKEN);
	} else if (b->read < b->written) {
		uint64_t n = b->written - b->read;

		if (n > CHUNK)
			n = CHUNK;
		rc = buf_reserve(&b->chunk, (size_t)n, e);
		if (rc == OK)
			rc = io_pread(b->fd, b->chunk.data + b->chunk.len,
				(size_t)n, b->read, &got, BROKEN, e);
		if (rc == OK) {
			b->chunk.len += got;
			b->read += got;
		}
	} else if (b->tail.len > 0) {
		/* Nobody has to write what is wanted at once. */
		rc = buf_add(&b->chunk, b->tail.data, b->tail.len, e);
		b->tail.len = 0;
	} else {
		rc = END;
	}
	pthread_mutex_unlock(&b->lock);
	return rc == OK || rc == END ? rc : err_raise(e, BROKEN);
}

enum rc
backlog_take(
	struct backlog *b, const uint8_t **ret, size_t *ret_n, struct err *e)
{
	uint32_t len;

	for (;;) {
		size_t has = b->chunk.len - b->at;
		enum rc rc;

		if (has >= sizeof(len)) {
			memcpy(&len, b->chunk.data + b->at, sizeof(len));
			if (has - sizeof(len) >= len)
				break;
		}
		rc = refill(b, e);
		if (rc != OK)
			return rc;
	}
	*ret = b->chunk.data + b->at + sizeof(len);
	*ret_n = len;
	b->at += sizeof(len) + len;
	return OK;
}

void
backlog_await_end(struct backlog *b)
{
	pthread_mutex_lock(&b->lock);
	while (!b->ended)
		pthread_cond_wait(&b->more, &b->lock);
	pthread_mutex_unlock(&b->lock);
}
