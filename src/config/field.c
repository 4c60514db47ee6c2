#include "config/field.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/ready.h"
#include "config/total.h"
#include "config/value.h"
#include "config/when.h"

void
field_release_patterns(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->glob[i]);
	free(p->glob);
	*p = (struct patterns){.n = 0};
}

static void
add_range(struct str *s, const struct option *o)
{
	void (*add)(struct str *, uint64_t) = NULL;

	if (o->type == OPTION_SIZE)
		add = value_add_size;
	else if (o->type == OPTION_DURATION)
		add = value_add_duration;
	if (add == NULL) {
		str_addf(s, "%llu to %llu", (unsigned long long)o->min,
			(unsigned long long)o->max);
		return;
	}
	if (o->min > 0) {
		add(s, o->min);
		str_add(s, " to ");
	} else {
		str_add(s, "up to ");
	}
	add(s, o->max);
}

void
field_add_expected(struct str *s, const struct option *o)
{
	static const char *const words[] = {
		[OPTION_BLOCK] = "a mapping",
		[OPTION_SOURCES] = "a mapping of names to sources",
		[OPTION_PATH] = "a path",
		[OPTION_ORIGIN] = "a name like a URL without its scheme",
		[OPTION_BOOL] = "true or false",
		[OPTION_COUNT] = "a number, ",
		[OPTION_WORKERS] = "auto or a number, ",
		[OPTION_SIZE] = "a size such as 64MiB, ",
		[OPTION_DURATION] = "a duration such as 30s, ",
		[OPTION_CHOICE] = "",
		[OPTION_BYTE] = "one ASCII character in quotes, or tab",
		[OPTION_MAYBE_BYTE] = "one ASCII character in quotes, or none",
		[OPTION_PATTERNS] = "a glob or a list of globs",
		[OPTION_READY] = "{stable: TIME}, {age: TIME}, "
				 "{sentinel: \"{name}.done\"}, "
				 "{checksum: \"{name}.sha256\"}, "
				 "{closed: true}, or {any: "
				 "[...]} or {all: [...]} of such",
		[OPTION_AFTER] = "keep, delete or {move: FOLDER}",
		[OPTION_TRAILER] = "{prefix: TEXT} or a number, ",
		[OPTION_COLUMNS] = "header, any or a number, ",
		[OPTION_TIME] = "a time of day such as 06:00",
		[OPTION_WINDOW] = "a window such as 22:00-05:30",
		[OPTION_ZONE] = "a time zone such as Europe/Berlin",
		[OPTION_CRON] = "five fields as in crontab(5), or @daily",
		[OPTION_DAYS] = "days such as mon-fri, sat or month-end",
		[OPTION_DATES] = "a list of dates such as 2026-12-25",
		[OPTION_BAND] = "a number, or 1.., 1..5 or ..5",
		[OPTION_SIZE_BAND] = "a size, or 1KiB.., 1KiB..5MiB or ..5MiB",
		[OPTION_TOTAL_RECORDS] =
			"{trailer_field: N}, {header_field: N}, "
			"{side: \"{name}.ctl\"} or {name: \"orders_#.csv\"}",
		[OPTION_TOTAL_SUM] =
			"{field: N, trailer_field: N, decimal: \".\"}, or the "
			"other places as in records, or a list of such",
	};

	str_add(s, words[o->type]);
	if (o->names != NULL)
		value_add_choices(s, o->names);
	else if (words[o->type][strlen(words[o->type]) - 1] == ' ')
		add_range(s, o);
}

bool
field_expected(const struct option *o, const struct field_context *c,
	const struct yaml_node *n)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	field_add_expected(&s, o);
	str_add(&s, ", this is ");
	if (n->kind == YAML_SCALAR && !yaml_is_null(n))
		yaml_add_shown(&s, n);
	else
		str_add(&s, yaml_what(n));
	report_add(c->report, n->line, n->column, "%s: expected %s",
		option_name(o), s.s);
	return false;
}

