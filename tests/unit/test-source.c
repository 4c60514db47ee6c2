/* source/: which names are deliveries. */
#include <stdlib.h>

#include "base/mem.h"
#include "landfall/side.h"
#include "landfall/source.h"
#include "unit.h"

/* ---- rules ---- */

static const struct rule_case {
	const char *match, *ignore; /* one pattern each, or NULL */
	const char *name;
	const char *rule; /* why ignored; NULL: taken */
} rule_cases[] = {
	{NULL, NULL, "a.csv", NULL},
	{"*.csv", NULL, "a.csv", NULL},
	{"*.csv", NULL, "a.CSV", "no match pattern fits"},
	{"*.csv", NULL, "sub/dir/a.csv", NULL},
	{"in/*.csv", NULL, "in/a.csv", NULL},
	{"in/*.csv", NULL, "in/sub/a.csv", "no match pattern fits"},
	{"in/*.csv", NULL, "x/in/a.csv", "no match pattern fits"},
	{"*/*.csv", NULL, "in/a.csv", NULL},
	{"/*.csv", NULL, "a.csv", NULL},
	{"/*.csv", NULL, "in/a.csv", "no match pattern fits"},
	{"a[0-9].csv", NULL, "a7.csv", NULL},
	{"a?.csv", NULL, "a\xff.csv", NULL},
	{"a*", NULL, "a\nb", NULL},
	/* A folder does not match for what is in it. */
	{"*.d", NULL, "x.d/a.csv", "no match pattern fits"},
	/* Ignore wins. */
	{"*.csv", "a*", "a.csv", "ignore a*"},
	{NULL, "*.tmp", "a.tmp", "ignore *.tmp"},
	{NULL, "*.tmp", "sub/a.tmp", "ignore *.tmp"},
	{NULL, "*.tmp", "sub.tmp/a.csv", "ignore *.tmp (folder sub.tmp)"},
	{NULL, ".*", ".hidden", "ignore .*"},
	{NULL, ".*", "a/.git/b/c", "ignore .* (folder .git)"},
	{NULL, ".*", "a.b/c.d", NULL},
	/* No pattern, no hiding: a leading dot is a byte. */
	{"*.csv", NULL, ".a.csv", NULL},
	{NULL, "old/*", "old/a.csv", "ignore old/*"},
	{NULL, "old/*", "x/old/a.csv", NULL},
	{NULL, "old/*", "old/sub/a.csv", NULL},
};

static struct patterns
one_pattern(char **keep, const char *glob)
{
	*keep = glob != NULL ? mem_strdup(glob) : NULL;
	return (struct patterns){.glob = keep, .n = glob != NULL};
}

static void
test_rules_decide(void **state UNUSED)
{
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rule_cases); i++) {
		const struct rule_case *c = &rule_cases[i];
		const char *matched = "untouched", *why;
		struct source_config cfg = {0};
		struct item it = {
			.name = (const uint8_t *)c->name,
			.name_len = strlen(c->name),
		};
		char *match, *ignore;

		cfg.match = one_pattern(&match, c->match);
		cfg.ignore = one_pattern(&ignore, c->ignore);
		why = source_rule(&cfg, &it, &s, &matched);
		if ((why == NULL) != (c->rule == NULL) ||
			(why != NULL && strcmp(why, c->rule) != 0))
			fail_msg("%s: %s, not %s", c->name,
				why != NULL ? why : "taken",
				c->rule != NULL ? c->rule : "taken");
		if (why == NULL && match != NULL)
			assert_string_equal(matched, match);
		else if (why == NULL)
			assert_null(matched);
		free(match);
		free(ignore);
	}
	str_release(&s);
}

/* ---- side files ---- */

static const struct side_case {
	const char *pattern, *name, *side;
	const char *base; /* whose it is, told the other way round */
} side_cases[] = {
	{"{name}.done", "a.csv", "a.csv.done", "a.csv"},
	{"{name}.done", "sub/a.csv", "sub/a.csv.done", "sub/a.csv"},
	{"ok_{name}", "x.y/a", "x.y/ok_a", "x.y/a"},
	{"<{name}>", "a", "<a>", "a"},
	{"{stem}.done", "a.csv", "a.done", "a.*"},
	{"{stem}.done", "s.d/a.tar.gz", "s.d/a.tar.done", "s.d/a.tar.*"},
	{"{stem}.done", "s.d/a", "s.d/a.done", "s.d/a.*"},
	{"{stem}.done", ".csv", ".csv.done", ".csv.*"},
	{"{stem}.done", "a.", "a.done", "a.*"},
	{"SHA256SUMS", "a.csv", "SHA256SUMS", "*"},
	{"SHA256SUMS", "sub/a.csv", "sub/SHA256SUMS", "sub/*"},
};

