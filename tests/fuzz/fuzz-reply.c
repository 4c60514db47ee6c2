/*
 * fuzz-reply.c - an answer as it came: what is told of its records is what the
 * scanner finds when the body is landed; selectors, rules and the next page
 * make something of it or nothing.
 *
 * Input: a byte that chooses, headers as lines, an empty line, the body.
 */
#include <stdlib.h>
#include <string.h>

#include "../spans.h"
#include "base/clock.h"
#include "base/mem.h"
#include "fuzz.h"
#include "source/http/paging.h"
#include "source/http/reply.h"
#include "source/http/rule.h"

#define NOW (INT64_C(1767225600) * CLOCK_SECOND)

static struct jsonpath
path(const char *text)
{
	struct err e = ERR_INIT;
	struct jsonpath p;

	if (jsonpath_parse(text, strlen(text), &p, &e) != OK)
		abort();
	return p;
}

/* What reply_read() tells, as the scanner would. */
struct told {
	const uint8_t *body;
	size_t size;
	struct span *v;
	size_t n;
};

static enum rc
see(void *arg, const struct reply_record *x, struct err *e UNUSED)
{
	struct told *t = arg;

	SPANS_CHECK(x->number == t->n && x->length <= t->size &&
		x->offset <= t->size - x->length);
	SPANS_CHECK(x->size <= x->length &&
		memcmp(x->bytes, t->body + x->offset, x->size) == 0);
	t->v = mem_resize(t->v, t->n + 1, sizeof(*t->v));
	t->v[t->n++] = (struct span){.end = x->offset + x->length};
	return OK;
}

/* The marks of records seen before go by their number: both must agree. */
static void
compare(const struct reply_spec *spec, const struct told *t)
{
	struct spans s = {0};
	struct dialect d;
	size_t n = 0;

	if (t->size == 0)
		return;
	reply_dialect(spec, &d);
	spans_of(&d, t->body, t->size, cut_never, NULL, &s);
	for (size_t i = 0; i < s.n; i++)
		if (s.v[i].kind == 0)
			SPANS_CHECK(n < t->n && t->v[n++].end == s.v[i].end);
	SPANS_CHECK(n == t->n);
	spans_release(&s);
}

static const struct reply *told_by;

static enum rc
value(const void *arg UNUSED, const struct api_selector *s, size_t i,
	struct str *ret)
{
	return reply_value(told_by, s, i, ret);
}

static struct paging_value
first(const struct reply *r, const struct api_selector *s, struct str *keep)
{
	if (reply_value(r, s, 0, keep) != OK)
		return (struct paging_value){0};
	return (struct paging_value){(uint8_t *)keep->s, keep->len};
}

/* The same page again and again: it ends, or is refused, at once. */
static void
turn_pages(const struct reply *r, enum api_paging type,
	const struct api_selector *next, const struct api_selector *more)
{
	const struct api_pagination rule = {.type = type,
		.next = *next,
		.more = *more,
		.max_pages = 5,
		.size = 2};
	CLEANUP(str_release) struct str a = STR_INIT;
	CLEANUP(str_release) struct str b = STR_INIT;
	const struct paging_page page = {.records = reply_records(r),
		.next = first(r, next, &a),
		.more = first(r, more, &b)};
	struct err e = ERR_INIT;
	struct paging g;
	int n = 0;

	paging_init(&g, &rule, NULL);
	while (paging_next(&g, &page, &e) == OK)
		SPANS_CHECK(
			++n < (type == API_PAGES_TOKEN || type == API_PAGES_LINK
					      ? 2
					      : 5));
	paging_release(&g);
}

static void
judge(const struct reply *r, struct http_answer *a,
	const struct api_selector *from)
{
	struct api_auth none = {.type = API_AUTH_NONE};
	struct api_wait wait = {.from = *from, .unit = API_UNIT_S};
	struct api_rule row = {.field = *from,
		.contains = (char[]){"x"},
		.action = API_RATE_LIMITED,
		.wait = &wait,
		.n_wait = 1};
	struct api_rules rules = {.row = &row, .n = 1};
	const struct rule_input in = {.rules = &rules,
		.auth = &none,
		.phase = API_PHASE_PAGE,
		.answer = a,
		.value = value,
		.now = NOW};
	static const unsigned statuses[] = {200, 302, 401, 429, 503, 999};
	struct rule_verdict v;

	told_by = r;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		a->status = statuses[i];
		rule_decide(&in, &v);
		SPANS_CHECK(v.fine || (v.wait >= 0 && v.action <= API_FAIL));
	}
}

static void
fuzz(uint8_t choice, struct http_answer *a, const uint8_t *body, size_t n)
{
	static const enum api_layer layers[] = {
		API_JSON, API_JSON, API_JSONL, API_CSV};
	enum api_layer layer = layers[choice % 4];
	struct api_records records = {
		.path = path(layer == API_JSON ? "$.a[*]" : "$")};
	struct api_place id = layer == API_CSV
		? (struct api_place){.column = (char[]){"id"}}
		: (struct api_place){.path = path("$.id")};
	struct api_selector x[] = {
		{.from = API_FROM_BODY, .path = path("$.next")},
		{.from = API_FROM_LAST, .path = path("$.id")},
		{.from = API_FROM_HEADER, .name = (char[]){"n"}},
		{.from = API_FROM_HEADER_JSON,
			.name = (char[]){"n"},
			.path = path("$[*].a")},
		{.from = API_FROM_LINK, .name = (char[]){"next"}},
		{.from = API_FROM_BODY, .path = path("$.more")},
	};
	const struct api_place *fields[] = {&id};
	const struct api_selector *wanted[] = {&x[0], &x[1], &x[5]};
	const struct reply_spec spec = {.layer = layer,
		.records = &records,
		.field = fields,
		.n_fields = 1,
		.selector = wanted,
		.n_selectors = layer == API_CSV ? 0 : 3,
		.max_record = (choice & 8) != 0 ? 64 : 0};
	struct reply *r = reply_new(&spec);
	struct told told = {.body = body, .size = n};
	struct err e = ERR_INIT;

	reply_first(r);
	if (reply_read(r, a, see, &told, &e) == OK)
		compare(&spec, &told);
	else
		SPANS_CHECK(e.code == BAD_ITEM);
	SPANS_CHECK(reply_look(r, a, &e) == OK);
	for (size_t i = 0; i < ARRAY_LEN(x); i++) {
		for (int type = API_PAGES_NONE; type <= API_PAGES_OFFSET;
			type++)
			turn_pages(r, (enum api_paging)type, &x[i], &x[5]);
		judge(r, a, &x[i]);
		jsonpath_release(&x[i].path);
	}
	reply_free(r);
	free(told.v);
	jsonpath_release(&records.path);
	jsonpath_release(&id.path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *end;
	struct http_answer a;
	struct err e = ERR_INIT;
	uint8_t choice;

	if (n == 0)
		return 0;
	choice = *p++;
	n--;
	end = memmem(p, n, "\n\n", 2);
	/* A NUL or a lone line end the child has taken out. */
	if (end == NULL || memchr(p, '\0', (size_t)(end - p)) != NULL)
		return 0;
	http_answer_init(&a, -1);
	a.status = 200;
	str_addn(&a.fields, p, (size_t)(end + 1 - p));
	n -= (size_t)(end + 2 - p);
	p = end + 2;
	if (http_body_add(&a.body, p, n, &e) != OK)
		abort();
	fuzz(choice, &a, p, n);
	http_answer_release(&a);
	return 0;
}
