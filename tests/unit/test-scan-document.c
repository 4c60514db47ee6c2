/*
 * One JSON document, records at a path: the spans of its bytes, for every way
 * of cutting them.
 */
#include "unit.h"

#include "../spans.h"

/* "e9 r5 x1": the kinds and lengths of the spans, in order. */
static void
write_spans(const struct spans *l, char *text, size_t size)
{
	uint64_t from = 0;
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < l->n; i++) {
		static const char letters[] = {[KIND_SEPARATOR] = 's',
			[KIND_ENVELOPE] = 'e',
			[KIND_RELATED] = 'o',
			[KIND_INVALID_JSON] = 'x'};
		char kind = l->v[i].kind == 0 ? 'r' : letters[l->v[i].kind];

		at += (size_t)snprintf(text + at, size - at, "%s%c%u",
			i > 0 ? " " : "", kind, (unsigned)(l->v[i].end - from));
		from = l->v[i].end;
	}
}

struct cut {
	uint64_t first, step;
};

static uint64_t
cut_at(void *arg, uint64_t shown, uint64_t size)
{
	const struct cut *c = arg;
	uint64_t to = shown == 0 && c->first > 0 ? c->first : shown + c->step;

	return to < size ? to : size;
}

static const struct {
	const char *records, *related, *text, *spans;
} cases[] = {
	{"$.data[*]", NULL, "{\"data\":[{\"a\":1}, 22,\"x\"],\"n\":null}",
		"e9 r7 e2 r2 e1 r3 e11"},
	{"$.data[*]", NULL, "{\"data\":[]}\n", "e12"},
	{"$.data[*]", NULL, "", ""},
	{"$", NULL, " {\"a\":[1,2]}\n", "e1 r11 e1"},
	{"$", NULL, "17", "r2"},
	{"$[*]", NULL, "[1,[2],{}]", "e1 r1 e1 r3 e1 r2 e1"},
	{"$.data[*]", "$.more[*]",
		"{\"more\":[7],\"data\":[{}],\"more\":[[8]]}",
		"e9 o1 e10 r2 e10 o3 e2"},
	{"$.data[*]", NULL, "\xef\xbb\xbf{\"data\":[1]}", "e12 r1 e2"},
	/* What was found before it went wrong stands. */
	{"$.data[*]", NULL, "{\"data\":[{\"a\":1}, 22,tru ],\"n\":1}",
		"e9 r7 e2 r2 e1 x12"},
	{"$.data[*]", NULL, "{\"data\":[{\"a\":1", "e9 x6"},
	{"$.data[*]", NULL, "<html>", "x6"},
};

static void
set_up(struct dialect *d, size_t i)
{
	dialect_init(d, SCAN_JSON);
	strcpy(d->records, cases[i].records);
	if (cases[i].related != NULL)
		strcpy(d->related[d->n_related++], cases[i].related);
}

static void
test_spans_at_every_split(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const uint8_t *p = (const uint8_t *)cases[i].text;
		size_t n = strlen(cases[i].text);
		struct dialect d;

		set_up(&d, i);
		for (size_t first = 0; first <= n; first++)
			for (size_t step = 1; step <= n + 1; step += 3) {
				struct cut cut = {first, step};
				struct spans l = {0};
				char text[200];

				spans_of(&d, p, n, cut_at, &cut, &l);
				write_spans(&l, text, sizeof(text));
				if (strcmp(text, cases[i].spans) != 0)
					fail_msg("case %zu, %zu by %zu: %s", i,
						first, step, text);
				spans_release(&l);
			}
	}
}

/* However long what is around the records is, little of it is held. */
static void
test_a_long_envelope_settles(void **state UNUSED)
{
	enum { N = 300000 };
	static char text[N + 40];
	struct dialect d;
	struct spans l = {0};
	struct cut cut = {0, 1000};
	char got[100];
	int head = sprintf(text, "{\"x\":\"");

	memset(text + head, 'y', N);
	strcpy(text + head + N, "\",\"data\":[1]}");
	dialect_init(&d, SCAN_JSON);
	strcpy(d.records, "$.data[*]");
	d.max_record = 5000;
	spans_of(&d, (uint8_t *)text, strlen(text), cut_at, &cut, &l);
	write_spans(&l, got, sizeof(got));
	assert_string_equal(got, "e300016 r1 e2");
	spans_release(&l);
	/* A record that is too long spoils the rest, and is not held. */
	strcpy(d.records, "$.x");
	l = (struct spans){0};
	spans_of(&d, (uint8_t *)text, strlen(text), cut_at, &cut, &l);
	write_spans(&l, got, sizeof(got));
	assert_string_equal(got, "e5 x300014");
	spans_release(&l);
}