static void
test_side_names(void **state UNUSED)
{
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(side_cases); i++) {
		const struct side_case *c = &side_cases[i];
		enum side side;

		assert_true(side_is_pattern(c->pattern, true));
		assert_int_equal(side_is_pattern(c->pattern, false),
			!side_is_shared(c->pattern));
		str_clear(&s);
		side_name(&s, c->pattern, (const uint8_t *)c->name,
			strlen(c->name));
		assert_string_equal(s.s, c->side);
		side = side_base(c->pattern, (const uint8_t *)c->side,
			strlen(c->side), &s);
		assert_int_equal(side,
			strcmp(c->base, c->name) == 0 ? SIDE_OF : SIDE_OF_ANY);
		assert_string_equal(s.s, c->base);
	}
	str_release(&s);
}

static void
test_no_side_names(void **state UNUSED)
{
	static const char *const wrong[] = {"", "{name}", "{stem}", ".", "..",
		"x/{name}.done", "{name}{name}", "{name}.{stem}",
		"{stem}-{name}", "{stem}{stem}x"};
	static const char *const others[][2] = {
		{"{name}.done", ".done"},
		{"{name}.done", "sub/.done"},
		{"{name}.done", "a.don"},
		{"{name}.done", "done"},
		{"ok_{name}", "ok_"},
		{"ok_{name}", "x/ko_a"},
		{"ab{name}ba", "aba"},
		{"SHA256SUMS", "SHA256SUMS.txt"},
		{"SHA256SUMS", "xSHA256SUMS"},
	};
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (side_is_pattern(wrong[i], true))
			fail_msg("%s", wrong[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (side_base(others[i][0], (const uint8_t *)others[i][1],
			    strlen(others[i][1]), &s) != SIDE_NONE)
			fail_msg("%s of %s", others[i][1], others[i][0]);
	str_release(&s);
}

static void
test_side_files_are_no_deliveries(void **state UNUSED)
{
	static const struct {
		const char *name, *rule;
	} cases[] = {
		{"a.csv.done", "sentinel of a.csv"},
		{"sub/a.md5", "checksums of sub/a.*"},
		{"sub/SHA256SUMS", "checksums of sub/*"},
		{"a b.csv.ctl", "control totals of 'a b.csv'"},
		{"SHA256SUMS.csv", NULL},
	};
	char sentinel[] = "{name}.done", one[] = "{stem}.md5";
	char list[] = "SHA256SUMS", ctl[] = "{name}.ctl";
	struct total row = {.from = TOTAL_SIDE, .pattern = ctl};
	struct source_config cfg = {
		.ready = {.rule = {{.kind = READY_STABLE},
				  {.kind = READY_SENTINEL, .side = sentinel},
				  {.kind = READY_CHECKSUM, .side = one},
				  {.kind = READY_CHECKSUM, .side = list}},
			.n = 4},
		.totals = {.row = &row, .n = 1},
	};
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct item it = {
			.name = (const uint8_t *)cases[i].name,
			.name_len = strlen(cases[i].name),
		};
		const char *why = source_rule(&cfg, &it, &s, NULL);

		if (cases[i].rule == NULL)
			assert_null(why);
		else
			assert_string_equal(why, cases[i].rule);
	}
	str_release(&s);
}

static void
test_what_was_moved_is_no_delivery(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool taken;
	} cases[] = {
		{"done/2026/a.csv", false},
		{"done/2026/sub/a.csv", false},
		{"done/2026", true},
		{"done/20261/a.csv", true},
		{"done/a.csv", true},
		{"x/done/2026/a.csv", true},
	};
	char folder[] = "done/2026";
	struct source_config cfg = {
		.after = {.action = AFTER_MOVE, .folder = folder}};
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct item it = {
			.name = (const uint8_t *)cases[i].name,
			.name_len = strlen(cases[i].name),
		};
		const char *why = source_rule(&cfg, &it, &s, NULL);

		if (cases[i].taken)
			assert_null(why);
		else
			assert_string_equal(why, "after: move done/2026/");
	}
	str_release(&s);
}

static void
test_only_regular_files_are_taken(void **state UNUSED)
{
	struct source_config cfg = {0};
	struct item it = {.name = (const uint8_t *)"a",
		.name_len = 1,
		.type = ITEM_OTHER};
	struct str s = STR_INIT;

	assert_non_null(source_rule(&cfg, &it, &s, NULL));
	assert_string_equal(s.s, "not a regular file (fifo, socket or device)");
	it.type = ITEM_SYMLINK;
	assert_string_equal(source_rule(&cfg, &it, &s, NULL),
		"not a regular file (symlink)");
	it.type = ITEM_FILE;
	assert_null(source_rule(&cfg, &it, &s, NULL));
	it.name = (const uint8_t *)"a.csv\0.exe";
	it.name_len = 10;
	assert_non_null(source_rule(&cfg, &it, &s, NULL));
	str_release(&s);
}

static void
test_an_unknown_kind_has_no_operations(void **state UNUSED)
{
	assert_non_null(source_ops(SOURCE_DROP));
	assert_null(source_ops((enum source_kind)1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_decide),
		cmocka_unit_test(test_side_names),
		cmocka_unit_test(test_no_side_names),
		cmocka_unit_test(test_side_files_are_no_deliveries),
		cmocka_unit_test(test_what_was_moved_is_no_delivery),
		cmocka_unit_test(test_only_regular_files_are_taken),
		cmocka_unit_test(test_an_unknown_kind_has_no_operations),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
