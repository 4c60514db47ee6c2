#include "source/http/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const api_space_names[] = {
	[API_TEXT] = "",
	[API_SECRET] = "secret",
	[API_CONFIG] = "config",
	[API_AUTH] = "auth",
	[API_LOOKUP] = "lookup",
	[API_PARTITION] = "partition",
	[API_JOB] = "job",
	[API_PAGE] = "page",
	[API_WINDOW] = "window",
	NULL,
};

static const char *const job_names[] = {"id", NULL};
static const char *const page_names[] = {"token", "size", NULL};
static const char *const window_names[] = {
	"start", "after", "end", "last", NULL};

/* The variables of a space that has only these, or NULL. */
static const char *const *
known_names(enum api_space space)
{
	if (space == API_JOB)
		return job_names;
	if (space == API_PAGE)
		return page_names;
	return space == API_WINDOW ? window_names : NULL;
}

static bool
is_name(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(p[i] >= 'a' && p[i] <= 'z') &&
			!(p[i] >= 'A' && p[i] <= 'Z') &&
			!(p[i] >= '0' && p[i] <= '9') && p[i] != '_')
			return false;
	return len > 0;
}

static bool
is_in(const char *const *names, const char *p, size_t len)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && memcmp(*names, p, len) == 0)
			return true;
	return false;
}

static struct api_part *
add_part(struct api_template *t)
{
	t->part = mem_resize(t->part, t->n + 1, sizeof(*t->part));
	t->part[t->n] = (struct api_part){.space = API_TEXT};
	return &t->part[t->n++];
}

static enum rc
wrong_variable(const char *p, size_t len, const char *why, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add(&s, "{{");
	str_addn(&s, p, len);
	str_add(&s, "}}");
	return err_set(e, BAD_ITEM, "%s: %s", s.s, why);
}

/* What stands between the braces. */
static enum rc
parse_variable(const char *p, size_t len, struct api_template *t, struct err *e)
{
	static const char cast[] = ":int";
	const char *whole = p, *dot;
	const char *const *names;
	struct api_part *part;
	size_t whole_len = len;
	bool integer = false;
	unsigned space = API_SECRET;

	while (len > 0 && *p == ' ')
		p++, len--;
	while (len > 0 && p[len - 1] == ' ')
		len--;
	if (len > sizeof(cast) - 1 &&
		memcmp(p + len - (sizeof(cast) - 1), cast, sizeof(cast) - 1) ==
			0) {
		integer = true;
		len -= sizeof(cast) - 1;
	}
	dot = memchr(p, '.', len);
	if (dot == NULL || !is_name(dot + 1, len - (size_t)(dot + 1 - p)))
		return wrong_variable(whole, whole_len,
			"expected a variable such as {{window.start}}", e);
	while (space < API_SPACES &&
		(strlen(api_space_names[space]) != (size_t)(dot - p) ||
			memcmp(api_space_names[space], p, (size_t)(dot - p)) !=
				0))
		space++;
	if (space == API_SPACES)
		return wrong_variable(whole, whole_len,
			"variables are secret.NAME, config.NAME, auth.NAME, "
			"lookup.NAME, partition.NAME, job.id, page.token, "
			"page.size, window.start, window.after, window.end "
			"and window.last",
			e);
	names = known_names((enum api_space)space);
	len -= (size_t)(dot + 1 - p);
	p = dot + 1;
	if (names != NULL && !is_in(names, p, len))
		return wrong_variable(whole, whole_len,
			space == API_JOB ? "only job.id is known"
				: space == API_PAGE
				? "known are page.token and page.size"
				: "known are window.start, window.after, "
				  "window.end and window.last",
			e);
	part = add_part(t);
	part->space = (enum api_space)space;
	part->text = mem_dup(p, len);
	part->len = len;
	part->integer = integer;
	return OK;
}

enum rc
api_template_parse(
	const char *text, size_t len, struct api_template *ret, struct err *e)
{
	struct api_template t = {.n = 0};

	while (len > 0) {
		const char *open = memmem(text, len, "{{", 2);
		size_t n = open != NULL ? (size_t)(open - text) : len;
		const char *close;

		if (n > 0) {
			struct api_part *part = add_part(&t);

			part->text = mem_dup(text, n);
			part->len = n;
		}
		text += n;
		len -= n;
		if (len == 0)
			break;
		close = memmem(text, len, "}}", 2);
		if (close == NULL) {
			api_template_release(&t);
			return err_set(
				e, BAD_ITEM, "\"{{\" without \"}}\" behind it");
		}
		if (parse_variable(text + 2, (size_t)(close - text - 2), &t,
			    e) != OK) {
			api_template_release(&t);
			return e->code;
		}
		len -= (size_t)(close + 2 - text);
		text = close + 2;
	}
	*ret = t;
	return OK;
}

