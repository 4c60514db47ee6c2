/*
 * config_dialect: the block of a format, spelled on a command line. The same
 * rows, readers and checks as for the file; only the nodes are made by hand.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/check.h"
#include "config/field.h"
#include "config/value.h"

struct setting {
	struct yaml_node key, value;
	struct yaml yaml; /* holds what value points to, when it was YAML */
};

/* A mapping, or a text in quotes; everything else means itself. */
static bool
is_yaml(const char *value)
{
	size_t n = strlen(value);

	return value[0] == '{' ||
		(n > 2 && (value[0] == '"' || value[0] == '\'') &&
			value[n - 1] == value[0]);
}

static bool
read_setting(struct setting *s, const char *text, struct report *r)
{
	const char *equals = strchr(text, '=');
	const char *value = equals + 1;

	if (equals == NULL || equals == text) {
		report_add(r, 0, 0, "%s: expected KEY=VALUE", text);
		return false;
	}
	if (is_yaml(value)) {
		if (!yaml_parse(&s->yaml, value, strlen(value), r))
			return false;
		s->value = *s->yaml.root;
		s->value.line = s->value.column = 0;
	} else {
		s->value.kind = YAML_SCALAR;
		s->value.text = mem_strdup(value);
		s->value.len = strlen(value);
	}
	s->key.kind = YAML_SCALAR;
	s->key.len = (size_t)(equals - text);
	s->key.text = mem_dup(text, s->key.len);
	s->value.key = &s->key;
	s->value.next = NULL;
	return true;
}

static void
release_setting(struct setting *s)
{
	free(s->key.text);
	if (s->yaml.root == NULL)
		free(s->value.text);
	yaml_release(&s->yaml);
}

static void
report_key(struct report *r, const char *block, const struct yaml_node *key)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const char *before = "; known here: ";

	yaml_add_shown(&s, key);
	for (size_t i = 0; i < option_count(); i++) {
		const char *k = option_key_in(option_at(i), block);

		if (k == NULL)
			continue;
		str_addf(&s, "%s%s", before, k);
		before = ", ";
	}
	report_add(r, 0, 0, "unknown key %s%s", s.s,
		*before == ';' ? "; this format has no options" : "");
}

static void
read_dialect(enum scan_format format, const char *const *option, size_t n,
	struct source_config *source, struct report *r)
{
	struct setting *set = mem_array(n, sizeof(*set));
	struct field_context context = {.dir = "/", .report = r};
	struct yaml_node key = {.kind = YAML_SCALAR};
	struct yaml_node block = {.kind = YAML_MAPPING, .key = &key};
	struct yaml_node root = {.kind = YAML_MAPPING, .first = &block, .n = 1};
	struct yaml_node **last = &block.first;
	CLEANUP(str_release) struct str path = STR_INIT;

	key.text = mem_strdup(scan_format_names[format]);
	key.len = strlen(key.text);
	str_addf(&path, "sources.*.%s", key.text);
	dialect_init(&source->dialect, format);
	for (size_t i = 0; i < n; i++) {
		const struct option *o;

		if (!read_setting(&set[i], option[i], r))
			continue;
		o = option_find(path.s, set[i].key.text, set[i].key.len);
		if (o == NULL) {
			report_key(r, path.s, &set[i].key);
			continue;
		}
		if (!field_read(o, &context, &set[i].value, source))
			continue;
		*last = &set[i].value;
		last = &set[i].value.next;
		block.n++;
	}
	if (r->n == 0)
		check_dialect(&source->dialect, UINT64_MAX, &root, r);
	for (size_t i = 0; i < n; i++)
		release_setting(&set[i]);
	free(key.text);
	free(set);
}

enum rc
config_dialect(const char *format, const char *const *option, size_t n,
	struct dialect *ret, struct str *report, struct err *e)
{
	CLEANUP(str_release) struct str known = STR_INIT;
	struct source_config source = {.name = NULL};
	struct report r = REPORT_INIT;
	unsigned f;
	size_t found;

	if (!value_choice(format, scan_format_names, &f)) {
		value_add_choices(&known, scan_format_names);
		return err_set(e, BAD_ITEM, "format '%s': expected %s", format,
			known.s);
	}
	read_dialect((enum scan_format)f, option, n, &source, &r);
	found = r.n;
	report_write(&r, "-o", report);
	report_release(&r);
	if (found > 0)
		return err_set(e, BAD_ITEM, "%zu wrong option%s of format %s",
			found, found == 1 ? "" : "s", format);
	*ret = source.dialect;
	return OK;
}
