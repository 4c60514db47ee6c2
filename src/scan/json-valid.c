#include "scan/json-valid.h"

#include <string.h>

#include "scan/utf8.h"

struct text {
	const uint8_t *p;
	const uint8_t *end;
};

static void
skip_space(struct text *t)
{
	while (t->p < t->end &&
		(*t->p == ' ' || *t->p == '\t' || *t->p == '\n' ||
			*t->p == '\r'))
		t->p++;
}

static bool
take(struct text *t, uint8_t c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static bool
word(struct text *t, const char *name)
{
	while (*name != '\0')
		if (!take(t, (uint8_t)*name++))
			return false;
	return true;
}

static bool
digits(struct text *t)
{
	const uint8_t *from = t->p;

	while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
		t->p++;
	return t->p > from;
}

/* Section 6. */
static bool
number(struct text *t)
{
	take(t, '-');
	if (!take(t, '0') && !digits(t))
		return false;
	if (take(t, '.') && !digits(t))
		return false;
	if (take(t, 'e') || take(t, 'E')) {
		if (!take(t, '+'))
			take(t, '-');
		return digits(t);
	}
	return true;
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
		(c >= 'A' && c <= 'F');
}

static bool
escape(struct text *t)
{
	if (t->p == t->end || *t->p == '\0' ||
		strchr("\"\\/bfnrtu", *t->p) == NULL)
		return false;
	if (*t->p++ != 'u')
		return true;
	if (t->end - t->p < 4)
		return false;
	for (int i = 0; i < 4; i++)
		if (!is_hex(*t->p++))
			return false;
	return true;
}

/* Section 7, behind the opening quote. */
static bool
string(struct text *t)
{
	const uint8_t *from = t->p;
	struct utf8 u = UTF8_INIT;
	uint8_t all = 0;

	for (;;) {
		uint8_t c;

		if (t->p == t->end)
			return false;
		c = *t->p++;
		all |= c;
		if (c == '"')
			break;
		if (c < 0x20 || (c == '\\' && !escape(t)))
			return false;
	}
	if (all < 0x80)
		return true;
	utf8_add(&u, from, (size_t)(t->p - from));
	return utf8_end(&u);
}

static bool
scalar(struct text *t)
{
	if (t->p == t->end)
		return false;
	switch (*t->p) {
	case '"':
		t->p++;
		return string(t);
	case 't':
		return word(t, "true");
	case 'f':
		return word(t, "false");
	case 'n':
		return word(t, "null");
	default:
		return number(t);
	}
}

/* A member's name and colon (section 4), up to its value. */
static bool
name(struct text *t)
{
	skip_space(t);
	if (!take(t, '"') || !string(t))
		return false;
	skip_space(t);
	return take(t, ':');
}

bool
json_valid(const uint8_t *p, size_t n)
{
	struct text t = {.p = p, .end = p + n};
	bool object[JSON_VALID_DEPTH]; /* else an array */
	size_t depth = 0;

	for (;;) {
		skip_space(&t);
		if (take(&t, '[') || take(&t, '{')) {
			bool is_object = t.p[-1] == '{';

			if (depth == JSON_VALID_DEPTH)
				return false;
			object[depth++] = is_object;
			skip_space(&t);
			if (!take(&t, is_object ? '}' : ']')) {
				if (is_object && !name(&t))
					return false;
				continue;
			}
			depth--;
		} else if (!scalar(&t)) {
			return false;
		}
		/* Behind a value: close what closes, then a comma or the end.
		 */
		for (;;) {
			skip_space(&t);
			if (depth == 0)
				return t.p == t.end;
			if (take(&t, ','))
				break;
			if (!take(&t, object[depth - 1] ? '}' : ']'))
				return false;
			depth--;
		}
		if (object[depth - 1] && !name(&t))
			return false;
	}
}