void
api_template_release(struct api_template *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->part[i].text);
	free(t->part);
	*t = (struct api_template){.n = 0};
}

bool
api_template_has(
	const struct api_template *t, enum api_space space, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->part[i].space == space &&
			(name == NULL || strcmp(t->part[i].text, name) == 0))
			return true;
	return false;
}

void
template_forget(struct str *s)
{
	if (s->cap > 0)
		explicit_bzero(s->s, s->cap);
	str_release(s);
}

void
template_list_release(struct template_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		template_forget(&l->text[i]);
	free(l->text);
	*l = (struct template_list){.n = 0};
}

/* Where a login says that the API lives is no secret. */
static bool
is_hidden(const struct api_part *part, enum template_place place)
{
	return part->space == API_SECRET ||
		(part->space == API_AUTH && place != TEMPLATE_URL);
}

static enum rc
cannot_stand(const struct api_part *part, const char *why, struct err *e)
{
	return err_set(e, BAD_SOURCE, "{{%s.%s}}: %s",
		api_space_names[part->space], part->text, why);
}

static bool
has_control(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] == 0x7f)
			return true;
	return false;
}

/* RFC 3986 section 2: what a URL is made of. */
static bool
is_url_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f ||
			strchr("\"<>\\^`{|}", p[i]) != NULL)
			return false;
	return true;
}

static enum rc
add_value(struct str *s, const struct api_part *part, const uint8_t *p,
	size_t len, enum template_place place, struct err *e)
{
	bool literal = part->space == API_TEXT;

	switch (place) {
	case TEMPLATE_PLAIN:
		break;
	case TEMPLATE_HEADER:
		if (has_control(p, len))
			return cannot_stand(part,
				"its value holds a control character, which "
				"a header cannot",
				e);
		break;
	case TEMPLATE_URL:
		if (literal || part->space == API_CONFIG ||
			part->space == API_AUTH) {
			if (!is_url_text(p, len))
				return cannot_stand(part,
					"its value holds a character that a "
					"URL cannot",
					e);
			break;
		}
		str_add_percent(s, p, len, "");
		return OK;
	case TEMPLATE_PATH:
		if (literal)
			break;
		/* The operator's own text may have several segments. */
		if (part->space == API_CONFIG) {
			if (!is_url_text(p, len) || memchr(p, '?', len) ||
				memchr(p, '#', len))
				return cannot_stand(part,
					"its value holds a character that a "
					"path cannot",
					e);
			break;
		}
		/* "." and ".." would be other segments than they say. */
		if (len == 0 || (len == 1 && p[0] == '.') ||
			(len == 2 && p[0] == '.' && p[1] == '.'))
			return cannot_stand(
				part, "its value is no segment of a path", e);
		str_add_percent(s, p, len, "");
		return OK;
	case TEMPLATE_QUERY:
		str_add_percent(s, p, len, "");
		return OK;
	}
	str_addn(s, p, len);
	return OK;
}

/* The one list of a template; NULL: none. END: something is undefined. */
static enum rc
find_list(const struct api_template *t, const struct vars *v,
	const struct var **ret, struct err *e)
{
	const struct var *list = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct var *x;

		if (t->part[i].space == API_TEXT)
			continue;
		x = vars_get(v, t->part[i].space, t->part[i].text);
		if (x == NULL || x->n == 0)
			return END;
		if (!x->is_list)
			continue;
		if (list != NULL && list != x)
			return cannot_stand(
				&t->part[i], "a second list in one value", e);
		list = x;
	}
	*ret = list;
	return OK;
}

static enum rc
render(const struct api_template *t, const struct vars *v, size_t element,
	enum template_place place, bool shown, struct str *s, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct api_part *part = &t->part[i];
		const uint8_t *p = (const uint8_t *)part->text;
		size_t len = part->len;

		if (shown && is_hidden(part, place)) {
			str_add(s, "***");
			continue;
		}
		if (part->space != API_TEXT) {
			const struct var *x =
				vars_get(v, part->space, part->text);
			const struct var_text *text =
				&x->text[x->is_list ? element : 0];

			p = text->p;
			len = text->len;
		}
		if (add_value(s, part, p, len, place, e) != OK)
			return e->code;
	}
	return OK;
}

