#include "ledger/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "ledger/tree.h"

/* The checkpoint below v->dir, verified by vkey or by the zone's own. */
static enum rc
read_checkpoint(struct ledger_view *v, const char *vkey, struct err *e)
{
	CLEANUP(str_release) struct str own = STR_INIT;
	struct key k = {.pkey = NULL};
	struct note note;
	enum rc rc;

	rc = io_read_file(
		v->dir, "checkpoint", LEDGER_NOTE_MAX, &v->note, BAD_ITEM, e);
	if (rc != OK)
		return rc;
	if (vkey == NULL) {
		rc = io_read_file(
			v->dir, "vkey", KEY_VKEY_MAX + 1, &own, BAD_ITEM, e);
		if (rc == END)
			return err_set(e, BAD_ITEM, "vkey: missing");
		if (rc != OK)
			return rc;
		rc = key_parse_vkey(&k, own.s, own.len, e);
	} else {
		rc = key_parse_vkey(&k, vkey, strlen(vkey), e);
	}
	if (rc != OK)
		return rc;
	if (note_parse(v->note.s, v->note.len, &note, e) != OK ||
		note_verify(&note, &k, e) != OK ||
		note_checkpoint(&note, &v->checkpoint, e) != OK)
		rc = err_add(e, "checkpoint");
	key_release(&k);
	return rc;
}

enum rc
ledger_view_open(
	int zone, const char *vkey, struct ledger_view **ret, struct err *e)
{
	struct ledger_view *v = mem_alloc(sizeof(*v));
	enum rc rc;

	*v = (struct ledger_view){
		.dir = -1, .note = STR_INIT, .bundle = STR_INIT};
	rc = io_open(zone, FORMAT_LEDGER_DIR, O_RDONLY | O_DIRECTORY, 0,
		&v->dir, BAD_ITEM, e);
	if (rc != OK && e->cause == ENOENT)
		rc = err_raise(e, END);
	if (rc == OK)
		rc = read_checkpoint(v, vkey, e);
	if (rc != OK) {
		ledger_view_close(v);
		return rc == END ? END : err_add(e, FORMAT_LEDGER_DIR);
	}
	*ret = v;
	return OK;
}

void
ledger_view_close(struct ledger_view *v)
{
	if (v == NULL)
		return;
	io_drop(&v->dir);
	str_release(&v->note);
	str_release(&v->bundle);
	free(v);
}

uint64_t
ledger_view_size(const struct ledger_view *v)
{
	return v->checkpoint.size;
}

void
ledger_view_root(const struct ledger_view *v, uint8_t root[HASH_LEN])
{
	memcpy(root, v->checkpoint.root, HASH_LEN);
}

const char *
ledger_view_origin(const struct ledger_view *v)
{
	return v->checkpoint.origin;
}

struct tile
view_tile(const struct ledger_view *v, int level, uint64_t index)
{
	struct tile t = tile_last(level, v->checkpoint.size);

	if (index < t.index)
		t.width = FORMAT_TILE_WIDTH;
	t.index = index;
	return t;
}

enum rc
ledger_view_entry(
	struct ledger_view *v, uint64_t index, struct str *s, struct err *e)
{
	size_t offset = 0, len = 0;
	const char *entry = NULL;
	struct tile t;

	if (index >= v->checkpoint.size)
		return err_set(e, BAD_ITEM,
			"entry %llu: the ledger has %llu entries",
			(unsigned long long)index,
			(unsigned long long)v->checkpoint.size);
	t = view_tile(v, TILE_ENTRIES, index / FORMAT_TILE_WIDTH);
	if (v->bundle_tile.width == 0 || v->bundle_tile.index != t.index) {
		v->bundle_tile.width = 0;
		if (tile_read(v->dir, &t, &v->bundle, e) != OK)
			return err_add(e, FORMAT_LEDGER_DIR);
		v->bundle_tile = t;
	}
	/* tile_read has seen that the bundle holds t.width whole entries. */
	for (uint64_t i = 0; i <= index % FORMAT_TILE_WIDTH; i++)
		if (!tile_next_entry(
			    v->bundle.s, v->bundle.len, &offset, &entry, &len))
			abort();
	str_addn(s, entry, len);
	return OK;
}
