#include "config/help.h"

#include <limits.h>
#include <string.h>

#include "config/field.h"
#include "config/value.h"

#define WIDTH 72

/* "a size such as 64MiB, 64MiB to 1TiB; default 256MiB". */
static void
add_terms(struct str *s, const struct option *o)
{
	field_add_expected(s, o);
	if (o->required)
		str_add(s, "; required");
	if (o->fallback != NULL)
		str_addf(s, "; default %s", o->fallback);
}

/* "sources.NAME.csv.quote". */
static void
add_path(struct str *s, const struct option *o)
{
	const char *star = strchr(o->path, '*');

	if (star == NULL) {
		str_add(s, o->path);
		return;
	}
	str_addn(s, o->path, (size_t)(star - o->path));
	str_addf(s, "NAME%s", star + 1);
}

/* Words up to WIDTH columns, each line behind `indent` spaces. */
static void
add_folded(struct str *s, const char *words, unsigned indent)
{
	size_t at = 0;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (at > 0 && at + 1 + len > WIDTH) {
			str_addc(s, '\n');
			at = 0;
		}
		str_addf(s, "%*s", at == 0 ? (int)indent : 1, "");
		str_addn(s, words, len);
		at += (at == 0 ? indent : 1) + len;
		words += len + (words[len] == ' ');
	}
	str_addc(s, '\n');
}

static bool
has_terms(const struct option *o)
{
	return o->type != OPTION_BLOCK && o->type != OPTION_SOURCES &&
		o->type != OPTION_PROFILE;
}

static void
add_option(struct str *s, const struct option *o)
{
	CLEANUP(str_release) struct str terms = STR_INIT;

	if (s->len > 0)
		str_addc(s, '\n');
	add_path(s, o);
	str_addc(s, '\n');
	if (has_terms(o)) {
		add_terms(&terms, o);
		add_folded(s, terms.s, 4);
	}
	add_folded(s, o->help, 4);
}

void
help_text(struct str *s)
{
	for (size_t i = 0; i < option_count(); i++)
		add_option(s, option_at(i));
}

/* What was meant by a key without its source, or without its block. */
enum meant { AS_A_WHOLE, BY_ITS_END };

static bool
is_meant(const struct option *o, const char *key, enum meant how)
{
	const char *name = option_name(o);
	size_t len = strlen(name), n = strlen(key);

	if (how == AS_A_WHOLE)
		return strcmp(name, key) == 0;
	return len > n && name[len - n - 1] == '.' &&
		strcmp(name + len - n, key) == 0;
}

/* Rows of one path follow each other, what is in a block behind it. */
static bool
add_meant(struct str *s, const char *key, enum meant how)
{
	const char *block = NULL;
	size_t before = s->len, n = 0;

	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);

		if (is_meant(o, key, how)) {
			block = o->path;
			n = strlen(block);
		} else if (block == NULL || strncmp(o->path, block, n) != 0 ||
			o->path[n] != '.') {
			continue;
		}
		add_option(s, o);
	}
	return s->len > before;
}

bool
help_key(struct str *s, const char *key)
{
	return add_meant(s, key, AS_A_WHOLE) || add_meant(s, key, BY_ITS_END);
}

const char *
help_nearest(const char *key)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < option_count(); i++) {
		const char *name = option_name(option_at(i));
		const char *dot = strrchr(name, '.');
		const char *last = dot != NULL ? dot + 1 : name;
		unsigned d = value_nearness(key, name);
		unsigned by_end = value_nearness(key, last);

		if (d < least || by_end < least) {
			best = d <= by_end ? name : last;
			least = d <= by_end ? d : by_end;
		}
	}
	return best;
}

/* Text inside an mdoc line: nothing of it may be markup. */
static void
add_mdoc(struct str *s, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			str_add(s, "\\e");
		else if (*text == '-')
			str_add(s, "\\-");
		else
			str_addc(s, *text);
	}
}

/* One sentence to a line, as mdoc wants it. */
static void
add_sentences(struct str *s, const char *text)
{
	const char *end;

	while ((end = strstr(text, ". ")) != NULL) {
		str_addn(s, text, (size_t)(end + 1 - text));
		str_addc(s, '\n');
		text = end + 2;
	}
	str_add(s, text);
	str_addc(s, '\n');
}

void
help_mdoc(struct str *s)
{
	str_add(s, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);
		struct str line = STR_INIT;

		str_add(s, ".It Cm ");
		add_path(s, o);
		str_addc(s, '\n');
		if (has_terms(o)) {
			add_terms(&line, o);
			str_add(s, "Value: ");
			add_mdoc(s, line.s);
			str_add(s, ".\n.br\n");
		}
		add_sentences(s, o->help);
		str_release(&line);
	}
	str_add(s, ".El\n");
}
