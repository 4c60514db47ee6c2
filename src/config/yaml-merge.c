/*
 * One tree laid over another: mappings add up, all else is replaced.
 */
#include <string.h>

#include "base/mem.h"
#include "config/yaml.h"

static struct yaml_node *
copy_node(struct yaml *y, const struct yaml_node *from)
{
	struct yaml_node *n = mem_alloc(sizeof(*n));

	*n = *from;
	n->text = from->text != NULL ? mem_dup(from->text, from->len) : NULL;
	n->key = from->key != NULL ? copy_node(y, from->key) : NULL;
	n->first = n->last = n->next = NULL;
	n->n = 0;
	n->older = y->newest;
	y->newest = n;
	y->nodes++;
	return n;
}

static void
hang_below(struct yaml_node *up, struct yaml_node *n)
{
	if (up->last != NULL)
		up->last->next = n;
	else
		up->first = n;
	up->last = n;
	up->n++;
}

static struct yaml_node *
copy_tree(struct yaml *y, const struct yaml_node *from)
{
	struct yaml_node *n = copy_node(y, from);

	for (const struct yaml_node *v = from->first; v != NULL; v = v->next)
		hang_below(n, copy_tree(y, v));
	return n;
}

static bool
has_one_of(const struct yaml_node *n, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (yaml_get(n, *keys) != NULL)
			return true;
	return false;
}

/* Two of a kind that add up; not two that exclude each other. */
static bool
can_merge(const struct yaml_node *base, const struct yaml_node *over,
	const char *const *alternatives)
{
	return base->kind == YAML_MAPPING && over->kind == YAML_MAPPING &&
		yaml_get(over, "type") == NULL &&
		!(has_one_of(base, alternatives) &&
			has_one_of(over, alternatives));
}

static struct yaml_node *
merge(struct yaml *y, const struct yaml_node *base,
	const struct yaml_node *over, const char *const *alternatives)
{
	struct yaml_node *n;

	if (yaml_is_null(over))
		return copy_tree(y, base);
	if (!can_merge(base, over, alternatives))
		return copy_tree(y, over);
	/* Its place is where somebody would look for what it says. */
	n = copy_node(y, over);
	for (const struct yaml_node *v = base->first; v != NULL; v = v->next) {
		const struct yaml_node *o = v->key->kind == YAML_SCALAR
			? yaml_get(over, v->key->text)
			: NULL;

		hang_below(n,
			o != NULL ? merge(y, v, o, alternatives)
				  : copy_tree(y, v));
	}
	for (const struct yaml_node *v = over->first; v != NULL; v = v->next)
		if (v->key->kind != YAML_SCALAR ||
			yaml_get(base, v->key->text) == NULL)
			hang_below(n, copy_tree(y, v));
	return n;
}

void
yaml_merge(struct yaml *y, const struct yaml_node *base,
	const struct yaml_node *over, const char *const *alternatives)
{
	*y = (struct yaml){.root = NULL};
	y->root = over == NULL ? copy_tree(y, base)
			       : merge(y, base, over, alternatives);
}
