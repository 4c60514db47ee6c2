#include "source/sftp/looks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
looks_add(struct looks *x, uint64_t number, const struct str *name,
	const struct sftp_attrs *a)
{
	struct look *k = mem_alloc(sizeof(*k) + name->len);

	k->number = number;
	k->attrs = *a;
	k->len = name->len;
	memcpy(k->name, name->s, name->len);
	if (x->first == NULL)
		x->first = k;
	else
		x->last->next = k;
	x->last = k;
}

/* It stands near the front. */
struct look *
looks_take(struct looks *x, uint64_t number)
{
	struct look *before = NULL, *k = x->first;

	while (k != NULL && k->number != number) {
		before = k;
		k = k->next;
	}
	if (k == NULL)
		return NULL;
	if (before == NULL)
		x->first = k->next;
	else
		before->next = k->next;
	if (x->last == k)
		x->last = before;
	return k;
}

void
looks_release(struct looks *x)
{
	while (x->first != NULL) {
		struct look *k = x->first;

		x->first = k->next;
		free(k);
	}
}
