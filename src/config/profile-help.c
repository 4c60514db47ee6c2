#include <string.h>

#include "config/profile-read.h"
#include "config/profile.h"

#define WIDTH 72

/* What a value is and when it is not given: "a duration ...; default 10s". */
static void
add_terms(struct str *s, const struct profile_row *row)
{
	profile_add_expected(s, row);
	if (row->fallback != NULL)
		str_addf(s, "%sdefault %s", s->len > 0 ? "; " : "",
			row->fallback);
	else if (row->words != NULL)
		str_addf(
			s, "%sdefault: %s", s->len > 0 ? "; " : "", row->words);
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

static void
add_row(struct str *s, const struct profile_row *row)
{
	CLEANUP(str_release) struct str terms = STR_INIT;

	str_addf(s, "    %s\n", row->key);
	add_terms(&terms, row);
	if (terms.len > 0)
		add_folded(s, terms.s, 8);
	add_folded(s, row->help, 8);
}

static void
add_name(struct str *s, const struct profile_block *b)
{
	str_addf(s, "%s%s\n", s->len > 0 ? "\n" : "", b->name);
}

static void
add_block(struct str *s, const struct profile_block *b)
{
	add_name(s, b);
	add_folded(s, b->help, 0);
	for (size_t k = 0; k < b->n; k++)
		add_row(s, &b->row[k]);
}

void
profile_help_text(struct str *s)
{
	for (size_t i = 0; i < profile_block_count; i++)
		add_block(s, profile_blocks[i]);
}

bool
profile_help_block(struct str *s, const char *name)
{
	for (size_t i = 0; i < profile_block_count; i++)
		if (strcmp(profile_blocks[i]->name, name) == 0) {
			add_block(s, profile_blocks[i]);
			return true;
		}
	return false;
}

bool
profile_help_key(struct str *s, const char *key)
{
	const char *dot = strchr(key, '.');
	const char *last = dot != NULL ? dot + 1 : key;
	size_t before = s->len, n = (size_t)(last - key);

	for (size_t i = 0; i < profile_block_count; i++) {
		const struct profile_block *b = profile_blocks[i];

		if (dot != NULL &&
			(strlen(b->name) != n - 1 ||
				memcmp(b->name, key, n - 1) != 0))
			continue;
		for (size_t k = 0; k < b->n; k++)
			if (strcmp(b->row[k].key, last) == 0) {
				add_name(s, b);
				add_row(s, &b->row[k]);
			}
	}
	return s->len > before;
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
profile_help_mdoc(struct str *s)
{
	for (size_t i = 0; i < profile_block_count; i++) {
		const struct profile_block *b = profile_blocks[i];

		str_addf(s, ".Ss %s\n", b->name);
		add_sentences(s, b->help);
		str_add(s, ".Bl -tag -width Ds\n");
		for (size_t k = 0; k < b->n; k++) {
			CLEANUP(str_release) struct str terms = STR_INIT;

			str_addf(s, ".It Cm %s\n", b->row[k].key);
			add_terms(&terms, &b->row[k]);
			if (terms.len > 0) {
				str_add(s, "Value: ");
				add_mdoc(s, terms.s);
				str_add(s, ".\n.br\n");
			}
			add_sentences(s, b->row[k].help);
		}
		str_add(s, ".El\n");
	}
}
