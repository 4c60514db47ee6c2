#include "source/http/reply-state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "source/http/link.h"

/* ---- values ---- */

void
reply_text_set(struct reply_text *t, const uint8_t *p, size_t n)
{
	free(t->p);
	t->p = mem_dup(p, n);
	t->len = n;
	t->set = t->there = true;
}

static void
text_drop(struct reply_text *t)
{
	free(t->p);
	*t = (struct reply_text){0};
}

static void
found_clear(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		text_drop(&f->value[i]);
	f->n = 0;
	f->fresh = false;
}

static void
found_add(struct found *f, const uint8_t *p, size_t n)
{
	/* The last record's first value, or all of the body's. */
	if (f->selector->from == API_FROM_LAST) {
		if (f->fresh)
			return;
		found_clear(f);
		f->fresh = true;
	}
	if (f->n == REPLY_VALUES)
		return;
	if ((f->n & (f->n - 1)) == 0)
		f->value = mem_resize(
			f->value, f->n > 0 ? 2 * f->n : 1, sizeof(*f->value));
	f->value[f->n] = (struct reply_text){0};
	reply_text_set(&f->value[f->n++], p, n);
}

static void
clear(struct reply *r)
{
	for (size_t i = 0; i < r->n_found; i++) {
		found_clear(&r->found[i]);
		r->found[i].there = false;
	}
	for (size_t i = 0; i < r->spec.n_fields; i++) {
		text_drop(&r->text[i]);
		r->met[i] = 0;
	}
	r->records = 0;
	r->rc = OK;
}

/* ---- one record ---- */

static enum rc
bytes_of(struct reply *r, uint64_t offset, size_t n, const uint8_t **ret)
{
	const struct http_body *b = &r->answer->body;
	size_t got;

	if (offset + n <= b->n_held) {
		*ret = b->held + offset;
		return OK;
	}
	if (n > r->cap) {
		free(r->copy);
		r->copy = mem_alloc(n);
		r->cap = n;
	}
	*ret = r->copy;
	return http_body_read(b, r->copy, n, offset, &got, r->e);
}

void
reply_tell(struct reply *r, struct reply_record *x)
{
	x->number = r->records++;
	x->field = r->text;
	if (r->rc == OK && r->each != NULL)
		r->rc = r->each(r->arg, x, r->e);
	for (size_t i = 0; i < r->spec.n_fields; i++) {
		r->met[i] += r->text[i].there;
		text_drop(&r->text[i]);
	}
	for (size_t i = 0; i < r->n_found; i++) {
		struct found *f = &r->found[i];

		if (f->selector->from == API_FROM_LAST && !f->fresh)
			found_clear(f);
		f->fresh = false;
	}
}

static void
json_record(void *arg, unsigned query UNUSED, uint64_t offset, uint64_t length)
{
	struct reply *r = arg;
	struct reply_record x = {
		.offset = offset, .length = length, .size = (size_t)length};

	if (r->rc == OK && r->each != NULL)
		r->rc = bytes_of(r, offset, x.size, &x.bytes);
	reply_tell(r, &x);
}

static void
json_value(void *arg, unsigned query, enum jsonr_type type, const uint8_t *p,
	size_t n)
{
	struct reply *r = arg;
	struct found *f = r->of_query[query];
	struct reply_text *t = &r->text[r->field_of[query]];

	if (type == JSONR_ARRAY || type == JSONR_OBJECT)
		return;
	*(f != NULL ? &f->there : &t->there) = true;
	if (type == JSONR_NULL)
		return;
	if (f != NULL)
		found_add(f, p, n);
	else if (!t->set)
		reply_text_set(t, p, n);
}

/* ---- what is asked of the reader ---- */

static void
ask(struct reply *r, struct jsonr_query *query, const struct jsonpath *path,
	int within, struct found *f, size_t field)
{
	/* Nobody writes so many; what is beyond finds nothing. */
	if (r->n_queries == JSONR_QUERIES)
		return;
	r->of_query[r->n_queries] = f;
	r->field_of[r->n_queries] = field;
	query[r->n_queries++] =
		(struct jsonr_query){.path = path, .within = within};
}

/*
 * The reader of the whole body (JSON), or of one row of JSON lines, whose
 * document is the record.
 */
