#include "source/http/link.h"

#include <string.h>
#include <strings.h>

struct text {
	const char *p, *end;
};

static bool
take(struct text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

/* RFC 9110 section 5.6.3: OWS. */
static void
skip_blanks(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
		t->p++;
}

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
take_token(struct text *t, struct str *s)
{
	const char *from = t->p;

	while (t->p < t->end && is_token_char(*t->p))
		t->p++;
	str_addn(s, from, (size_t)(t->p - from));
	return t->p > from;
}

/* RFC 9110 section 5.6.4, without its quotes and backslashes. */
static bool
take_quoted(struct text *t, struct str *s)
{
	if (!take(t, '"'))
		return false;
	while (t->p < t->end && *t->p != '"') {
		if (*t->p == '\\' && t->p + 1 < t->end)
			t->p++;
		str_addc(s, *t->p++);
	}
	return take(t, '"');
}

/* Section 3.3: relations are words in a list, in any case. */
static bool
has_relation(const char *list, const char *relation)
{
	size_t len = strlen(relation);

	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n == len && strncasecmp(list, relation, n) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

struct found {
	bool has_rel; /* the first rel of a link counts */
	bool fits, anchored;
};

/* ";name=value", ";name": one parameter behind the target. */
static bool
take_parameter(struct text *t, const char *relation, struct found *f)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(str_release) struct str value = STR_INIT;

	skip_blanks(t);
	/* An empty one is harmless: "<a>; ; rel=next". */
	if (!take_token(t, &name))
		return t->p == t->end || *t->p == ';' || *t->p == ',';
	skip_blanks(t);
	if (take(t, '=')) {
		skip_blanks(t);
		if (t->p < t->end && *t->p == '"') {
			if (!take_quoted(t, &value))
				return false;
		} else if (!take_token(t, &value)) {
			return false;
		}
	}
	if (strcasecmp(name.s, "rel") == 0 && !f->has_rel) {
		f->has_rel = true;
		f->fits = has_relation(value.s, relation);
	} else if (strcasecmp(name.s, "anchor") == 0) {
		f->anchored = true;
	}
	return true;
}

bool
link_find(const char *value, size_t len, const char *relation,
	struct str *ret_target)
{
	struct text t = {value, value + len};

	for (;;) {
		struct found f = {.has_rel = false};
		const char *target, *close;

		do
			skip_blanks(&t);
		while (take(&t, ','));
		if (!take(&t, '<'))
			return false;
		target = t.p;
		close = memchr(t.p, '>', (size_t)(t.end - t.p));
		if (close == NULL)
			return false;
		t.p = close + 1;
		for (skip_blanks(&t); take(&t, ';'); skip_blanks(&t))
			if (!take_parameter(&t, relation, &f))
				return false;
		if (f.fits && !f.anchored) {
			str_addn(ret_target, target, (size_t)(close - target));
			return true;
		}
		if (t.p < t.end && *t.p != ',')
			return false;
	}
}
