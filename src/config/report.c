#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct mistake {
	char *file; /* NULL: the one that report_write() names */
	unsigned line;
	unsigned column;
	size_t seq; /* qsort is not stable */
	char *text;
};

void
report_release(struct report *r)
{
	for (size_t i = 0; i < r->kept; i++) {
		free(r->mistake[i].file);
		free(r->mistake[i].text);
	}
	free(r->mistake);
	*r = (struct report)REPORT_INIT;
}

bool
report_is_full(const struct report *r)
{
	return r->kept == REPORT_KEPT;
}

static bool
same_file(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
is_told(const struct report *r, const char *file, unsigned line,
	unsigned column, const char *text)
{
	for (size_t i = 0; i < r->kept; i++) {
		const struct mistake *m = &r->mistake[i];

		if (m->line == line && m->column == column &&
			same_file(m->file, file) && strcmp(m->text, text) == 0)
			return true;
	}
	return false;
}

static void PRINTF_LIKE(5, 0) add(struct report *r, const char *file,
	unsigned line, unsigned column, const char *fmt, va_list ap)
{
	char text[1024];

	if (report_is_full(r)) {
		r->n++;
		return;
	}
	if (r->mistake == NULL)
		r->mistake = mem_array(REPORT_KEPT, sizeof(*r->mistake));
	vsnprintf(text, sizeof(text), fmt, ap);
	/* Whatever slipped in unquoted cannot forge a line or a colour. */
	for (char *c = text; *c != '\0'; c++)
		if ((uint8_t)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (file != NULL && is_told(r, file, line, column, text))
		return;
	r->n++;
	r->mistake[r->kept] = (struct mistake){
		.file = file != NULL ? mem_strdup(file) : NULL,
		.line = line,
		.column = column,
		.seq = r->kept,
		.text = mem_strdup(text),
	};
	r->kept++;
}

void
report_add(
	struct report *r, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, r->file, line, column, fmt, ap);
	va_end(ap);
}

void
report_add_in(struct report *r, const char *file, unsigned line,
	unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, file, line, column, fmt, ap);
	va_end(ap);
}

static int
by_position(const void *va, const void *vb)
{
	const struct mistake *a = va, *b = vb;

	/* The file itself first, then what it names. */
	if (!same_file(a->file, b->file))
		return a->file == NULL	  ? -1
			: b->file == NULL ? 1
					  : strcmp(a->file, b->file);
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

void
report_write(struct report *r, const char *file, struct str *s)
{
	size_t shown = r->kept < REPORT_SHOWN ? r->kept : REPORT_SHOWN;

	if (r->kept > 0)
		qsort(r->mistake, r->kept, sizeof(*r->mistake), by_position);
	for (size_t i = 0; i < shown; i++) {
		const struct mistake *m = &r->mistake[i];

		str_add(s, m->file != NULL ? m->file : file);
		if (m->line > 0)
			str_addf(s, ":%u:%u", m->line, m->column);
		str_addf(s, ": error: %s\n", m->text);
	}
	if (r->n > shown)
		str_addf(s, "%s: error: %zu more not shown\n", file,
			r->n - shown);
}
