#include "source/http/vars.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct var *
find(const struct vars *v, enum api_space space, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->row[i].space == space &&
			strcmp(v->row[i].name, name) == 0)
			return &v->row[i];
	return NULL;
}

static void
forget(struct var *x)
{
	for (size_t i = 0; i < x->n; i++) {
		explicit_bzero(x->text[i].p, x->text[i].len);
		free(x->text[i].p);
	}
	free(x->text);
	x->text = NULL;
	x->n = 0;
}

static void
remove_row(struct vars *v, size_t i)
{
	forget(&v->row[i]);
	free(v->row[i].name);
	v->row[i] = v->row[--v->n];
}

void
vars_release(struct vars *v)
{
	while (v->n > 0)
		remove_row(v, v->n - 1);
	free(v->row);
	*v = (struct vars)VARS_INIT;
}

static struct var *
fresh(struct vars *v, enum api_space space, const char *name)
{
	struct var *x = find(v, space, name);

	if (x != NULL) {
		forget(x);
		return x;
	}
	v->row = mem_resize(v->row, v->n + 1, sizeof(*v->row));
	x = &v->row[v->n++];
	*x = (struct var){.space = space, .name = mem_strdup(name)};
	return x;
}

static void
append(struct var *x, const void *p, size_t len)
{
	x->text = mem_resize(x->text, x->n + 1, sizeof(*x->text));
	x->text[x->n].p = mem_dup(p, len);
	x->text[x->n++].len = len;
}

void
vars_set(struct vars *v, enum api_space space, const char *name, const void *p,
	size_t len)
{
	/* The value may be part of what it replaces. */
	uint8_t *copy = mem_dup(p, len);
	struct var *x = fresh(v, space, name);

	x->is_list = false;
	append(x, copy, len);
	explicit_bzero(copy, len);
	free(copy);
}

void
vars_set_text(struct vars *v, enum api_space space, const char *name,
	const char *text)
{
	vars_set(v, space, name, text, strlen(text));
}

void
vars_set_list(struct vars *v, enum api_space space, const char *name)
{
	fresh(v, space, name)->is_list = true;
}

void
vars_append(struct vars *v, enum api_space space, const char *name,
	const void *p, size_t len)
{
	struct var *x = find(v, space, name);

	if (x == NULL || !x->is_list)
		abort(); /* the caller's mistake */
	append(x, p, len);
}

void
vars_unset(struct vars *v, enum api_space space, const char *name)
{
	struct var *x = find(v, space, name);

	if (x != NULL)
		remove_row(v, (size_t)(x - v->row));
}

void
vars_unset_all(struct vars *v, enum api_space space)
{
	for (size_t i = v->n; i-- > 0;)
		if (v->row[i].space == space)
			remove_row(v, i);
}

const struct var *
vars_get(const struct vars *v, enum api_space space, const char *name)
{
	return find(v, space, name);
}

void
vars_set_config(struct vars *v, const struct api *a)
{
	for (size_t i = 0; i < a->n_config; i++) {
		const struct api_config *c = &a->config[i];

		if (c->is_list)
			vars_set_list(v, API_CONFIG, c->name);
		for (size_t k = 0; k < c->value.n; k++) {
			const char *text = c->value.word[k];

			if (c->is_list)
				vars_append(v, API_CONFIG, c->name, text,
					strlen(text));
			else
				vars_set_text(v, API_CONFIG, c->name, text);
		}
	}
}
