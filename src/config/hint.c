#include "config/hint.h"

#include <string.h>

#include "base/attr.h"

#define MARKS "*&!%@`{"
#define SHOWN_MAX 60

static bool
is_blank(const char *p, const char *end)
{
	return p >= end || strchr(" \t\r\n", *p) != NULL;
}

/*
 * Up to where somebody without quotes meant their text to go: the end of the
 * line, a comment, a colon, or what ends a list around it.
 */
static size_t
text_length(const char *text, const char *end)
{
	const char *p = text;
	unsigned open = 0;

	for (; p < end && *p != '\n' && *p != '\r'; p++) {
		if (*p == ':' && is_blank(p + 1, end))
			break;
		if (*p == ' ' && p + 1 < end && p[1] == '#')
			break;
		if (strchr("{[", *p) != NULL)
			open++;
		else if (strchr(",}]", *p) != NULL && open == 0)
			break;
		else if (strchr("}]", *p) != NULL)
			open--;
	}
	while (p > text && p[-1] == ' ')
		p--;
	return (size_t)(p - text);
}

/* Only what can be shown whole, and copied. */
static bool
can_be_shown(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '\'')
			return false;
	return n <= SHOWN_MAX;
}

/* Columns are characters. Behind the end: len. */
static size_t
offset_of(const char *text, size_t len, unsigned line, unsigned column)
{
	size_t at = 0;

	for (; line > 1; line--) {
		const char *end = memchr(text + at, '\n', len - at);

		if (end == NULL)
			return len;
		at = (size_t)(end + 1 - text);
	}
	for (; column > 1 && at < len; column--)
		do
			at++;
		while (at < len && ((uint8_t)text[at] & 0xc0) == 0x80);
	return at;
}

void
hint_quotes(struct str *s, const char *text, size_t len, unsigned line,
	unsigned column)
{
	size_t at = offset_of(text, len, line, column), n;
	char quote;

	if (at >= len || text[at] == '\0' || strchr(MARKS, text[at]) == NULL)
		return;
	str_addf(s, "; a text that begins with %c needs quotes", text[at]);
	n = text_length(text + at, text + len);
	if (!can_be_shown(text + at, n))
		return;
	quote = '"';
	if (memchr(text + at, '"', n) != NULL ||
		memchr(text + at, '\\', n) != NULL)
		quote = '\'';
	str_addf(s, ": %c%.*s%c", quote, (int)n, text + at, quote);
}

void
hint_syntax(struct str *s, const char *text, size_t len, unsigned line,
	unsigned column, const char *words)
{
	static const char column_of_keys[] =
		"; the keys of one mapping begin in one column";
	static const char quote[] = "; is a quote missing?";
	static const struct {
		const char *part; /* of the words */
		const char *hint; /* NULL: quotes, for the text that... */
		unsigned back;	  /* ...begins so far in front of the place */
	} hints[] = {
		{"cannot start with", NULL, 0},
		{"invalid alias", NULL, 1},
		{"expected ':'", NULL, 1},
		{"scalar without closing quote", quote, 0},
		{"quoted scalar", quote, 0},
		{"invalid multiline plain key", column_of_keys, 0},
		{"indentation in mapping", column_of_keys, 0},
		{"indent for mapping", column_of_keys, 0},
		{"did not find expected key", column_of_keys, 0},
		{"nested block mapping on the same line",
			"; a text with \": \" in it needs quotes, a mapping "
			"its own lines or braces",
			0},
		{"missing comma in flow",
			"; is a comma missing? A text with { or [ in it needs "
			"quotes",
			0},
	};

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		if (strstr(words, hints[i].part) == NULL)
			continue;
		if (hints[i].hint != NULL)
			str_add(s, hints[i].hint);
		else if (column > hints[i].back)
			hint_quotes(s, text, len, line, column - hints[i].back);
		return;
	}
}
