#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"
#include "config/value.h"

static bool
expect_mapping(
	struct profile_reading *p, const char *what, const struct yaml_node *n)
{
	return n->kind == YAML_MAPPING ||
		profile_wrong(p, n, "%s: expected a mapping, this is %s", what,
			yaml_what(n));
}

static struct api_field *
add_field(struct api_fields *f, const char *name)
{
	f->row = mem_resize(f->row, f->n + 1, sizeof(*f->row));
	f->row[f->n] = (struct api_field){.name = mem_strdup(name)};
	return &f->row[f->n++];
}

/* RFC 9110 section 5.6.2: what a field name is made of. */
static bool
is_header_name(const char *text)
{
	return *text != '\0' &&
		strspn(text,
			"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

/* One value, or a list: the name comes again for each. */
static bool
read_field(struct profile_reading *p, const char *what,
	enum profile_place place, const struct yaml_node *n,
	struct api_fields *f)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	bool right = true;

	if (n->key->kind != YAML_SCALAR)
		return false;
	if (strlen(n->key->text) != n->key->len)
		return profile_wrong(p, n->key, "%s: holds a NUL byte", what);
	if (place == PROFILE_IN_HEADER && !is_header_name(n->key->text))
		return profile_wrong(
			p, n->key, "%s: not the name of a header", what);
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next) {
		struct api_field *field = add_field(f, n->key->text);

		right &=
			profile_read_template(p, what, v, place, &field->value);
	}
	return right;
}

static bool
read_fields(struct profile_reading *p, const char *what,
	enum profile_place place, const struct yaml_node *n,
	struct api_fields *f)
{
	bool right = true;

	if (!expect_mapping(p, what, n))
		return false;
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		right &= read_field(p, what, place, v, f);
	return right;
}

bool
profile_part_fields(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	return read_fields(p, what, (enum profile_place)row->min, n, field);
}

/* A plain scalar that JSON would write without quotes. */
static bool
is_word(const struct yaml_node *n)
{
	return n->plain && jsonr_valid((const uint8_t *)n->text, n->len);
}

static bool
read_json(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_json *j)
{
	bool right = true;

	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind == YAML_SCALAR) {
		j->kind = is_word(n) ? API_JSON_WORD : API_JSON_STRING;
		if (j->kind == API_JSON_WORD) {
			j->word = mem_strdup(n->text);
			return true;
		}
		return profile_read_template(
			p, what, n, PROFILE_IN_JSON, &j->text);
	}
	j->kind = n->kind == YAML_MAPPING ? API_JSON_OBJECT : API_JSON_ARRAY;
	j->child = mem_array(n->n + 1, sizeof(*j->child));
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		struct api_json *child = &j->child[j->n++];

		if (n->kind == YAML_MAPPING && v->key->kind != YAML_SCALAR)
			return false;
		if (n->kind == YAML_MAPPING)
			child->key = mem_strdup(v->key->text);
		right &= read_json(p, what, v, child);
	}
	return right;
}

bool
profile_part_json(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	return read_json(p, what, n, field);
}