/* A part is scanned as if an object began there; offsets and counts go on. */
static void
test_parts(void **state UNUSED)
{
	static const char text[] = "a;b\n1;\"2\n\"\n\na;b\n3;4\n";
	const size_t part = 11;
	struct dialect d;
	struct spans l = {0};
	struct scan *s;
	struct scan_totals t;

	dialect_init(&d, SCAN_CSV);
	d.delimiter = ';';
	s = scan_new(&d, &spans_sink, &l);
	assert_int_equal(scan_step(s, (const uint8_t *)text, part, true), part);
	scan_part(s);
	assert_int_equal(scan_step(s, (const uint8_t *)text + part + 1,
				 sizeof(text) - 2 - part, true),
		sizeof(text) - 2 - part);
	scan_totals(s, &t);
	assert_int_equal(t.bytes, sizeof(text) - 1);
	assert_int_equal(t.records, 2);
	assert_int_equal(t.exceptions, 3);
	assert_int_equal(l.n, 5);
	assert_int_equal(l.v[0].kind, KIND_HEADER);
	assert_int_equal(l.v[2].kind, KIND_SEPARATOR);
	assert_int_equal(l.v[2].end, part + 1);
	assert_int_equal(l.v[3].kind, KIND_HEADER);
	assert_int_equal(l.v[4].kind, 0);
	scan_free(s);
	spans_release(&l);
}

/* What APIs do with the header of a list that comes in pages. */
static void
test_a_header_that_is_not_repeated(void **state UNUSED)
{
	static const char first[] = "a,b\r\n1,2\r\n", next[] = "3,4\n5\n6,7";
	struct dialect d;
	struct spans l = {0};
	struct scan *s;
	struct scan_totals t;

	dialect_init(&d, SCAN_CSV);
	s = scan_new(&d, &spans_sink, &l);
	assert_int_equal(
		scan_step(s, (const uint8_t *)first, sizeof(first) - 1, true),
		sizeof(first) - 1);
	scan_part(s);
	assert_int_equal(
		scan_step(s, (const uint8_t *)next, sizeof(next) - 1, true),
		sizeof(next) - 1);
	scan_totals(s, &t);
	/* 3,4 is a record, and each still has two fields or is malformed. */
	assert_int_equal(t.records, 3);
	assert_int_equal(l.n, 6);
	assert_int_equal(l.v[3].kind, 0);
	assert_int_equal(l.v[4].kind, KIND_WRONG_FIELD_COUNT);
	/* Then once more with it, ended in another way. */
	scan_part(s);
	assert_int_equal(
		scan_step(s, (const uint8_t *)"a,b\n8,9\n", 8, true), 8);
	scan_totals(s, &t);
	assert_int_equal(t.records, 4);
	assert_int_equal(l.v[7].kind, KIND_HEADER);
	scan_free(s);
	spans_release(&l);
}

static void
test_the_dialect_is_written_and_read(void **state UNUSED)
{
	static const char *const wrong[] = {
		"{\"format\":\"json\",\"records\":\"data\"}",
		"{\"format\":\"json\",\"records\":\"$.a[-1]\"}",
		("{\"format\":\"json\",\"records\":\"$.a\","
		 "\"related\":[\"$.a[*]\"]}"),
		"{\"format\":\"json\",\"related\":[1]}",
		"{\"format\":\"json\",\"delimiter\":\";\"}",
	};
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_canonical(&s);
	struct dialect d, back;
	struct err e = ERR_INIT;

	set_up(&d, 6);
	dialect_write(&d, &j);
	assert_string_equal(s.s,
		"{\"format\":\"json\",\"max_record\":16777216,"
		"\"records\":\"$.data[*]\",\"related\":[\"$.more[*]\"]}");
	must(dialect_read(&back, s.s, s.len, &e), &e);
	assert_string_equal(back.related[0], "$.more[*]");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		e = (struct err)ERR_INIT;
		if (dialect_read(&back, wrong[i], strlen(wrong[i]), &e) !=
			BAD_ITEM)
			fail_msg("taken: %s", wrong[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans_at_every_split),
		cmocka_unit_test(test_a_long_envelope_settles),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_a_header_that_is_not_repeated),
		cmocka_unit_test(test_the_dialect_is_written_and_read),
	};

	return cmocka_run_group_tests_name("scan-document", tests, NULL, NULL);
}
