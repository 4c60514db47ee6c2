/* source/http/template and vars: what a request says, escaped by place. */
#include "source/http/template.h"

#include <stdlib.h>

#include "unit.h"

static struct api_template
parsed(const char *text)
{
	struct api_template t;
	struct err e = ERR_INIT;

	must(api_template_parse(text, strlen(text), &t, &e), &e);
	return t;
}

static void
refused(const char *text, const char *why)
{
	struct api_template t;
	struct err e = ERR_INIT;

	assert_int_equal(
		api_template_parse(text, strlen(text), &t, &e), BAD_ITEM);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s: %s", text, e.text);
}

static void
test_variables_are_known(void **state UNUSED)
{
	refused("{{window.start", "without \"}}\"");
	refused("a{{start}}", "{{start}}: expected a variable");
	refused("{{widnow.start}}", "variables are secret.NAME");
	refused("{{window.begin}}", "window.after");
	refused("{{page.number}}", "page.token");
	refused("{{job.token}}", "job.id");
	refused("{{secret.a b}}", "expected a variable");
	refused("{{secret.}}", "expected a variable");
	refused("{{.x}}", "variables are");
}

static void
becomes(const struct vars *v, const char *text, enum template_place place,
	bool shown, const char *want)
{
	struct api_template t = parsed(text);
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	must(template_one(&t, v, place, shown, &s, &e), &e);
	assert_string_equal(s.s, want);
	str_release(&s);
	api_template_release(&t);
}

static void
test_places(void **state UNUSED)
{
	struct vars v = VARS_INIT;

	vars_set_text(&v, API_PARTITION, "id", "a/b&c=\xc3\xbc d");
	vars_set_text(&v, API_CONFIG, "host", "http://127.0.0.1:8080");
	vars_set_text(&v, API_SECRET, "key", "s&cret");
	vars_set_text(&v, API_AUTH, "url", "https://eu1.example");
	becomes(&v, "/x/{{partition.id}}/y", TEMPLATE_PATH, false,
		"/x/a%2Fb%26c%3D%C3%BC%20d/y");
	becomes(&v, "f(a,{{partition.id}})", TEMPLATE_QUERY, false,
		"f%28a%2Ca%2Fb%26c%3D%C3%BC%20d%29");
	becomes(&v, "{{config.host}}/v1", TEMPLATE_URL, false,
		"http://127.0.0.1:8080/v1");
	becomes(&v, "{{ auth.url }}/v1", TEMPLATE_URL, true,
		"https://eu1.example/v1");
	becomes(&v, "Key {{secret.key}}", TEMPLATE_HEADER, false, "Key s&cret");
	becomes(&v, "Key {{secret.key}}", TEMPLATE_HEADER, true, "Key ***");
	becomes(&v, "", TEMPLATE_QUERY, false, "");
	vars_release(&v);
}

static void
fails(const struct vars *v, const char *text, enum template_place place,
	const char *why)
{
	struct api_template t = parsed(text);
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(template_one(&t, v, place, false, &s, &e), BAD_SOURCE);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s: %s", text, e.text);
	assert_null(strstr(e.text, "evil"));
	str_release(&s);
	api_template_release(&t);
}

static void
test_values_that_cannot_stand(void **state UNUSED)
{
	struct vars v = VARS_INIT;

	vars_set_text(&v, API_SECRET, "key", "evil\r\nX-Admin: 1");
	vars_set_text(&v, API_AUTH, "url", "https://evil example/");
	vars_set_text(&v, API_PARTITION, "up", "..");
	vars_set_list(&v, API_CONFIG, "list");
	vars_append(&v, API_CONFIG, "list", "evil", 4);
	fails(&v, "{{secret.key}}", TEMPLATE_HEADER, "control character");
	fails(&v, "{{auth.url}}", TEMPLATE_URL, "{{auth.url}}");
	fails(&v, "/{{partition.up}}/x", TEMPLATE_PATH, "segment");
	fails(&v, "{{config.list}}", TEMPLATE_HEADER, "is a list");
	vars_release(&v);
}

