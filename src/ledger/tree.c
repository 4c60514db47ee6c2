#include "ledger/tree.h"

#include <string.h>

#include "ledger/tile.h"

void
tree_leaf(const void *entry, size_t n, uint8_t ret[HASH_LEN])
{
	struct hash h;

	hash_init(&h);
	hash_add(&h, "\0", 1);
	hash_add(&h, entry, n);
	hash_end(&h, ret);
}

void
tree_node(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
	uint8_t ret[HASH_LEN])
{
	uint8_t both[1 + 2 * HASH_LEN];

	both[0] = 1;
	memcpy(both + 1, left, HASH_LEN);
	memcpy(both + 1 + HASH_LEN, right, HASH_LEN);
	hash_bytes(both, sizeof(both), ret);
}

void
tree_fold(const uint8_t *hashes, size_t n, uint8_t ret[HASH_LEN])
{
	uint8_t h[FORMAT_TILE_WIDTH * HASH_LEN];

	memcpy(h, hashes, n * HASH_LEN);
	/* Pairing neighbours and promoting an odd last one gives the shape of
	 * section 2.1: its split is at the largest power of two. */
	while (n > 1) {
		size_t pairs = n / 2;

		for (size_t i = 0; i < pairs; i++)
			tree_node(h + 2 * i * HASH_LEN,
				h + (2 * i + 1) * HASH_LEN, h + i * HASH_LEN);
		if (n % 2 != 0)
			memmove(h + pairs * HASH_LEN, h + (n - 1) * HASH_LEN,
				HASH_LEN);
		n -= pairs;
	}
	memcpy(ret, h, HASH_LEN);
}

void
tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
}

unsigned
tree_width(const struct tree *t, unsigned level)
{
	return t->size >> (TREE_TILE_BITS * level) & (FORMAT_TILE_WIDTH - 1);
}

unsigned
tree_add(struct tree *t, const uint8_t leaf[HASH_LEN])
{
	uint8_t h[HASH_LEN];
	unsigned bit;

	memcpy(h, leaf, HASH_LEN);
	memcpy(t->tile[0] + tree_width(t, 0) * HASH_LEN, h, HASH_LEN);
	/* Adding one is a carry through the bits of size; a subtree that is
	 * complete at a tile's height is a hash of the level above. */
	for (bit = 0; t->size >> bit & 1;) {
		unsigned level;

		tree_node(t->node[bit], h, h);
		level = ++bit / TREE_TILE_BITS;
		if (bit % TREE_TILE_BITS == 0)
			memcpy(t->tile[level] + tree_width(t, level) * HASH_LEN,
				h, HASH_LEN);
	}
	memcpy(t->node[bit], h, HASH_LEN);
	t->size++;
	return bit / TREE_TILE_BITS;
}

void
tree_tail(const struct tree *t, unsigned bits, uint8_t ret[HASH_LEN])
{
	uint8_t h[HASH_LEN];
	bool any = false;

	for (unsigned bit = 0; bit < bits; bit++) {
		if ((t->size >> bit & 1) == 0)
			continue;
		if (any)
			tree_node(t->node[bit], h, h);
		else
			memcpy(h, t->node[bit], HASH_LEN);
		any = true;
	}
	memcpy(ret, h, HASH_LEN);
}

void
tree_root(const struct tree *t, uint8_t ret[HASH_LEN])
{
	if (t->size == 0)
		hash_bytes("", 0, ret);
	else
		tree_tail(t, 64, ret);
}

enum rc
tree_load(struct tree *t, int dir, uint64_t size, struct err *e)
{
	tree_init(t);
	t->size = size;
	for (unsigned level = 0; level < TREE_LEVELS; level++) {
		CLEANUP(str_release) struct str bytes = STR_INIT;
		struct tile tile = tile_last((int)level, size);
		const uint8_t *h = t->tile[level];

		if (tile.width == 0)
			continue;
		if (tile_read(dir, &tile, &bytes, e) != OK)
			return e->code;
		memcpy(t->tile[level], bytes.s, bytes.len);
		/* Larger subtrees are further left. */
		for (unsigned bit = TREE_TILE_BITS; bit-- > 0;) {
			size_t n = (size_t)1 << bit;

			if ((tile.width & n) == 0)
				continue;
			tree_fold(h, n, t->node[TREE_TILE_BITS * level + bit]);
			h += n * HASH_LEN;
		}
	}
	return OK;
}
