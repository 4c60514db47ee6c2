#include "config/total.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/value.h"
#include "landfall/side.h"

#define FIELD_MAX 65534

/* One mapping on its way into a row. */
struct reading {
	const struct option *o;
	const struct field_context *c;
	struct total total;
	bool from; /* it is said where the number stands */
	bool right;
};

static void PRINTF_LIKE(3, 4) wrong(
	struct reading *r, const struct yaml_node *n, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_add(r->c->report, n->line, n->column, "%s%s", option_name(r->o),
		text);
	r->right = false;
}

static void
wrong_value(struct reading *r, const struct yaml_node *n, const char *wanted)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		yaml_add_shown(&s, n);
	else
		str_add(&s, yaml_what(n));
	wrong(r, n, ".%s: expected %s, this is %s", n->key->text, wanted, s.s);
}

static bool
is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !yaml_is_null(n) && n->len > 0 &&
		strlen(n->text) == n->len;
}

static void
read_number(struct reading *r, const struct yaml_node *n, uint32_t *ret)
{
	uint64_t v;

	if (n->kind == YAML_SCALAR && str_parse_u64(n->text, n->len, &v) &&
		v >= 1 && v <= FIELD_MAX)
		*ret = (uint32_t)v;
	else
		wrong_value(r, n, "the number of a field, 1 to 65534");
}

static void
read_field(struct reading *r, const struct yaml_node *n)
{
	read_number(r, n, &r->total.field);
}

static void
read_at(struct reading *r, const struct yaml_node *n)
{
	read_number(r, n, &r->total.at);
}

static void
read_side(struct reading *r, const struct yaml_node *n)
{
	if (!is_text(n))
		wrong_value(r, n, "a name such as \"{name}.ctl\"");
	else if (!side_is_pattern(n->text, false))
		wrong(r, n,
			".side: must hold {name} or {stem} and more, and no "
			"folder: each delivery has a side file of its own");
	else
		r->total.pattern = mem_strdup(n->text);
}

static void
read_name(struct reading *r, const struct yaml_node *n)
{
	const char *hash = is_text(n) ? strchr(n->text, '#') : NULL;

	if (!is_text(n))
		wrong_value(r, n, "a pattern such as \"orders_*_#.csv\"");
	else if (hash == NULL || strchr(hash + 1, '#') != NULL)
		wrong(r, n,
			".name: must hold one '#', where the digits of the "
			"number stand");
	else
		r->total.pattern = mem_strdup(n->text);
}

static void
read_mark(struct reading *r, const struct yaml_node *n)
{
	if (is_text(n) &&
		(strcmp(n->text, ".") == 0 || strcmp(n->text, ",") == 0))
		r->total.mark = n->text[0];
	else
		wrong_value(r, n, "\".\" or \",\"");
}

static const struct key {
	const char *name;
	void (*read)(struct reading *r, const struct yaml_node *n);
	bool is_from;
	enum total_from from;
	bool of_sums; /* not of record counts */
} keys[] = {
	{"trailer_field", read_at, true, TOTAL_TRAILER, false},
	{"header_field", read_at, true, TOTAL_HEADER, false},
	{"side", read_side, true, TOTAL_SIDE, false},
	{"name", read_name, true, TOTAL_NAME, false},
	{"field", read_field, false, 0, true},
	{"decimal", read_mark, false, 0, true},
};

static void
read_key(struct reading *r, const struct yaml_node *n)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const char *before = "";

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct key *k = &keys[i];

		if (k->of_sums && r->total.of != TOTAL_SUM)
			continue;
		str_addf(&s, "%s%s", before, k->name);
		before = ", ";
		if (strcmp(k->name, n->key->text) != 0)
			continue;
		if (k->is_from && r->from) {
			wrong(r, n->key,
				": says twice where the partner's number "
				"stands");
			return;
		}
		if (k->is_from) {
			r->from = true;
			r->total.from = k->from;
		}
		k->read(r, n);
		return;
	}
	str_add(&s, "; unknown key ");
	yaml_add_shown(&s, n->key);
	wrong(r, n->key, ": known here: %s", s.s);
}

static bool
read_row(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, enum total_of of, struct total_list *l)
{
	struct reading r = {
		.o = o,
		.c = c,
		.total = {.of = of, .mark = '.'},
		.right = true,
	};

	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_MAPPING) {
		wrong(&r, n, ": expected a mapping, this is %s", yaml_what(n));
		return false;
	}
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v->key->kind != YAML_SCALAR || v->kind == YAML_WRONG)
			r.right = false;
		else
			read_key(&r, v);
	if (r.right && !r.from)
		wrong(&r, n,
			": where does the partner's number stand? one of "
			"trailer_field, header_field, side, name");
	if (r.right && of == TOTAL_SUM && r.total.field == 0)
		wrong(&r, n, ": field is missing: the one to be summed");
	if (!r.right) {
		free(r.total.pattern);
		return false;
	}
	l->row = mem_resize(l->row, l->n + 1, sizeof(*l->row));
	l->row[l->n++] = r.total;
	return true;
}

static bool
read_rows(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, enum total_of of, struct total_list *l)
{
	bool right = true;

	if (n->kind != YAML_SEQUENCE)
		return read_row(o, c, n, of, l);
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next)
		right &= read_row(o, c, i, of, l);
	return right;
}

bool
total_read_records(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	return read_rows(o, c, n, TOTAL_RECORDS, field);
}

bool
total_read_sum(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	return read_rows(o, c, n, TOTAL_SUM, field);
}

void
total_release(struct total_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->row[i].pattern);
	free(l->row);
	*l = (struct total_list){.n = 0};
}
