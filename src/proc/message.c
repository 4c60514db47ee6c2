#include "landfall/message.h"

#include <string.h>

#include "base/bytes.h"

void
message_begin(struct message *m, uint32_t type)
{
	m->type = type;
	m->len = 0;
	m->at = 0;
	m->bad = false;
	m->fd = -1;
}

/* Room for n bytes more, or NULL. */
static uint8_t *
message_room(struct message *m, size_t n)
{
	uint8_t *room = m->body + m->len;

	if (m->bad || n > MESSAGE_MAX - m->len) {
		m->bad = true;
		return NULL;
	}
	m->len += (uint32_t)n;
	return room;
}

void
message_put_u64(struct message *m, uint64_t v)
{
	uint8_t *room = message_room(m, 8);

	if (room != NULL)
		put_le64(room, v);
}

void
message_put_bytes(struct message *m, const void *p, size_t n)
{
	uint8_t *room;

	/* Not n + 4: that could be small again. */
	if (n > MESSAGE_MAX) {
		m->bad = true;
		return;
	}
	room = message_room(m, n + 4);
	if (room == NULL)
		return;
	put_le32(room, (uint32_t)n);
	if (n > 0)
		memcpy(room + 4, p, n);
}

void
message_put_text(struct message *m, const char *text)
{
	message_put_bytes(m, text, strlen(text));
}

/* The next n bytes, or NULL. */
static const uint8_t *
message_next(struct message *m, size_t n)
{
	const uint8_t *p = m->body + m->at;

	if (m->bad || n > m->len - m->at) {
		m->bad = true;
		return NULL;
	}
	m->at += (uint32_t)n;
	return p;
}

uint64_t
message_take_u64(struct message *m)
{
	const uint8_t *p = message_next(m, 8);

	return p != NULL ? get_le64(p) : 0;
}

const uint8_t *
message_take_bytes(struct message *m, size_t *ret_len)
{
	const uint8_t *p = message_next(m, 4);
	size_t n = p != NULL ? get_le32(p) : 0;

	p = message_next(m, n);
	*ret_len = p != NULL ? n : 0;
	return p != NULL ? p : m->body;
}

void
message_take_text(struct message *m, char *buf, size_t size)
{
	size_t n;
	const uint8_t *p = message_take_bytes(m, &n);

	if (n >= size || memchr(p, '\0', n) != NULL) {
		m->bad = true;
		n = 0;
	}
	memcpy(buf, p, n);
	buf[n] = '\0';
}

bool
message_end(const struct message *m)
{
	return !m->bad && m->at == m->len;
}
