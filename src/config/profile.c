#include "config/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"
#include "config/secret.h"
#include "config/value.h"

#define STREAM_NAME_MAX 64

/* Keys of which a mapping has one; see yaml_merge(). */
static const char *const alternatives[] = {
	"body", "header", "link", "last", NULL};

bool
profile_is_asked_for(const struct yaml_node *source)
{
	return yaml_get(source, "profile") != NULL ||
		yaml_get(source, "base_url") != NULL ||
		yaml_get(source, "streams") != NULL;
}

bool
profile_has_key(const char *key)
{
	for (size_t i = 0; i < profile_top.n; i++)
		if (strcmp(profile_top.row[i].key, key) == 0)
			return true;
	return false;
}

/* A mapping without some of its keys; the nodes are in *ret_rows. */
static struct yaml_node
without(const struct yaml_node *n, bool (*drop)(const char *key),
	struct yaml_node **ret_rows)
{
	struct yaml_node map = *n, *row = mem_array(n->n + 1, sizeof(*row));
	size_t k = 0;

	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		if (v->key->kind == YAML_SCALAR && drop(v->key->text))
			continue;
		row[k] = *v;
		row[k].next = NULL;
		if (k > 0)
			row[k - 1].next = &row[k];
		k++;
	}
	map.first = k > 0 ? row : NULL;
	map.n = k;
	*ret_rows = row;
	return map;
}

/* ---- config and secrets ---- */

static struct api_config *
declare(struct api *a, const char *name)
{
	a->config = mem_resize(a->config, a->n_config + 1, sizeof(*a->config));
	a->config[a->n_config] = (struct api_config){.name = mem_strdup(name)};
	return &a->config[a->n_config++];
}

static bool
set_config(struct profile_reading *p, struct api_config *c,
	const struct yaml_node *n)
{
	c->is_list = n->kind == YAML_SEQUENCE;
	return profile_read_words(p, "config", n, &c->value);
}

static bool
read_declaration(struct profile_reading *p, const struct yaml_node *n,
	const struct yaml_node *given)
{
	const struct yaml_node *fallback = yaml_get(n, "default");
	const struct yaml_node *required = yaml_get(n, "required");
	struct api_config *c = declare(p->api, n->key->text);
	bool must = false;

	if (n->kind != YAML_MAPPING)
		return profile_wrong(p, n,
			"config: expected {required: true}, {default: VALUE} "
			"or {}");
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v != fallback && v != required)
			return profile_wrong(p,
				v->key->kind == YAML_SCALAR ? v->key : v,
				"config: expected required and default");
	if (required != NULL &&
		(!profile_is_text(required) ||
			!value_bool(required->text, &must)))
		return profile_wrong(p, required,
			"config: required: expected true or false");
	if (given != NULL)
		return set_config(p, c, given);
	return fallback == NULL || set_config(p, c, fallback);
}

static void
require_config(struct profile_reading *p, const struct yaml_node *declared,
	const struct yaml_node *source, const struct yaml_node *given)
{
	for (const struct yaml_node *v = declared->first; v != NULL;
		v = v->next) {
		const struct yaml_node *r = yaml_get(v, "required");

		if (v->key->kind != YAML_SCALAR || r == NULL ||
			r->kind != YAML_SCALAR ||
			strcmp(r->text, "true") != 0 ||
			(given != NULL &&
				yaml_get(given, v->key->text) != NULL) ||
			yaml_get(v, "default") != NULL)
			continue;
		profile_wrong(p,
			given != NULL		      ? given->key
				: source->key != NULL ? source->key
						      : source,
			"config: the profile needs %s; add config: {%s: ...} "
			"to the source",
			v->key->text, v->key->text);
	}
}

static void
read_config(struct profile_reading *p, const struct yaml_node *profile,
	const struct yaml_node *source)
{
	const struct yaml_node *declared =
		profile != NULL ? yaml_get(profile, "config") : NULL;
	const struct yaml_node *given = yaml_get(source, "config");

	if (given != NULL && given->kind != YAML_MAPPING) {
		profile_wrong(p, given, "config: expected a mapping");
		given = NULL;
	}
	if (declared != NULL && declared->kind == YAML_MAPPING) {
		for (const struct yaml_node *v = declared->first; v != NULL;
			v = v->next)
			if (v->key->kind == YAML_SCALAR)
				(void)read_declaration(
					p, v, yaml_get(given, v->key->text));
		require_config(p, declared, source, given);
	} else if (declared != NULL) {
		profile_wrong(p, declared, "config: expected a mapping");
	}
	for (const struct yaml_node *v = given != NULL ? given->first : NULL;
		v != NULL; v = v->next) {
		if (v->key->kind != YAML_SCALAR)
			continue;
		if (profile == NULL)
			(void)set_config(p, declare(p->api, v->key->text), v);
		else if (yaml_get(declared, v->key->text) == NULL)
			profile_wrong(p, v->key,
				"config: the profile knows no %s",
				v->key->text);
	}
}