static void
make_reader(struct reply *r)
{
	static const struct jsonr_sink sink = {json_record, json_value};
	const struct reply_spec *s = &r->spec;
	bool rows = s->layer == API_JSONL;
	struct jsonr_query query[JSONR_QUERIES];
	struct jsonr_spec spec = {.query = query,
		.max_record = r->dialect.max_record,
		.bom = true};
	int in = JSONR_DOCUMENT;

	if (s->records != NULL && !rows) {
		ask(r, query, &s->records->path, JSONR_DOCUMENT, NULL, 0);
		query[0].records = true;
		in = 0;
	}
	for (size_t i = 0; i < s->n_fields && s->records != NULL; i++)
		if (r->field[i]->column == NULL)
			ask(r, query, &r->field[i]->path, in, NULL, i);
	for (size_t i = 0; i < r->n_found; i++) {
		struct found *f = &r->found[i];

		if (f->selector->from == API_FROM_LAST && s->records != NULL)
			ask(r, query, &f->selector->path, in, f, 0);
		else if (f->selector->from == API_FROM_BODY && !rows)
			ask(r, query, &f->selector->path, JSONR_DOCUMENT, f, 0);
	}
	spec.n = r->n_queries;
	r->json = jsonr_new(&spec, &sink, r);
}

static void
add_path(char to[SCAN_PATH_MAX], const struct jsonpath *path)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	jsonpath_write(path, &text);
	if (text.len < SCAN_PATH_MAX)
		memcpy(to, text.s, text.len + 1);
}

void
reply_dialect(const struct reply_spec *s, struct dialect *ret)
{
	dialect_init(ret,
		s->layer == API_CSV		? SCAN_CSV
			: s->layer == API_JSONL ? SCAN_NDJSON
						: SCAN_JSON);
	if (s->max_record > 0)
		ret->max_record = s->max_record;
	if (ret->format != SCAN_JSON || s->records == NULL)
		return;
	add_path(ret->records, &s->records->path);
	for (size_t i = 0;
		i < s->records->n_also && ret->n_related < SCAN_RELATED_MAX;
		i++)
		add_path(ret->related[ret->n_related++],
			&s->records->also[i].path);
}

struct reply *
reply_new(const struct reply_spec *spec)
{
	struct reply *r = mem_alloc(sizeof(*r));

	r->spec = *spec;
	reply_dialect(spec, &r->dialect);
	r->field = mem_array(spec->n_fields + 1, sizeof(*r->field));
	for (size_t i = 0; i < spec->n_fields; i++)
		r->field[i] = spec->field[i];
	r->text = mem_array(spec->n_fields + 1, sizeof(*r->text));
	r->header = (struct str)STR_INIT;
	r->met = mem_array(spec->n_fields + 1, sizeof(*r->met));
	r->column = mem_array(spec->n_fields + 1, sizeof(*r->column));
	r->found = mem_array(spec->n_selectors + 1, sizeof(*r->found));
	for (size_t i = 0; i < spec->n_selectors; i++)
		r->found[r->n_found++].selector = spec->selector[i];
	buf_init(&r->window, (size_t)r->dialect.max_record + 2 * REPLY_PIECE);
	if (spec->layer != API_CSV)
		make_reader(r);
	return r;
}

void
reply_free(struct reply *r)
{
	if (r == NULL)
		return;
	clear(r);
	for (size_t i = 0; i < r->n_found; i++)
		free(r->found[i].value);
	jsonr_free(r->json);
	buf_release(&r->window);
	free(r->found);
	free(r->field);
	free(r->text);
	free(r->column);
	free(r->met);
	str_release(&r->header);
	free(r->copy);
	free(r);
}

/* ---- JSON ---- */

static enum rc
read_json(struct reply *r, struct err *e)
{
	const struct http_body *b = &r->answer->body;
	CLEANUP(mem_release) uint8_t *piece = NULL;
	size_t got = b->n_held;

	jsonr_reset(r->json);
	if (jsonr_add(r->json, b->held, got, e) != OK)
		return e->code;
	if (got < b->size)
		piece = mem_alloc(REPLY_PIECE);
	for (uint64_t at = got; at < b->size && r->rc == OK; at += got)
		if (http_body_read(b, piece, REPLY_PIECE, at, &got, e) != OK ||
			jsonr_add(r->json, piece, got, e) != OK)
			return e->code;
	if (r->rc != OK)
		return r->rc;
	if (jsonr_end(r->json, e) != OK)
		return e->code;
	if (r->rc == OK && r->spec.records != NULL &&
		!jsonr_reached(r->json, 0)) {
		CLEANUP(str_release) struct str path = STR_INIT;

		jsonpath_write(&r->spec.records->path, &path);
		return err_set(e, BAD_ITEM,
			"there is no place for records, %s, in it", path.s);
	}
	return r->rc;
}

