/*
 * str.h - text we make ourselves: a growing NUL-terminated string.
 *
 *	CLEANUP(str_release) struct str s = STR_INIT;
 *	str_addf(&s, "%s/%s", dir, name);
 *	use(s.s);
 *
 * s.s is never NULL; s.len excludes the NUL. Growth aborts without memory:
 * text is small by nature. Partner names are bytes, not text: they enter a
 * string only through one of the encoders below.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/attr.h"

struct str {
	char *s;
	size_t len;
	size_t cap; /* 0: s is the shared empty string */
};

extern char str_empty[1];
#define STR_INIT \
	{ \
		.s = str_empty \
	}

void str_release(struct str *s);
void str_clear(struct str *s);		 /* empty, memory kept */
void str_cut(struct str *s, size_t len); /* to at most len bytes */
char *str_take(struct str *s);		 /* the heap string; s is empty after */

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *p, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_addv(struct str *s, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* In decimal, with zeros in front up to width digits (1 .. 20). */
void str_add_u64(struct str *s, uint64_t v, unsigned width);

/* Lower-case hexadecimal. */
void str_add_hex(struct str *s, const uint8_t *p, size_t n);

/* Standard base64 with padding (RFC 4648 section 4). */
void str_add_base64(struct str *s, const uint8_t *p, size_t n);

/*
 * Bytes for a human's log or terminal: printable ASCII and valid UTF-8 (no
 * control characters, no bidirectional overrides) as they are, everything
 * else as \xHH, the backslash doubled; between single quotes when that helps
 * the eye (empty, spaces, quotes or escapes within).
 */
void str_add_quoted(struct str *s, const void *p, size_t n);

/*
 * Percent-encoding (RFC 3986 section 2.1) of every byte outside
 * [A-Za-z0-9._~-] and the characters in `also`. Reversible; what provenance
 * and the catalog's text call the exact name.
 */
void str_add_percent(struct str *s, const void *p, size_t n, const char *also);

/* "1 record", "3 records", "2 entries"; what: one of them. */
void str_add_count(struct str *s, uint64_t n, const char *what);

/* 1536 -> "1.5 KiB"; exact below 1 KiB. */
void str_add_size(struct str *s, uint64_t bytes);

/* Nanoseconds -> "850ms", "12.3s", "4m05s", "3h20m", "2d04h". */
void str_add_duration(struct str *s, uint64_t ns);

/* Decoders return false on the first wrong character or a wrong length. */
bool str_parse_hex(const char *text, uint8_t *out, size_t n) MUST_USE;
bool str_parse_base64(const char *text, size_t len, uint8_t *out, size_t cap,
	size_t *ret_len) MUST_USE;
bool str_parse_percent(const char *text, size_t len, uint8_t *out, size_t cap,
	size_t *ret_len) MUST_USE;

/* Decimal digits only, no sign, no space; false on overflow. */
bool str_parse_u64(const char *text, size_t len, uint64_t *ret) MUST_USE;

/* True when the bytes are UTF-8 as RFC 3629 section 4 defines it. */
bool str_is_utf8(const void *p, size_t n) MUST_USE;

/*
 * Damerau-Levenshtein distance of two short words (up to 63 bytes each), for
 * "did you mean"; longer words are infinitely far.
 */
unsigned str_distance(const char *a, const char *b);

#endif
