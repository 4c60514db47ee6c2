/*
 * fuzz-config.c - any bytes as landfall.yaml: they become a configuration or
 * a report that names a mistake, never both or neither; and every resolved
 * value is within its row's range.
 */
#include <stdlib.h>

#include "config/parse.h"
#include "source/http/request.h"
#include "source/http/window.h"

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
check(bool holds)
{
	if (!holds)
		abort();
}

/* Whatever the values of its variables, a request is made or it is not. */
static void
check_request(const struct api *a, const struct api_stream *s,
	const struct api_request *from)
{
	struct vars v = VARS_INIT;
	struct request r;
	struct err e = ERR_INIT;

	vars_set_config(&v, a);
	vars_set_text(&v, API_PAGE, "token", "t");
	vars_set_text(&v, API_AUTH, "access_token", "t");
	if (from->set && request_make(a, s, from, &v, &r, &e) == OK)
		request_release(&r);
	vars_release(&v);
}

static void
check_stream(const struct api *a, const struct api_stream *s)
{
	const struct api_incremental *inc = &s->incremental;
	struct windows it;
	struct api_window w;
	int64_t last = INT64_MIN;

	check(s->auth != NULL && s->rates != NULL && s->rules != NULL &&
		s->retry != NULL && s->pagination != NULL &&
		s->decode != NULL && s->header != NULL);
	check(s->decode->n > 0 && s->request.set != s->job.set);
	check_request(a, s, &s->request);
	check_request(a, s, &s->job.create);
	for (size_t i = 0; i < s->n_lookups; i++)
		check_request(a, s, &s->lookup[i].request);
	if (!inc->set)
		return;
	check(inc->granularity > 0 && inc->align >= 0);
	windows_begin(&it, inc, NULL, INT64_C(1767225600) * 1000000000);
	for (int i = 0; i < 100 && windows_next(&it, &w); i++) {
		check(w.start < w.end && w.start >= last);
		last = w.end;
	}
}

static void
check_api(const struct api *a)
{
	check(a != NULL && a->n_streams > 0);
	for (size_t i = 0; i < a->n_streams; i++)
		check_stream(a, &a->stream[i]);
}

static void
check_source(const struct config *c, const struct source_config *s)
{
	const struct dialect *d = &s->dialect;

	if (s->kind == SOURCE_HTTP) {
		check_api(s->api);
		return;
	}
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
