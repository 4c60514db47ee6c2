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

bool
profile_expected(struct profile_reading *p, const char *what,
	const struct yaml_node *n, const char *this)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		yaml_add_shown(&s, n);
	else
		str_add(&s, yaml_what(n));
	return profile_wrong(
		p, n, "%s: expected %s, this is %s", what, this, s.s);
}

/* ---- values of one field ---- */

static bool
read_text(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	char **at = field;

	(void)row;
	if (!profile_is_text(n))
		return profile_expected(p, what, n, "text");
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
		return profile_expected(p, what, n, "true or false");
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
	return profile_expected(p, what, n, s.s);
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
		return profile_expected(p, what, n, s.s);
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
			return profile_expected(
				p, what, n, "a number, because kind is int");
	} else if (profile_is_text(n)) {
		right = value_span(n->text, &v) && (v >= 0 || signs) &&
			(uint64_t)(v < 0 ? -v : v) <= row->max &&
			(signs || (uint64_t)v >= row->min);
	}
	if (!right) {
		profile_add_expected(&s, row);
		return profile_expected(p, what, n, s.s);
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
	return profile_expected(
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
		return profile_expected(p, what, n, "a format of times");
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
		return profile_expected(p, what, n, "the name of a stream");
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
	[PROFILE_SPAN] = {read_span, VALUE_DURATION " or PT1H, "},
	[PROFILE_STEPS] = {read_span, VALUE_DURATION " or PT1H, "},
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
