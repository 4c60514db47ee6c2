#include "landfall/totals.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "landfall/side.h"

#define SHOWN_MAX 64 /* bytes of a wrong field that a message quotes */

/* ---- one field of one record ---- */

struct wanted {
	uint32_t field; /* from 1 */
	uint32_t seen;
	struct str text;
	bool found;
};

static void
see_field(void *arg, const uint8_t *p, size_t n)
{
	struct wanted *w = arg;

	if (++w->seen != w->field)
		return;
	str_addn(&w->text, p, n);
	w->found = true;
}

/*
 * Without quotes and escapes a field is what lies between two delimiters,
 * and a sum looks at one in every record: no need for a decoder.
 */
static bool
is_plain(const struct totals_input *in, const struct totals_record *r)
{
	const struct dialect *d = in->dialect;

	return d->format == SCAN_CSV && d->escape == ESCAPE_DOUBLE &&
		d->terminator == TERMINATOR_AUTO &&
		in->encoding != ENCODING_UTF16LE &&
		in->encoding != ENCODING_UTF16BE && r->bytes[0] < 0x80 &&
		(d->quote == SCAN_NONE ||
			memchr(r->bytes, d->quote, r->len) == NULL);
}

static void
split_plain(const struct dialect *d, const struct totals_record *r,
	struct wanted *w)
{
	const uint8_t *p = r->bytes, *end = p + r->len, *next;

	end -= end > p && end[-1] == '\n';
	end -= end > p && end[-1] == '\r';
	for (; !w->found; p = next + 1) {
		next = memchr(p, d->delimiter, (size_t)(end - p));
		see_field(w, p, (size_t)((next != NULL ? next : end) - p));
		if (next == NULL)
			return;
	}
}

static enum rc
read_field(const struct totals_input *in, const struct totals_record *r,
	struct wanted *w, struct err *e)
{
	if (is_plain(in, r))
		split_plain(in->dialect, r, w);
	else if (scan_fields(in->dialect, in->encoding, r->bytes, r->len,
			 see_field, w, e) != OK)
		return e->code;
	if (w->found)
		return OK;
	return err_set(
		e, BAD_ITEM, "no field %u, it has %u", w->field, w->seen);
}

static enum rc
not_a_number(struct err *e, const struct str *text)
{
	CLEANUP(str_release) struct str shown = STR_INIT;
	bool cut = text->len > SHOWN_MAX;

	str_add_quoted(&shown, text->s, cut ? SHOWN_MAX : text->len);
	return err_set(e, BAD_ITEM, "%s%s is not a number",
		text->len == 0 ? "''" : shown.s, cut ? "..." : "");
}

/* ---- what the partner says ---- */

static enum rc
claim_of_record(const struct total *t, const struct totals_input *in,
	const struct totals_record *r, const char *what, struct decimal *ret,
	struct str *where, struct err *e)
{
	struct wanted w = {.field = t->at, .text = STR_INIT};
	enum rc rc;

	str_addf(where, "%s field %u", what, t->at);
	if (r->len == 0)
		return err_set(e, BAD_ITEM, "there is no %s", what);
	rc = read_field(in, r, &w, e);
	if (rc == OK && !decimal_read(ret, w.text.s, w.text.len, t->mark))
		rc = not_a_number(e, &w.text);
	str_release(&w.text);
	if (rc != OK)
		return err_add(e, "the %s at byte %" PRIu64 ", field %u", what,
			r->offset, t->at);
	return OK;
}

static bool
is_number_byte(char c, char mark)
{
	return (c >= '0' && c <= '9') || c == mark;
}

/* The first run of digits and marks, with the sign in front of it. */
static bool
first_number(const struct str *text, char mark, struct decimal *ret)
{
	const char *p = text->s, *end = p + text->len, *start;

	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			continue;
		start = p;
		while (start > text->s && is_number_byte(start[-1], mark))
			start--;
		if (start > text->s && (start[-1] == '-' || start[-1] == '+'))
			start--;
		while (p < end && is_number_byte(*p, mark))
			p++;
		return decimal_read(ret, start, (size_t)(p - start), mark);
	}
	return false;
}

static enum rc
claim_of_side(const struct total *t, const struct totals_input *in,
	struct decimal *ret, struct str *where, struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(str_release) struct str text = STR_INIT;
	enum rc rc;

	side_name(&name, t->pattern, in->name, in->name_len);
	str_add(where, "side file ");
	str_add_quoted(where, name.s, name.len);
	rc = in->side(in->arg, (const uint8_t *)name.s, name.len, &text, e);
	if (rc == END)
		return err_set(e, AGAIN, "%s is not there yet", where->s);
	if (rc != OK)
		return err_add(e, "%s", where->s);
	if (!first_number(&text, t->mark, ret))
		return err_set(e, BAD_ITEM, "%s holds no number", where->s);
	return OK;
}