enum rc
template_render(const struct api_template *t, const struct vars *v,
	enum template_place place, bool shown, struct template_list *ret,
	struct err *e)
{
	struct template_list l = {.n = 0};
	const struct var *list;
	enum rc rc = find_list(t, v, &list, e);
	size_t n;

	if (rc != OK)
		return rc;
	n = list != NULL ? list->n : 1;
	l.text = mem_array(n, sizeof(*l.text));
	while (l.n < n) {
		struct str *s = &l.text[l.n];

		*s = (struct str)STR_INIT;
		l.n++;
		if (render(t, v, l.n - 1, place, shown, s, e) != OK) {
			template_list_release(&l);
			return e->code;
		}
	}
	*ret = l;
	return OK;
}

enum rc
template_one(const struct api_template *t, const struct vars *v,
	enum template_place place, bool shown, struct str *ret, struct err *e)
{
	const struct var *list;
	enum rc rc = find_list(t, v, &list, e);

	if (rc != OK)
		return rc;
	if (list != NULL)
		return err_set(e, BAD_SOURCE,
			"{{%s.%s}}: is a list, where one text must stand",
			api_space_names[list->space], list->name);
	return render(t, v, 0, place, shown, ret, e);
}

/* RFC 8259 section 6, integers alone. */
static bool
is_integer(const char *text)
{
	text += *text == '-';
	if (text[0] == '0')
		return text[1] == '\0';
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool
is_number_wanted(const struct api_template *t)
{
	return t->n == 1 && t->part[0].integer;
}

static enum rc
write_text(struct jsonw *j, const struct api_template *t, const struct str *s,
	bool shown, struct err *e)
{
	if (!is_number_wanted(t) ||
		(shown && is_hidden(&t->part[0], TEMPLATE_PLAIN))) {
		jsonw_textn(j, s->s, s->len);
		return OK;
	}
	if (strlen(s->s) != s->len || !is_integer(s->s))
		return cannot_stand(
			&t->part[0], "its value is not an integer", e);
	jsonw_raw(j, s->s, s->len);
	return OK;
}

static bool
is_there(const struct api_json *json, const struct vars *v)
{
	const struct var *list;
	struct err ignored = ERR_INIT;

	/* A lone list may be empty: an empty array. */
	if (json->kind == API_JSON_STRING && json->text.n == 1 &&
		json->text.part[0].space != API_TEXT)
		return vars_get(v, json->text.part[0].space,
			       json->text.part[0].text) != NULL;
	return json->kind != API_JSON_STRING ||
		find_list(&json->text, v, &list, &ignored) != END;
}

static bool
is_array(const struct api_template *t, const struct vars *v)
{
	const struct var *x;

	for (size_t i = 0; i < t->n; i++) {
		x = vars_get(v, t->part[i].space, t->part[i].text);
		if (t->part[i].space != API_TEXT && x != NULL && x->is_list)
			return true;
	}
	return false;
}

static enum rc
write_string(struct jsonw *j, const struct api_template *t,
	const struct vars *v, bool shown, struct err *e)
{
	struct template_list l = {.n = 0};
	bool array = is_array(t, v);
	enum rc rc = template_render(t, v, TEMPLATE_PLAIN, shown, &l, e);

	if (rc != OK && rc != END)
		return rc;
	if (array)
		jsonw_array(j);
	rc = OK;
	for (size_t i = 0; i < l.n && rc == OK; i++)
		rc = write_text(j, t, &l.text[i], shown, e);
	if (array)
		jsonw_end(j);
	template_list_release(&l);
	return rc;
}

static enum rc
write_json(struct jsonw *j, const struct api_json *json, const struct vars *v,
	bool shown, struct err *e)
{
	enum rc rc = OK;

	if (json->kind == API_JSON_WORD) {
		jsonw_raw(j, json->word, strlen(json->word));
		return OK;
	}
	if (json->kind == API_JSON_STRING)
		return write_string(j, &json->text, v, shown, e);
	if (json->kind == API_JSON_OBJECT)
		jsonw_object(j);
	else
		jsonw_array(j);
	for (size_t i = 0; i < json->n && rc == OK; i++) {
		const struct api_json *child = &json->child[i];

		if (!is_there(child, v))
			continue;
		if (json->kind == API_JSON_OBJECT)
			jsonw_key(j, child->key);
		rc = write_json(j, child, v, shown, e);
	}
	jsonw_end(j);
	return rc;
}

enum rc
template_json(const struct api_json *json, const struct vars *v, bool shown,
	struct str *ret, struct err *e)
{
	struct jsonw j = jsonw_to(ret);

	return write_json(&j, json, v, shown, e);
}
