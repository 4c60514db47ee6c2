/*
 * Words: yes or no, one of a few, globs.
 */
#include "config/field-read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/value.h"

bool
field_read_bool(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	if (!value_bool(n->text, field))
		return field_expected(o, c, n);
	return true;
}

static const char *
nearest(const char *const *names, const char *word)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; names[i] != NULL; i++) {
		unsigned d = value_nearness(word, names[i]);

		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

bool
field_read_choice(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const char *near;
	unsigned v;

	if (value_choice(n->text, o->names, &v)) {
		/* An enum of non-negative values is an unsigned int. */
		memcpy(field, &v, sizeof(v));
		return true;
	}
	near = nearest(o->names, n->text);
	if (near == NULL)
		return field_expected(o, c, n);
	str_addf(&s, "is not known; did you mean %s?", near);
	return field_wrong(o, c, n, s.s);
}

static bool
read_flag(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, uint32_t *flags)
{
	unsigned v;

	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_SCALAR || strlen(n->text) != n->len)
		return field_expected(o, c, n);
	if (!field_read_choice(o, c, n, &v))
		return false;
	*flags |= UINT32_C(1) << v;
	return true;
}

bool
field_read_flags(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint32_t flags = 0, *at = field;
	bool right = true;

	if (n->kind == YAML_SCALAR)
		right = read_flag(o, c, n, &flags);
	else if (n->kind != YAML_SEQUENCE)
		return field_expected(o, c, n);
	for (const struct yaml_node *i = n->first;
		n->kind == YAML_SEQUENCE && i != NULL; i = i->next)
		right = read_flag(o, c, i, &flags) && right;
	if (right)
		*at = flags;
	return right;
}

void
field_release_patterns(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->glob[i]);
	free(p->glob);
	*p = (struct patterns){.n = 0};
}

static bool
check_pattern(const struct option *o, const struct field_context *c,
	const struct yaml_node *n)
{
	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_SCALAR || n->len == 0)
		return field_expected(o, c, n);
	if (strlen(n->text) != n->len)
		return field_wrong(o, c, n, "holds a NUL byte");
	if (n->text[0] == '/')
		return field_wrong(o, c, n,
			"begins with a slash: globs are relative to the "
			"source");
	return true;
}

bool
field_read_patterns(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	const struct yaml_node *first = n->first;
	struct patterns p = {.n = 0}, *at = field;
	bool right = true;

	if (n->kind == YAML_SCALAR)
		first = n;
	else if (n->kind != YAML_SEQUENCE)
		return field_expected(o, c, n);
	if (n->kind == YAML_SEQUENCE && n->n < o->min) {
		report_add(c->report, n->line, n->column,
			"%s: an empty list would match nothing; leave the "
			"key out to match everything",
			option_name(o));
		return false;
	}
	p.glob = mem_array(n->n + 1, sizeof(*p.glob));
	for (const struct yaml_node *i = first; i != NULL;
		i = i == n ? NULL : i->next) {
		if (check_pattern(o, c, i))
			p.glob[p.n++] = mem_strdup(i->text);
		else
			right = false;
	}
	if (!right) {
		field_release_patterns(&p);
		return false;
	}
	field_release_patterns(at);
	*at = p;
	return true;
}
