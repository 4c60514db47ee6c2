/*
 * ledger.h - the transparency log: C2SP tlog-tiles with a tlog-checkpoint
 * (signed note, Ed25519) and RFC 6962 section 2.1 hashing, in plain files
 * below <zone>/_ledger.
 *
 * Two objects: a ledger appends and signs (one in the world: its owner holds
 * the lock on the state directory); a ledger_view reads and verifies, needs
 * no key, and trusts nothing it reads.
 *
 *	ledger_create(zone, state, origin, &e);	once, at `landfall init`
 *	ledger_open(zone, state, origin, &l, &e);
 *	ledger_append(l, entries, n, &e);	durable when it returns OK
 *	ledger_close(l);
 *
 * What can go wrong on our side is BROKEN: a ledger that cannot be read,
 * does not match what we signed last, or cannot be written stops us.
 */
#ifndef LANDFALL_LEDGER_H
#define LANDFALL_LEDGER_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "landfall/format.h"

#define LEDGER_ORIGIN_MAX 255
#define LEDGER_NOTE_MAX 65536 /* a larger checkpoint is refused */

/*
 * A new, empty ledger. state (a directory descriptor) gets ledger.key (PEM,
 * PKCS#8, 0400) and ledger.last (the last signed size and root); zone gets
 * _ledger/ with checkpoint (size 0), key.pub.pem, vkey and README (for
 * auditors, in plain words: how to check everything with stock tools).
 * An existing key or ledger is never touched: BAD_ITEM with cause EEXIST.
 * origin: a schema-less URL without spaces or '+', at most
 * LEDGER_ORIGIN_MAX bytes (BAD_ITEM otherwise).
 */
enum rc
ledger_create(int zone, int state, const char *origin, struct err *e) MUST_USE;

struct ledger;

/*
 * Loads key, checkpoint and the right edge of the tree, in time and memory
 * O(log size). Refuses (BROKEN) when the checkpoint's signature is wrong,
 * its origin differs, or it is behind or beside ledger.last. A checkpoint
 * that is missing or older than ledger.last because a crash came between
 * the two is published again from ledger.last and the tiles.
 */
enum rc ledger_open(int zone, int state, const char *origin,
	struct ledger **ret, struct err *e) MUST_USE;
void ledger_close(struct ledger *l);

uint64_t ledger_size(const struct ledger *l);
void ledger_root(const struct ledger *l, uint8_t root[HASH_LEN]);

/* The signed note as published; valid until the next append. */
const char *ledger_checkpoint(const struct ledger *l);

struct ledger_entry {
	const char *text; /* one canonical JSON line without the newline */
	size_t len;	  /* 1 .. FORMAT_ENTRY_MAX */
};

/*
 * Appends n >= 0 entries at index ledger_size() and on, in order:
 * tiles and bundles are written and synced, then ledger.last is synced, then
 * the checkpoint is published. n == 0 publishes a fresh signature only.
 * After BROKEN the object must be closed: what is on disk is consistent, and
 * ledger_open decides what counts. Cost: O(n + log size) hashes and a small
 * constant number of syncs, whatever n is.
 */
enum rc ledger_append(struct ledger *l, const struct ledger_entry *entries,
	size_t n, struct err *e) MUST_USE;

/* ---- reading and verifying: no key, no trust ---- */

struct ledger_view;

/*
 * Opens the checkpoint below zone and verifies its signature against vkey
 * (NULL: the one the zone publishes). END: there is no ledger here.
 * BAD_ITEM: it does not verify; the text says what and where.
 */
enum rc ledger_view_open(int zone, const char *vkey, struct ledger_view **ret,
	struct err *e) MUST_USE;
void ledger_view_close(struct ledger_view *v);

uint64_t ledger_view_size(const struct ledger_view *v);
void ledger_view_root(const struct ledger_view *v, uint8_t root[HASH_LEN]);
const char *ledger_view_origin(const struct ledger_view *v);

/*
 * Entry number `index`, appended to s. Reads one bundle; the last one read
 * is kept, so a walk in order reads each bundle once. BAD_ITEM: missing or
 * malformed.
 */
enum rc ledger_view_entry(struct ledger_view *v, uint64_t index, struct str *s,
	struct err *e) MUST_USE;

/*
 * Recomputes everything: each entry's leaf hash against its tile, each tile
 * against the level below, the root against the checkpoint; key.pub.pem and
 * vkey must be one key. Partial tiles narrower than the signed size mean
 * nothing: a crash may have left them. Calls finding for each thing that is
 * wrong (file below the zone, what about it) and goes on; BAD_ITEM when there
 * was at least one. Memory O(log size).
 */
enum rc ledger_view_check(struct ledger_view *v,
	void (*finding)(void *arg, const char *file, const char *what),
	void *arg, struct err *e) MUST_USE;

/*
 * The RFC 6962 section 2.1.1 audit path of a leaf, sibling first, as n
 * hashes appended to proof (64 * HASH_LEN bytes at most).
 */
enum rc ledger_view_proof(struct ledger_view *v, uint64_t index,
	uint8_t proof[64 * HASH_LEN], size_t *ret_n, struct err *e) MUST_USE;

/*
 * The same as C2SP tlog-proof has it, with the checkpoint: what somebody who
 * has the entry and knows the key needs to check it without us.
 */
enum rc ledger_view_tlog_proof(struct ledger_view *v, uint64_t index,
	struct str *s, struct err *e) MUST_USE;

#endif
