/* Appending and signing. The order of writes is in DESIGN.md. */
#include "landfall/ledger.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/durable.h"
#include "base/mem.h"
#include "ledger/note.h"
#include "ledger/readme.h"
#include "ledger/tile.h"
#include "ledger/tree.h"

#define KEY_FILE "ledger.key"
#define KEY_TEMP "ledger.key.tmp"
#define LAST_FILE "ledger.last"
#define CHECKPOINT "checkpoint"
#define KEY_PEM_MAX 4096

/*
 * Up to this many files are synced one by one (two fsyncs each); more cost
 * one syncfs, which also writes what others have left unwritten.
 */
#define SYNC_EACH_MAX 4

struct ledger {
	int dir;   /* <zone>/_ledger */
	int state; /* the state directory */
	struct key key;
	struct tree tree;
	struct buf bundle; /* the entries of the tile that is not full */
	struct str note;   /* as published */
	bool failed;	   /* memory and disk may differ */
};

/* ---- create ---- */

static enum rc
refuse_existing(int dir, const char *name, const char *what, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_sys(e, BAD_ITEM, EEXIST, "%s %s", what, name);
	if (errno != ENOENT)
		return err_sys(e, BROKEN, errno, "%s %s", what, name);
	return OK;
}

/* Never over an existing key: a lost key is a lost ledger. */
static enum rc
write_key(int state, const struct key *k, struct err *e)
{
	struct str pem = STR_INIT;
	enum rc rc;

	key_add_private_pem(k, &pem);
	rc = durable_replace(state, KEY_TEMP, pem.s, pem.len, 0400, e);
	OPENSSL_cleanse(pem.s, pem.len);
	str_release(&pem);
	if (rc == OK)
		rc = durable_publish(state, KEY_TEMP, state, KEY_FILE, e);
	if (rc == OK)
		rc = durable_sync_dir(state, ".", e);
	else
		(void)unlinkat(state, KEY_TEMP, 0);
	return rc;
}

static enum rc
write_auditor_files(int dir, const struct key *k, struct err *e)
{
	CLEANUP(str_release) struct str pem = STR_INIT;
	CLEANUP(str_release) struct str vkey = STR_INIT;

	key_add_public_pem(k, &pem);
	key_add_vkey(k, &vkey);
	str_addc(&vkey, '\n');
	if (durable_replace(dir, "README", readme_text, strlen(readme_text),
		    0444, e) != OK ||
		durable_replace(dir, "key.pub.pem", pem.s, pem.len, 0444, e) !=
			OK ||
		durable_replace(dir, "vkey", vkey.s, vkey.len, 0444, e) != OK)
		return e->code;
	return OK;
}

enum rc
ledger_create(int zone, int state, const char *origin, struct err *e)
{
	CLEANUP(str_release) struct str note = STR_INIT;
	struct checkpoint empty = {.size = 0};
	struct key k = {.pkey = NULL};
	size_t n = strlen(origin);
	enum rc rc = OK;
	int dir = -1;

	if (!key_is_name(origin, n))
		return err_set(e, BAD_ITEM,
			"ledger origin: want 1 to %d bytes of UTF-8 without "
			"spaces and '+', like ledger.example.com/zone1",
			LEDGER_ORIGIN_MAX);
	if (refuse_existing(state, KEY_FILE, "state directory", e) != OK ||
		refuse_existing(zone, FORMAT_LEDGER_DIR "/" CHECKPOINT, "zone",
			e) != OK)
		return e->code;
	if (key_generate(&k, origin, e) != OK)
		return e->code;
	memcpy(empty.origin, origin, n + 1);
	hash_bytes("", 0, empty.root);
	note_add_checkpoint(&note, &empty, &k);
	/* The key makes it a ledger: a crash before leaves files that the next
	 * call writes again, a crash after leaves work for ledger_open. */
	if (durable_mkdirs(zone, FORMAT_LEDGER_DIR, 0755, e) != OK ||
		io_open(zone, FORMAT_LEDGER_DIR, O_RDONLY | O_DIRECTORY, 0,
			&dir, BROKEN, e) != OK ||
		write_auditor_files(dir, &k, e) != OK ||
		durable_replace(state, LAST_FILE, note.s, note.len, 0400, e) !=
			OK ||
		write_key(state, &k, e) != OK ||
		durable_replace(dir, CHECKPOINT, note.s, note.len, 0444, e) !=
			OK)
		rc = e->code;
	io_drop(&dir);
	key_release(&k);
	return rc;
}

