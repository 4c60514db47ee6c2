#include "config/parse.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/alert.h"
#include "config/check.h"
#include "config/field.h"
#include "config/profile.h"
#include "config/ready.h"
#include "config/total.h"
#include "config/value.h"

#define NAME_MAX_LEN 64

static const char source_block[] = "sources.*";

struct parse {
	struct config *config;
	struct report *report;
	struct field_context field;
	struct yaml *fallback; /* of each option, where it has one */
	const struct yaml_node **source_node;
};

static void
fallback_init(struct parse *p)
{
	p->fallback = mem_array(option_count(), sizeof(*p->fallback));
	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);

		if (o->fallback == NULL || o->source != FALLBACK_YAML)
			continue;
		if (!yaml_parse(&p->fallback[i], o->fallback,
			    strlen(o->fallback), p->report))
			abort(); /* the table is wrong */
	}
}

static void
fallback_release(struct parse *p)
{
	for (size_t i = 0; i < option_count(); i++)
		yaml_release(&p->fallback[i]);
	free(p->fallback);
}

/* The table's defaults go the same way as values from the file. */
static void
fill_in(struct parse *p, bool source, void *base)
{
	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);
		bool below = strncmp(o->path, source_block,
				     sizeof(source_block) - 1) == 0;

		if (p->fallback[i].root == NULL || below != source)
			continue;
		if (!field_read(o, &p->field, p->fallback[i].root, base))
			abort();
	}
}

/* "csv", "a source", "the top level": the block that a row stands in. */
static void
add_place(struct str *s, const struct option *o)
{
	const char *name = option_name(o);
	const char *dot = strchr(name, '.');

	if (dot != NULL)
		str_addn(s, name, (size_t)(dot - name));
	else
		str_add(s, name == o->path ? "the top level" : "a source");
}

static bool
add_nearest(struct str *s, const char *block, const char *key)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < option_count(); i++) {
		const char *k = option_key_in(option_at(i), block);
		unsigned d = k != NULL ? value_nearness(key, k) : UINT_MAX;

		if (d < least) {
			least = d;
			best = k;
		}
	}
	if (best != NULL)
		str_addf(s, "; did you mean %s?", best);
	return best != NULL;
}

static bool
add_elsewhere(struct str *s, const char *key)
{
	bool found = false;

	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);
		const char *dot = strrchr(o->path, '.');

		if (strcmp(dot != NULL ? dot + 1 : o->path, key) != 0)
			continue;
		str_add(s, found ? " or " : "; it belongs in ");
		add_place(s, o);
		found = true;
	}
	return found;
}

static void
add_known(struct str *s, const char *block)
{
	const char *before = "; known here: ";

	for (size_t i = 0; i < option_count(); i++) {
		const char *k = option_key_in(option_at(i), block);

		if (k == NULL)
			continue;
		str_addf(s, "%s%s", before, k);
		before = ", ";
	}
}

static void
report_unknown(struct parse *p, const char *block, const struct yaml_node *key)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (report_is_full(p->report)) {
		report_add(p->report, key->line, key->column, "unknown key");
		return;
	}
	str_add(&s, "unknown key ");
	yaml_add_shown(&s, key);
	if (!add_nearest(&s, block, key->text) && !add_elsewhere(&s, key->text))
		add_known(&s, block);
	report_add(p->report, key->line, key->column, "%s", s.s);
}

static void read_block(struct parse *p, const char *block,
	const struct yaml_node *map, void *base);

static bool
is_source_name(const struct yaml_node *key)
{
	if (key->len == 0 || key->len > NAME_MAX_LEN ||
		strchr("._-", key->text[0]) != NULL)
		return false;
	return strspn(key->text, "abcdefghijklmnopqrstuvwxyz0123456789._-") ==
		key->len;
}

static bool
expect_mapping(struct parse *p, const char *name, const struct yaml_node *n)
{
	/* A block whose keys are all commented out is an empty block. */
	if (n->kind == YAML_MAPPING || yaml_is_null(n))
		return true;
	if (n->kind != YAML_WRONG)
		report_add(p->report, n->line, n->column,
			"%s: expected a mapping, this is %s", name,
			yaml_what(n));
	return false;
}

