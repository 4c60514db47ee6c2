#include "source/sftp/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CRUMB = 512, CRUMBS_MAX = 4096 };

void
flight_init(struct flight *l)
{
	*l = (struct flight){.end = UINT64_MAX};
}

void
flight_release(struct flight *l)
{
	while (l->first != NULL)
		flight_pop(l);
}

void
flight_add(struct flight *l, uint64_t offset, uint32_t len)
{
	struct chunk *c = mem_alloc(sizeof(*c));

	c->offset = offset;
	c->len = len;
	if (l->first == NULL)
		l->first = c;
	else
		l->last->next = c;
	l->last = c;
	l->n++;
}

struct chunk *
flight_at(const struct flight *l, uint64_t offset)
{
	struct chunk *c = l->first;

	while (c != NULL && c->offset + c->have != offset)
		c = c->next;
	return c;
}

bool
flight_came(struct flight *l, struct chunk *c, const uint8_t *p, size_t n)
{
	c->len -= (uint32_t)n;
	if (c->offset + c->have + n > l->furthest)
		l->furthest = c->offset + c->have + n;
	if (c == l->first) {
		c->offset += n;
		return true;
	}
	c->data = mem_resize(c->data, c->have + n, 1);
	memcpy(c->data + c->have, p, n);
	c->have += (uint32_t)n;
	return false;
}

void
flight_ended(struct flight *l, struct chunk *c)
{
	c->eof = true;
	if (c->offset + c->have < l->end)
		l->end = c->offset + c->have;
}

bool
flight_is_torn(const struct flight *l)
{
	return l->furthest > l->end;
}

bool
flight_is_crumbs(struct flight *l, size_t n, uint32_t asked)
{
	if (n >= asked || n >= CRUMB) {
		l->crumbs = 0;
		return false;
	}
	return ++l->crumbs > CRUMBS_MAX;
}

void
flight_taken(struct flight *l)
{
	struct chunk *c = l->first;

	c->offset += c->have;
	c->have = 0;
	free(c->data);
	c->data = NULL;
}

void
flight_pop(struct flight *l)
{
	struct chunk *c = l->first;

	l->first = c->next;
	l->n--;
	free(c->data);
	free(c);
}
