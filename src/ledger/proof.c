#include "ledger/proof.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/tree.h"
#include "ledger/view.h"

bool
proof_root(uint64_t index, uint64_t size, const uint8_t leaf[HASH_LEN],
	const uint8_t *proof, size_t n, uint8_t ret[HASH_LEN])
{
	uint64_t at = index, last = size - 1;
	uint8_t h[HASH_LEN];

	if (index >= size)
		return false;
	memcpy(h, leaf, HASH_LEN);
	for (size_t i = 0; i < n; i++, proof += HASH_LEN) {
		if (last == 0)
			return false;
		if ((at & 1) != 0 || at == last) {
			tree_node(proof, h, h);
			/* Levels where we are the odd last one: no sibling. */
			while ((at & 1) == 0 && at != 0) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			tree_node(h, proof, h);
		}
		at >>= 1;
		last >>= 1;
	}
	if (last != 0)
		return false;
	memcpy(ret, h, HASH_LEN);
	return true;
}

/* The hash of the perfect subtree number `index` of this height. */
static enum rc
perfect(struct ledger_view *v, unsigned height, uint64_t index,
	uint8_t ret[HASH_LEN], struct err *e)
{
	CLEANUP(str_release) struct str bytes = STR_INIT;
	unsigned inside = height % TREE_TILE_BITS;
	uint64_t first = index << inside;
	struct tile t = view_tile(
		v, (int)(height / TREE_TILE_BITS), first / FORMAT_TILE_WIDTH);

	if (tile_read(v->dir, &t, &bytes, e) != OK)
		return err_add(e, FORMAT_LEDGER_DIR);
	tree_fold(
		(const uint8_t *)bytes.s + first % FORMAT_TILE_WIDTH * HASH_LEN,
		(size_t)1 << inside, ret);
	return OK;
}

static enum rc
path(struct ledger_view *v, const struct tree *edge, uint64_t index,
	uint8_t *proof, size_t *ret_n, struct err *e)
{
	size_t n = 0;

	for (unsigned height = 0;
		height < 64 && (edge->size - 1) >> height != 0; height++) {
		uint64_t sibling = index >> height ^ 1;
		uint64_t start = sibling << height;

		if (start >= edge->size)
			continue; /* the odd last one is its own parent */
		if (edge->size - start < (uint64_t)1 << height)
			tree_tail(edge, height, proof + n * HASH_LEN);
		else if (perfect(v, height, sibling, proof + n * HASH_LEN, e) !=
			OK)
			return e->code;
		n++;
	}
	*ret_n = n;
	return OK;
}

enum rc
ledger_view_proof(struct ledger_view *v, uint64_t index,
	uint8_t proof[64 * HASH_LEN], size_t *ret_n, struct err *e)
{
	CLEANUP(mem_release) struct tree *edge = NULL;
	uint8_t leaf[HASH_LEN], root[HASH_LEN];
	uint64_t size = v->checkpoint.size;
	size_t n = 0;

	if (index >= size)
		return err_set(e, BAD_ITEM,
			"proof of entry %llu: the ledger has %llu entries",
			(unsigned long long)index, (unsigned long long)size);
	edge = mem_alloc(sizeof(*edge));
	if (tree_load(edge, v->dir, size, e) != OK)
		return err_add(e, FORMAT_LEDGER_DIR);
	if (path(v, edge, index, proof, &n, e) != OK ||
		perfect(v, 0, index, leaf, e) != OK)
		return e->code;
	/* A proof that proves nothing is a damaged tile. */
	if (!proof_root(index, size, leaf, proof, n, root) ||
		memcmp(root, v->checkpoint.root, HASH_LEN) != 0)
		return err_set(e, BAD_ITEM,
			FORMAT_LEDGER_DIR
			": the tiles around entry %llu do not hash to the "
			"signed root",
			(unsigned long long)index);
	*ret_n = n;
	return OK;
}

enum rc
ledger_view_tlog_proof(
	struct ledger_view *v, uint64_t index, struct str *s, struct err *e)
{
	uint8_t proof[64 * HASH_LEN];
	size_t n;

	if (ledger_view_proof(v, index, proof, &n, e) != OK)
		return e->code;
	str_addf(s, "c2sp.org/tlog-proof@v1\nindex %llu\n",
		(unsigned long long)index);
	for (size_t i = 0; i < n; i++) {
		str_add_base64(s, proof + i * HASH_LEN, HASH_LEN);
		str_addc(s, '\n');
	}
	str_addc(s, '\n');
	str_add(s, v->note.s);
	return OK;
}
