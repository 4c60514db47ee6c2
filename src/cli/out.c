#include "cli/out.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

void
out_init(struct out *o)
{
	o->len = 0;
	o->err = (struct err)ERR_INIT;
	signal(SIGPIPE, SIG_DFL);
	fflush(stdout);
}

static void
flush(struct out *o)
{
	if (o->err.code == OK &&
		io_write(STDOUT_FILENO, o->buf, o->len, BROKEN, &o->err) != OK)
		err_add(&o->err, "standard output");
	o->len = 0;
}

void
out_add(struct out *o, const void *p, size_t n)
{
	if (n > sizeof(o->buf) - o->len)
		flush(o);
	if (n < sizeof(o->buf)) {
		memcpy(o->buf + o->len, p, n);
		o->len += n;
	} else if (o->err.code == OK &&
		io_write(STDOUT_FILENO, p, n, BROKEN, &o->err) != OK) {
		err_add(&o->err, "standard output");
	}
}

void
out_text(struct out *o, const char *text)
{
	out_add(o, text, strlen(text));
}

void
out_u64(struct out *o, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	out_add(o, digits + at, sizeof(digits) - at);
}

/* Bytes from p on that a JSON string holds as they are. */
static size_t
plain(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' &&
		p[i] != '\\')
		i++;
	return i;
}

/* How long the UTF-8 sequence at p is; 0 when it is none. */
static size_t
sequence(const uint8_t *p, size_t n)
{
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	return len <= n && str_is_utf8(p, len) ? len : 0;
}

static void
escape(struct out *o, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char text[] = "\\u00xx";

	switch (c) {
	case '"':
		out_add(o, "\\\"", 2);
		return;
	case '\\':
		out_add(o, "\\\\", 2);
		return;
	case '\n':
		out_add(o, "\\n", 2);
		return;
	case '\r':
		out_add(o, "\\r", 2);
		return;
	case '\t':
		out_add(o, "\\t", 2);
		return;
	}
	text[4] = hex[c >> 4];
	text[5] = hex[c & 15];
	out_add(o, text, 6);
}

void
out_json(struct out *o, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	out_add(o, "\"", 1);
	while (n > 0) {
		size_t len = plain(p, n);

		if (len > 0) {
			out_add(o, p, len);
		} else if (*p < 0x80) {
			escape(o, *p);
			len = 1;
		} else if ((len = sequence(p, n)) > 0) {
			out_add(o, p, len);
		} else {
			out_add(o, "\xef\xbf\xbd", 3);
			len = 1;
		}
		p += len;
		n -= len;
	}
	out_add(o, "\"", 1);
}

enum rc
out_end(struct out *o, struct err *e)
{
	flush(o);
	if (o->err.code == OK)
		return OK;
	*e = o->err;
	return e->code;
}