bool
field_wrong(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, const char *why)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	yaml_add_shown(&s, n);
	report_add(c->report, n->line, n->column, "%s: %s %s", option_name(o),
		s.s, why);
	return false;
}

static bool
in_range(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, uint64_t v)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (v >= o->min && v <= o->max)
		return true;
	str_add(&s, "is out of range, ");
	add_range(&s, o);
	return field_wrong(o, c, n, s.s);
}

/*
 * The directory and the path without "." and doubled slashes. ".." may only
 * lead: behind a name that is a symbolic link it would mean something else
 * to the kernel than to a reader.
 */
static const char *
join_path(const char *dir, const char *text, struct str *ret)
{
	bool named = text[0] == '/';

	/* Legal for the kernel; here it is a slip, such as a line end. */
	for (const char *c = text; *c != '\0'; c++)
		if ((uint8_t)*c < ' ' || *c == 0x7f)
			return "holds a control character";
	if (text[0] == '~' && (text[1] == '/' || text[1] == '\0'))
		return "begins with ~, which stands for nothing here: write "
		       "the whole path";
	if (!named)
		str_add(ret, strcmp(dir, "/") == 0 ? "" : dir);
	for (const char *end; *text != '\0'; text = end) {
		text += strspn(text, "/");
		end = text + strcspn(text, "/");
		if (end == text || (end - text == 1 && text[0] == '.'))
			continue;
		if (end - text == 2 && memcmp(text, "..", 2) == 0) {
			const char *slash = strrchr(ret->s, '/');

			if (named)
				return "has \"..\" behind a name: write the "
				       "path without it";
			if (slash != NULL)
				str_cut(ret, (size_t)(slash - ret->s));
			continue;
		}
		named = true;
		str_addc(ret, '/');
		str_addn(ret, text, (size_t)(end - text));
	}
	if (ret->len == 0)
		str_add(ret, "/");
	return ret->len < PATH_MAX ? NULL : "is too long for a path";
}

static bool
read_path(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	const char *why;
	char **at = field;

	if (n->len == 0)
		return field_expected(o, c, n);
	why = join_path(c->dir, n->text, &path);
	if (why != NULL)
		return field_wrong(o, c, n, why);
	free(*at);
	*at = str_take(&path);
	return true;
}

/* C2SP tlog-checkpoint and signed-note: no spaces, no plus, no newline. */
static bool
read_origin(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	char **at = field;

	if (n->len == 0 || n->len > o->max)
		return field_wrong(o, c, n, "must have 1 to 255 bytes");
	for (size_t i = 0; i < n->len; i++)
		if (n->text[i] <= ' ' || n->text[i] == '+' ||
			n->text[i] == 0x7f)
			return field_wrong(o, c, n,
				"must be printable ASCII without spaces "
				"and '+'");
	if (strstr(n->text, "://") != NULL)
		return field_wrong(
			o, c, n, "must be written without its scheme");
	free(*at);
	*at = mem_strdup(n->text);
	return true;
}

static bool
read_bool(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	if (!value_bool(n->text, field))
		return field_expected(o, c, n);
	return true;
}

static bool
read_count(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint64_t v;
	uint32_t narrow;

	if (!str_parse_u64(n->text, n->len, &v))
		return field_expected(o, c, n);
	if (!in_range(o, c, n, v))
		return false;
	narrow = (uint32_t)v;
	memcpy(field, &narrow, sizeof(narrow));
	return true;
}

static bool
read_workers(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	unsigned *at = field;

	if (strcmp(n->text, "auto") != 0)
		return read_count(o, c, n, field);
	*at = 0;
	return true;
}

static bool
read_columns(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	int32_t *at = field;

	if (strcmp(n->text, "header") == 0)
		*at = SCAN_COLUMNS_HEADER;
	else if (strcmp(n->text, "any") == 0)
		*at = SCAN_COLUMNS_ANY;
	else
		return read_count(o, c, n, field);
	return true;
}