static void
read_secrets(struct profile_reading *p, const struct yaml_node *n)
{
	struct api *a = p->api;

	if (n == NULL)
		return;
	if (n->kind != YAML_MAPPING) {
		profile_wrong(p, n,
			"secrets: expected names, each with {credential: "
			"NAME}, {file: PATH}, {env: NAME} or {command: "
			"[PROGRAM]}");
		return;
	}
	a->secret = mem_array(n->n + 1, sizeof(*a->secret));
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		struct api_secret *s = &a->secret[a->n_secrets];

		if (v->key->kind != YAML_SCALAR ||
			!secret_parse(
				&s->where, v, p->dir, "secrets", p->report))
			continue;
		s->name = mem_strdup(v->key->text);
		a->n_secrets++;
	}
}

/* ---- streams ---- */

static bool
is_stream_name(const struct yaml_node *key)
{
	return key->len > 0 && key->len <= STREAM_NAME_MAX &&
		strchr("-_", key->text[0]) == NULL &&
		strspn(key->text, "abcdefghijklmnopqrstuvwxyz0123456789_-") ==
		key->len;
}

/* A stream nobody described is a slip in its name. */
static void
wrong_stream(struct profile_reading *p, const struct yaml_node *streams,
	const struct yaml_node *n)
{
	const char *near = NULL;
	unsigned least = UINT32_MAX;

	for (const struct yaml_node *v = streams->first; v != NULL;
		v = v->next) {
		unsigned d;

		if (v->key->kind != YAML_SCALAR ||
			(yaml_get(v, "request") == NULL &&
				yaml_get(v, "job") == NULL))
			continue;
		d = value_nearness(n->text, v->key->text);
		if (d < least) {
			least = d;
			near = v->key->text;
		}
	}
	profile_wrong(p, n, "streams: there is no %s%s%s%s", n->text,
		near != NULL ? "; did you mean " : "", near != NULL ? near : "",
		near != NULL ? "?" : "");
}

static void
inherit(struct api *a, struct api_stream *s)
{
	if (s->auth == NULL)
		s->auth = &a->auth;
	if (s->rates == NULL)
		s->rates = &a->rates;
	if (s->rules == NULL)
		s->rules = &a->rules;
	else
		s->rules->then = &a->rules;
	if (s->retry == NULL)
		s->retry = &a->retry;
	if (s->pagination == NULL)
		s->pagination = &a->pagination;
	if (s->decode == NULL)
		s->decode = &a->decode;
	if (s->header == NULL)
		s->header = &a->header;
}

static void
read_stream(struct profile_reading *p, const struct yaml_node *streams,
	const struct yaml_node *n, struct api_stream *s)
{
	s->name = mem_strdup(n->key->text);
	s->line = n->key->line;
	profile_fill(p, &profile_stream, s);
	inherit(p->api, s);
	if (n->kind == YAML_WRONG)
		return;
	if (n->kind != YAML_MAPPING) {
		profile_wrong(p, n, "%s: expected a mapping, this is %s",
			s->name, yaml_what(n));
		return;
	}
	if (yaml_get(n, "request") == NULL && yaml_get(n, "job") == NULL)
		wrong_stream(p, streams, n->key);
	s->auth = NULL;
	s->rates = NULL;
	s->rules = NULL;
	s->retry = NULL;
	s->pagination = NULL;
	s->decode = NULL;
	s->header = NULL;
	(void)profile_read_block(p, &profile_stream, n, s);
	inherit(p->api, s);
}

static void
read_streams(struct profile_reading *p, const struct yaml_node *n,
	struct profile_nodes *nodes)
{
	struct api *a = p->api;

	if (n == NULL) {
		profile_wrong(p,
			nodes->top->key != NULL ? nodes->top->key : nodes->top,
			"streams is missing: what is there to be polled");
		return;
	}
	if (n->kind != YAML_MAPPING || n->n == 0) {
		profile_wrong(p, n,
			"streams: expected a mapping of names to streams");
		return;
	}
	a->stream = mem_array(n->n, sizeof(*a->stream));
	nodes->stream = mem_array(n->n, sizeof(*nodes->stream));
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		if (v->key->kind != YAML_SCALAR)
			continue;
		if (!is_stream_name(v->key)) {
			profile_wrong(p, v->key,
				"streams: not a name for a stream (lower-case "
				"letters, digits, _ and -, at most 64)");
			continue;
		}
		nodes->stream[a->n_streams] = v;
		p->stream = a->n_streams++;
		read_stream(p, n, v, &a->stream[p->stream]);
	}
	p->stream = API_NO_STREAM;
}

