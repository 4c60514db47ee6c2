/*
 * Checksum files and manifests as an attacker would write them. What is read
 * must lie within the text, be found again, and be in order.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_within(const struct checklist *l, const void *p, size_t n)
{
	const uint8_t *from = p;

	return from >= l->text.data && from + n <= l->text.data + l->text.len;
}

/* Where a manifest leads: never out of its folder. */
static void
check_path(const struct check_line *c)
{
	static const char folder[] = "in/day/";
	struct str path = STR_INIT;
	size_t n = sizeof(folder) - 1;

	if (manifest_path(&path, (const uint8_t *)folder, n, c->name,
		    c->name_len) == NULL) {
		check(path.len > n && memcmp(path.s, folder, n) == 0);
		check(path.s[path.len - 1] != '/');
		str_addc(&path, '/');
		check(strstr(path.s, "/../") == NULL);
		check(strstr(path.s, "/./") == NULL);
		check(strstr(path.s, "//") == NULL);
	}
	str_release(&path);
}

static void
check_list(struct checklist *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct check_line *c = &l->line[i];
		struct check_line *first;
		size_t n = checklist_find(l, c->name, c->name_len, &first);
		struct str hex = STR_INIT;

		check(n > 0 && first <= c && c < first + n);
		check(c->number > 0);
		if (c->name_len > 0) {
			check(is_within(l, c->name, c->name_len));
			check(memchr(c->name, '\0', c->name_len) == NULL);
			check_path(c);
		}
		if (c->has_sum) {
			check(is_within(l, c->hex, 2 * digest_len(c->kind)));
			check_line_add_hex(&hex, c);
			check(hex.len == 2 * digest_len(c->kind));
		}
		check(c->name_len > 0 || c->has_sum);
		str_release(&hex);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct checklist_table table = {
		.column = {COLUMN_NAME, COLUMN_SIZE, COLUMN_SKIP, COLUMN_DIGEST,
			COLUMN_RECORDS},
		.n = 5,
		.delimiter = '|',
		.header = 1,
	};

	for (int kind = CHECKLIST_SUMS; kind <= CHECKLIST_TABLE; kind++) {
		struct err e = ERR_INIT;
		struct checklist l;
		struct buf text;

		buf_init(&text, CHECKLIST_BYTES);
		if (buf_add(&text, data, size, &e) != OK) {
			buf_release(&text);
			return 0;
		}
		if (checklist_read(&l, (enum checklist_kind)kind, &table, &text,
			    &e) == OK)
			check_list(&l);
		checklist_release(&l);
		buf_release(&text);
	}
	return 0;
}
