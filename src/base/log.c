#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

static const char *const level_names[] = {"info", "warning", "error"};

static bool as_json;

void
log_as_json(void)
{
	as_json = true;
}

/* A value as logfmt wants it: bare, or in double quotes with escapes. */
static void
add_value(struct str *s, const char *text, size_t n)
{
	bool bare = n > 0;

	for (size_t i = 0; i < n; i++)
		if (strchr(" =\"\\", text[i]) != NULL ||
			(unsigned char)text[i] < 0x20)
			bare = false;
	if (bare) {
		str_addn(s, text, n);
	} else {
		struct jsonw j = jsonw_to(s);

		jsonw_textn(&j, text, n);
	}
}

static void
add_key(struct log *l, const char *key)
{
	if (as_json) {
		jsonw_key(&l->json, key);
		return;
	}
	if (l->line.len > 0)
		str_addc(&l->line, ' ');
	str_add(&l->line, key);
	str_addc(&l->line, '=');
}

struct log
log_begin(enum log_level level, const char *event)
{
	CLEANUP(str_release) struct str now = STR_INIT;
	struct log l = {.line = STR_INIT};

	clock_add_time(&now, clock_wall());
	if (as_json) {
		/* The writer points at the line: it is set again when used. */
		l.json = jsonw_to(&l.line);
		jsonw_object(&l.json);
	}
	log_text(&l, "time", now.s);
	log_text(&l, "level", level_names[level]);
	log_text(&l, "event", event);
	return l;
}

void
log_text(struct log *l, const char *key, const char *text)
{
	l->json.out = &l->line;
	add_key(l, key);
	if (as_json)
		jsonw_text(&l->json, text);
	else
		add_value(&l->line, text, strlen(text));
}

void
log_bytes(struct log *l, const char *key, const void *p, size_t n)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (as_json)
		str_add_percent(&s, p, n, "/");
	else
		str_add_quoted(&s, p, n);
	log_text(l, key, s.s);
}

void
log_u64(struct log *l, const char *key, uint64_t v)
{
	l->json.out = &l->line;
	add_key(l, key);
	if (as_json)
		jsonw_u64(&l->json, v);
	else
		str_addf(&l->line, "%llu", (unsigned long long)v);
}

void
log_duration(struct log *l, const char *key, uint64_t ns)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_duration(&s, ns);
	log_text(l, key, s.s);
}

void
log_end(struct log *l)
{
	struct err ignored = ERR_INIT;

	l->json.out = &l->line;
	if (as_json)
		jsonw_end(&l->json);
	str_addc(&l->line, '\n');
	/* A log that cannot be written has nowhere to say so. */
	if (io_write(STDERR_FILENO, l->line.s, l->line.len, BROKEN, &ignored) !=
		OK)
		l->line.len = 0;
	str_release(&l->line);
}

void
log_say(enum log_level level, const char *event, const char *fmt, ...)
{
	struct log l = log_begin(level, event);
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_text(&l, "what", text);
	log_end(&l);
}
