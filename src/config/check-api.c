#include <stdio.h>
#include <string.h>

#include "config/check.h"
#include "config/option.h"
#include "config/profile.h"

/* Keys of every source, whatever it takes deliveries from. */
static bool
goes_with_api(const struct option *o)
{
	static const char *const keys[] = {"schedule", "alert"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(option_name(o), keys[i]) == 0)
			return true;
	return o->type == OPTION_PROFILE;
}

/*
 * The directories of an API source in the zone are SOURCE.STREAM: another
 * source of that name would land between its files.
 */
static void
check_names(const struct config *c, const struct source_config *s,
	const struct yaml_node *n, struct report *r)
{
	size_t len = strlen(s->name);

	for (size_t i = 0; i < c->n_sources && s->api != NULL; i++) {
		const char *other = c->source[i].name;

		if (strncmp(other, s->name, len) == 0 && other[len] == '.' &&
			api_find(s->api, other + len + 1) != API_NO_STREAM)
			report_add(r, n->key->line, n->key->column,
				"%s: the source %s would share the directory "
				"of its stream %s",
				s->name, other, other + len + 1);
	}
}

void
check_api(const struct config *c, const struct source_config *s,
	const struct yaml_node *n, struct report *r)
{
	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);
		const char *key = option_key_in(o, "sources.*");
		const struct yaml_node *v =
			key != NULL ? yaml_get(n, key) : NULL;

		if (v != NULL && !goes_with_api(o))
			report_add(r, v->key->line, v->key->column,
				"%s: does not go with an API that is polled",
				key);
	}
	check_names(c, s, n, r);
}

void
check_no_api(const struct yaml_node *n, struct report *r)
{
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR &&
			profile_has_key(v->key->text))
			report_add(r, v->key->line, v->key->column,
				"%s: goes with an API that is polled; say "
				"profile: NAME",
				v->key->text);
}