/* ---- reading ---- */

enum rc
reply_read(struct reply *r, const struct http_answer *a,
	enum rc (*each)(void *arg, const struct reply_record *x, struct err *e),
	void *arg, struct err *e)
{
	clear(r);
	r->answer = a;
	r->each = each;
	r->arg = arg;
	r->e = e;
	return r->spec.layer == API_JSON ? read_json(r, e)
					 : reply_read_rows(r, e);
}

enum rc
reply_look(struct reply *r, const struct http_answer *a, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = reply_read(r, a, NULL, NULL, &why);

	if (rc == BROKEN) {
		*e = why;
		return rc;
	}
	if (rc != OK)
		clear(r);
	return OK;
}

uint64_t
reply_records(const struct reply *r)
{
	return r->records;
}

uint64_t
reply_met(const struct reply *r, size_t field)
{
	return r->met[field];
}

/* ---- selectors ---- */

struct header_json {
	struct str *text;
	size_t skip;
	bool found;
};

static void
header_value(void *arg, unsigned query UNUSED, enum jsonr_type type,
	const uint8_t *p, size_t n)
{
	struct header_json *h = arg;

	if (type == JSONR_NULL || type == JSONR_ARRAY || type == JSONR_OBJECT ||
		h->found)
		return;
	if (h->skip > 0) {
		h->skip--;
		return;
	}
	str_addn(h->text, p, n);
	h->found = true;
}

static enum rc
in_header(const struct http_answer *a, const struct api_selector *s, size_t i,
	struct str *ret)
{
	static const struct jsonr_sink sink = {NULL, header_value};
	const struct jsonr_query query = {
		.path = &s->path, .within = JSONR_DOCUMENT};
	const struct jsonr_spec spec = {.query = &query, .n = 1};
	struct header_json h = {.text = ret, .skip = i};
	struct err ignored = ERR_INIT;
	size_t n, len = ret->len;
	const char *value = http_answer_field(a, s->name, &n);
	struct jsonr *j;
	bool good;

	if (value == NULL)
		return END;
	if (s->from == API_FROM_HEADER) {
		if (i > 0)
			return END;
		str_addn(ret, value, n);
		return OK;
	}
	j = jsonr_new(&spec, &sink, &h);
	good = jsonr_add(j, (const uint8_t *)value, n, &ignored) == OK &&
		jsonr_end(j, &ignored) == OK;
	jsonr_free(j);
	if (good && h.found)
		return OK;
	str_cut(ret, len);
	return END;
}

/* Several Link headers are one list. */
static enum rc
in_links(const struct http_answer *a, const char *relation, struct str *ret)
{
	for (const char *p = a->fields.s, *end; *p != '\0'; p = end + 1) {
		end = strchrnul(p, '\n');
		if (strncasecmp(p, "link:", 5) == 0 &&
			link_find(p + 5, (size_t)(end - p - 5), relation, ret))
			return OK;
		if (*end == '\0')
			break;
	}
	return END;
}

enum rc
reply_value(const struct reply *r, const struct api_selector *s, size_t i,
	struct str *ret)
{
	switch (s->from) {
	case API_FROM_BODY:
	case API_FROM_LAST:
		for (size_t k = 0; k < r->n_found; k++) {
			const struct found *f = &r->found[k];

			if (f->selector != s || i >= f->n)
				continue;
			str_addn(ret, f->value[i].p, f->value[i].len);
			return OK;
		}
		return END;
	case API_FROM_HEADER:
	case API_FROM_HEADER_JSON:
		return in_header(r->answer, s, i, ret);
	case API_FROM_LINK:
		return i == 0 ? in_links(r->answer, s->name, ret) : END;
	case API_FROM_STATUS:
		if (i > 0)
			return END;
		str_add_u64(ret, r->answer->status, 1);
		return OK;
	default:
		return END;
	}
}

bool
reply_has(const struct reply *r, const struct api_selector *s)
{
	CLEANUP(str_release) struct str value = STR_INIT;

	for (size_t k = 0; k < r->n_found; k++)
		if (r->found[k].selector == s)
			return r->found[k].there;
	return reply_value(r, s, 0, &value) == OK;
}
