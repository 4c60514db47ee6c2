/* scan/jsonr: the reader of JSON, its queries and its limits. */
#include "landfall/json.h"

#include "unit.h"

#include "../corpus.h"
#include "../json-told.h"

#include "base/mem.h"

struct asked {
	struct jsonpath path[8];
	struct jsonr_query query[8];
	struct jsonr_spec spec;
};

/* "$.data[*] @$.id $.next": @ within the first, which is for records. */
static void
ask(struct asked *a, const char *paths)
{
	struct err e = ERR_INIT;

	*a = (struct asked){.spec = {.query = a->query, .bom = true}};
	while (*paths != '\0') {
		size_t i = a->spec.n++, len;
		bool within = *paths == '@';

		paths += within;
		len = strcspn(paths, " ");
		must(jsonpath_parse(paths, len, &a->path[i], &e), &e);
		a->query[i] = (struct jsonr_query){
			.path = &a->path[i],
			.within = within ? 0 : JSONR_DOCUMENT,
			.records = i == 0,
		};
		paths += len + (paths[len] == ' ');
	}
}

static void
unask(struct asked *a)
{
	for (size_t i = 0; i < a->spec.n; i++)
		jsonpath_release(&a->path[i]);
}

/* The definition says `want`; every ISA says it too, however it is cut. */
static bool
told_same(const struct jsonr_spec *spec, const uint8_t *p, size_t n,
	struct str *want)
{
	CLEANUP(str_release) struct str got = STR_INIT;
	bool valid;

	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++)
		if (isa[1] == NULL)
			assert_true(scan_use(*isa));
	for (int round = -1;; round++) {
		const char *isa =
			round < 0 ? "scalar" : scan_isa_names()[round];
		struct str *s = round < 0 ? want : &got;
		struct jsonr *j;
		uint64_t at = 0;

		if (isa == NULL)
			return valid;
		assert_true(scan_use(isa));
		j = jsonr_new(spec, &told_sink, s);
		for (at = 0; at <= n; at++) {
			bool again;

			str_clear(s);
			again = told_of(j, p, n, at == n ? cut_never : cut_once,
				&at, s);
			jsonr_reset(j);
			if (round < 0) {
				valid = again;
				break;
			}
			if (again != valid || strcmp(s->s, want->s) != 0)
				fail_msg("%s at %llu:\n%sinstead of\n%s", isa,
					(unsigned long long)at, s->s, want->s);
			/* Large ones at every split would take minutes. */
			if (n > 3000 && at + 98 < n)
				at += 97;
		}
		jsonr_free(j);
	}
}

static const struct {
	const char *paths, *text, *told;
} cases[] = {
	{"$.data[*] @$.id @$.t.u $.next",
		"{\"data\": [ {\"id\":1e400,\"t\":{\"u\":\"x\\u00e9\\/\"}} ,"
		"{\"id\":\"b\"},7],\n\"next\":null}",
		"1: a number 1e400\n2: a string x\xc3\xa9/\n"
		"0: record 11+34\n1: a string b\n0: record 47+10\n"
		"0: record 58+1\n3: null null\n0: reached\n1: reached\n"},
	{"$[*].results[*] $[*].x",
		"[{\"results\":[1,[2]]},{\"x\":{}},{\"results\":[]}]",
		"0: record 13+1\n0: record 15+3\n1: an object ''\n"
		"0: reached\n1: reached\n"},
	{"$.data[*] $.a[-1].b",
		"{\"a\":[{\"b\":1},{\"b\":\"\\ud83d\\ude00\"}]}",
		"1: a string \xf0\x9f\x98\x80\n0: missing\n1: reached\n"},
	{"$.data[*] $.a[-1].b", "{\"a\":[{\"b\":1},{}],\"data\":{}}",
		"0: reached\n1: reached\n"},
	{"$.data[*] $['a.b'][1]", "{\"a.b\":[1,true,3],\"data\":null}",
		"1: true true\n0: missing\n1: reached\n"},
	{"$.data[*] $.id", "{\"\\u0069d\":\"\\ud800x\"}",
		"1: a string '\\xed\\xa0\\x80x'\n0: missing\n1: reached\n"},
	{"$ @$.id", "\xef\xbb\xbf {\"id\":[],\"id\":-0.5E+1} ",
		"1: an array ''\n1: a number -0.5E+1\n0: record 4+22\n"
		"0: reached\n1: reached\n"},
	{"$", " 12 ", "0: record 1+2\n0: reached\n1: missing\n"},
	{"$", "12", "0: record 0+2\n0: reached\n1: missing\n"},
	{"$[*]", "[1,2",
		"0: record 1+1\nnot JSON: byte 4: expected the rest of it, "
		"this is the end\n"},
	{"$", "", "not JSON: byte 0: expected a value, this is the end\n"},
	{"$", "{\"a\" 1}", "not JSON: byte 5: expected a colon, this is 1\n"},
	{"$", "[1 2]", "not JSON: byte 3: expected a comma or ], this is 2\n"},
};

