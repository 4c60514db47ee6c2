#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct mistake {
	unsigned line;
	unsigned column;
	size_t seq; /* qsort is not stable */
	char *text;
};

void
report_release(struct report *r)
{
	for (size_t i = 0; i < r->kept; i++)
		free(r->mistake[i].text);
	free(r->mistake);
	*r = (struct report)REPORT_INIT;
}

bool
report_is_full(const struct report *r)
{
	return r->kept == REPORT_KEPT;
}

void
report_add(
	struct report *r, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	r->n++;
	if (report_is_full(r))
		return;
	if (r->mistake == NULL)
		r->mistake = mem_array(REPORT_KEPT, sizeof(*r->mistake));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Whatever slipped in unquoted cannot forge a line or a colour. */
	for (char *c = text; *c != '\0'; c++)
		if ((uint8_t)*c < ' ' || *c == 0x7f)
			*c = '?';
	r->mistake[r->kept] = (struct mistake){
		.line = line,
		.column = column,
		.seq = r->kept,
		.text = mem_strdup(text),
	};
	r->kept++;
}

static int
by_position(const void *va, const void *vb)
{
	const struct mistake *a = va, *b = vb;

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

		str_add(s, file);
		if (m->line > 0)
			str_addf(s, ":%u:%u", m->line, m->column);
		str_addf(s, ": error: %s\n", m->text);
	}
	if (r->n > shown)
		str_addf(s, "%s: error: %zu more not shown\n", file,
			r->n - shown);
}