/* ---- open ---- */

static enum rc
read_key(struct ledger *l, const char *origin, struct err *e)
{
	struct str pem = STR_INIT;
	enum rc rc =
		io_read_file(l->state, KEY_FILE, KEY_PEM_MAX, &pem, BROKEN, e);

	if (rc == END)
		err_set(e, BROKEN,
			"missing; restore it from the backup of the state "
			"directory, or run landfall init for a new zone");
	else if (rc == OK)
		rc = key_parse_pem(&l->key, origin, pem.s, pem.len, e);
	OPENSSL_cleanse(pem.s, pem.len);
	str_release(&pem);
	if (rc == OK)
		return OK;
	err_add(e, "state directory: %s", KEY_FILE);
	return err_raise(e, BROKEN);
}

/* A note we signed; END when there is no such file. */
static enum rc
read_own_note(struct ledger *l, int dir, const char *name, struct str *text,
	struct checkpoint *ret, struct err *e)
{
	struct note note;
	enum rc rc = io_read_file(dir, name, LEDGER_NOTE_MAX, text, BROKEN, e);

	if (rc == END)
		return END;
	if (rc == OK)
		rc = note_parse(text->s, text->len, &note, e);
	if (rc == OK)
		rc = note_checkpoint(&note, ret, e);
	if (rc == OK && strcmp(ret->origin, l->key.name) != 0) {
		CLEANUP(str_release) struct str other = STR_INIT;

		str_add_quoted(&other, ret->origin, strlen(ret->origin));
		rc = err_set(e, BROKEN,
			"belongs to ledger %s, the configuration says %s",
			other.s, l->key.name);
	}
	if (rc == OK)
		rc = note_verify(&note, &l->key, e);
	if (rc == OK)
		return OK;
	err_add(e, "%s", name);
	return err_raise(e, BROKEN);
}

/* The tiles must hash to what was signed; l->tree is left at that size. */
static enum rc
load_tree(struct ledger *l, const struct checkpoint *c, const char *signer,
	struct err *e)
{
	uint8_t root[HASH_LEN];

	if (tree_load(&l->tree, l->dir, c->size, e) == OK) {
		tree_root(&l->tree, root);
		if (memcmp(root, c->root, HASH_LEN) == 0)
			return OK;
		err_set(e, BROKEN, "they hash to another root");
	}
	err_add(e,
		"the tiles in the zone are not the %llu entries signed in %s "
		"(restore the zone's " FORMAT_LEDGER_DIR
		"; it is damaged or an older copy)",
		(unsigned long long)c->size, signer);
	return err_raise(e, BROKEN);
}

/* The entries of the bundle that is not full, checked against their leaves. */
static enum rc
load_bundle(struct ledger *l, struct err *e)
{
	CLEANUP(str_release) struct str bytes = STR_INIT;
	struct tile tile = tile_last(TILE_ENTRIES, l->tree.size);
	size_t offset = 0, len;
	const char *entry;

	if (tile.width == 0)
		return OK;
	if (tile_read(l->dir, &tile, &bytes, e) != OK)
		return err_raise(e, BROKEN);
	for (size_t i = 0;
		tile_next_entry(bytes.s, bytes.len, &offset, &entry, &len);
		i++) {
		uint8_t leaf[HASH_LEN];

		tree_leaf(entry, len, leaf);
		if (memcmp(leaf, l->tree.tile[0] + i * HASH_LEN, HASH_LEN) == 0)
			continue;
		str_clear(&bytes);
		tile_add_path(&bytes, &tile);
		return err_set(e, BROKEN,
			"%s: entry %zu is not what was signed (restore the "
			"zone's " FORMAT_LEDGER_DIR ")",
			bytes.s, i);
	}
	return buf_add(&l->bundle, bytes.s, bytes.len, e);
}

/* What a crash between publishing and sweeping left of the last full tiles. */
static void
sweep_last(const struct ledger *l)
{
	for (int level = TILE_ENTRIES; level < TREE_LEVELS; level++) {
		uint64_t index = tile_last(level, l->tree.size).index;

		if (index > 0)
			tile_sweep(l->dir, level, index - 1);
	}
}

