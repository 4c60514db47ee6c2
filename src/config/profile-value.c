/*
 * Values that stand in many fields: words, templates, paths, selectors.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"

bool
profile_read_words(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_words *ret)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	struct api_words w = {.n = 0};

	if (n->kind == YAML_MAPPING || yaml_is_null(n))
		return profile_expected(p, what, n, "text or a list of texts");
	w.word = mem_array(n->n + 1, sizeof(*w.word));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next) {
		if (!profile_is_text(v)) {
			while (w.n > 0)
				free(w.word[--w.n]);
			free(w.word);
			return profile_expected(p, what, v, "text");
		}
		w.word[w.n++] = mem_strdup(v->text);
	}
	while (ret->n > 0)
		free(ret->word[--ret->n]);
	free(ret->word);
	*ret = w;
	return true;
}

static void
note_uses(struct profile_reading *p, const struct yaml_node *n,
	enum profile_place place, const struct api_template *t)
{
	for (size_t i = 0; i < t->n && !p->filling; i++) {
		if (t->part[i].space == API_TEXT)
			continue;
		p->use = mem_resize(p->use, p->n_uses + 1, sizeof(*p->use));
		p->use[p->n_uses++] = (struct profile_use){
			.space = t->part[i].space,
			.name = mem_strdup(t->part[i].text),
			.node = n,
			.place = place,
			.stream = p->stream,
			.in_auth = p->in_auth,
			.in_job = p->in_job,
			.in_lookup = p->in_lookup,
		};
	}
}

bool
profile_read_template(struct profile_reading *p, const char *what,
	const struct yaml_node *n, enum profile_place place,
	struct api_template *ret)
{
	struct api_template t;
	struct err e = ERR_INIT;

	if (n->kind != YAML_SCALAR || yaml_is_null(n))
		return profile_expected(p, what, n, "text");
	if (strlen(n->text) != n->len)
		return profile_wrong(p, n, "%s: holds a NUL byte", what);
	if (api_template_parse(n->text, n->len, &t, &e) != OK)
		return profile_wrong(p, n, "%s: %s", what, e.text);
	note_uses(p, n, place, &t);
	api_template_release(ret);
	*ret = t;
	return true;
}

bool
profile_read_path(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct jsonpath *ret)
{
	struct jsonpath path;
	struct err e = ERR_INIT;

	if (!profile_is_text(n))
		return profile_expected(p, what, n, "a path such as $.data[*]");
	if (jsonpath_parse(n->text, n->len, &path, &e) != OK)
		return profile_wrong(p, n, "%s: %s", what, e.text);
	jsonpath_release(ret);
	*ret = path;
	return true;
}

/* What begins with $ is a path, anything else a column. */
bool
profile_read_place(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_place *ret)
{
	if (!profile_is_text(n) || n->len == 0)
		return profile_expected(
			p, what, n, "a path such as $.id, or a column's name");
	free(ret->column);
	ret->column = NULL;
	if (n->text[0] == '$')
		return profile_read_path(p, what, n, &ret->path);
	jsonpath_release(&ret->path);
	ret->column = mem_strdup(n->text);
	return true;
}

bool
profile_read_places(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_places *ret)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	bool right = true;

	if (n->kind == YAML_SEQUENCE && n->n == 0)
		return profile_expected(
			p, what, n, "at least one path or column");
	if (ret->n > 0)
		return profile_wrong(p, n, "%s: given twice", what);
	ret->row = mem_array(n->n + 1, sizeof(*ret->row));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next)
		right &= profile_read_place(p, what, v, &ret->row[ret->n++]);
	return right;
}

static bool
read_selector_key(struct profile_reading *p, const char *what,
	const struct yaml_node *v, struct api_selector *s)
{
	static const struct {
		const char *key;
		enum api_from from;
	} keys[] = {
		{"body", API_FROM_BODY},
		{"header", API_FROM_HEADER},
		{"link", API_FROM_LINK},
		{"last", API_FROM_LAST},
		{"status", API_FROM_STATUS},
	};
	size_t i = 0;

	if (strcmp(v->key->text, "json") == 0)
		return profile_read_path(p, what, v, &s->path);
	while (i < ARRAY_LEN(keys) && strcmp(keys[i].key, v->key->text) != 0)
		i++;
	if (i == ARRAY_LEN(keys))
		return profile_wrong(p, v->key,
			"%s: a selector is {body: PATH}, {header: NAME}, "
			"{header: NAME, json: PATH}, {link: next}, {last: "
			"PATH} or {status: true}",
			what);
	if (s->from != API_FROM_NOTHING)
		return profile_wrong(p, v->key,
			"%s: selects from two places; a selector has one",
			what);
	s->from = keys[i].from;
	if (s->from == API_FROM_BODY || s->from == API_FROM_LAST)
		return profile_read_path(p, what, v, &s->path);
	if (!profile_is_text(v) || v->len == 0)
		return profile_expected(p, what, v, "a name");
	if (s->from == API_FROM_STATUS)
		return strcmp(v->text, "true") == 0 ||
			profile_expected(p, what, v, "true");
	s->name = mem_strdup(v->text);
	return true;
}

bool
profile_read_selector(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_selector *ret)
{
	const struct yaml_node *json = yaml_get(n, "json");
	bool right = true;

	if (n->kind != YAML_MAPPING || n->n == 0)
		return profile_expected(p, what, n,
			"a selector such as {body: $.next} or {header: NAME}");
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		right &= v->key->kind == YAML_SCALAR &&
			read_selector_key(p, what, v, ret);
	if (right && json != NULL && ret->from != API_FROM_HEADER)
		return profile_wrong(
			p, json->key, "%s: json goes with header", what);
	if (right && json != NULL)
		ret->from = API_FROM_HEADER_JSON;
	if (right && jsonpath_has(&ret->path, JSONPATH_EVERY) &&
		ret->from == API_FROM_LAST)
		return profile_wrong(
			p, n, "%s: one value is wanted, [*] is many", what);
	return right;
}
