#include "unpack/tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void
tell_flush(struct tell *t)
{
	if (t->len > 0)
		t->give(t);
	t->len = 0;
}

static void
tell_frame(struct tell *t, uint32_t type, const void *p, size_t n)
{
	uint8_t *at = t->slot + t->len;

	put_le32(at, type);
	put_le32(at + 4, (uint32_t)n);
	if (n > 0)
		memcpy(at + FRAME_HEAD, p, n);
	t->len = FRAME_ALIGN(t->len + FRAME_HEAD + n);
}

void
tell_message(struct tell *t, const struct message *m)
{
	/* Names and texts have limits that fit. */
	if (m->bad)
		abort();
	if (SLOT_SIZE - t->len < FRAME_HEAD + m->len)
		tell_flush(t);
	tell_frame(t, m->type, m->body, m->len);
}

void
tell_data(struct tell *t, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		size_t room = SLOT_SIZE - t->len;

		if (room <= FRAME_HEAD) {
			tell_flush(t);
			continue;
		}
		room -= FRAME_HEAD;
		if (room > n)
			room = n;
		tell_frame(t, FRAME_DATA, at, room);
		at += room;
		n -= room;
	}
}
