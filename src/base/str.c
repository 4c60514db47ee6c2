#include "base/str.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char str_empty[1];

void
str_release(struct str *s)
{
	if (s->cap > 0)
		free(s->s);
	*s = (struct str)STR_INIT;
}

void
str_clear(struct str *s)
{
	str_cut(s, 0);
}

void
str_cut(struct str *s, size_t len)
{
	if (s->cap == 0 || len > s->len)
		return;
	s->len = len;
	s->s[len] = '\0';
}

char *
str_take(struct str *s)
{
	char *text = s->cap > 0 ? s->s : mem_strdup("");

	*s = (struct str)STR_INIT;
	return text;
}

static void
str_grow(struct str *s, size_t n)
{
	size_t cap = s->cap > 0 ? s->cap : 64;

	while (cap - 1 < s->len + n)
		cap *= 2;
	s->s = mem_resize(s->cap > 0 ? s->s : NULL, cap, 1);
	s->cap = cap;
}

/* Room for n more bytes and the NUL. */
static inline char *
str_room(struct str *s, size_t n)
{
	if (s->cap <= s->len + n)
		str_grow(s, n);
	return s->s + s->len;
}

void
str_addn(struct str *s, const void *p, size_t n)
{
	char *at = str_room(s, n);

	if (n > 0)
		memcpy(at, p, n);
	s->len += n;
	s->s[s->len] = '\0';
}

void
str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void
str_addc(struct str *s, char c)
{
	char *at = str_room(s, 1);

	at[0] = c;
	at[1] = '\0';
	s->len++;
}

void
str_add_u64(struct str *s, uint64_t v, unsigned width)
{
	char digits[20];
	unsigned n = 0;

	for (; v > 0 || n < width; v /= 10)
		digits[sizeof(digits) - ++n] = (char)('0' + v % 10);
	str_addn(s, digits + sizeof(digits) - n, n);
}

void
str_addv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	str_room(s, 0);
	n = vsnprintf(s->s + s->len, s->cap - s->len, fmt, ap);
	if (n > 0 && (size_t)n >= s->cap - s->len) {
		str_room(s, (size_t)n);
		vsnprintf(s->s + s->len, s->cap - s->len, fmt, again);
	}
	va_end(again);
	if (n > 0)
		s->len += (size_t)n;
}

void
str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

void
str_add_hex(struct str *s, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	char *at = str_room(s, 2 * n);

	for (size_t i = 0; i < n; i++) {
		*at++ = digit[p[i] >> 4];
		*at++ = digit[p[i] & 15];
	}
	s->len += 2 * n;
	*at = '\0';
}

void
str_add_base64(struct str *s, const uint8_t *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)p[i] << 16;
		char four[4];

		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		four[0] = digit[v >> 18];
		four[1] = digit[v >> 12 & 63];
		four[2] = left > 1 ? digit[v >> 6 & 63] : '=';
		four[3] = left > 2 ? digit[v & 63] : '=';
		str_addn(s, four, 4);
	}
}

/*
 * Length of the valid UTF-8 sequence at p (RFC 3629 section 4: no surrogates,
 * no overlong forms, at most U+10FFFF), 0 if there is none; its code point.
 */
static size_t
utf8_sequence(const uint8_t *p, size_t n, uint32_t *ret_code)
{
	uint32_t code;
	size_t len;

	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (n < len)
		return 0;
	code = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && code < 0x10000) ||
		code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return len;
}

bool
str_is_utf8(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint32_t code;

	for (size_t i = 0, len; i < n; i += len)
		if ((len = utf8_sequence(p + i, n - i, &code)) == 0)
			return false;
	return true;
}

/* What a terminal would obey or a reader would be fooled by. */
static bool
is_deceptive(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
		(code >= 0x200b && code <= 0x200f) ||
		(code >= 0x2028 && code <= 0x202e) ||
		(code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

void
str_add_quoted(struct str *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t start = s->len;
	bool plain = n > 0;
	size_t len;

	str_addc(s, '\'');
	for (size_t i = 0; i < n; i += len) {
		uint32_t code = 0;

		len = utf8_sequence(p + i, n - i, &code);
		if (len == 0 || is_deceptive(code)) {
			if (len == 0)
				len = 1;
			for (size_t k = 0; k < len; k++)
				str_addf(s, "\\x%02x", p[i + k]);
			plain = false;
		} else if (code == '\\') {
			str_add(s, "\\\\");
			plain = false;
		} else {
			if (code == ' ' || code == '\'' || code == '"')
				plain = false;
			str_addn(s, p + i, len);
		}
	}
	if (plain) {
		memmove(s->s + start, s->s + start + 1, s->len - start);
		s->len--;
	} else {
		str_addc(s, '\'');
	}
}

static bool
is_unreserved(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
		c == '~';
}

void
str_add_percent(struct str *s, const void *bytes, size_t n, const char *also)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++) {
		if (is_unreserved(p[i]) ||
			(p[i] != 0 && strchr(also, p[i]) != NULL))
			str_addc(s, (char)p[i]);
		else
			str_addf(s, "%%%02X", p[i]);
	}
}

