#include "source/sftp/say.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/sftp/wire.h"

/* Some listings' and many small files' worth. */
#define FULL (1u << 20)

struct note {
	struct note *next;
	uint32_t type;
	size_t len;
	uint8_t body[];
};

void
say_init(struct say *t, int fd)
{
	*t = (struct say){.fd = fd,
		.m = mem_alloc(sizeof(*t->m)),
		.items = mem_alloc(sizeof(*t->items))};
}

static void
say_drop(struct say *t)
{
	struct note *n = t->first;

	t->first = n->next;
	t->bytes -= n->len;
	free(n);
}

void
say_release(struct say *t)
{
	while (t->first != NULL)
		say_drop(t);
	free(t->m);
	free(t->items);
}

static void
say_queue(struct say *t, const struct message *m)
{
	struct note *n;

	if (m->bad)
		abort();
	n = mem_alloc(sizeof(*n) + m->len);
	n->type = m->type;
	n->len = m->len;
	memcpy(n->body, m->body, m->len);
	if (t->first == NULL)
		t->first = n;
	else
		t->last->next = n;
	t->last = n;
	t->bytes += n->len;
}

static void
say_items(struct say *t)
{
	if (t->any_items)
		say_queue(t, t->items);
	t->any_items = false;
}

void
say_event(struct say *t, const struct sftp_event *ev)
{
	say_items(t);
	wire_put_event(t->m, ev);
	say_queue(t, t->m);
}

void
say_item(struct say *t, uint64_t id, enum sftp_type kind,
	const struct sftp_attrs *a, const uint8_t *name, size_t len)
{
	if (t->any_items && t->items_id != id)
		say_items(t);
	for (;;) {
		if (!t->any_items) {
			wire_begin_items(t->items, id);
			t->items_id = id;
			t->any_items = true;
		}
		if (wire_put_item(t->items, kind, a, name, len))
			return;
		say_items(t);
	}
}

bool
say_full(const struct say *t)
{
	return t->bytes >= FULL;
}

bool
say_next(struct say *t, struct message *ret)
{
	say_items(t);
	if (t->first == NULL)
		return false;
	message_begin(ret, t->first->type);
	ret->len = (uint32_t)t->first->len;
	memcpy(ret->body, t->first->body, ret->len);
	say_drop(t);
	return true;
}

void
say_flush(struct say *t)
{
	struct err e = ERR_INIT;

	say_items(t);
	while (t->first != NULL && !t->gone) {
		struct note *n = t->first;
		enum rc rc = channel_send_data(
			t->fd, n->type, n->body, n->len, 0, &e);

		if (rc == AGAIN)
			return;
		if (rc != OK) {
			t->gone = true;
			return;
		}
		say_drop(t);
	}
}

bool
say_waits(const struct say *t)
{
	return t->first != NULL && !t->gone;
}
