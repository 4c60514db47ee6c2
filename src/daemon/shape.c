#include "daemon/shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOOK_FIRST (16u << 10)
#define LOOK_MOST FEED_HEAD
#define SHOWN_MAX 80 /* bytes of a header in a message */

void
shape_release(struct shape *s)
{
	str_release(&s->header);
}

/* ---- the first header record ---- */

struct look {
	uint64_t offset, length;
};

struct head {
	const uint8_t *data;
	size_t len;
};

static void
look_records(void *arg UNUSED, const uint64_t *ends UNUSED, size_t n UNUSED)
{
}

static void
look_exception(void *arg, const struct scan_exception *x)
{
	struct look *l = arg;

	if (x->kind != KIND_HEADER || l->length > 0)
		return;
	l->offset = x->offset;
	l->length = x->length;
}

static void
look_at(const struct dialect *d, const struct head *b, bool whole,
	struct look *l, struct scan_totals *t)
{
	static const struct scan_sink sink = {look_records, look_exception};
	struct scan *s = scan_new(d, &sink, l);

	*l = (struct look){0};
	(void)scan_step(s, b->data, b->len, whole);
	scan_totals(s, t);
	scan_free(s);
}

static void
count_field(void *arg, const uint8_t *p UNUSED, size_t n UNUSED)
{
	++*(unsigned *)arg;
}

/* One column, where another delimiter would make several. */
static uint8_t
other_delimiter(const struct dialect *d, const struct head *b, bool whole,
	const struct look *l, enum scan_encoding encoding)
{
	struct sniff sniff = {.why = STR_INIT};
	struct err ignored = ERR_INIT;
	unsigned fields = 0;
	uint8_t other = 0;

	if (d->format != SCAN_CSV || l->length == 0 ||
		scan_fields(d, encoding, b->data + l->offset, (size_t)l->length,
			count_field, &fields, &ignored) != OK ||
		fields != 1)
		return 0;
	scan_sniff(b->data, b->len, whole, &sniff);
	if (sniff.dialect.format == SCAN_CSV &&
		sniff.dialect.delimiter != d->delimiter &&
		memchr(b->data + l->offset, sniff.dialect.delimiter,
			(size_t)l->length) != NULL)
		other = sniff.dialect.delimiter;
	str_release(&sniff.why);
	return other;
}

static size_t
bom_length(const struct scan_totals *t)
{
	if (!t->bom)
		return 0;
	return t->encoding == ENCODING_UTF8 ? 3 : 2;
}

/* The mark is a fact of its own, not part of the header. */
static void
take_header(struct shape *s, const struct head *b, const struct look *l,
	const struct scan_totals *t)
{
	const uint8_t *p = b->data + l->offset;
	size_t n = (size_t)l->length, bom = bom_length(t);
	struct hash h;

	if (l->offset == 0 && bom <= n) {
		p += bom;
		n -= bom;
	}
	hash_init(&h);
	hash_add(&h, p, n);
	hash_end(&h, s->facts.header_sha256);
	s->facts.has_header = true;
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	str_clear(&s->header);
	str_add_quoted(&s->header, p, n < SHOWN_MAX ? n : SHOWN_MAX);
	if (n > SHOWN_MAX)
		str_add(&s->header, "...");
}

enum rc
shape_read(const struct dialect *d, struct feed *f, struct shape *ret,
	struct err *e)
{
	struct head b;
	struct scan_totals t;
	struct look l = {0};
	size_t size = LOOK_FIRST;
	bool whole;

	if (d->format == SCAN_OPAQUE || d->format == SCAN_FIXED)
		return END;
	do {
		if (feed_head(f, size, &b.data, &b.len, e) != OK)
			return e->code;
		whole = b.len < size;
		look_at(d, &b, whole, &l, &t);
		size *= 64;
	} while (!whole && d->header > 0 && l.length == 0 && size <= LOOK_MOST);
	if (b.len == 0 || (d->header > 0 && l.length == 0))
		return END;
	ret->facts = (struct catalog_shape){.columns = t.columns, .bom = t.bom};
	if (l.length > 0)
		take_header(ret, &b, &l, &t);
	ret->delimiter = other_delimiter(d, &b, whole, &l, t.encoding);
	return OK;
}

/* ---- against the one before ---- */

static bool
same_header(const struct catalog_shape *a, const struct catalog_shape *b)
{
	return a->has_header == b->has_header &&
		(!a->has_header ||
			memcmp(a->header_sha256, b->header_sha256, HASH_LEN) ==
				0);
}

static void PRINTF_LIKE(2, 3) add(struct str *why, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_add(why, why->len == 0 ? "dialect drift: " : "; ");
	str_add(why, text);
}

bool
shape_differs(const struct shape *s, const struct dialect *d,
	const struct catalog_shape *before, struct str *why)
{
	const struct catalog_shape *now = &s->facts;
	bool same = before != NULL && same_header(now, before);

	if (!same && s->delimiter != 0)
		add(why,
			"the header %s is one column under the delimiter "
			"'%c', '%c' would divide it",
			s->header.s, d->delimiter, s->delimiter);
	if (before == NULL)
		return why->len > 0;
	if (!same && now->has_header)
		add(why, "the header is %s", s->header.s);
	else if (!same)
		add(why, "there is no header");
	/* 0 is any number: then the dialect changed, not the delivery. */
	if (now->columns != before->columns && now->columns > 0 &&
		before->columns > 0)
		add(why, "%u column%s, there %s %u", now->columns,
			now->columns == 1 ? "" : "s",
			before->columns == 1 ? "was" : "were", before->columns);
	if (now->bom != before->bom)
		add(why, "%s byte order mark, there was %s",
			now->bom ? "a" : "no", now->bom ? "none" : "one");
	if (why->len > 0)
		str_addf(why, "; not as in ledger entry %llu",
			(unsigned long long)before->index);
	return why->len > 0;
}
