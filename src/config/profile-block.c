#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"
#include "config/value.h"

#define NAME_MAX_LEN 64

/* What {row, n} looks like, whatever a row is. */
struct list {
	void *row;
	size_t n;
};

static void *
field_of(const struct profile_row *row, void *base)
{
	return (char *)base + row->offset;
}

void
profile_fill(
	struct profile_reading *p, const struct profile_block *b, void *base)
{
	bool before = p->filling;

	p->filling = true;
	for (size_t i = 0; i < b->n; i++) {
		const struct profile_row *row = &b->row[i];
		struct yaml_node n = {
			.kind = YAML_SCALAR,
			.plain = true,
		};

		if (row->own > 0)
			continue;
		if (row->type == PROFILE_SAME)
			profile_fill(p, row->of, base);
		else if (row->type == PROFILE_BLOCK || row->type == PROFILE_SET)
			profile_fill(p, row->of, field_of(row, base));
		else if (row->type == PROFILE_STREAM)
			*(size_t *)field_of(row, base) = API_NO_STREAM;
		if (row->fallback == NULL || row->offset == SIZE_MAX)
			continue;
		n.text = mem_strdup(row->fallback);
		n.len = strlen(n.text);
		if (!profile_read_field(p, b, row, &n, field_of(row, base)))
			abort(); /* the table is wrong */
		free(n.text);
	}
	p->filling = before;
}

static const struct profile_row *
find(const struct profile_block *b, const char *key)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->row[i].key, key) == 0)
			return &b->row[i];
	return NULL;
}

static const char *
nearest(const struct profile_block *b, const char *key)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < b->n; i++) {
		unsigned d = value_nearness(key, b->row[i].key);

		if (d < least) {
			least = d;
			best = b->row[i].key;
		}
	}
	return best;
}

static bool
add_elsewhere(struct str *s, const char *key)
{
	bool found = false;

	for (size_t i = 0; i < profile_block_count; i++) {
		if (find(profile_blocks[i], key) == NULL)
			continue;
		str_addf(s, "%s %s", found ? " or" : "; it belongs in",
			profile_blocks[i]->name);
		found = true;
	}
	return found;
}

void
profile_unknown(struct profile_reading *p, const struct profile_block *b,
	const struct yaml_node *key)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const char *near = NULL;

	yaml_add_shown(&s, key);
	if (!report_is_full(p->report))
		near = nearest(b, key->text);
	if (near != NULL) {
		str_addf(&s, "; did you mean %s?", near);
	} else if (!add_elsewhere(&s, key->text)) {
		for (size_t i = 0; i < b->n; i++)
			str_addf(&s, "%s%s", i == 0 ? "; known here: " : ", ",
				b->row[i].key);
	}
	profile_wrong(p, key, "unknown key %s", s.s);
}

static bool
expect_kind(struct profile_reading *p, const char *what,
	const struct yaml_node *n, enum yaml_kind kind)
{
	if (n->kind == kind)
		return true;
	if (n->kind == YAML_WRONG)
		return false;
	return profile_wrong(p, n, "%s: expected %s, this is %s", what,
		kind == YAML_MAPPING ? "a mapping" : "a list", yaml_what(n));
}

static bool
read_list(struct profile_reading *p, const struct profile_row *row,
	const struct yaml_node *n, void *field)
{
	struct list l = {.n = 0};
	bool right = true;

	if (!expect_kind(p, row->key, n, YAML_SEQUENCE))
		return false;
	/* Never moved: references point into it. */
	l.row = mem_array(n->n + 1, row->of->size);
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		void *base = (char *)l.row + l.n++ * row->of->size;

		profile_fill(p, row->of, base);
		if (!expect_kind(p, row->key, v, YAML_MAPPING))
			right = false;
		else
			right &= profile_read_block(p, row->of, v, base);
	}
	memcpy(field, &l, sizeof(l));
	return right;
}

static bool
is_name(const char *text)
{
	return strlen(text) <= NAME_MAX_LEN && *text != '\0' &&
		text[strspn(text,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789_")] == '\0';
}

static bool
read_map(struct profile_reading *p, const struct profile_row *row,
	const struct yaml_node *n, void *field)
{
	struct list l = {.n = 0};
	bool right = true;

	if (!expect_kind(p, row->key, n, YAML_MAPPING))
		return false;
	l.row = mem_array(n->n + 1, row->of->size);
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		void *base = (char *)l.row + l.n * row->of->size;

		if (v->key->kind != YAML_SCALAR)
			continue;
		if (!is_name(v->key->text)) {
			right = profile_wrong(p, v->key,
				"%s: not a name (letters, digits and _)",
				row->key);
			continue;
		}
		l.n++;
		*(char **)base = mem_strdup(v->key->text);
		profile_fill(p, row->of, base);
		right &= expect_kind(p, row->key, v, YAML_MAPPING) &&
			profile_read_block(p, row->of, v, base);
	}
	memcpy(field, &l, sizeof(l));
	return right;
}

/* What holds only within this block: which variables there are. */
static bool
read_inside(struct profile_reading *p, const struct profile_row *row,
	const struct yaml_node *n, void *field)
{
	struct profile_reading before = *p;
	const struct yaml_node *kind = yaml_get(n, "kind");
	bool right;

	p->in_auth |= row->of == &profile_auth;
	p->in_lookup |= row->of == &profile_lookup;
	p->in_job |= row->of == &profile_job;
	if (row->of == &profile_incremental)
		p->integers = kind != NULL && kind->kind == YAML_SCALAR &&
			strcmp(kind->text, "int") == 0;
	right = row->type == PROFILE_LIST ? read_list(p, row, n, field)
		: row->type == PROFILE_MAP
		? read_map(p, row, n, field)
		: profile_read_block(p, row->of, n, field);
	p->in_auth = before.in_auth;
	p->in_lookup = before.in_lookup;
	p->in_job = before.in_job;
	p->integers = before.integers;
	return right;
}

static bool
read_row(struct profile_reading *p, const struct profile_block *b,
	const struct profile_row *row, const struct yaml_node *n, void *base)
{
	void *field = row->type == PROFILE_SAME || row->offset == SIZE_MAX
		? base
		: field_of(row, base);
	unsigned ignored;

	if (n->kind == YAML_WRONG)
		return false;
	if (row->offset == SIZE_MAX && row->type != PROFILE_SAME)
		return profile_read_field(p, b, row, n, &ignored);
	if (row->own > 0) {
		void **own = field;

		if (*own == NULL)
			*own = mem_alloc(row->own);
		field = *own;
		if (row->type == PROFILE_BLOCK)
			profile_fill(p, row->of, field);
	}
	switch (row->type) {
	case PROFILE_ELSEWHERE:
		return true;
	case PROFILE_SET:
		*(bool *)field = true;
		/* fallthrough */
	case PROFILE_BLOCK:
	case PROFILE_SAME:
		if (!expect_kind(p, row->key, n, YAML_MAPPING))
			return false;
		/* fallthrough */
	case PROFILE_LIST:
	case PROFILE_MAP:
		return read_inside(p, row, n, field);
	default:
		return profile_read_field(p, b, row, n, field);
	}
}

bool
profile_read_block(struct profile_reading *p, const struct profile_block *b,
	const struct yaml_node *n, void *base)
{
	bool right = true;

	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		const struct profile_row *row;

		if (v->key->kind != YAML_SCALAR)
			continue;
		row = find(b, v->key->text);
		if (row == NULL) {
			profile_unknown(p, b, v->key);
			right = false;
		} else {
			right &= read_row(p, b, row, v, base);
		}
	}
	return right;
}