bool
profile_part_method(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	static const char *const names[] = {
		"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
	char **at = field;
	unsigned v;

	(void)row;
	if (!profile_is_text(n) || !value_choice(n->text, names, &v))
		return profile_wrong(p, n,
			"%s: expected GET, POST, PUT, PATCH or DELETE", what);
	free(*at);
	*at = mem_strdup(n->text);
	return true;
}

/* These two are rows of one request, so their field is its beginning. */
static struct api_request *
request_of(void *field, size_t offset)
{
	return (void *)((char *)field - offset);
}

bool
profile_part_target(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_request *r =
		request_of(field, offsetof(struct api_request, set));

	if (r->target.n > 0)
		return profile_wrong(
			p, n, "%s: a request has a path or a url", what);
	r->is_url = row->min == 1;
	if (!r->is_url && profile_is_text(n) && n->text[0] != '/')
		return profile_wrong(
			p, n, "%s: expected a path that begins with /", what);
	if (!r->is_url && strpbrk(n->text, "?#") != NULL)
		return profile_wrong(p, n,
			"%s: what stands behind ? belongs in query", what);
	return profile_read_template(p, what, n,
		r->is_url ? PROFILE_IN_URL : PROFILE_IN_PATH, &r->target);
}

bool
profile_part_body(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_request *r =
		request_of(field, offsetof(struct api_request, body));

	if (r->body != API_BODY_NONE)
		return profile_wrong(
			p, n, "%s: a request has json, form or body", what);
	r->body = (enum api_body)row->min;
	if (r->body == API_BODY_JSON && n->kind == YAML_SCALAR)
		return profile_wrong(
			p, n, "%s: expected a mapping or a list", what);
	if (r->body == API_BODY_JSON)
		return read_json(p, what, n, &r->json);
	if (r->body == API_BODY_FORM)
		return read_fields(p, what, PROFILE_IN_FORM, n, &r->form);
	return profile_read_template(p, what, n, PROFILE_IN_BODY, &r->raw);
}

static bool
read_also(struct profile_reading *p, const struct yaml_node *n,
	struct api_also *a)
{
	bool right = true;

	if (!expect_mapping(p, "records.also", n))
		return false;
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		if (v->key->kind != YAML_SCALAR || v->kind == YAML_WRONG)
			right = false;
		else if (strcmp(v->key->text, "path") == 0)
			right &= profile_read_path(
				p, "records.also.path", v, &a->path);
		else if (strcmp(v->key->text, "key") == 0)
			right &= profile_read_places(
				p, "records.also.key", v, &a->key);
		else if (strcmp(v->key->text, "stream") == 0 &&
			profile_is_text(v) && a->stream == NULL)
			a->stream = mem_strdup(v->text);
		else
			right = profile_wrong(p, v->key,
				"records.also: expected path, stream and key");
	}
	if (right && (a->path.n == 0 || a->stream == NULL || a->key.n == 0))
		right = profile_wrong(
			p, n, "records.also: needs path, stream and key");
	return right;
}

bool
profile_part_records(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	const struct yaml_node *path = yaml_get(n, "path");
	const struct yaml_node *also = yaml_get(n, "also");
	struct api_records *r = field;
	bool right;

	(void)row;
	if (n->kind != YAML_MAPPING)
		return profile_read_path(p, what, n, &r->path);
	if (path == NULL || n->n != (also != NULL ? 2 : 1))
		return profile_wrong(p, n, "%s: expected path and also", what);
	right = profile_read_path(p, what, path, &r->path);
	if (also == NULL)
		return right;
	if (also->kind != YAML_SEQUENCE)
		return profile_wrong(
			p, also, "%s: also: expected a list", what);
	r->also = mem_array(also->n + 1, sizeof(*r->also));
	for (const struct yaml_node *v = also->first; v != NULL; v = v->next)
		right &= read_also(p, v, &r->also[r->n_also++]);
	return right;
}

bool
profile_part_decode(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	struct api_decode *at = field, d = {.n = 0};
	unsigned v = 0;

	(void)row;
	for (const struct yaml_node *i = first; i != NULL;
		i = i == n ? NULL : i->next) {
		if (!profile_is_text(i) ||
			!value_choice(i->text, api_layer_names, &v))
			return profile_wrong(p, i,
				"%s: expected zip, gzip, json, jsonl or csv",
				what);
		if (d.n == API_LAYERS)
			return profile_wrong(p, i, "%s: too many layers", what);
		if (d.n > 0 && d.layer[d.n - 1] >= API_JSON)
			return profile_wrong(p, i,
				"%s: nothing comes behind %s", what,
				api_layer_names[d.layer[d.n - 1]]);
		d.layer[d.n++] = (enum api_layer)v;
	}
	if (d.n == 0 || d.layer[d.n - 1] < API_JSON)
		return profile_wrong(
			p, n, "%s: the last layer is json, jsonl or csv", what);
	*at = d;
	return true;
}

