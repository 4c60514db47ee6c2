#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "landfall/json.h"

struct reading {
	const char *text;
	size_t len;
	size_t at;
	struct jsonpath path;
	struct err *e;
};

static enum rc
wrong(const struct reading *r, const char *what)
{
	return err_set(r->e, BAD_ITEM, "not a path: %s behind %zu characters",
		what, r->at);
}

static int
look(const struct reading *r)
{
	return r->at < r->len ? (uint8_t)r->text[r->at] : -1;
}

/* RFC 9535 section 2.5.1.1: member-name-shorthand. */
static bool
is_name_char(int c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		c >= 0x80 || (!first && c >= '0' && c <= '9');
}

static enum rc
add_step(struct reading *r, const struct jsonpath_step *step)
{
	if (r->path.n == JSONPATH_STEPS)
		return wrong(r, "more than 16 steps");
	r->path.step[r->path.n++] = *step;
	return OK;
}

static enum rc
add_name(struct reading *r, const char *name, size_t len)
{
	struct jsonpath_step step = {.kind = JSONPATH_NAMED, .len = len};

	if (len > JSONPATH_NAME)
		return wrong(r, "a name of more than 255 bytes");
	if (!str_is_utf8(name, len))
		return wrong(r, "a name that is not UTF-8");
	if (r->path.n == JSONPATH_STEPS)
		return wrong(r, "more than 16 steps");
	step.name = mem_dup(name, len);
	return add_step(r, &step);
}

static enum rc
read_short_name(struct reading *r)
{
	size_t from = r->at;

	if (!is_name_char(look(r), true))
		return wrong(r,
			"no name (other than letters, digits and _ "
			"it stands as ['name'])");
	while (is_name_char(look(r), false))
		r->at++;
	if (look(r) != -1 && look(r) != '.' && look(r) != '[')
		return wrong(r, "a character that needs ['name']");
	return add_name(r, r->text + from, r->at - from);
}

/* Of the escapes (section 2.3.1.1) those that a name may need. */
static enum rc
read_quoted_name(struct reading *r)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	int quote = look(r), c;

	r->at++;
	while ((c = look(r)) != quote) {
		if (c < 0x20)
			return wrong(r, "no end of the name");
		if (c == '\\') {
			r->at++;
			c = look(r);
			if (c != '\\' && c != '\'' && c != '"')
				return wrong(r, "no \\\\, \\' or \\\"");
		}
		str_addc(&name, (char)c);
		r->at++;
	}
	r->at++;
	return add_name(r, name.s, name.len);
}

static enum rc
read_element(struct reading *r)
{
	struct jsonpath_step step = {.kind = JSONPATH_ELEMENT};
	size_t from = r->at;

	if (look(r) == '*') {
		r->at++;
		step.kind = JSONPATH_EVERY;
		return add_step(r, &step);
	}
	if (look(r) == '-' && r->len - r->at > 1 && r->text[from + 1] == '1') {
		r->at += 2;
		step.kind = JSONPATH_LAST;
		return add_step(r, &step);
	}
	while (look(r) >= '0' && look(r) <= '9')
		r->at++;
	if (r->at == from || (r->text[from] == '0' && r->at - from > 1) ||
		!str_parse_u64(r->text + from, r->at - from, &step.element)) {
		r->at = from;
		return wrong(r, "no name in quotes, number, -1 or *");
	}
	return add_step(r, &step);
}

static enum rc
read_bracket(struct reading *r)
{
	enum rc rc;

	if (look(r) == '\'' || look(r) == '"')
		rc = read_quoted_name(r);
	else
		rc = read_element(r);
	if (rc != OK)
		return rc;
	if (look(r) != ']')
		return wrong(r, "no ]");
	r->at++;
	return OK;
}

static enum rc
read_path(struct reading *r)
{
	if (look(r) != '$')
		return wrong(r, "no $");
	r->at++;
	while (r->at < r->len) {
		enum rc rc = BAD_ITEM;
		int c = look(r);

		r->at++;
		if (c == '[') {
			rc = read_bracket(r);
		} else if (c == '.' && look(r) == '.') {
			rc = wrong(r,
				"a search at any depth, which one pass "
				"cannot follow,");
		} else if (c == '.') {
			rc = read_short_name(r);
		} else {
			r->at--;
			rc = wrong(r, "no . or [");
		}
		if (rc != OK)
			return rc;
	}
	if (jsonpath_has(&r->path, JSONPATH_LAST) &&
		jsonpath_has(&r->path, JSONPATH_EVERY))
		return wrong(r, "[-1] and [*] in one path,");
	return OK;
}

enum rc
jsonpath_parse(
	const char *text, size_t len, struct jsonpath *ret, struct err *e)
{
	struct reading r = {.text = text, .len = len, .e = e};
	enum rc rc;

	r.path.step = mem_array(JSONPATH_STEPS, sizeof(*r.path.step));
	rc = read_path(&r);
	if (rc == OK)
		*ret = r.path;
	else
		jsonpath_release(&r.path);
	return rc;
}

void
jsonpath_release(struct jsonpath *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->step[i].name);
	free(p->step);
	*p = (struct jsonpath){.n = 0};
}

static bool
is_short_name(const struct jsonpath_step *step)
{
	for (size_t i = 0; i < step->len; i++)
		if (!is_name_char((uint8_t)step->name[i], i == 0))
			return false;
	return step->len > 0;
}

void
jsonpath_write(const struct jsonpath *p, struct str *s)
{
	str_addc(s, '$');
	for (size_t i = 0; i < p->n; i++) {
		const struct jsonpath_step *step = &p->step[i];

		switch (step->kind) {
		case JSONPATH_NAMED:
			if (is_short_name(step)) {
				str_addc(s, '.');
				str_addn(s, step->name, step->len);
				break;
			}
			str_add(s, "['");
			for (size_t k = 0; k < step->len; k++) {
				if (strchr("'\\", step->name[k]) != NULL)
					str_addc(s, '\\');
				str_addc(s, step->name[k]);
			}
			str_add(s, "']");
			break;
		case JSONPATH_ELEMENT:
			str_addf(
				s, "[%llu]", (unsigned long long)step->element);
			break;
		case JSONPATH_LAST:
			str_add(s, "[-1]");
			break;
		case JSONPATH_EVERY:
			str_add(s, "[*]");
			break;
		}
	}
}

bool
jsonpath_has(const struct jsonpath *p, enum jsonpath_kind kind)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->step[i].kind == kind)
			return true;
	return false;
}

/* Whether both steps can be taken from one place to the same child. */
static bool
may_meet(const struct jsonpath_step *a, const struct jsonpath_step *b)
{
	if (a->kind == JSONPATH_EVERY || b->kind == JSONPATH_EVERY)
		return true;
	if ((a->kind == JSONPATH_NAMED) != (b->kind == JSONPATH_NAMED))
		return false;
	if (a->kind == JSONPATH_NAMED)
		return a->len == b->len &&
			memcmp(a->name, b->name, a->len) == 0;
	return a->kind != b->kind || a->kind == JSONPATH_LAST ||
		a->element == b->element;
}

bool
jsonpath_overlap(const struct jsonpath *a, const struct jsonpath *b)
{
	size_t n = a->n < b->n ? a->n : b->n;

	for (size_t i = 0; i < n; i++)
		if (!may_meet(&a->step[i], &b->step[i]))
			return false;
	return true;
}
