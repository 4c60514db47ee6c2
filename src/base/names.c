#include "base/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
names_release(struct names *n)
{
	str_release(&n->text);
	free(n->name);
	free(n->slot);
	*n = (struct names)NAMES_INIT(n->max, n->bytes_max);
}

/*
 * FNV-1a. Who chooses names to collide makes at most one set slow: a set is
 * bounded.
 */
static size_t
hash_of(const uint8_t *p, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

const uint8_t *
names_at(const struct names *n, size_t i, size_t *ret_len)
{
	*ret_len = n->name[i].len;
	return (const uint8_t *)n->text.s + n->name[i].at;
}

static bool
is_same(const struct names *n, size_t i, const uint8_t *p, size_t len)
{
	size_t have;
	const uint8_t *name = names_at(n, i, &have);

	return have == len && memcmp(name, p, len) == 0;
}

/* The slot that has it, or the free one where it belongs. */
static uint32_t *
slot_of(const struct names *n, const uint8_t *p, size_t len)
{
	size_t mask = n->n_slots - 1, i = hash_of(p, len) & mask;

	while (n->slot[i] != 0 && !is_same(n, n->slot[i] - 1, p, len))
		i = (i + 1) & mask;
	return &n->slot[i];
}

static void
grow(struct names *n)
{
	n->cap = n->cap > 0 ? 2 * n->cap : 64;
	n->name = mem_resize(n->name, n->cap, sizeof(*n->name));
	free(n->slot);
	n->n_slots = 2 * n->cap;
	n->slot = mem_array(n->n_slots, sizeof(*n->slot));
	for (size_t i = 0; i < n->n; i++) {
		size_t len;
		const uint8_t *name = names_at(n, i, &len);

		*slot_of(n, name, len) = (uint32_t)i + 1;
	}
}

size_t
names_find(const struct names *n, const void *name, size_t len)
{
	uint32_t slot = n->n_slots > 0 ? *slot_of(n, name, len) : 0;

	return slot != 0 ? slot - 1 : NAMES_FULL;
}

size_t
names_put(struct names *n, const void *name, size_t len)
{
	uint32_t *slot;

	if (n->n == n->cap)
		grow(n);
	slot = slot_of(n, name, len);
	if (*slot != 0)
		return *slot - 1;
	if (n->n == n->max || n->text.len + len > n->bytes_max)
		return NAMES_FULL;
	n->name[n->n].at = n->text.len;
	n->name[n->n].len = len;
	str_addn(&n->text, name, len);
	*slot = (uint32_t)++n->n;
	return n->n - 1;
}
