#include "config/field.h"

#include <string.h>

#include "config/alert.h"
#include "config/field-read.h"
#include "config/field-remote.h"
#include "config/ready.h"
#include "config/total.h"
#include "config/value.h"
#include "config/when.h"

static bool
pass_over(const struct option *o UNUSED, const struct field_context *c UNUSED,
	const struct yaml_node *n UNUSED, void *field UNUSED)
{
	return true;
}

/* How a value of each type is read, and what a message calls it. */
static const struct type {
	field_reader *read;
	bool any_kind;	   /* of node; otherwise text without NUL bytes */
	const char *words; /* a range follows where they end with a space */
} types[] = {
	[OPTION_BLOCK] = {.words = "a mapping"},
	[OPTION_SOURCES] = {.words = "a mapping of names to sources"},
	[OPTION_PATH] = {field_read_path, .words = "a path"},
	[OPTION_ORIGIN] = {field_read_origin,
		.words = "a name like a URL without its scheme"},
	[OPTION_BOOL] = {field_read_bool, .words = "true or false"},
	[OPTION_COUNT] = {field_read_count, .words = "a number, "},
	[OPTION_WORKERS] = {field_read_workers, .words = "auto or a number, "},
	[OPTION_SIZE] = {field_read_size, .words = "a size such as 64MiB, "},
	[OPTION_FREE_SPACE] = {field_read_free_space,
		.words = "auto or a size such as 5GiB, "},
	[OPTION_DURATION] = {field_read_duration, .words = VALUE_DURATION ", "},
	[OPTION_CHOICE] = {field_read_choice, .words = ""},
	[OPTION_FLAGS] = {field_read_flags, .any_kind = true,
		.words = "a list of "},
	[OPTION_BYTE] = {field_read_byte,
		.words = "one ASCII character in quotes, or tab"},
	[OPTION_MAYBE_BYTE] = {field_read_maybe_byte,
		.words = "one ASCII character in quotes, or none"},
	[OPTION_PATTERNS] = {field_read_patterns, .any_kind = true,
		.words = "a glob or a list of globs"},
	[OPTION_READY] = {ready_read, .any_kind = true,
		.words = "{stable: TIME}, {age: TIME}, "
			 "{sentinel: \"{name}.done\"}, "
			 "{checksum: \"{name}.sha256\"}, "
			 "{closed: true}, {manifest: \"*.manifest\"}, or {any: "
			 "[...]} or {all: [...]} of such"},
	[OPTION_AFTER] = {field_read_after, .any_kind = true,
		.words = "keep, delete or {move: FOLDER}"},
	[OPTION_TRAILER] = {field_read_trailer, .any_kind = true,
		.words = "{prefix: TEXT} or a number, "},
	[OPTION_COLUMNS] = {field_read_columns,
		.words = "header, any or a number, "},
	[OPTION_TIME] = {when_read_time,
		.words = "a time of day such as 06:00"},
	[OPTION_WINDOW] = {when_read_window,
		.words = "a window such as 22:00-05:30"},
	[OPTION_ZONE] = {when_read_zone,
		.words = "a time zone such as Europe/Berlin"},
	[OPTION_CRON] = {when_read_cron,
		.words = "five fields as in crontab(5), or @daily"},
	[OPTION_DAYS] = {when_read_days, .any_kind = true,
		.words = "days such as mon-fri, sat or month-end"},
	[OPTION_DATES] = {when_read_dates, .any_kind = true,
		.words = "a list of dates such as 2026-12-25"},
	[OPTION_BAND] = {when_read_band,
		.words = "learned, a number, or 1.., 1..5 or ..5"},
	[OPTION_SIZE_BAND] = {when_read_size_band,
		.words = "learned, a size, or 1KiB.., 1KiB..5MiB or "
			 "..5MiB"},
	[OPTION_TOTAL_RECORDS] = {total_read_records, .any_kind = true,
		.words = "{trailer_field: N}, {header_field: N}, "
			 "{side: \"{name}.ctl\"} or {name: \"orders_#.csv\"}"},
	[OPTION_TOTAL_SUM] = {total_read_sum, .any_kind = true,
		.words = "{field: N, trailer_field: N, decimal: \".\"}, or the "
			 "other places as in records, or a list of such"},
	[OPTION_PROFILE] = {pass_over, .any_kind = true, .words = ""},
	[OPTION_ALERT] = {alert_read, .any_kind = true,
		.words = "none, {command: [PROGRAM, ARGUMENT]} or "
			 "{url: URL}, with header, on and timeout"},
	[OPTION_COMMAND] = {field_read_command, .any_kind = true,
		.words = "a list, the program's absolute path first"},
	[OPTION_PATHS] = {field_read_paths, .any_kind = true,
		.words = "a list of paths"},
	[OPTION_SECRET] = {remote_read_secret, .any_kind = true,
		.words = "{credential: NAME}, {file: PATH}, {env: NAME} or "
			 "{command: [PROGRAM, ARGUMENT]}"},
	[OPTION_HOST] = {remote_read_host,
		.words = "a host name or an address"},
	[OPTION_USER] = {remote_read_user, .words = "a name"},
	[OPTION_HOST_KEY] = {remote_read_host_key, .any_kind = true,
		.words = "a fingerprint such as \"SHA256:...\", as ssh-keygen "
			 "-l prints it, or a list of them"},
	[OPTION_FOLDER] = {remote_read_folder, .words = "a folder"},
};

static void
add_range(struct str *s, const struct option *o)
{
	void (*add)(struct str *, uint64_t) = NULL;

	if (o->type == OPTION_SIZE || o->type == OPTION_FREE_SPACE)
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
	const char *words = types[o->type].words;

	str_add(s, words);
	if (o->names != NULL)
		value_add_choices(s, o->names);
	else if (words[strlen(words) - 1] == ' ')
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

bool
field_in_range(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, uint64_t v)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (v >= o->min && v <= o->max)
		return true;
	str_add(&s, "is out of range, ");
	add_range(&s, o);
	return field_wrong(o, c, n, s.s);
}

bool
field_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *base)
{
	const struct type *t = &types[o->type];

	if (n->kind == YAML_WRONG)
		return false;
	if (yaml_is_null(n) || (n->kind != YAML_SCALAR && !t->any_kind))
		return field_expected(o, c, n);
	if (n->kind == YAML_SCALAR && strlen(n->text) != n->len)
		return field_wrong(o, c, n, "holds a NUL byte");
	return t->read(o, c, n, (char *)base + o->offset);
}
