/*
 * tile.h - the files of C2SP tlog-tiles: tiles of 256 hashes and bundles of
 * 256 entries, below the _ledger directory.
 *
 *	tile/<L>/<N>		256 hashes of level L
 *	tile/<L>/<N>.p/<W>	the first W of them, while there are not more
 *	tile/entries/<N>...	the entries below tile/0/<N>...: for each a
 *				big-endian u16 length and its bytes
 *
 * N is written in groups of three digits, all but the last with an x in
 * front: x001/x234/067.
 */
#ifndef LEDGER_TILE_H
#define LEDGER_TILE_H

#include "base/err.h"
#include "base/str.h"
#include "landfall/format.h"

#define TILE_ENTRIES (-1) /* the level of a bundle */
#define TILE_BUNDLE_MAX (FORMAT_TILE_WIDTH * (2 + (size_t)FORMAT_ENTRY_MAX))

struct tile {
	int level; /* TILE_ENTRIES, 0 .. 7 */
	uint64_t index;
	unsigned width; /* hashes or entries: 1 .. 256 */
};

/* The tile at the right end of a level; width 0: there is none. */
struct tile tile_last(int level, uint64_t size);

/* Appends the path below _ledger. */
void tile_add_path(struct str *s, const struct tile *t);

/*
 * The bytes of exactly t->width hashes or entries, into s. A partial tile
 * that is no longer there is read from the full one, which begins with the
 * same bytes. BAD_ITEM: missing, or not the length or shape it must have.
 */
enum rc
tile_read(int dir, const struct tile *t, struct str *s, struct err *e) MUST_USE;

/*
 * Writes the file, over whatever was there. durable: synced when this
 * returns; otherwise the caller syncs the filesystem.
 */
enum rc tile_write(int dir, const struct tile *t, const void *p, size_t n,
	bool durable, struct err *e) MUST_USE;

/*
 * Removes the partial files of a full tile. Best effort: what stays behind
 * is read by nobody.
 */
void tile_sweep(int dir, int level, uint64_t index);

/*
 * The entry at *offset of a bundle's n bytes, moving *offset behind it;
 * false at the end, or when what is there is cut.
 */
bool tile_next_entry(const char *bundle, size_t n, size_t *offset,
	const char **ret_entry, size_t *ret_len) MUST_USE;

#endif
