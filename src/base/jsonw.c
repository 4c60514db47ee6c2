#include "base/jsonw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct jsonw
jsonw_to(struct str *out)
{
	return (struct jsonw){.out = out};
}

struct jsonw
jsonw_canonical(struct str *out)
{
	return (struct jsonw){.out = out, .canonical = true};
}

/* The comma before a value or key, where one is due. */
static void
separate(struct jsonw *j)
{
	if (j->depth == 0)
		return;
	if (j->level[j->depth - 1].more)
		str_addc(j->out, ',');
	j->level[j->depth - 1].more = true;
}

static void
open_level(struct jsonw *j, char open, char close)
{
	if (j->depth == JSONW_DEPTH)
		abort();
	separate(j);
	str_addc(j->out, open);
	j->level[j->depth].close = close;
	j->level[j->depth].more = false;
	j->level[j->depth].last = NULL;
	j->depth++;
}

void
jsonw_object(struct jsonw *j)
{
	open_level(j, '{', '}');
}

void
jsonw_array(struct jsonw *j)
{
	open_level(j, '[', ']');
}

void
jsonw_end(struct jsonw *j)
{
	if (j->depth == 0)
		abort();
	j->depth--;
	str_addc(j->out, j->level[j->depth].close);
}

/* Bytes that stand for themselves, from the front. */
static size_t
plain(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && (unsigned char)text[i] - 0x20u < 0x60 &&
		text[i] != '"' && text[i] != '\\')
		i++;
	return i;
}

/* One character that does not; returns its bytes in text. */
static size_t
add_escaped(struct str *out, const char *text, size_t n)
{
	unsigned char c = (unsigned char)*text;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c >= 0x80) {
		if (len <= n && str_is_utf8(text, len)) {
			str_addn(out, text, len);
			return len;
		}
		str_add(out, "\xef\xbf\xbd");
	} else if (c == '"' || c == '\\') {
		str_addc(out, '\\');
		str_addc(out, (char)c);
	} else if (c == '\n') {
		str_add(out, "\\n");
	} else if (c == '\r') {
		str_add(out, "\\r");
	} else if (c == '\t') {
		str_add(out, "\\t");
	} else {
		str_addf(out, "\\u%04x", c);
	}
	return 1;
}

static void
add_string(struct str *out, const char *text, size_t n)
{
	str_addc(out, '"');
	for (;;) {
		size_t len = plain(text, n);

		str_addn(out, text, len);
		text += len;
		n -= len;
		if (n == 0)
			break;
		len = add_escaped(out, text, n);
		text += len;
		n -= len;
	}
	str_addc(out, '"');
}

void
jsonw_key(struct jsonw *j, const char *key)
{
	const char **last = &j->level[j->depth - 1].last;

	if (j->canonical && *last != NULL && strcmp(*last, key) >= 0)
		abort();
	*last = key;
	separate(j);
	add_string(j->out, key, strlen(key));
	str_addc(j->out, ':');
	/* The value belongs to the key: no comma between them. */
	j->level[j->depth - 1].more = false;
}

void
jsonw_textn(struct jsonw *j, const char *text, size_t n)
{
	separate(j);
	add_string(j->out, text, n);
}

void
jsonw_text(struct jsonw *j, const char *text)
{
	jsonw_textn(j, text, strlen(text));
}

void
jsonw_u64(struct jsonw *j, uint64_t v)
{
	separate(j);
	str_add_u64(j->out, v, 1);
}

void
jsonw_i64(struct jsonw *j, int64_t v)
{
	separate(j);
	str_addf(j->out, "%" PRId64, v);
}

void
jsonw_bool(struct jsonw *j, bool v)
{
	separate(j);
	str_add(j->out, v ? "true" : "false");
}

void
jsonw_null(struct jsonw *j)
{
	separate(j);
	str_add(j->out, "null");
}

void
jsonw_hex(struct jsonw *j, const uint8_t *p, size_t n)
{
	separate(j);
	str_addc(j->out, '"');
	str_add_hex(j->out, p, n);
	str_addc(j->out, '"');
}

void
jsonw_percent(struct jsonw *j, const void *p, size_t n)
{
	separate(j);
	str_addc(j->out, '"');
	str_add_percent(j->out, p, n, "/");
	str_addc(j->out, '"');
}

void
jsonw_base64(struct jsonw *j, const uint8_t *p, size_t n)
{
	separate(j);
	str_addc(j->out, '"');
	str_add_base64(j->out, p, n);
	str_addc(j->out, '"');
}

void
jsonw_time(struct jsonw *j, int64_t wall)
{
	separate(j);
	str_addc(j->out, '"');
	clock_add_time(j->out, wall);
	str_addc(j->out, '"');
}

void
jsonw_time_or_null(struct jsonw *j, int64_t wall)
{
	if (wall != 0)
		jsonw_time(j, wall);
	else
		jsonw_null(j);
}

void
jsonw_time_ns(struct jsonw *j, int64_t wall)
{
	separate(j);
	str_addc(j->out, '"');
	clock_add_time_ns(j->out, wall);
	str_addc(j->out, '"');
}

void
jsonw_raw(struct jsonw *j, const char *text, size_t n)
{
	separate(j);
	str_addn(j->out, text, n);
}
