/*
 * vars.h - what the variables of templates stand for right now.
 *
 *	struct vars v = VARS_INIT;
 *	vars_set(&v, API_SECRET, "api_key", key.data, key.len);
 *	vars_set(&v, API_PAGE, "token", token, len);
 *	...
 *	vars_unset(&v, API_PAGE, "token");
 *	vars_release(&v);
 *
 * A variable is text (any bytes) or a list of texts, or undefined. Values
 * are overwritten before their memory is freed: some are secrets. One struct
 * vars belongs to one thread at a time.
 */
#ifndef SOURCE_HTTP_VARS_H
#define SOURCE_HTTP_VARS_H

#include "base/buf.h"
#include "landfall/api.h"

struct var {
	enum api_space space;
	char *name;
	bool is_list;
	struct var_text {
		uint8_t *p; /* a NUL behind */
		size_t len;
	} * text;
	size_t n; /* not a list: 1 */
};

struct vars {
	struct var *row;
	size_t n;
};

#define VARS_INIT \
	{ \
		.n = 0 \
	}

void vars_release(struct vars *v);

/* Defines it, or defines it anew. */
void vars_set(struct vars *v, enum api_space space, const char *name,
	const void *p, size_t len);
void vars_set_text(struct vars *v, enum api_space space, const char *name,
	const char *text);

/* An empty list; then its elements. */
void vars_set_list(struct vars *v, enum api_space space, const char *name);
void vars_append(struct vars *v, enum api_space space, const char *name,
	const void *p, size_t len);

void vars_unset(struct vars *v, enum api_space space, const char *name);
void vars_unset_all(struct vars *v, enum api_space space);

/* NULL: undefined. */
const struct var *
vars_get(const struct vars *v, enum api_space space, const char *name);

/* The values of `config:`, each as text or list. */
void vars_set_config(struct vars *v, const struct api *a);

#endif
