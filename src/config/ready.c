#include "config/ready.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/value.h"
#include "landfall/side.h"

/* The default of a single delivery, for each of a set and the manifest. */
#define MANIFEST_STABLE (2 * INT64_C(1000000000))

static bool
wrong(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, const char *text)
{
	report_add(c->report, n->line, n->column, "%s%s", option_name(o), text);
	return false;
}

static bool
read_time(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (n->kind == YAML_SCALAR && strlen(n->text) == n->len &&
		value_duration(n->text, &rule->time) &&
		(uint64_t)rule->time <= o->max)
		return true;
	str_add(&s, ": expected " VALUE_DURATION ", up to 30d, this is ");
	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		yaml_add_shown(&s, n);
	else
		str_add(&s, yaml_what(n));
	return wrong(o, c, n, s.s);
}

static bool
read_pattern(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule, bool shared,
	const char *wanted)
{
	if (n->kind != YAML_SCALAR || strlen(n->text) != n->len ||
		!side_is_pattern(n->text, shared))
		return wrong(o, c, n, wanted);
	rule->side = mem_strdup(n->text);
	return true;
}

static bool
read_side(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule)
{
	return read_pattern(o, c, n, rule, false,
		": expected a name with {name} or {stem} in it, such as "
		"\"{name}.done\"");
}

static bool
read_checksum(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule)
{
	return read_pattern(o, c, n, rule, true,
		": expected a name such as \"{name}.sha256\" or SHA256SUMS");
}

/* {closed: true}: there is nothing to be said but yes. */
static bool
read_yes(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule UNUSED)
{
	if (n->kind == YAML_SCALAR && strcmp(n->text, "true") == 0)
		return true;
	return wrong(o, c, n, ": expected closed: true, or no such rule");
}

static bool
read_glob(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule)
{
	if (n->kind != YAML_SCALAR || n->len == 0 ||
		strlen(n->text) != n->len || n->text[0] == '/')
		return wrong(o, c, n,
			": expected a glob for manifests such as "
			"\"*.manifest\", or {name: GLOB} with columns, "
			"unlisted and others");
	rule->side = mem_strdup(n->text);
	return true;
}

/* columns: [name, size], of which one is the name. */
static bool
read_columns(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct checklist_table *t)
{
	CLEANUP(str_release) struct str known = STR_INIT;
	unsigned v, names = 0;

	for (const struct yaml_node *i = n->first; i != NULL; i = i->next) {
		if (i->kind != YAML_SCALAR || t->n == CHECKLIST_COLUMNS ||
			!value_choice(i->text, checklist_column_names, &v)) {
			value_add_choices(&known, checklist_column_names);
			report_add(c->report, i->line, i->column,
				"%s: expected a column, %s; at most %d",
				option_name(o), known.s, CHECKLIST_COLUMNS);
			return false;
		}
		t->column[t->n++] = (enum checklist_column)v;
		names += v == COLUMN_NAME;
	}
	if (n->kind == YAML_SEQUENCE && names == 1)
		return true;
	return wrong(o, c, n,
		": expected columns such as [name, size, digest], one of them "
		"name");
}

static bool
read_manifest_key(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule)
{
	static const char *const unlisted[] = {"wait", "ignore", NULL};
	const char *key = n->key->text;
	uint64_t header;
	unsigned v;

	if (strcmp(key, "name") == 0)
		return read_glob(o, c, n, rule);
	if (strcmp(key, "columns") == 0)
		return read_columns(o, c, n, &rule->table);
	if (strcmp(key, "unlisted") == 0) {
		if (n->kind != YAML_SCALAR ||
			!value_choice(n->text, unlisted, &v))
			return wrong(o, c, n,
				": expected unlisted: wait or unlisted: "
				"ignore");
		rule->ignore = v == 1;
		return true;
	}
	if (strcmp(key, "delimiter") == 0)
		return (n->kind == YAML_SCALAR &&
			       value_byte(n->text, &rule->table.delimiter)) ||
			wrong(o, c, n,
				": expected delimiter: one ASCII character in "
				"quotes, or tab");
	if (strcmp(key, "header") == 0) {
		if (n->kind != YAML_SCALAR ||
			!str_parse_u64(n->text, n->len, &header) ||
			header > 100)
			return wrong(o, c, n,
				": expected header: a number of lines, up to "
				"100");
		rule->table.header = (uint32_t)header;
		return true;
	}
	return wrong(o, c, n->key,
		": unknown key; a manifest has name, columns, delimiter, "
		"header and unlisted");
}