static void
test_undefined_is_left_out(void **state UNUSED)
{
	struct api_template t = parsed("after {{page.token}}");
	struct vars v = VARS_INIT;
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(
		template_one(&t, &v, TEMPLATE_QUERY, false, &s, &e), END);
	vars_set_text(&v, API_PAGE, "token", "");
	must(template_one(&t, &v, TEMPLATE_QUERY, false, &s, &e), &e);
	assert_string_equal(s.s, "after%20");
	vars_unset(&v, API_PAGE, "token");
	assert_int_equal(
		template_one(&t, &v, TEMPLATE_QUERY, false, &s, &e), END);
	vars_set_list(&v, API_PAGE, "token");
	assert_int_equal(
		template_one(&t, &v, TEMPLATE_QUERY, false, &s, &e), END);
	str_release(&s);
	vars_release(&v);
	api_template_release(&t);
}

static void
test_a_list_repeats(void **state UNUSED)
{
	struct api_template t = parsed("t-{{config.types}}");
	struct template_list l;
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;

	vars_set_list(&v, API_CONFIG, "types");
	vars_append(&v, API_CONFIG, "types", "a b", 3);
	vars_append(&v, API_CONFIG, "types", "c", 1);
	must(template_render(&t, &v, TEMPLATE_QUERY, false, &l, &e), &e);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.text[0].s, "t-a%20b");
	assert_string_equal(l.text[1].s, "t-c");
	template_list_release(&l);
	vars_release(&v);
	api_template_release(&t);
}

static struct api_json
leaf(const char *key, const char *text)
{
	struct api_json j = {
		.kind = API_JSON_STRING,
		.key = (char *)(uintptr_t)key,
		.text = parsed(text),
	};

	return j;
}

static void
test_json(void **state UNUSED)
{
	struct api_json child[] = {
		{.kind = API_JSON_WORD,
			.key = (char[]){"limit"},
			.word = (char[]){"200"}},
		leaf("after", "{{page.token}}"),
		leaf("since", "{{window.start:int}}"),
		leaf("fields", "{{lookup.fields}}"),
		leaf("q", "say \"{{partition.word}}\""),
	};
	struct api_json all = {
		.kind = API_JSON_OBJECT, .child = child, .n = ARRAY_LEN(child)};
	struct vars v = VARS_INIT;
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	vars_set_text(&v, API_WINDOW, "start", "1767225600");
	vars_set_text(&v, API_PARTITION, "word", "\"\n");
	vars_set_list(&v, API_LOOKUP, "fields");
	must(template_json(&all, &v, false, &s, &e), &e);
	assert_string_equal(s.s,
		"{\"limit\":200,\"since\":1767225600,\"fields\":[],"
		"\"q\":\"say \\\"\\\"\\n\\\"\"}");
	str_clear(&s);
	vars_append(&v, API_LOOKUP, "fields", "Id", 2);
	vars_append(&v, API_LOOKUP, "fields", "Name", 4);
	vars_set_text(&v, API_PAGE, "token", "t");
	must(template_json(&all, &v, false, &s, &e), &e);
	assert_string_equal(s.s,
		"{\"limit\":200,\"after\":\"t\",\"since\":1767225600,"
		"\"fields\":[\"Id\",\"Name\"],"
		"\"q\":\"say \\\"\\\"\\n\\\"\"}");
	vars_set_text(&v, API_WINDOW, "start", "2026-01-01");
	assert_int_equal(template_json(&all, &v, false, &s, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "not an integer"));
	for (size_t i = 0; i < ARRAY_LEN(child); i++)
		api_template_release(&child[i].text);
	str_release(&s);
	vars_release(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables_are_known),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_values_that_cannot_stand),
		cmocka_unit_test(test_undefined_is_left_out),
		cmocka_unit_test(test_a_list_repeats),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
