#include "land/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
seal_release(struct seal *x)
{
	for (size_t i = 0; i < x->n_sums; i++)
		free(x->sum[i].file);
	free(x->sum);
	free(x->len);
	str_release(&x->text);
}

static void
add_sum(struct seal *x, const char *file, const uint8_t *sum)
{
	struct seal_sum *s;

	if (x->n_sums == x->cap_sums) {
		x->cap_sums = x->cap_sums > 0 ? 2 * x->cap_sums : 64;
		x->sum = mem_resize(x->sum, x->cap_sums, sizeof(*x->sum));
	}
	s = &x->sum[x->n_sums++];
	s->file = mem_strdup(file);
	memcpy(s->sum, sum, HASH_LEN);
}

void
seal_add(struct seal *x, const char *entry, size_t len, const char *file,
	const uint8_t *sum)
{
	if (x->n == x->cap) {
		x->cap = x->cap > 0 ? 2 * x->cap : 64;
		x->len = mem_resize(x->len, x->cap, sizeof(*x->len));
	}
	x->len[x->n++] = len;
	str_addn(&x->text, entry, len);
	if (file != NULL)
		add_sum(x, file, sum);
}

static int
by_file(const void *a, const void *b)
{
	const struct seal_sum *x = a, *y = b;

	return strcmp(x->file, y->file);
}

/*
 * Always in this order: zone_sums_append knows the lines again only when they
 * come as they came before.
 */
static enum rc
set_sums(struct seal *x, struct zone *z, struct err *e)
{
	CLEANUP(str_release) struct str lines = STR_INIT;
	CLEANUP(str_release) struct str dir = STR_INIT;

	if (x->n_sums > 0)
		qsort(x->sum, x->n_sums, sizeof(*x->sum), by_file);
	for (size_t i = 0; i < x->n_sums; i++) {
		const char *file = x->sum[i].file;
		size_t len = (size_t)(strrchr(file, '/') - file) + 1;

		zone_sums_line(&lines, file, x->sum[i].sum);
		/* A file's name has no slash: the same up to the last one. */
		if (i + 1 < x->n_sums &&
			strncmp(file, x->sum[i + 1].file, len) == 0 &&
			strchr(x->sum[i + 1].file + len, '/') == NULL)
			continue;
		str_clear(&dir);
		str_addn(&dir, file, len - 1);
		if (zone_sums_append(z, dir.s, lines.s, lines.len, e) != OK)
			return e->code;
		str_clear(&lines);
	}
	return OK;
}

static enum rc
set_ledger(const struct seal *x, struct ledger *l, struct err *e)
{
	struct ledger_entry *entry;
	size_t at = 0;
	enum rc rc;

	if (x->n == 0)
		return OK;
	entry = mem_array(x->n, sizeof(*entry));
	for (size_t i = 0; i < x->n; i++) {
		entry[i].text = x->text.s + at;
		entry[i].len = x->len[i];
		at += x->len[i];
	}
	rc = ledger_append(l, entry, x->n, e);
	free(entry);
	return rc;
}

enum rc
seal_set(struct seal *x, struct commit *c, struct err *e)
{
	if (set_sums(x, c->zone, e) != OK)
		return e->code;
	return set_ledger(x, c->ledger, e);
}