/* Bring ledger.last, the checkpoint and the tiles to one size. */
static enum rc
recover(struct ledger *l, struct err *e)
{
	CLEANUP(str_release) struct str last_text = STR_INIT;
	CLEANUP(str_release) struct str text = STR_INIT;
	struct checkpoint last, published;
	bool missing, ahead = false;
	enum rc rc;

	rc = read_own_note(l, l->state, LAST_FILE, &last_text, &last, e);
	if (rc == END)
		return err_set(e, BROKEN,
			"state directory: " LAST_FILE
			" is missing: without it we might sign a second "
			"history; check the zone (landfall verify), then copy "
			"its " FORMAT_LEDGER_DIR "/" CHECKPOINT
			" to this name");
	if (rc != OK)
		return err_add(e, "state directory");
	rc = read_own_note(l, l->dir, CHECKPOINT, &text, &published, e);
	missing = rc == END;
	if (rc != OK && !missing)
		return err_add(e, "zone: " FORMAT_LEDGER_DIR);
	/* Prove the older of the two part of the newer before going on. */
	if (!missing) {
		ahead = published.size > last.size;
		if (load_tree(l, ahead ? &last : &published,
			    ahead ? LAST_FILE : CHECKPOINT, e) != OK)
			return e->code;
	}
	if (load_tree(l, ahead ? &published : &last,
		    ahead ? CHECKPOINT : LAST_FILE, e) != OK ||
		load_bundle(l, e) != OK)
		return e->code;
	/* What a killed process wrote may still be only in memory. */
	if (durable_sync_fs(l->dir, e) != OK)
		return err_add(e, "zone");
	if (durable_replace(l->state, LAST_FILE, ahead ? text.s : last_text.s,
		    ahead ? text.len : last_text.len, 0400, e) != OK)
		return err_add(e, "state directory");
	if (missing || published.size < last.size) {
		if (durable_replace(l->dir, CHECKPOINT, last_text.s,
			    last_text.len, 0444, e) != OK)
			return err_add(e, "zone: " FORMAT_LEDGER_DIR);
		str_add(&l->note, last_text.s);
	} else {
		str_add(&l->note, text.s);
	}
	sweep_last(l);
	return OK;
}

enum rc
ledger_open(int zone, int state, const char *origin, struct ledger **ret,
	struct err *e)
{
	struct ledger *l = mem_alloc(sizeof(*l));
	enum rc rc = OK;

	*l = (struct ledger){.dir = -1, .state = -1, .note = STR_INIT};
	buf_init(&l->bundle, TILE_BUNDLE_MAX);
	if (!key_is_name(origin, strlen(origin)))
		rc = err_set(e, BROKEN, "ledger origin: not a valid name");
	else if (io_open(state, ".", O_RDONLY | O_DIRECTORY, 0, &l->state,
			 BROKEN, e) != OK ||
		io_open(zone, FORMAT_LEDGER_DIR, O_RDONLY | O_DIRECTORY, 0,
			&l->dir, BROKEN, e) != OK ||
		read_key(l, origin, e) != OK || recover(l, e) != OK)
		rc = e->code;
	if (rc != OK) {
		ledger_close(l);
		return rc;
	}
	*ret = l;
	return OK;
}

void
ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	key_release(&l->key);
	buf_release(&l->bundle);
	str_release(&l->note);
	io_drop(&l->dir);
	io_drop(&l->state);
	free(l);
}

uint64_t
ledger_size(const struct ledger *l)
{
	return l->tree.size;
}

void
ledger_root(const struct ledger *l, uint8_t root[HASH_LEN])
{
	tree_root(&l->tree, root);
}

const char *
ledger_checkpoint(const struct ledger *l)
{
	return l->note.s;
}

/* ---- append ---- */

/* How many tiles and bundles change when the tree grows from a to b. */
static uint64_t
count_files(uint64_t a, uint64_t b)
{
	uint64_t files = 0;

	for (int level = TILE_ENTRIES; level < TREE_LEVELS; level++) {
		struct tile from = tile_last(level, a);
		struct tile to = tile_last(level, b);

		if (from.index == to.index && from.width == to.width)
			continue;
		files += to.index - from.index + (to.width > 0);
	}
	return files;
}

