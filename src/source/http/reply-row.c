/*
 * Rows of JSON lines and CSV, as the scanner finds them.
 */
#include <string.h>

#include "source/http/reply-state.h"

static bool
is_column(const struct api_place *p, const uint8_t *name, size_t n)
{
	return p->column != NULL && strlen(p->column) == n &&
		memcmp(p->column, name, n) == 0;
}

static void
header_field(void *arg, const uint8_t *p, size_t n)
{
	struct reply *r = arg;

	if (r->at == 0 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3, n -= 3;
	for (size_t i = 0; i < r->spec.n_fields; i++)
		if (is_column(r->field[i], p, n) && r->column[i] == SIZE_MAX)
			r->column[i] = r->at;
	r->at++;
}

static void
row_field(void *arg, const uint8_t *p, size_t n)
{
	struct reply *r = arg;

	for (size_t i = 0; i < r->spec.n_fields; i++)
		if (r->column[i] == r->at)
			reply_text_set(&r->text[i], p, n);
	r->at++;
}

/* A byte order mark is of the row, but not of its first field. */
static enum rc
each_field(struct reply *r, uint64_t from, uint64_t end,
	void (*field)(void *arg, const uint8_t *p, size_t n))
{
	const uint8_t *p = r->window.data + (from - r->base);
	size_t n = (size_t)(end - from);

	if (from == 0 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3, n -= 3;
	r->at = 0;
	return scan_fields(&r->dialect, ENCODING_UTF8, p, n, field, r, r->e);
}

static void
read_row(struct reply *r, uint64_t end)
{
	struct reply_record x = {.offset = r->start,
		.length = end - r->start,
		.bytes = r->window.data + (r->start - r->base),
		.size = (size_t)(end - r->start)};

	if (r->spec.layer == API_CSV) {
		if (r->spec.n_fields > 0)
			r->rc = each_field(r, r->start, end, row_field);
	} else if (r->n_queries > 0) {
		/* The scanner has validated the line. */
		jsonr_reset(r->json);
		if (jsonr_add(r->json, x.bytes, x.size, r->e) != OK ||
			jsonr_end(r->json, r->e) != OK)
			r->rc = r->e->code;
	}
	while (x.size > 0 &&
		(x.bytes[x.size - 1] == '\n' || x.bytes[x.size - 1] == '\r'))
		x.size--;
	reply_tell(r, &x);
}

static void
rows(void *arg, const uint64_t *ends, size_t n)
{
	struct reply *r = arg;

	for (size_t i = 0; i < n; i++) {
		if (r->rc == OK)
			read_row(r, ends[i]);
		r->start = ends[i];
	}
}

/* Without its line end and mark, as the scanner compares it. */
static void
keep_header(struct reply *r, size_t len)
{
	const uint8_t *p = r->window.data;

	if (r->header.len > 0 || r->rc != OK || len > r->window.len)
		return;
	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3, len -= 3;
	if (len > 0 && p[len - 1] == '\n')
		len--;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	str_addn(&r->header, (const char *)p, len);
	r->n_columns = r->at;
}

void
reply_first(struct reply *r)
{
	str_clear(&r->header);
	for (size_t i = 0; i < r->spec.n_fields; i++)
		r->column[i] = SIZE_MAX;
}

static void
between_rows(void *arg, const struct scan_exception *x)
{
	struct reply *r = arg;

	if (r->rc == OK && x->kind == KIND_HEADER && x->offset == 0) {
		for (size_t i = 0; i < r->spec.n_fields; i++)
			r->column[i] = SIZE_MAX;
		r->rc = each_field(r, 0, x->length, header_field);
		keep_header(r, x->length);
	}
	r->start = x->offset + x->length;
}

enum rc
reply_read_rows(struct reply *r, struct err *e)
{
	static const struct scan_sink sink = {rows, between_rows};
	const struct http_body *b = &r->answer->body;
	struct scan *s = scan_new(&r->dialect, &sink, r);
	bool last = false;
	enum rc rc = OK;

	if (r->header.len > 0)
		scan_expect_header(s, (const uint8_t *)r->header.s,
			r->header.len, (uint32_t)r->n_columns);
	r->window.len = 0;
	r->base = r->start = 0;
	while (rc == OK && !last) {
		uint64_t at = r->base + r->window.len;
		size_t got = 0, done;

		rc = buf_reserve(&r->window, REPLY_PIECE, e);
		if (rc == OK)
			rc = http_body_read(b, r->window.data + r->window.len,
				REPLY_PIECE, at, &got, e);
		if (rc != OK)
			break;
		r->window.len += got;
		last = at + got >= b->size;
		done = scan_step(s, r->window.data, r->window.len, last);
		buf_drop(&r->window, done);
		r->base += done;
		rc = r->rc;
	}
	scan_free(s);
	return rc;
}