static bool
read_size(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint64_t v, *at = field;

	if (!value_size(n->text, &v))
		return field_expected(o, c, n);
	if (!in_range(o, c, n, v))
		return false;
	*at = v;
	return true;
}

static bool
read_duration(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	int64_t v, *at = field;

	if (!value_duration(n->text, &v))
		return field_expected(o, c, n);
	if (!in_range(o, c, n, (uint64_t)v))
		return false;
	*at = v;
	return true;
}

static const char *
nearest(const char *const *names, const char *word)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; names[i] != NULL; i++) {
		unsigned d = value_nearness(word, names[i]);

		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

static bool
read_choice(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const char *near;
	unsigned v;

	if (value_choice(n->text, o->names, &v)) {
		/* An enum of non-negative values is an unsigned int. */
		memcpy(field, &v, sizeof(v));
		return true;
	}
	near = nearest(o->names, n->text);
	if (near == NULL)
		return field_expected(o, c, n);
	str_addf(&s, "is not known; did you mean %s?", near);
	return field_wrong(o, c, n, s.s);
}

static bool
read_byte(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint8_t *at = field, v;

	if (!value_byte(n->text, &v))
		return field_expected(o, c, n);
	if (v == '\n' || v == '\r')
		return field_wrong(o, c, n, "ends a record already");
	*at = v;
	return true;
}

static bool
read_maybe_byte(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	int *at = field;
	uint8_t v;

	if (strcmp(n->text, "none") == 0) {
		*at = SCAN_NONE;
		return true;
	}
	if (!read_byte(o, c, n, &v))
		return false;
	*at = v;
	return true;
}

static bool
check_pattern(const struct option *o, const struct field_context *c,
	const struct yaml_node *n)
{
	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_SCALAR || n->len == 0)
		return field_expected(o, c, n);
	if (strlen(n->text) != n->len)
		return field_wrong(o, c, n, "holds a NUL byte");
	if (n->text[0] == '/')
		return field_wrong(o, c, n,
			"begins with a slash: globs are relative to the "
			"source");
	return true;
}

static bool
read_patterns(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	const struct yaml_node *first = n->first;
	struct patterns p = {.n = 0}, *at = field;
	bool right = true;

	if (n->kind == YAML_SCALAR)
		first = n;
	else if (n->kind != YAML_SEQUENCE)
		return field_expected(o, c, n);
	if (n->kind == YAML_SEQUENCE && n->n < o->min) {
		report_add(c->report, n->line, n->column,
			"%s: an empty list would match nothing; leave the "
			"key out to match everything",
			option_name(o));
		return false;
	}
	p.glob = mem_array(n->n + 1, sizeof(*p.glob));
	for (const struct yaml_node *i = first; i != NULL;
		i = i == n ? NULL : i->next) {
		if (check_pattern(o, c, i))
			p.glob[p.n++] = mem_strdup(i->text);
		else
			right = false;
	}
	if (!right) {
		field_release_patterns(&p);
		return false;
	}
	field_release_patterns(at);
	*at = p;
	return true;
}

/* "processed/" as "processed"; NULL: not a folder below the root. */
static char *
folder_of(const char *text)
{
	struct str s = STR_INIT;

	if (*text == '/')
		return NULL;
	while (*text != '\0') {
		size_t len = strcspn(text, "/");

		if (len == 2 && memcmp(text, "..", 2) == 0) {
			str_release(&s);
			return NULL;
		}
		if (len > 0 && !(len == 1 && *text == '.')) {
			if (s.len > 0)
				str_addc(&s, '/');
			str_addn(&s, text, len);
		}
		text += len + (text[len] == '/');
	}
	return s.len > 0 ? str_take(&s) : NULL;
}