static void
read_source(struct parse *p, const struct yaml_node *n)
{
	struct source_config *s = &p->config->source[p->config->n_sources];
	const struct yaml_node *format = yaml_get(n, "format");
	CLEANUP(str_release) struct str name = STR_INIT;
	unsigned f = SCAN_OPAQUE;

	yaml_add_shown(&name, n->key);
	if (!is_source_name(n->key))
		report_add(p->report, n->key->line, n->key->column,
			"%s: not a name for a source (lower-case letters, "
			"digits and ._-, a letter or digit first, at most 64)",
			name.s);
	if (!expect_mapping(p, name.s, n))
		return;
	p->source_node[p->config->n_sources++] = n;
	/* One that is no name is kept for messages about what is below it. */
	s->name = str_take(&name);
	s->line = n->key->line;
	if (profile_is_asked_for(n))
		s->kind = SOURCE_HTTP;
	else
		s->kind =
			yaml_get(n, "sftp") != NULL ? SOURCE_SFTP : SOURCE_DROP;
	/* The format's own defaults come before whatever the file says. */
	if (format != NULL && format->kind == YAML_SCALAR &&
		!value_choice(format->text, scan_format_names, &f))
		f = SCAN_OPAQUE;
	dialect_init(&s->dialect, (enum scan_format)f);
	fill_in(p, true, s);
	s->dialect.format = (enum scan_format)f;
	read_block(p, source_block, n, s);
	if (s->kind == SOURCE_HTTP)
		s->api = profile_read(n, p->field.dir, p->report);
}

static void
read_sources(struct parse *p, const struct yaml_node *n)
{
	if (!expect_mapping(p, "sources", n))
		return;
	if (n->n > PARSE_SOURCES_MAX) {
		report_add(p->report, n->line, n->column,
			"sources: %zu of them, at most %d", n->n,
			PARSE_SOURCES_MAX);
		return;
	}
	p->config->source = mem_array(n->n + 1, sizeof(*p->config->source));
	p->source_node = mem_array(n->n + 1, sizeof(*p->source_node));
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR)
			read_source(p, v);
}

/* Recursion ends with the table: a block is a row of it. */
static void
read_block(struct parse *p, const char *block, const struct yaml_node *map,
	void *base)
{
	for (const struct yaml_node *v = map->first; v != NULL; v = v->next) {
		const struct option *o;

		if (v->key->kind != YAML_SCALAR)
			continue;
		o = option_find(block, v->key->text, v->key->len);
		if (o == NULL)
			report_unknown(p, block, v->key);
		else if (o->type == OPTION_SOURCES)
			read_sources(p, v);
		else if (o->type != OPTION_BLOCK)
			(void)field_read(o, &p->field, v, base);
		else if (expect_mapping(p, option_name(o), v))
			read_block(p, o->path, v, base);
	}
}

static char *
host_origin(void)
{
	char host[HOST_NAME_MAX + 1] = "";
	struct str s = STR_INIT;

	if (gethostname(host, sizeof(host)) < 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	str_addf(&s, "%s/landing", host[0] != '\0' ? host : "localhost");
	return str_take(&s);
}

bool
parse_config(const char *text, size_t len, const char *file,
	struct config **ret, struct report *r)
{
	struct parse p = {
		.config = mem_alloc(sizeof(*p.config)),
		.report = r,
	};
	char *dir = mem_strdup(file);
	char *slash = strrchr(dir, '/');
	struct yaml y;

	slash[slash == dir] = '\0';
	p.field = (struct field_context){.dir = dir, .report = r};
	p.config->path = mem_strdup(file);
	p.config->origin = host_origin();
	fallback_init(&p);
	fill_in(&p, false, p.config);
	if (yaml_parse(&y, text, len, r)) {
		static const struct yaml_node nothing = {
			.kind = YAML_MAPPING, .line = 1, .column = 1};
		const struct yaml_node *root = y.root;

		if (root == NULL || yaml_is_null(root))
			root = &nothing;
		if (expect_mapping(&p, "configuration", root)) {
			read_block(&p, "", root, p.config);
			alert_inherit(p.config);
			check_config(p.config, root, p.source_node, r);
		}
	}
	yaml_release(&y);
	fallback_release(&p);
	free(p.source_node);
	free(dir);
	if (r->n > 0) {
		config_free(p.config);
		return false;
	}
	*ret = p.config;
	return true;
}