static void
test_what_is_told(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(str_release) struct str told = STR_INIT;
		struct asked a;

		ask(&a, cases[i].paths);
		(void)told_same(&a.spec, (const uint8_t *)cases[i].text,
			strlen(cases[i].text), &told);
		assert_string_equal(told.s, cases[i].told);
		unask(&a);
	}
}

/* Long enough for chunks, with tokens across their edges. */
static void
test_long_texts(void **state UNUSED)
{
	CLEANUP(str_release) struct str text = STR_INIT, told = STR_INIT;
	struct asked a;

	str_add(&text, "{\"data\":[");
	for (unsigned i = 0; i < 600; i++) {
		str_addf(&text,
			"%s{\"id\":\"%u\\n\",\"v\":[%u.5e3,null,\"\xc3\xbc%0*"
			"u\"]}",
			i > 0 ? ",\n " : "", i, i,
			i % 97 == 0 ? 900 : 1 + (int)(i % 7), i);
	}
	str_add(&text, "],\"next\":\"");
	for (unsigned i = 0; i < 9000; i++)
		str_addc(&text, (char)('a' + i % 26));
	str_add(&text, "\"}");
	ask(&a, "$.data[*] @$.id @$.v[0] $.next");
	a.spec.max_record = 1 << 20;
	assert_true(
		told_same(&a.spec, (const uint8_t *)text.s, text.len, &told));
	/* One byte wrong in the middle. */
	text.s[text.len / 2] = '\x01';
	str_clear(&told);
	assert_false(
		told_same(&a.spec, (const uint8_t *)text.s, text.len, &told));
	text.s[text.len / 2] = '\xff';
	str_clear(&told);
	assert_false(
		told_same(&a.spec, (const uint8_t *)text.s, text.len, &told));
	unask(&a);
}

static void
test_limits(void **state UNUSED)
{
	CLEANUP(str_release) struct str told = STR_INIT;
	const char *text = "{\"data\":[{\"id\":\"12345\"},\"1234567890\"]}";
	struct asked a;

	ask(&a, "$.data[*] @$.id");
	a.spec.max_record = 14;
	a.spec.max_value = 5;
	assert_true(
		told_same(&a.spec, (const uint8_t *)text, strlen(text), &told));
	a.spec.max_record = 13;
	assert_false(
		told_same(&a.spec, (const uint8_t *)text, strlen(text), &told));
	assert_non_null(
		strstr(told.s, "the record at byte 9 is longer than 13 bytes"));
	a.spec.max_record = 0;
	a.spec.max_value = 4;
	assert_false(
		told_same(&a.spec, (const uint8_t *)text, strlen(text), &told));
	assert_non_null(
		strstr(told.s, "the value at byte 15 is longer than 4 bytes"));
	/* Where tokens are taken many at a time. */
	for (unsigned most = 9000; most <= 9100; most += 100) {
		CLEANUP(str_release) struct str s = STR_INIT;

		str_add(&s, "{\"data\":[[");
		while (s.len < 9 + 9050 - 3)
			str_add(&s, "1,");
		str_add(&s, "11]]}");
		a.spec.max_record = most;
		str_clear(&told);
		assert_int_equal(
			told_same(&a.spec, (const uint8_t *)s.s, s.len, &told),
			most == 9100);
	}
	unask(&a);
}