/* ---- which of them are wanted ---- */

static bool
is_wanted(const struct yaml_node *list, const char *name)
{
	if (list->kind == YAML_MAPPING)
		return yaml_get(list, name) != NULL;
	for (const struct yaml_node *v = list->first; v != NULL; v = v->next)
		if (v->kind == YAML_SCALAR && strcmp(v->text, name) == 0)
			return true;
	return false;
}

static void
choose(struct profile_reading *p, const struct yaml_node *list)
{
	struct api *a = p->api;

	for (size_t i = 0; i < a->n_streams; i++) {
		struct api_stream *s = &a->stream[i];

		if (list != NULL)
			s->enabled = is_wanted(list, s->name);
		if (s->land == API_LAND_KEYS)
			s->enabled = false;
	}
	for (const struct yaml_node *v =
			list != NULL && list->kind == YAML_SEQUENCE
			? list->first
			: NULL;
		v != NULL; v = v->next) {
		if (!profile_is_text(v))
			profile_wrong(
				p, v, "streams: expected names of streams");
		else if (api_find(a, v->text) == API_NO_STREAM)
			profile_wrong(p, v, "streams: the profile has no %s",
				v->text);
	}
}

/* ---- all of it ---- */

static bool
is_not_ours(const char *key)
{
	return !profile_has_key(key) || strcmp(key, "profile") == 0 ||
		strcmp(key, "config") == 0 || strcmp(key, "secrets") == 0;
}

static bool
is_not_ours_nor_streams(const char *key)
{
	return is_not_ours(key) || strcmp(key, "streams") == 0;
}

static bool
is_config_or_name(const char *key)
{
	return strcmp(key, "config") == 0 || strcmp(key, "profile") == 0;
}

/* The profile with the source over it, without what is read elsewhere. */
static void
overlay(struct yaml *y, const struct yaml_node *profile,
	const struct yaml_node *source)
{
	const struct yaml_node *streams = yaml_get(source, "streams");
	struct yaml_node *own_rows, *base_rows = NULL, own, base;

	own = without(source,
		profile != NULL && streams != NULL &&
				streams->kind == YAML_SEQUENCE
			? is_not_ours_nor_streams
			: is_not_ours,
		&own_rows);
	if (profile != NULL) {
		base = without(profile, is_config_or_name, &base_rows);
		yaml_merge(y, &base, &own, alternatives);
	} else {
		yaml_merge(y, &own, NULL, alternatives);
	}
	free(own_rows);
	free(base_rows);
}

static void
release(struct profile_reading *p, struct profile_nodes *nodes)
{
	for (size_t i = 0; i < p->n_uses; i++)
		free(p->use[i].name);
	free(p->use);
	free(p->reference);
	free(nodes->stream);
}

static void
read_all(struct profile_reading *p, const struct yaml_node *profile,
	const struct yaml_node *source)
{
	struct profile_nodes nodes = {.stream = NULL};
	struct yaml y;

	overlay(&y, profile, source);
	nodes.top = y.root;
	read_config(p, profile, source);
	read_secrets(p, yaml_get(source, "secrets"));
	profile_fill(p, &profile_top, p->api);
	(void)profile_read_block(p, &profile_top, y.root, p->api);
	read_streams(p, yaml_get(y.root, "streams"), &nodes);
	choose(p, profile != NULL ? yaml_get(source, "streams") : NULL);
	profile_check(p, &nodes);
	release(p, &nodes);
	yaml_release(&y);
}

/* It is the same file from wherever the program is started. */
static void
place_ca(struct api *a, const char *dir)
{
	struct str s = STR_INIT;

	if (a->ca_file == NULL || a->ca_file[0] == '/')
		return;
	str_addf(&s, "%s/%s", dir, a->ca_file);
	free(a->ca_file);
	a->ca_file = str_take(&s);
}

struct api *
profile_read(const struct yaml_node *n, const char *dir, struct report *r)
{
	struct profile_reading p = {
		.report = r,
		.dir = dir,
		.api = mem_alloc(sizeof(*p.api)),
		.stream = API_NO_STREAM,
	};
	const struct yaml_node *name = yaml_get(n, "profile");
	size_t before = r->n;
	CLEANUP(mem_release) char *file = NULL;
	struct yaml y = {.root = NULL};

	if (name == NULL || profile_load(&p, name, &y, &file)) {
		if (name != NULL)
			p.api->profile = mem_strdup(name->text);
		read_all(&p, y.root, n);
	}
	yaml_release(&y);
	place_ca(p.api, dir);
	if (r->n == before)
		return p.api;
	api_free(p.api);
	return NULL;
}
