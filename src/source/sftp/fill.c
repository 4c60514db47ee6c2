#include "source/sftp/fill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

/* Hashed at once: the prefix may be long, and other files wait. */
#define PIECE (1u << 20)

void
fill_init(struct fill *f, int fd, uint64_t offset, uint64_t window,
	const uint8_t prefix_sum[HASH_LEN])
{
	*f = (struct fill){.fd = fd,
		.offset = offset,
		.at = window < offset ? offset - window : 0};
	memcpy(f->prefix_sum, prefix_sum, HASH_LEN);
	hash_init(&f->hash);
}

void
fill_release(struct fill *f)
{
	hash_release(&f->hash);
	io_drop(&f->fd);
}

enum rc
fill_prefix(struct fill *f, struct err *e)
{
	uint64_t left = f->offset - f->good;
	size_t got = 0, n = left < PIECE ? (size_t)left : PIECE;
	uint8_t sum[HASH_LEN], *piece;
	enum rc rc;

	if (f->offset == 0)
		return OK;
	piece = mem_alloc(PIECE);
	rc = io_pread(f->fd, piece, n, f->good, &got, BROKEN, e);
	if (rc == OK)
		hash_add(&f->hash, piece, got);
	free(piece);
	if (rc != OK)
		return rc;
	f->good += got;
	if (f->good < f->offset && got == n)
		return AGAIN;
	fill_sum(f, sum);
	if (f->good == f->offset && memcmp(sum, f->prefix_sum, HASH_LEN) == 0)
		return OK;
	f->good = 0;
	return err_set(e, BAD_ITEM,
		"its first %" PRIu64 " bytes are not those fetched before",
		f->offset);
}

static enum rc
compare(const struct fill *f, const uint8_t *p, size_t n, struct err *e)
{
	uint8_t *ours = mem_alloc(n);
	size_t got = 0;
	enum rc rc = io_pread(f->fd, ours, n, f->at, &got, BROKEN, e);
	bool same = rc == OK && got == n && memcmp(ours, p, n) == 0;

	free(ours);
	if (rc != OK || same)
		return rc;
	return err_set(e, BAD_ITEM,
		"between %" PRIu64 " and %" PRIu64
		" it has other bytes than before",
		f->at, f->at + n);
}

static enum rc
append(struct fill *f, const uint8_t *p, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t done = pwrite(f->fd, p, n, (off_t)f->good);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return err_sys(
				e, BROKEN, done < 0 ? errno : ENOSPC, "write");
		hash_add(&f->hash, p, (size_t)done);
		f->good += (uint64_t)done;
		p += done;
		n -= (size_t)done;
	}
	return OK;
}

enum rc
fill_take(struct fill *f, const uint8_t *p, size_t n, struct err *e)
{
	uint64_t again = f->at < f->offset ? f->offset - f->at : 0;
	size_t m = again < n ? (size_t)again : n;

	if (m > 0 && compare(f, p, m, e) != OK)
		return e->code;
	if (append(f, p + m, n - m, e) != OK)
		return e->code;
	f->at += n;
	return OK;
}

void
fill_sum(const struct fill *f, uint8_t sum[HASH_LEN])
{
	hash_peek(&f->hash, sum);
}