/* {manifest: GLOB}, {manifest: {name: GLOB, columns: [name, size]}}. */
static bool
read_manifest(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready_rule *rule)
{
	rule->table.delimiter = ',';
	if (n->kind != YAML_MAPPING)
		return read_glob(o, c, n, rule);
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next)
		if (i->kind == YAML_WRONG || i->key->kind != YAML_SCALAR ||
			!read_manifest_key(o, c, i, rule))
			return false;
	if (rule->side == NULL)
		return wrong(o, c, n, ": the manifest's name is missing");
	if (rule->table.n == 0 &&
		(yaml_get(n, "delimiter") != NULL ||
			yaml_get(n, "header") != NULL))
		return wrong(o, c, n,
			": a manifest without columns has no delimiter and no "
			"header");
	return true;
}

static const struct rule_key {
	const char *name;
	enum ready_kind kind;
	bool (*read)(const struct option *o, const struct field_context *c,
		const struct yaml_node *n, struct ready_rule *rule);
} rule_keys[] = {
	{"stable", READY_STABLE, read_time},
	{"age", READY_AGE, read_time},
	{"sentinel", READY_SENTINEL, read_side},
	{"closed", READY_CLOSED, read_yes},
	{"checksum", READY_CHECKSUM, read_checksum},
	{"manifest", READY_MANIFEST, read_manifest},
};

/* One rule: a mapping of one key. */
static bool
read_rule(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready *r)
{
	struct ready_rule *rule = &r->rule[r->n];
	const struct yaml_node *value = n->first;

	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_MAPPING || n->n != 1)
		return wrong(
			o, c, n, ": expected one rule, such as {stable: 2m}");
	if (r->n == READY_RULES)
		return wrong(o, c, n, ": more than 8 rules");
	for (size_t i = 0; i < ARRAY_LEN(rule_keys); i++) {
		if (strcmp(value->key->text, rule_keys[i].name) != 0)
			continue;
		rule->kind = rule_keys[i].kind;
		if (value->kind == YAML_WRONG)
			return false;
		if (!rule_keys[i].read(o, c, value, rule)) {
			free(rule->side);
			rule->side = NULL;
			return false;
		}
		r->n++;
		return true;
	}
	return wrong(o, c, value->key,
		": unknown rule; expected stable, age, sentinel, checksum, "
		"closed or manifest, or any or all of a list of them");
}

/*
 * A set lands as a whole, so its rule cannot be one of several ways. Whether
 * each of the set is whole is another question: alone it means two looks.
 */
static bool
check_manifest(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct ready *r)
{
	size_t manifests = 0;

	for (size_t i = 0; i < r->n; i++)
		manifests += r->rule[i].kind == READY_MANIFEST;
	if (manifests == 0)
		return true;
	if (manifests > 1)
		return wrong(o, c, n, ": more than one rule for manifests");
	if (r->n > 1)
		return r->all ||
			wrong(o, c, n,
				": a set lands together or not at all: "
				"manifest "
				"is not one of any, but of all");
	r->all = true;
	r->rule[r->n++] = (struct ready_rule){
		.kind = READY_STABLE, .time = MANIFEST_STABLE};
	return true;
}

bool
ready_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct ready fresh = {.n = 0}, *at = field;
	const struct yaml_node *list = NULL;
	bool right = true;

	if (n->kind == YAML_MAPPING && n->n == 1) {
		list = yaml_get(n, "any");
		if (list == NULL) {
			list = yaml_get(n, "all");
			fresh.all = list != NULL;
		}
	}
	if (list == NULL) {
		right = read_rule(o, c, n, &fresh);
	} else if (list->kind != YAML_SEQUENCE || list->n == 0) {
		right = wrong(o, c, list, ": expected a list of rules");
	} else {
		for (const struct yaml_node *i = list->first; i != NULL;
			i = i->next)
			right = read_rule(o, c, i, &fresh) && right;
	}
	if (!right || !check_manifest(o, c, n, &fresh)) {
		ready_release(&fresh);
		return false;
	}
	ready_release(at);
	*at = fresh;
	return true;
}

void
ready_release(struct ready *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->rule[i].side);
	r->n = 0;
}
