#include "source/http/inflate.h"

#include <stdlib.h>

void
inflate_begin(struct inflate *i)
{
	i->z = (z_stream){0};
	/* 16: gzip (RFC 1952), with its checksum. */
	if (inflateInit2(&i->z, 16 + MAX_WBITS) != Z_OK)
		abort();
	i->begun = true;
	i->ended = false;
}

void
inflate_release(struct inflate *i)
{
	if (i->begun)
		(void)inflateEnd(&i->z);
	i->begun = false;
}

bool
inflate_add(struct inflate *i, const uint8_t *p, size_t n,
	bool (*each)(void *arg, const uint8_t *p, size_t n), void *arg)
{
	i->z.next_in = (uint8_t *)(uintptr_t)p;
	i->z.avail_in = (unsigned)n;
	do {
		int rc;

		if (i->ended && i->z.avail_in == 0)
			return true;
		if (i->ended && inflateReset(&i->z) != Z_OK)
			return false;
		i->ended = false;
		i->z.next_out = i->piece;
		i->z.avail_out = sizeof(i->piece);
		rc = inflate(&i->z, Z_NO_FLUSH);
		i->ended = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return false;
		if (i->z.avail_out < sizeof(i->piece) &&
			!each(arg, i->piece, sizeof(i->piece) - i->z.avail_out))
			return false;
	} while (i->z.avail_in > 0 || i->z.avail_out == 0);
	return true;
}

bool
inflate_whole(const struct inflate *i)
{
	return i->ended;
}
