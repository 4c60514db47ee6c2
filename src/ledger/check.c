/* ledger_view_check: the whole tree again, from the entries up. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "ledger/tree.h"
#include "ledger/view.h"

/*
 * A checkpoint may claim 2^60 entries. One that is honest does not have so
 * many faults that the next one would tell anybody more.
 */
#define CHECK_FINDINGS_MAX 1000

struct check {
	struct ledger_view *v;
	void (*finding)(void *arg, const char *file, const char *what);
	void *arg;
	unsigned found;
	struct tree tree; /* what the entries really hash to */
};

static void
report(struct check *c, const char *path, const char *what)
{
	CLEANUP(str_release) struct str file = STR_INIT;

	str_addf(&file, FORMAT_LEDGER_DIR "/%s", path);
	c->finding(c->arg, file.s, what);
	c->found++;
}

/* tile_read's texts begin with the file it means. */
static void
report_read(struct check *c, const struct tile *t, const struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	const char *what = strstr(e->text, ": ");

	tile_add_path(&path, t);
	report(c, path.s, what != NULL ? what + 2 : e->text);
}

/* The tile on disk against the hashes that c->tree has collected for it. */
static void
check_tile(struct check *c, const struct tile *t)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(str_release) struct str bytes = STR_INIT;
	CLEANUP(str_release) struct str what = STR_INIT;
	const uint8_t *want = c->tree.tile[t->level];
	unsigned wrong = 0, first = 0;
	struct err e = ERR_INIT;

	if (tile_read(c->v->dir, t, &bytes, &e) != OK) {
		report_read(c, t, &e);
		return;
	}
	for (unsigned i = 0; i < t->width; i++) {
		size_t at = (size_t)i * HASH_LEN;

		if (memcmp(bytes.s + at, want + at, HASH_LEN) != 0 &&
			wrong++ == 0)
			first = i;
	}
	if (wrong == 0)
		return;
	tile_add_path(&path, t);
	str_addf(&what,
		"%u of %u hashes are not those of the %s below, first number "
		"%" PRIu64,
		wrong, t->width, t->level == 0 ? "entries" : "tiles",
		t->index * FORMAT_TILE_WIDTH + first);
	report(c, path.s, what.s);
}

/* One entry is known by its leaf; add it and check what it completes. */
static void
add_leaf(struct check *c, const uint8_t leaf[HASH_LEN])
{
	unsigned full = tree_add(&c->tree, leaf);

	for (unsigned level = 0; level < full; level++) {
		struct tile t = tile_last((int)level, c->tree.size);

		t.index--;
		t.width = FORMAT_TILE_WIDTH;
		check_tile(c, &t);
	}
}

/* Where a bundle cannot be read, its tile speaks, so that the rest is seen. */
static void
add_from_tile(struct check *c, struct tile t)
{
	CLEANUP(str_release) struct str bytes = STR_INIT;
	uint8_t unknown[HASH_LEN] = {0};
	struct err e = ERR_INIT;
	bool have;

	t.level = 0;
	have = tile_read(c->v->dir, &t, &bytes, &e) == OK;
	for (size_t i = 0; i < t.width; i++)
		add_leaf(c,
			have ? (const uint8_t *)bytes.s + i * HASH_LEN
			     : unknown);
}

static void
check_bundle(struct check *c, const struct tile *t)
{
	CLEANUP(str_release) struct str bytes = STR_INIT;
	struct err e = ERR_INIT;
	size_t offset = 0, len;
	const char *entry;

	if (tile_read(c->v->dir, t, &bytes, &e) != OK) {
		report_read(c, t, &e);
		add_from_tile(c, *t);
		return;
	}
	while (tile_next_entry(bytes.s, bytes.len, &offset, &entry, &len)) {
		uint8_t leaf[HASH_LEN];

		tree_leaf(entry, len, leaf);
		add_leaf(c, leaf);
	}
}

/* What auditors with stock tools take the key from must be one key. */
static void
check_keys(struct check *c)
{
	CLEANUP(str_release) struct str vkey = STR_INIT;
	CLEANUP(str_release) struct str found = STR_INIT;
	CLEANUP(str_release) struct str pem = STR_INIT;
	struct key k = {.pkey = NULL};
	struct err e = ERR_INIT;

	if (io_read_file(c->v->dir, "vkey", KEY_VKEY_MAX + 1, &vkey, BAD_ITEM,
		    &e) != OK ||
		key_parse_vkey(&k, vkey.s, vkey.len, &e) != OK) {
		report(c, "vkey", e.code == END ? "missing" : e.text);
		return;
	}
	key_add_public_pem(&k, &pem);
	key_add_vkey(&k, &found);
	key_release(&k);
	str_addc(&found, '\n');
	if (strcmp(found.s, vkey.s) != 0)
		report(c, "vkey", "is not one line that ends");
	str_clear(&found);
	if (io_read_file(c->v->dir, "key.pub.pem", KEY_VKEY_MAX, &found,
		    BAD_ITEM, &e) != OK ||
		strcmp(found.s, pem.s) != 0)
		report(c, "key.pub.pem", "is not the key in vkey");
}

static void
check_all(struct check *c)
{
	const struct checkpoint *signed_ = &c->v->checkpoint;
	uint64_t bundles = signed_->size / FORMAT_TILE_WIDTH +
		(signed_->size % FORMAT_TILE_WIDTH != 0);
	uint8_t root[HASH_LEN];

	check_keys(c);
	for (uint64_t i = 0; i < bundles; i++) {
		struct tile t = view_tile(c->v, TILE_ENTRIES, i);

		check_bundle(c, &t);
		if (c->found >= CHECK_FINDINGS_MAX) {
			report(c, "tile", "too much is wrong: stopped here");
			return;
		}
	}
	for (int level = 0; level < TREE_LEVELS; level++) {
		struct tile t = tile_last(level, signed_->size);

		if (t.width > 0)
			check_tile(c, &t);
	}
	tree_root(&c->tree, root);
	if (memcmp(root, signed_->root, HASH_LEN) != 0)
		report(c, "checkpoint",
			"the entries do not hash to the signed root");
}

enum rc
ledger_view_check(struct ledger_view *v,
	void (*finding)(void *arg, const char *file, const char *what),
	void *arg, struct err *e)
{
	struct check *c = mem_alloc(sizeof(*c));
	unsigned found;

	c->v = v;
	c->finding = finding;
	c->arg = arg;
	check_all(c);
	found = c->found;
	free(c);
	if (found == 0)
		return OK;
	return err_set(e, BAD_ITEM,
		FORMAT_LEDGER_DIR ": does not verify, %u finding%s", found,
		found == 1 ? "" : "s");
}