void
str_add_size(struct str *s, uint64_t bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1023.95 && u + 1 < ARRAY_LEN(unit)) {
		v /= 1024;
		u++;
	}
	str_addf(s, u == 0 ? "%.0f %s" : "%.1f %s", v, unit[u]);
}

void
str_add_count(struct str *s, uint64_t n, const char *what)
{
	size_t len = strlen(what);
	bool y = len > 0 && what[len - 1] == 'y';

	str_addf(s, "%llu ", (unsigned long long)n);
	str_addn(s, what, n != 1 && y ? len - 1 : len);
	if (n != 1)
		str_add(s, y ? "ies" : "s");
}

void
str_add_duration(struct str *s, uint64_t ns)
{
	uint64_t sec = ns / 1000000000;

	if (sec == 0)
		str_addf(s, "%ums", (unsigned)(ns / 1000000));
	else if (sec < 60)
		str_addf(s, "%.1fs", (double)(ns / 100000000) / 10);
	else if (sec < 3600)
		str_addf(s, "%um%02us", (unsigned)(sec / 60),
			(unsigned)(sec % 60));
	else if (sec < 86400)
		str_addf(s, "%uh%02um", (unsigned)(sec / 3600),
			(unsigned)(sec / 60 % 60));
	else
		str_addf(s, "%llud%02uh", (unsigned long long)(sec / 86400),
			(unsigned)(sec / 3600 % 24));
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
str_parse_hex(const char *text, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(text[2 * i]);
		int lo = hi < 0 ? -1 : hex_value(text[2 * i + 1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return text[2 * n] == '\0';
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
str_parse_base64(
	const char *text, size_t len, uint8_t *out, size_t cap, size_t *ret_len)
{
	size_t n = 0;

	if (len % 4 != 0)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		unsigned pad = 0;
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = base64_value(text[i + k]);

			if (text[i + k] == '=' && i + 4 == len && k >= 2) {
				pad++;
				d = 0;
			} else if (pad > 0) {
				return false;
			}
			if (d < 0)
				return false;
			v = v << 6 | (uint32_t)d;
		}
		/* Bits that carry nothing must be zero: one spelling only. */
		if ((pad == 1 && (v & 0xff) != 0) ||
			(pad == 2 && (v & 0xffff) != 0))
			return false;
		for (unsigned k = 0; k < 3 - pad; k++) {
			if (n == cap)
				return false;
			out[n++] = (uint8_t)(v >> (16 - 8 * k));
		}
	}
	*ret_len = n;
	return true;
}

bool
str_parse_percent(
	const char *text, size_t len, uint8_t *out, size_t cap, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		int hi, lo;

		if (n == cap)
			return false;
		if (text[i] != '%') {
			out[n] = (uint8_t)text[i];
			continue;
		}
		if (len - i < 3)
			return false;
		hi = hex_value(text[i + 1]);
		lo = hex_value(text[i + 2]);
		if (hi < 0 || lo < 0)
			return false;
		out[n] = (uint8_t)(hi << 4 | lo);
		i += 2;
	}
	*ret_len = n;
	return true;
}

bool
str_parse_u64(const char *text, size_t len, uint64_t *ret)
{
	uint64_t v = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' ||
			__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(
				v, (uint64_t)(text[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

unsigned
str_distance(const char *a, const char *b)
{
	enum { MOST = 63 };
	size_t na = strlen(a), nb = strlen(b);
	uint8_t d[MOST + 1][MOST + 1];

	if (na > MOST || nb > MOST)
		return UINT_MAX;
	for (size_t i = 0; i <= na; i++)
		d[i][0] = (uint8_t)i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= na; i++) {
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];
			unsigned best = d[i - 1][j - 1] + cost;

			if (d[i - 1][j] + 1u < best)
				best = d[i - 1][j] + 1u;
			if (d[i][j - 1] + 1u < best)
				best = d[i][j - 1] + 1u;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] &&
				d[i - 2][j - 2] + 1u < best)
				best = d[i - 2][j - 2] + 1u;
			d[i][j] = (uint8_t)best;
		}
	}
	return d[na][nb];
}
