#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/profile-read.h"
#include "config/value.h"

bool
profile_wrong(struct profile_reading *p, const struct yaml_node *n,
	const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (n->kind == YAML_WRONG)
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_add_in(p->report, n->file, n->line, n->column, "%s", text);
	return false;
}

bool
profile_is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !yaml_is_null(n) &&
		strlen(n->text) == n->len;
}

static bool
expected(struct profile_reading *p, const char *what, const struct yaml_node *n,
	const char *this)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		yaml_add_shown(&s, n);
	else
		str_add(&s, yaml_what(n));
	return profile_wrong(
		p, n, "%s: expected %s, this is %s", what, this, s.s);
}

/* ---- parts of other values ---- */

bool
profile_read_words(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_words *ret)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	struct api_words w = {.n = 0};

	if (n->kind == YAML_MAPPING || yaml_is_null(n))
		return expected(p, what, n, "text or a list of texts");
	w.word = mem_array(n->n + 1, sizeof(*w.word));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next) {
		if (!profile_is_text(v)) {
			while (w.n > 0)
				free(w.word[--w.n]);
			free(w.word);
			return expected(p, what, v, "text");
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
		return expected(p, what, n, "text");
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
		return expected(p, what, n, "a path such as $.data[*]");
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
		return expected(
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
		return expected(p, what, n, "at least one path or column");
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
		return expected(p, what, v, "a name");
	if (s->from == API_FROM_STATUS)
		return strcmp(v->text, "true") == 0 ||
			expected(p, what, v, "true");
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
		return expected(p, what, n,
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

/* ---- values of one field ---- */

static bool
read_text(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	char **at = field;

	(void)row;
	if (!profile_is_text(n))
		return expected(p, what, n, "text");
	free(*at);
	*at = mem_strdup(n->text);
	return true;
}

static bool
read_words(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	return profile_read_words(p, what, n, field);
}

static bool
read_template(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	return profile_read_template(
		p, what, n, (enum profile_place)row->min, field);
}

static bool
read_bool(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	if (!profile_is_text(n) || !value_bool(n->text, field))
		return expected(p, what, n, "true or false");
	return true;
}

static bool
read_choice(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	unsigned v;

	if (profile_is_text(n) && value_choice(n->text, row->names, &v)) {
		if (row->type == PROFILE_EITHER)
			*(bool *)field = v == 1;
		else
			memcpy(field, &v, sizeof(v));
		return true;
	}
	value_add_choices(&s, row->names);
	return expected(p, what, n, s.s);
}

static bool
read_number(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	bool size = row->type == PROFILE_SIZE, right;
	uint64_t v = 0;

	right = profile_is_text(n) &&
		(size ? value_size(n->text, &v)
		      : str_parse_u64(n->text, n->len, &v));
	if (!right || v < row->min || v > row->max) {
		profile_add_expected(&s, row);
		return expected(p, what, n, s.s);
	}
	if (row->type == PROFILE_PERCENT)
		*(unsigned *)field = (unsigned)v;
	else
		*(uint64_t *)field = v;
	return true;
}

/* A lag alone may be negative: its row has a minimum above nothing. */
static bool
read_span(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	bool steps = row->type == PROFILE_STEPS && p->integers && !p->filling;
	bool signs = strcmp(row->key, "lag") == 0;
	int64_t v = 0;
	uint64_t u = 0;
	bool right = false;

	if (profile_is_text(n) && steps) {
		right = str_parse_u64(n->text, n->len, &u) && u <= INT64_MAX &&
			(u >= 1 || strcmp(row->key, "granularity") != 0);
		v = (int64_t)u;
		if (!right)
			return expected(
				p, what, n, "a number, because kind is int");
	} else if (profile_is_text(n)) {
		right = value_span(n->text, &v) && (v >= 0 || signs) &&
			(uint64_t)(v < 0 ? -v : v) <= row->max &&
			(signs || (uint64_t)v >= row->min);
	}
	if (!right) {
		profile_add_expected(&s, row);
		return expected(p, what, n, s.s);
	}
	*(int64_t *)field = v;
	return true;
}

static bool
read_start(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	int64_t v;
	uint64_t u;

	(void)row;
	if (profile_is_text(n) && api_parse_time(n->text, n->len, &v)) {
		*(int64_t *)field = v;
		return true;
	}
	if (profile_is_text(n) && n->len < 19 &&
		str_parse_u64(n->text, n->len, &u)) {
		*(int64_t *)field = (int64_t)u;
		return true;
	}
	return expected(
		p, what, n, "a time such as 2026-01-01T00:00:00Z, or a date");
}

static bool
read_format(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_format f, *at = field;
	struct err e = ERR_INIT;

	(void)row;
	if (!profile_is_text(n))
		return expected(p, what, n, "a format of times");
	if (api_format_parse(n->text, &f, &e) != OK)
		return profile_wrong(p, n, "%s: %s", what, e.text);
	free(at->custom);
	*at = f;
	return true;
}

static bool
read_path(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	return profile_read_path(p, what, n, field);
}

static bool
read_place(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	return profile_read_place(p, what, n, field);
}

static bool
read_places(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	return profile_read_places(p, what, n, field);
}

static bool
read_selector(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	(void)row;
	return profile_read_selector(p, what, n, field);
}

static bool
refer(struct profile_reading *p, const char *what, const struct yaml_node *n,
	size_t *target, bool self)
{
	if (!profile_is_text(n))
		return expected(p, what, n, "the name of a stream");
	p->reference = mem_resize(
		p->reference, p->n_references + 1, sizeof(*p->reference));
	p->reference[p->n_references++] = (struct profile_reference){
		.node = n,
		.target = target,
		.stream = p->stream,
		.self = self,
	};
	return true;
}

static bool
read_stream(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	return refer(p, what, n, field, strcmp(row->key, "list") == 0);
}

static bool
read_streams(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	struct {
		size_t *row;
		size_t n;
	} l = {.n = 0};
	bool right = true;

	(void)row;
	l.row = mem_array(n->n + 1, sizeof(*l.row));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next)
		right &= refer(p, what, v, &l.row[l.n++], false);
	memcpy(field, &l, sizeof(l));
	return right;
}

static const struct type {
	profile_reader *read;
	const char *words;
} types[] = {
	[PROFILE_BLOCK] = {.words = "a mapping"},
	[PROFILE_SET] = {.words = "a mapping"},
	[PROFILE_SAME] = {.words = "a mapping"},
	[PROFILE_LIST] = {.words = "a list of mappings"},
	[PROFILE_MAP] = {.words = "a mapping of names to mappings"},
	[PROFILE_ELSEWHERE] = {.words = ""},
	[PROFILE_TEXT] = {read_text, "text"},
	[PROFILE_WORDS] = {read_words, "text or a list of texts"},
	[PROFILE_TEMPLATE] = {read_template, "text with variables"},
	[PROFILE_FIELDS] = {profile_part_fields,
		"a mapping of names to texts with variables"},
	[PROFILE_JSON] = {profile_part_json, "a mapping or a list"},
	[PROFILE_BOOL] = {read_bool, "true or false"},
	[PROFILE_EITHER] = {read_choice, ""},
	[PROFILE_COUNT] = {read_number, "a number, "},
	[PROFILE_PERCENT] = {read_number, "a number, "},
	[PROFILE_SIZE] = {read_number, "a size such as 64MiB, "},
	[PROFILE_CHOICE] = {read_choice, ""},
	[PROFILE_SPAN] = {read_span, "a duration such as 30s or PT1H, "},
	[PROFILE_STEPS] = {read_span, "a duration such as 30s or PT1H, "},
	[PROFILE_START] = {read_start,
		"a time such as 2026-01-01T00:00:00Z, or a date"},
	[PROFILE_PATH] = {read_path, "a path such as $.data[*]"},
	[PROFILE_PLACE] = {read_place, "a path, or a column's name"},
	[PROFILE_PLACES] = {read_places, "a path or a column, or a list"},
	[PROFILE_SELECTOR] = {read_selector, "a selector"},
	[PROFILE_RECORDS] = {profile_part_records,
		"a path such as $.data[*], or {path, also}"},
	[PROFILE_DECODE] = {profile_part_decode, "a list of layers"},
	[PROFILE_FORMAT] = {read_format, "a format of times"},
	[PROFILE_STREAM] = {read_stream, "the name of a stream"},
	[PROFILE_STREAMS] = {read_streams, "a list of streams"},
	[PROFILE_VALUES] = {profile_part_values, "a mapping of names to lists"},
	[PROFILE_SELECT] = {profile_part_select, "a mapping of names to paths"},
	[PROFILE_LIMITS] = {profile_limit_limits,
		"a list of limits such as 5/s, 300/m or 100/10s"},
	[PROFILE_STATUSES] = {profile_limit_statuses,
		"a status such as 429, 5xx or 500-599, or a list"},
	[PROFILE_PHASES] = {profile_limit_phases, "a phase or a list"},
	[PROFILE_WAITS] = {profile_limit_waits,
		"a list of {header: NAME, unit: UNIT}, or another selector, "
		"{midnight: ZONE} or {fixed: 15m}"},
	[PROFILE_EXPIRES] = {profile_limit_expires,
		"a selector, a duration, or unknown"},
	[PROFILE_CAPTURE] = {profile_part_capture,
		"a mapping of names to selectors"},
	[PROFILE_SINK] = {profile_part_sink, "text or a list of texts"},
	[PROFILE_METHOD] = {profile_part_method,
		"GET, POST, PUT, PATCH or DELETE"},
	[PROFILE_TARGET] = {profile_part_target, "text with variables"},
	[PROFILE_BODY] = {profile_part_body,
		"text or a mapping, with "
		"variables"},
};

static void
add_range(struct str *s, const struct profile_row *row)
{
	void (*add)(struct str *, uint64_t) = NULL;

	if (row->type == PROFILE_SIZE)
		add = value_add_size;
	else if (row->type == PROFILE_SPAN || row->type == PROFILE_STEPS)
		add = value_add_duration;
	if (add == NULL) {
		str_addf(s, "%llu to %llu", (unsigned long long)row->min,
			(unsigned long long)row->max);
		return;
	}
	if (row->min > 1) {
		add(s, row->min);
		str_add(s, " to ");
	} else {
		str_add(s, "up to ");
	}
	add(s, row->max);
}

void
profile_add_expected(struct str *s, const struct profile_row *row)
{
	const char *words = types[row->type].words;

	str_add(s, words);
	if (row->names != NULL)
		value_add_choices(s, row->names);
	else if (*words != '\0' && words[strlen(words) - 1] == ' ')
		add_range(s, row);
}

bool
profile_read_field(struct profile_reading *p, const struct profile_block *b,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str what = STR_INIT;

	if (b != &profile_top && b != &profile_stream)
		str_addf(&what, "%s.", b->name);
	str_add(&what, row->key);
	return types[row->type].read(p, what.s, row, n, field);
}