static bool
glob_fits(const char *glob, size_t glob_len, const char *text, size_t len)
{
	CLEANUP(mem_release) char *g = mem_dup(glob, glob_len);
	CLEANUP(mem_release) char *t = mem_dup(text, len);

	return fnmatch(g, t, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

static enum rc
claim_of_name(const struct total *t, const struct totals_input *in,
	struct decimal *ret, struct str *where, struct err *e)
{
	const char *hash = strchr(t->pattern, '#');
	const char *name = (const char *)in->name, *end = name + in->name_len;
	const char *slash = memrchr(name, '/', in->name_len);

	str_addf(where, "name %s", t->pattern);
	if (strchr(t->pattern, '/') == NULL && slash != NULL)
		name = slash + 1;
	for (const char *p = name, *run; p < end; p++) {
		if (*p < '0' || *p > '9')
			continue;
		run = p;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
		if (glob_fits(t->pattern, (size_t)(hash - t->pattern), name,
			    (size_t)(run - name)) &&
			glob_fits(hash + 1, strlen(hash + 1), p,
				(size_t)(end - p)) &&
			decimal_read(ret, run, (size_t)(p - run), t->mark))
			return OK;
	}
	return err_set(e, BAD_ITEM, "the name does not fit %s", t->pattern);
}

static enum rc
claim(const struct total *t, const struct totals_input *in, struct decimal *ret,
	struct str *where, struct err *e)
{
	switch (t->from) {
	case TOTAL_TRAILER:
		return claim_of_record(
			t, in, &in->trailer, "trailer", ret, where, e);
	case TOTAL_HEADER:
		return claim_of_record(
			t, in, &in->header, "header", ret, where, e);
	case TOTAL_SIDE:
		return claim_of_side(t, in, ret, where, e);
	case TOTAL_NAME:
		return claim_of_name(t, in, ret, where, e);
	}
	abort();
}

/* ---- what is there ---- */

struct sum {
	const struct total *t;
	const struct totals_input *in;
	struct decimal total, one;
	struct wanted wanted;
};

static enum rc
add_record(void *arg, const struct totals_record *r, struct err *e)
{
	struct sum *s = arg;
	struct wanted *w = &s->wanted;
	enum rc rc;

	w->seen = 0;
	w->found = false;
	str_clear(&w->text);
	rc = read_field(s->in, r, w, e);
	if (rc == OK &&
		!decimal_read(&s->one, w->text.s, w->text.len, s->t->mark))
		rc = not_a_number(e, &w->text);
	if (rc != OK)
		return err_add(e,
			"record %" PRIu64 " at byte %" PRIu64 ", field %u",
			r->number, r->offset, s->t->field);
	decimal_add(&s->total, &s->one);
	return OK;
}

static enum rc
found_sum(const struct total *t, const struct totals_input *in,
	struct decimal *ret, struct err *e)
{
	struct sum s = {
		.t = t,
		.in = in,
		.wanted = {.field = t->field, .text = STR_INIT},
	};
	enum rc rc;

	decimal_init(&s.total);
	decimal_init(&s.one);
	rc = in->records_each(in->arg, add_record, &s, e);
	if (rc == OK)
		decimal_add(ret, &s.total);
	decimal_release(&s.total);
	decimal_release(&s.one);
	str_release(&s.wanted.text);
	return rc;
}

static enum rc
found(const struct total *t, const struct totals_input *in, struct decimal *ret,
	struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	if (t->of == TOTAL_SUM)
		return found_sum(t, in, ret, e);
	str_addf(&text, "%" PRIu64, in->records);
	(void)!decimal_read(ret, text.s, text.len, '.');
	return OK;
}

/* "records", "sum of field 3". */
static void
add_what(struct str *s, const struct total *t)
{
	if (t->of == TOTAL_RECORDS)
		str_add(s, "records");
	else
		str_addf(s, "sum of field %u", t->field);
}

static enum rc
mismatch(const struct total *t, const struct decimal *says,
	const struct decimal *is, const char *where, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add(&s, "control total of ");
	add_what(&s, t);
	str_addf(&s, ": %s says ", where);
	decimal_write(&s, says);
	str_add(&s, ", the delivery has ");
	decimal_write(&s, is);
	return err_set(e, BAD_ITEM, "%s", s.s);
}

static enum rc
check_row(const struct total *t, const struct totals_input *in,
	struct str *told, struct err *e)
{
	CLEANUP(str_release) struct str where = STR_INIT;
	CLEANUP(str_release) struct str what = STR_INIT;
	CLEANUP(decimal_release) struct decimal says;
	CLEANUP(decimal_release) struct decimal is;

	decimal_init(&says);
	decimal_init(&is);
	add_what(&what, t);
	if (claim(t, in, &says, &where, e) != OK || found(t, in, &is, e) != OK)
		return err_add(e, "control total of %s", what.s);
	if (!decimal_equal(&says, &is))
		return mismatch(t, &says, &is, where.s, e);
	if (told->len > 0)
		str_add(told, "; ");
	str_addf(told, "%s ", what.s);
	decimal_write(told, &is);
	str_addf(told, " as %s says", where.s);
	return OK;
}

enum rc
totals_check(const struct total *t, size_t n, const struct totals_input *in,
	struct str *told, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (check_row(&t[i], in, told, e) != OK)
			return e->code;
	return OK;
}
