#include "source/drop/watch-names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
watch_names_release(struct watch_names *n)
{
	str_release(&n->text);
	free(n->name);
	free(n->slot);
	*n = (struct watch_names)WATCH_NAMES_INIT;
}

/*
 * FNV-1a. Who chooses names to collide makes at most one turn slow: a turn
 * is bounded.
 */
static size_t
hash_of(const char *p, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)p[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

static bool
is_same(const struct watch_names *n, uint32_t i, const char *p, size_t len)
{
	const struct watch_name *name = &n->name[i];

	return name->len == len && memcmp(n->text.s + name->at, p, len) == 0;
}

/* The slot that has it, or the free one where it belongs. */
static uint32_t *
slot_of(const struct watch_names *n, const char *p, size_t len)
{
	size_t mask = n->n_slots - 1, i = hash_of(p, len) & mask;

	while (n->slot[i] != 0 && !is_same(n, n->slot[i] - 1, p, len))
		i = (i + 1) & mask;
	return &n->slot[i];
}

static void
grow(struct watch_names *n)
{
	n->cap = n->cap > 0 ? 2 * n->cap : 64;
	n->name = mem_resize(n->name, n->cap, sizeof(*n->name));
	free(n->slot);
	n->n_slots = 2 * n->cap;
	n->slot = mem_array(n->n_slots, sizeof(*n->slot));
	for (size_t i = 0; i < n->n; i++)
		*slot_of(n, n->text.s + n->name[i].at, n->name[i].len) =
			(uint32_t)i + 1;
}

bool
watch_names_add(struct watch_names *n, const char *name, size_t len)
{
	uint32_t *slot;

	if (n->n == n->cap)
		grow(n);
	slot = slot_of(n, name, len);
	if (*slot != 0)
		return true;
	if (n->n == WATCH_NAMES_MAX ||
		n->text.len + len > WATCH_NAMES_BYTES_MAX)
		return false;
	n->name[n->n] = (struct watch_name){.at = n->text.len, .len = len};
	str_addn(&n->text, name, len);
	n->n++;
	*slot = (uint32_t)n->n;
	return true;
}
