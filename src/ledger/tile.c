#include "ledger/tile.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/io.h"
#include "ledger/tree.h"

struct tile
tile_last(int level, uint64_t size)
{
	uint64_t n = size >> (level > 0 ? TREE_TILE_BITS * level : 0);

	return (struct tile){.level = level,
		.index = n / FORMAT_TILE_WIDTH,
		.width = n % FORMAT_TILE_WIDTH};
}

void
tile_add_path(struct str *s, const struct tile *t)
{
	uint64_t group = 1;

	if (t->level == TILE_ENTRIES)
		str_add(s, "tile/entries/");
	else
		str_addf(s, "tile/%d/", t->level);
	while (t->index / group >= 1000)
		group *= 1000;
	for (; group > 1; group /= 1000)
		str_addf(s, "x%03" PRIu64 "/", t->index / group % 1000);
	str_addf(s, "%03" PRIu64, t->index % 1000);
	if (t->width < FORMAT_TILE_WIDTH)
		str_addf(s, ".p/%u", t->width);
}

bool
tile_next_entry(const char *bundle, size_t n, size_t *offset,
	const char **ret_entry, size_t *ret_len)
{
	const uint8_t *p = (const uint8_t *)bundle + *offset;
	size_t left = n - *offset, len;

	if (left < 2)
		return false;
	len = (size_t)p[0] << 8 | p[1];
	if (len > left - 2)
		return false;
	*ret_entry = bundle + *offset + 2;
	*ret_len = len;
	*offset += 2 + len;
	return true;
}

/* The file at path holds `there` elements: keep the first `width`. */
static enum rc
cut(const char *path, const struct tile *t, unsigned there, struct str *s,
	struct err *e)
{
	size_t offset = 0, keep = 0, len;
	const char *entry;
	unsigned n = 0;

	if (t->level != TILE_ENTRIES) {
		if (s->len != (size_t)there * HASH_LEN)
			return err_set(e, BAD_ITEM,
				"%s: %zu bytes instead of %u", path, s->len,
				there * HASH_LEN);
		str_cut(s, (size_t)t->width * HASH_LEN);
		return OK;
	}
	while (n < there &&
		tile_next_entry(s->s, s->len, &offset, &entry, &len))
		if (++n == t->width)
			keep = offset;
	if (n < there || offset != s->len)
		return err_set(e, BAD_ITEM,
			"%s: does not hold %u whole entries", path, there);
	str_cut(s, keep);
	return OK;
}

enum rc
tile_read(int dir, const struct tile *t, struct str *s, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	size_t max = t->level == TILE_ENTRIES ? TILE_BUNDLE_MAX
					      : FORMAT_TILE_WIDTH * HASH_LEN;
	struct tile file = *t;
	enum rc rc;

	str_clear(s);
	tile_add_path(&path, &file);
	rc = io_read_file(dir, path.s, max, s, BAD_ITEM, e);
	if (rc == END && file.width < FORMAT_TILE_WIDTH) {
		CLEANUP(str_release) struct str full = STR_INIT;

		file.width = FORMAT_TILE_WIDTH;
		tile_add_path(&full, &file);
		rc = io_read_file(dir, full.s, max, s, BAD_ITEM, e);
		if (rc == OK)
			return cut(full.s, t, file.width, s, e);
	}
	if (rc == END)
		return err_set(e, BAD_ITEM, "%s: missing", path.s);
	if (rc != OK)
		return rc;
	return cut(path.s, t, file.width, s, e);
}

enum rc
tile_write(int dir, const struct tile *t, const void *p, size_t n, bool durable,
	struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	char *slash;
	enum rc rc;

	tile_add_path(&path, t);
	slash = strrchr(path.s, '/');
	*slash = '\0';
	rc = durable ? durable_mkdirs(dir, path.s, 0755, e)
		     : durable_mkdirs_later(dir, path.s, 0755, e);
	if (rc != OK)
		return rc;
	*slash = '/';
	return durable ? durable_replace(dir, path.s, p, n, 0444, e)
		       : durable_replace_later(dir, path.s, p, n, 0444, e);
}

void
tile_sweep(int dir, int level, uint64_t index)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct tile t = {.level = level, .index = index, .width = 1};
	struct err e = ERR_INIT;
	struct dirent *d;
	int fd = -1;
	DIR *list;

	tile_add_path(&path, &t);
	*strrchr(path.s, '/') = '\0';
	if (io_open(dir, path.s, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN, &e) !=
		OK)
		return;
	list = fdopendir(fd);
	if (list == NULL) {
		io_drop(&fd);
		return;
	}
	while ((d = readdir(list)) != NULL)
		if (d->d_name[0] != '.')
			(void)unlinkat(dirfd(list), d->d_name, 0);
	closedir(list);
	(void)unlinkat(dir, path.s, AT_REMOVEDIR);
}
