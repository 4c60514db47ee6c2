/* scan/jsonr: RFC 8259, strictly. */
#include "landfall/json.h"

#include "unit.h"

#include "../corpus.h"

static void
see_json(const char *name, const uint8_t *p, size_t n)
{
	bool valid = jsonr_valid(p, n);

	/* Of exactly this size, so that a sanitizer sees its end. */
	uint8_t *copy = malloc(n + (n == 0));

	assert_non_null(copy);
	memcpy(copy, p, n);
	assert_int_equal(jsonr_valid(copy, n), valid);
	free(copy);
	if (name[0] == 'y' && !valid)
		fail_msg("%s must be valid", name);
	if (name[0] == 'n' && valid)
		fail_msg("%s must not be valid", name);
}

static void
test_the_public_suite(void **state UNUSED)
{
	const char *path = corpus_dir("json/test_parsing");

	if (path == NULL)
		skip();
	assert_true(corpus_each(path, see_json) > 300);
}

static const struct {
	const char *text;
	bool valid;
} texts[] = {
	{"", false},
	{" ", false},
	{" 1 ", true},
	{"-0.5e+7", true},
	{"01", false},
	{"-", false},
	{"1.", false},
	{"1e", false},
	{"[]", true},
	{"[1,]", false},
	{"[,1]", false},
	{"[1 2]", false},
	{"[1}", false},
	{"{}", true},
	{"{\"a\":1,\"a\":[{}]}", true},
	{"{\"a\":1,}", false},
	{"{\"a\" 1}", false},
	{"{a:1}", false},
	{"{1:1}", false},
	{"{}{}", false},
	{"\"\\u12aF\\\"\"", true},
	{"\"\\u12g0\"", false},
	{"\"\\ud800\"", true},
	{"\"\\x\"", false},
	{"\"a\tb\"", false},
	{"\"\xc3\xbc\"", true},
	{"\"\xc0\x80\"", false},
	{"\"\xed\xa0\x80\"", false},
	{"\xef\xbb\xbf{}", false},
	{"nul", false},
	{"nulll", false},
	{"True", false},
};

static void
test_texts(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (jsonr_valid((const uint8_t *)texts[i].text,
			    strlen(texts[i].text)) != texts[i].valid)
			fail_msg("%s", texts[i].text);
	assert_false(jsonr_valid((const uint8_t *)"\"\0\"", 3));
	assert_false(jsonr_valid((const uint8_t *)"\"\\\0\"", 4));
}

static void
test_depth_is_bounded(void **state UNUSED)
{
	uint8_t text[2 * (JSONR_DEPTH + 1)];

	for (size_t n = JSONR_DEPTH; n <= JSONR_DEPTH + 1; n++) {
		memset(text, '[', n);
		memset(text + n, ']', n);
		assert_int_equal(jsonr_valid(text, 2 * n), n == JSONR_DEPTH);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_public_suite),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_depth_is_bounded),
	};

	return cmocka_run_group_tests_name("jsonr", tests, NULL, NULL);
}
