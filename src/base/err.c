#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
err_format(struct err *e, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void
err_format(struct err *e, const char *fmt, va_list ap)
{
	char text[sizeof(e->text)];
	size_t n = 0;

	/* Not in its place: what is there may be an argument. */
	vsnprintf(text, sizeof(text), fmt, ap);
	for (; text[n] != '\0'; n++)
		if ((unsigned char)text[n] < 0x20 || text[n] == 0x7f)
			text[n] = '?';
	memcpy(e->text, text, n + 1);
}

enum rc
err_set(struct err *e, enum rc code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_format(e, fmt, ap);
	va_end(ap);
	e->code = code;
	e->cause = 0;
	return code;
}

enum rc
err_sys(struct err *e, enum rc code, int cause, const char *fmt, ...)
{
	char why[128];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	err_format(e, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	/* The GNU strerror_r: thread-safe, and may not use the buffer. */
	snprintf(e->text + len, sizeof(e->text) - len, ": %s",
		strerror_r(cause, why, sizeof(why)));
	e->code = code;
	e->cause = cause;
	return code;
}

enum rc
err_add(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	size_t len;
	va_list ap;

	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	err_format(e, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	/* A text that no longer fits is cut at its end; that is the design. */
	snprintf(e->text + len, sizeof(e->text) - len, ": %.*s",
		(int)(sizeof(old) - 1), old);
	return e->code;
}

enum rc
err_raise(struct err *e, enum rc code)
{
	e->code = code;
	return code;
}

const char *
err_name(enum rc code)
{
	static const char *const names[] = {
		[OK] = "ok",
		[END] = "end",
		[AGAIN] = "again",
		[BAD_ITEM] = "bad-item",
		[BAD_SOURCE] = "bad-source",
		[BROKEN] = "broken",
	};

	return (size_t)code < ARRAY_LEN(names) ? names[code] : "?";
}
