/*
 * tree.h - the Merkle tree of RFC 6962 section 2.1: hashes, and the right
 * edge that an append needs.
 *
 * A tree that only grows is known by its right edge: for each bit set in
 * the size one hash of a perfect subtree (node[]), and for each level of
 * tiles the hashes of the tile that is not full yet (tile[]). Both follow
 * from the size; 66 KiB hold a ledger of any length.
 */
#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H

#include "base/err.h"
#include "base/hash.h"
#include "landfall/format.h"

#define TREE_TILE_BITS 8 /* 256 hashes in a tile: C2SP tlog-tiles */
#define TREE_LEVELS 8	 /* 8 * 8 bits: any uint64_t size */

_Static_assert(1 << TREE_TILE_BITS == FORMAT_TILE_WIDTH, "a tile's height");

struct tree {
	uint64_t size; /* leaves */
	uint8_t node[64][HASH_LEN];
	uint8_t tile[TREE_LEVELS][FORMAT_TILE_WIDTH * HASH_LEN];
};

/* SHA-256(0x00 || entry), n <= FORMAT_ENTRY_MAX. */
void tree_leaf(const void *entry, size_t n, uint8_t ret[HASH_LEN]);

/* SHA-256(0x01 || left || right); ret may be either. */
void tree_node(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
	uint8_t ret[HASH_LEN]);

/* The root above n (1 .. FORMAT_TILE_WIDTH) hashes of equal subtrees. */
void tree_fold(const uint8_t *hashes, size_t n, uint8_t ret[HASH_LEN]);

void tree_init(struct tree *t);

/* Hashes in the tile of this level that is not full: 0 .. 255. */
unsigned tree_width(const struct tree *t, unsigned level);

/*
 * One more leaf. Returns how many tiles it filled, those of the levels 0 up
 * to that number; their hashes stay in tile[] until the next leaf.
 */
unsigned tree_add(struct tree *t, const uint8_t leaf[HASH_LEN]);

/* The tree's root; SHA-256("") when it is empty. */
void tree_root(const struct tree *t, uint8_t ret[HASH_LEN]);

/*
 * The hash above the last `size mod 2^bits` leaves, which is the ragged
 * subtree at the right end of height `bits`. There must be such leaves.
 */
void tree_tail(const struct tree *t, unsigned bits, uint8_t ret[HASH_LEN]);

/*
 * The right edge of the ledger below dir (the _ledger directory) when it
 * had `size` leaves. At most TREE_LEVELS files are read. BAD_ITEM: a tile
 * is missing or has a wrong length; the caller compares the root.
 */
enum rc
tree_load(struct tree *t, int dir, uint64_t size, struct err *e) MUST_USE;

#endif
