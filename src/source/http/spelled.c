#include "source/http/spelled.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

/* What one spelling means, and how many bytes it has. */
struct unit {
	uint8_t byte[4];
	size_t n, used;
};

enum step {
	STEP_NO,
	STEP_ON,
	STEP_ENDS, /* the text does, within it */
};

/* n hexadecimal digits. */
static enum step
digits(const uint8_t *text, const uint8_t *end, size_t n, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		static const char hex[] = "0123456789abcdefABCDEF";
		const char *hit;

		if (text + i == end)
			return STEP_ENDS;
		hit = memchr(hex, text[i], sizeof(hex) - 1);
		if (hit == NULL)
			return STEP_NO;
		v = 16 * v +
			(unsigned)(hit - hex < 16 ? hit - hex : hit - hex - 6);
	}
	*ret = v;
	return STEP_ON;
}

static enum step
read_url(const uint8_t *p, const uint8_t *end, struct unit *u)
{
	unsigned v;
	enum step s;

	if (*p == '+')
		*u = (struct unit){{' '}, 1, 1};
	if (*p != '%')
		return STEP_ON;
	s = digits(p + 1, end, 2, &v);
	if (s == STEP_ON)
		*u = (struct unit){{v == '+' ? ' ' : (uint8_t)v}, 1, 3};
	return s;
}

static void
set_character(struct unit *u, unsigned c, size_t used)
{
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t head[] = {0, 0xc0, 0xe0, 0xf0};

	for (size_t i = more; i > 0; i--, c >>= 6)
		u->byte[i] = (uint8_t)(0x80 | (c & 0x3f));
	u->byte[0] = (uint8_t)(head[more] | c);
	u->n = more + 1;
	u->used = used;
}

/* \u0026, or two such for what UTF-16 has in two. */
static enum step
read_utf16(const uint8_t *p, const uint8_t *end, struct unit *u)
{
	unsigned v, low;
	enum step s = digits(p + 2, end, 4, &v);

	if (s != STEP_ON)
		return s;
	if (v < 0xd800 || v > 0xdbff) {
		set_character(u, v, 6);
		return STEP_ON;
	}
	for (size_t i = 0; i < 2; i++) {
		if (p + 6 + i == end)
			return STEP_ENDS;
		if (p[6 + i] != "\\u"[i])
			return STEP_NO;
	}
	s = digits(p + 8, end, 4, &low);
	if (s != STEP_ON)
		return s;
	if (low < 0xdc00 || low > 0xdfff)
		return STEP_NO;
	set_character(u, 0x10000 + ((v & 0x3ff) << 10) + (low & 0x3ff), 12);
	return STEP_ON;
}

static enum step
read_json(const uint8_t *p, const uint8_t *end, struct unit *u)
{
	static const char letters[] = "\"\\/bfnrt", mean[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (*p != '\\')
		return STEP_ON;
	if (p + 1 == end)
		return STEP_ENDS;
	if (p[1] == 'u')
		return read_utf16(p, end, u);
	hit = memchr(letters, p[1], sizeof(letters) - 1);
	if (hit == NULL)
		return STEP_NO;
	*u = (struct unit){{(uint8_t)mean[hit - letters]}, 1, 2};
	return STEP_ON;
}

static enum step
read_plain(const uint8_t *p UNUSED, const uint8_t *end UNUSED,
	struct unit *u UNUSED)
{
	return STEP_ON;
}

void
spelled_read(struct spelled *t, enum spelling how, const void *text, size_t len,
	bool more)
{
	static enum step (*const reads[])(
		const uint8_t *, const uint8_t *, struct unit *) = {
		[SPELLED_PLAIN] = read_plain,
		[SPELLED_JSON] = read_json,
		[SPELLED_URL] = read_url,
	};
	const uint8_t *p = text, *end = p + len;

	/* No spelling is shorter than what it means. */
	t->byte = mem_array(len + 1, 1);
	t->at = mem_array(len + 1, sizeof(*t->at));
	t->n = 0;
	while (p < end) {
		struct unit u = {{*p}, 1, 1};

		if (reads[how](p, end, &u) == STEP_ENDS && more)
			break;
		for (size_t i = 0; i < u.n; i++) {
			t->byte[t->n] = u.byte[i];
			t->at[t->n++] = (size_t)(p - (const uint8_t *)text);
		}
		p += u.used;
	}
	t->at[t->n] = (size_t)(p - (const uint8_t *)text);
}

void
spelled_release(struct spelled *t)
{
	explicit_bzero(t->byte, t->n);
	free(t->byte);
	free(t->at);
}

size_t
spelled_end(const struct spelled *t, size_t i)
{
	size_t at = t->at[i];

	while (t->at[i] == at)
		i++;
	return t->at[i];
}

size_t
spelled_start(const struct spelled *t, size_t at)
{
	size_t low = 0, high = t->n + 1;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (t->at[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return t->at[low];
}