/* ---- partitions ---- */

static struct api_partition *
add_partition(struct api_partitions *q, const char *name)
{
	q->row = mem_resize(q->row, q->n + 1, sizeof(*q->row));
	q->row[q->n] = (struct api_partition){.name = mem_strdup(name)};
	return &q->row[q->n++];
}

static const struct api_config *
find_config(const struct api *a, const char *name)
{
	for (size_t i = 0; i < a->n_config; i++)
		if (strcmp(a->config[i].name, name) == 0)
			return &a->config[i];
	return NULL;
}

const struct api_config *
profile_config_of(const struct profile_reading *p, const struct yaml_node *n)
{
	static const char open[] = "{{config.";
	const size_t len = sizeof(open) - 1;
	CLEANUP(mem_release) char *name = NULL;

	if (!profile_is_text(n) || strncmp(n->text, open, len) != 0 ||
		strcmp(n->text + n->len - 2, "}}") != 0)
		return NULL;
	name = mem_dup(n->text + len, n->len - len - 2);
	return find_config(p->api, name);
}

static bool
read_values(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_words *ret)
{
	const struct api_config *c = profile_config_of(p, n);

	if (c == NULL && n->kind == YAML_SCALAR && strstr(n->text, "{{") != 0)
		return profile_wrong(p, n,
			"%s: expected a list, or {{config.NAME}} of one that "
			"the profile declares",
			what);
	if (c == NULL && !profile_read_words(p, what, n, ret))
		return false;
	for (size_t i = 0; c != NULL && i < c->value.n; i++) {
		ret->word =
			mem_resize(ret->word, ret->n + 1, sizeof(*ret->word));
		ret->word[ret->n++] = mem_strdup(c->value.word[i]);
	}
	/* A configuration that is missing is told where it is required. */
	if (ret->n == 0 && c == NULL)
		return profile_wrong(p, n, "%s: no values", what);
	for (size_t i = 0; i < ret->n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(ret->word[i], ret->word[k]) == 0)
				return profile_wrong(
					p, n, "%s: has a value twice", what);
	return true;
}

bool
profile_part_values(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_partitions *q =
		(void *)((char *)field - offsetof(struct api_partitions, row));
	bool right = true;

	(void)row;
	if (!expect_mapping(p, what, n))
		return false;
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR)
			right &= read_values(p, what, v,
				&add_partition(q, v->key->text)->values);
	return right;
}

bool
profile_part_select(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_partitions *q =
		(void *)((char *)field - offsetof(struct api_partitions, row));
	bool right = true;

	(void)row;
	if (!expect_mapping(p, what, n))
		return false;
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR)
			right &= profile_read_path(p, what, v,
				&add_partition(q, v->key->text)->select);
	return right;
}

bool
profile_part_sink(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_lookup *l =
		(void *)((char *)field - offsetof(struct api_lookup, which));

	if (l->which.n > 0)
		return profile_wrong(
			p, n, "%s: either in or not_in, once", what);
	l->where_in = row->min == 1;
	return profile_read_words(p, what, n, &l->which);
}

bool
profile_part_capture(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_auth *a =
		(void *)((char *)field - offsetof(struct api_auth, capture));
	bool right = true;

	(void)row;
	if (!expect_mapping(p, what, n))
		return false;
	a->capture = mem_array(n->n + 1, sizeof(*a->capture));
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		struct api_capture *c;

		if (v->key->kind != YAML_SCALAR)
			continue;
		c = &a->capture[a->n_capture++];
		c->name = mem_strdup(v->key->text);
		right &= profile_read_selector(p, what, v, &c->from);
		if (c->from.from == API_FROM_LAST)
			right = profile_wrong(
				p, v, "%s: a login has no records", what);
	}
	return right;
}