static bool
read_after(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	static const char *const words[] = {
		[AFTER_KEEP] = "keep", [AFTER_DELETE] = "delete", NULL};
	struct source_config *s =
		(void *)((char *)field - offsetof(struct source_config, after));
	const struct yaml_node *move = yaml_get(n, "move");
	char *folder = NULL;
	unsigned v = AFTER_MOVE;

	if (n->kind == YAML_SCALAR ? !value_choice(n->text, words, &v)
				   : (move == NULL || n->n != 1))
		return field_expected(o, c, n);
	if (move != NULL) {
		if (move->kind == YAML_WRONG)
			return false;
		if (move->kind != YAML_SCALAR || yaml_is_null(move))
			return field_expected(o, c, move);
		if (strlen(move->text) != move->len)
			return field_wrong(o, c, move, "holds a NUL byte");
		folder = folder_of(move->text);
		if (folder == NULL)
			return field_wrong(o, c, move,
				"is not a folder below the source's root");
	}
	free(s->after.folder);
	s->after.folder = folder;
	s->after.action = (enum after_action)v;
	return true;
}

static bool
read_trailer(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	const struct yaml_node *prefix = yaml_get(n, "prefix");
	struct dialect *d = field;

	if (n->kind == YAML_SCALAR)
		return read_count(o, c, n, &d->trailer);
	if (prefix == NULL || n->n != 1)
		return field_expected(o, c, n);
	if (prefix->kind == YAML_WRONG)
		return false;
	if (prefix->kind != YAML_SCALAR || prefix->len == 0)
		return field_expected(o, c, prefix);
	if (prefix->len > SCAN_PREFIX_MAX)
		return field_wrong(o, c, prefix, "has more than 64 bytes");
	memcpy(d->trailer_prefix, prefix->text, prefix->len);
	d->trailer_prefix_len = (uint32_t)prefix->len;
	return true;
}

static const struct reader {
	bool (*read)(const struct option *, const struct field_context *,
		const struct yaml_node *, void *field);
	bool any_kind; /* of node; otherwise text without NUL bytes */
} readers[] = {
	[OPTION_PATH] = {.read = read_path},
	[OPTION_ORIGIN] = {.read = read_origin},
	[OPTION_BOOL] = {.read = read_bool},
	[OPTION_COUNT] = {.read = read_count},
	[OPTION_WORKERS] = {.read = read_workers},
	[OPTION_SIZE] = {.read = read_size},
	[OPTION_DURATION] = {.read = read_duration},
	[OPTION_CHOICE] = {.read = read_choice},
	[OPTION_BYTE] = {.read = read_byte},
	[OPTION_MAYBE_BYTE] = {.read = read_maybe_byte},
	[OPTION_PATTERNS] = {.read = read_patterns, .any_kind = true},
	[OPTION_READY] = {.read = ready_read, .any_kind = true},
	[OPTION_AFTER] = {.read = read_after, .any_kind = true},
	[OPTION_TRAILER] = {.read = read_trailer, .any_kind = true},
	[OPTION_COLUMNS] = {.read = read_columns},
	[OPTION_TIME] = {.read = when_read_time},
	[OPTION_WINDOW] = {.read = when_read_window},
	[OPTION_ZONE] = {.read = when_read_zone},
	[OPTION_CRON] = {.read = when_read_cron},
	[OPTION_DAYS] = {.read = when_read_days, .any_kind = true},
	[OPTION_DATES] = {.read = when_read_dates, .any_kind = true},
	[OPTION_BAND] = {.read = when_read_band},
	[OPTION_SIZE_BAND] = {.read = when_read_size_band},
	[OPTION_TOTAL_RECORDS] = {.read = total_read_records, .any_kind = true},
	[OPTION_TOTAL_SUM] = {.read = total_read_sum, .any_kind = true},
};

bool
field_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *base)
{
	const struct reader *r = &readers[o->type];

	if (n->kind == YAML_WRONG)
		return false;
	if (yaml_is_null(n) || (n->kind != YAML_SCALAR && !r->any_kind))
		return field_expected(o, c, n);
	if (n->kind == YAML_SCALAR && strlen(n->text) != n->len)
		return field_wrong(o, c, n, "holds a NUL byte");
	return r->read(o, c, n, (char *)base + o->offset);
}
