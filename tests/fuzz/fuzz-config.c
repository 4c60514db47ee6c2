/*
 * fuzz-config.c - any bytes as landfall.yaml: they become a configuration or
 * a report that names a mistake, never both or neither; and every resolved
 * value is within its row's range.
 */
#include <stdlib.h>

#include "config/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
const char *__lsan_default_suppressions(void);

/*
 * libfyaml 0.7.12 loses its 4 KiB of unescaped text when a quoted scalar with
 * many doubled quotes is followed by a syntax error. That the parser itself
 * is released, test-config shows without this.
 */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so\n";
}

static void
check_source(const struct config *c, const struct source_config *s)
{
	const struct dialect *d = &s->dialect;

	if (s->drop.path == NULL || s->drop.path[0] != '/' ||
		config_source(c, s->name) != s || s->ready.rule[0].time < 0 ||
		d->max_record > c->limits.memory ||
		d->trailer > SCAN_TRAILER_MAX ||
		d->trailer_prefix_len > SCAN_PREFIX_MAX ||
		(d->format == SCAN_FIXED && d->length == 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct report r = REPORT_INIT;
	struct str s = STR_INIT;
	struct config *c = NULL;

	if (parse_config((const char *)p, n, "/etc/landfall/landfall.yaml", &c,
		    &r)) {
		if (r.n != 0 || c->zone[0] != '/' || c->state[0] != '/' ||
			c->level < 1 || c->level > 19)
			abort();
		for (size_t i = 0; i < c->n_sources; i++)
			check_source(c, &c->source[i]);
		config_free(c);
	} else if (r.n == 0) {
		abort();
	}
	report_write(&r, "f", &s);
	report_release(&r);
	str_release(&s);
	return 0;
}