static void
see_suite(const char *name, const uint8_t *p, size_t n)
{
	CLEANUP(str_release) struct str told = STR_INIT;
	struct asked a;
	bool valid;

	if (n > 100000 && name[0] == 'n') {
		assert_false(jsonr_valid(p, n));
		return;
	}
	ask(&a, "$ @$.a @$[1]");
	valid = told_same(&a.spec, p, n, &told);
	if ((name[0] == 'y' && !valid) || (name[0] == 'n' && valid))
		fail_msg("%s: %s", name, told.s);
	/* Alone it takes no byte order mark. */
	if (n < 3 || memcmp(p, "\xef\xbb\xbf", 3) != 0)
		for (const char *const *isa = scan_isa_names(); *isa != NULL;
			isa++) {
			assert_true(scan_use(*isa));
			assert_int_equal(jsonr_valid(p, n), valid);
		}
	if (name[0] == 'i')
		print_message("%s: %s\n", name, valid ? "taken" : "refused");
	unask(&a);
}

static void
test_the_public_suite_at_every_split(void **state UNUSED)
{
	const char *path = corpus_dir("json/test_parsing");

	if (path == NULL)
		skip();
	assert_true(corpus_each(path, see_suite) > 300);
}

static const struct {
	const char *text, *again; /* NULL: no path */
} paths[] = {
	{"$", "$"},
	{"$.a_b.c[0][*]['x.y']", "$.a_b.c[0][*]['x.y']"},
	{"$[\"it's\"]['\\\\']", "$['it\\'s']['\\\\']"},
	{"$.a[-1].b", "$.a[-1].b"},
	{"$['a']", "$.a"},
	{"", NULL},
	{"a", NULL},
	{"$a", NULL},
	{"$.", NULL},
	{"$..a", NULL},
	{"$.a-b", NULL},
	{"$[01]", NULL},
	{"$[-2]", NULL},
	{"$[1:2]", NULL},
	{"$[?@.a]", NULL},
	{"$['a'", NULL},
	{"$['a", NULL},
	{"$['a\\n']", NULL},
	{"$.a[-1].b[*]", NULL},
	{"$[18446744073709551616]", NULL},
	{"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", NULL},
};

static void
test_paths(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP(str_release) struct str s = STR_INIT;
		struct err e = ERR_INIT;
		struct jsonpath p;
		enum rc rc = jsonpath_parse(
			paths[i].text, strlen(paths[i].text), &p, &e);

		if ((rc == OK) != (paths[i].again != NULL))
			fail_msg("%s: %s", paths[i].text, e.text);
		if (rc != OK)
			continue;
		jsonpath_write(&p, &s);
		assert_string_equal(s.s, paths[i].again);
		jsonpath_release(&p);
	}
}

static void
test_overlap(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} pairs[] = {
		{"$.data[*]", "$.included[*]", false},
		{"$.data[*]", "$.data[0].x", true},
		{"$.data", "$.data[*]", true},
		{"$[0]", "$[1]", false},
		{"$[*].a", "$.x.b", false},
		{"$", "$.a", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct jsonpath a, b;
		struct err e = ERR_INIT;

		must(jsonpath_parse(pairs[i].a, strlen(pairs[i].a), &a, &e),
			&e);
		must(jsonpath_parse(pairs[i].b, strlen(pairs[i].b), &b, &e),
			&e);
		assert_int_equal(jsonpath_overlap(&a, &b), pairs[i].overlap);
		assert_int_equal(jsonpath_overlap(&b, &a), pairs[i].overlap);
		jsonpath_release(&a);
		jsonpath_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_told),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_the_public_suite_at_every_split),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_overlap),
	};

	return cmocka_run_group_tests_name("jsonr", tests, NULL, NULL);
}