static enum rc
write_tile(struct ledger *l, const struct tile *t, bool durable, struct err *e)
{
	if (t->level == TILE_ENTRIES)
		return tile_write(
			l->dir, t, l->bundle.data, l->bundle.len, durable, e);
	return tile_write(l->dir, t, l->tree.tile[t->level],
		(size_t)t->width * HASH_LEN, durable, e);
}

/* One entry into tree and bundle; whatever became full is written. */
static enum rc
add_entry(struct ledger *l, const struct ledger_entry *entry, bool durable,
	struct err *e)
{
	uint8_t head[2] = {(uint8_t)(entry->len >> 8), (uint8_t)entry->len};
	uint8_t leaf[HASH_LEN];
	int full;

	if (buf_add(&l->bundle, head, sizeof(head), e) != OK ||
		buf_add(&l->bundle, entry->text, entry->len, e) != OK)
		return e->code;
	tree_leaf(entry->text, entry->len, leaf);
	full = (int)tree_add(&l->tree, leaf);
	if (full == 0)
		return OK;
	for (int level = TILE_ENTRIES; level < full; level++) {
		struct tile t = tile_last(level, l->tree.size);

		t.index--;
		t.width = FORMAT_TILE_WIDTH;
		if (write_tile(l, &t, durable, e) != OK)
			return e->code;
	}
	l->bundle.len = 0;
	return OK;
}

/* The tiles at the right end that grew since `before` and are not full. */
static enum rc
write_partial(struct ledger *l, uint64_t before, bool durable, struct err *e)
{
	for (int level = TILE_ENTRIES; level < TREE_LEVELS; level++) {
		struct tile from = tile_last(level, before);
		struct tile to = tile_last(level, l->tree.size);

		if (to.width == 0 ||
			(from.index == to.index && from.width == to.width))
			continue;
		if (write_tile(l, &to, durable, e) != OK)
			return e->code;
	}
	return OK;
}

/* Sign what is in the tree; first remember it, then show it. */
static enum rc
publish(struct ledger *l, bool grown, struct err *e)
{
	struct checkpoint c = {.size = l->tree.size};

	memcpy(c.origin, l->key.name, sizeof(c.origin));
	tree_root(&l->tree, c.root);
	str_clear(&l->note);
	note_add_checkpoint(&l->note, &c, &l->key);
	if (grown &&
		durable_replace(l->state, LAST_FILE, l->note.s, l->note.len,
			0400, e) != OK)
		return err_add(e, "state directory");
	if (durable_replace(
		    l->dir, CHECKPOINT, l->note.s, l->note.len, 0444, e) != OK)
		return err_add(e, "zone: " FORMAT_LEDGER_DIR);
	return OK;
}

static enum rc
append(struct ledger *l, const struct ledger_entry *entries, size_t n,
	struct err *e)
{
	uint64_t before = l->tree.size;
	bool each = count_files(before, before + n) <= SYNC_EACH_MAX;

	for (size_t i = 0; i < n; i++)
		if (add_entry(l, &entries[i], each, e) != OK)
			return err_add(e, "zone: " FORMAT_LEDGER_DIR);
	if (write_partial(l, before, each, e) != OK)
		return err_add(e, "zone: " FORMAT_LEDGER_DIR);
	/* l->dir is open since before the first write: no error is missed. */
	if (!each && durable_sync_fs(l->dir, e) != OK)
		return err_add(e, "zone: " FORMAT_LEDGER_DIR);
	if (publish(l, n > 0, e) != OK)
		return e->code;
	for (int level = TILE_ENTRIES; level < TREE_LEVELS; level++) {
		struct tile from = tile_last(level, before);

		if (from.width > 0 &&
			from.index < tile_last(level, l->tree.size).index)
			tile_sweep(l->dir, level, from.index);
	}
	return OK;
}

enum rc
ledger_append(struct ledger *l, const struct ledger_entry *entries, size_t n,
	struct err *e)
{
	if (l->failed)
		return err_set(e, BROKEN,
			"ledger: an earlier append failed; open it again");
	for (size_t i = 0; i < n; i++)
		if (entries[i].len == 0 || entries[i].len > FORMAT_ENTRY_MAX)
			return err_set(e, BAD_ITEM,
				"ledger entry of %zu bytes: want 1 to %d",
				entries[i].len, FORMAT_ENTRY_MAX);
	if (append(l, entries, n, e) == OK)
		return OK;
	l->failed = true;
	return err_raise(e, BROKEN);
}
