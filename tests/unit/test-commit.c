/*
 * commit: what a group can hold, and what becomes of each delivery in it.
 */
#include "landfall/commit.h"

#include "commit-world.h"

/* Other bytes stand where one of three would go. */
static void
test_path_taken(void **state)
{
	struct place *p = *state;
	struct str taken = STR_INIT, longer = STR_INIT;
	struct err e = ERR_INIT;
	struct group g;

	group_make(p, &g, both, N_BOTH);
	zone_path(&taken, "", "a", noon(), g.d[0]->name, g.d[0]->name_len,
		g.d[0]->landed.bytes_sha256, 12);
	zone_path(&longer, "", "a", noon(), g.d[0]->name, g.d[0]->name_len,
		g.d[0]->landed.bytes_sha256, 16);
	shell(p, "mkdir -p now/zone/a/" DAY " && echo other >now/zone/@",
		taken.s, NULL);
	must(commit_group(&p->c, g.d, g.n, &e), &e);
	assert_string_equal(g.d[0]->file.s, longer.s);
	for (size_t i = 0; i < g.n; i++) {
		assert_int_equal(g.d[i]->index, i);
		assert_int_equal(g.d[i]->disposition, DISPOSITION_LANDED);
	}
	group_free(&g);
	shell(p, "[ other = \"$(cat now/zone/@)\" ] && rm -f now/zone/@",
		taken.s, NULL);
	check_world(p, N_BOTH, N_BOTH);
	shut(p);
	(void)recover(p);
	check_world(p, N_BOTH, N_BOTH);
	str_release(&taken);
	str_release(&longer);
}

static void
test_same_bytes_in_one_group(void **state)
{
	static const struct made noted[] = {
		{.source = "a", .name = "one", .text = "same\n"},
		{.source = "a", .name = "two", .text = "same\n"},
		{.source = "b", .name = "one", .text = "same\n"},
	};
	static const struct made landed[] = {
		{.source = "c", .name = "one", .text = "same\n"},
		{.source = "c",
			.name = "two",
			.text = "same\n",
			.duplicates = DUPLICATE_LAND},
	};
	struct place *p = *state;
	struct group g;

	land_group(p, &g, noted, ARRAY_LEN(noted));
	assert_int_equal(g.d[0]->disposition, DISPOSITION_LANDED);
	assert_int_equal(g.d[1]->disposition, DISPOSITION_DUPLICATE);
	assert_true(g.d[1]->recorded);
	assert_string_equal(g.d[1]->file.s, g.d[0]->file.s);
	assert_int_equal(g.d[2]->disposition, DISPOSITION_LANDED);
	group_free(&g);
	check_world(p, 3, 2);
	land_group(p, &g, landed, ARRAY_LEN(landed));
	assert_int_equal(g.d[1]->disposition, DISPOSITION_LANDED);
	group_free(&g);
	check_world(p, 5, 4);
	shut(p);
	(void)recover(p);
	check_world(p, 5, 4);
}

static void
test_same_name_twice_in_one_group(void **state)
{
	static const struct made m[] = {
		{.source = "a", .name = "n", .text = "first\n"},
		{.source = "a", .name = "n", .text = "first\n"},
		{.source = "a", .name = "n", .text = "more\n", .generation = 2},
	};
	struct place *p = *state;
	struct group g;

	land_group(p, &g, m, ARRAY_LEN(m));
	assert_int_equal(g.d[0]->disposition, DISPOSITION_LANDED);
	assert_int_equal(g.d[1]->disposition, DISPOSITION_DUPLICATE);
	assert_false(g.d[1]->recorded);
	assert_int_equal(g.d[2]->disposition, DISPOSITION_NEW_VERSION);
	group_free(&g);
	check_world(p, 2, 2);
	shut(p);
	(void)recover(p);
	check_world(p, 2, 2);
}

/*
 * A name goes to and fro between bytes it had today: the paths are taken by
 * us, first some, in the end (12, 16, ... 64 digits) all.
 */
static void
test_to_and_fro(void **state)
{
	struct made m[] = {
		{.source = "a", .name = "n", .text = "x\n"},
		{.source = "a", .name = "n", .text = "y\n"},
	};
	const char *reason[] = {NULL, "a test says so"};
	uint64_t entries = 0, files = 0;
	struct place *p = *state;

	for (size_t i = 0; i < 64; i++) {
		struct made *now = &m[i % 2];

		now->generation = (uint32_t)(i % 32 + 1);
		now->duplicates = DUPLICATE_LAND;
		now->reason = reason[i / 32];
		land_these(p, now, 1);
		/* Landed ones are entries all the same. */
		files += i % 32 < 2 * 14;
		entries += i < 32 || i % 32 < 2 * 14;
	}
	check_world(p, entries, files);
	shut(p);
	(void)recover(p);
	check_world(p, entries, files);
}

/* What is quarantined comes back, touched but the same, on the same day. */
static void
test_quarantined_again(void **state)
{
	static const struct made m = {.source = "a",
		.name = "bad",
		.text = "bad\n",
		.reason = "a test says so"};
	struct place *p = *state;
	struct group g;

	land_these(p, &m, 1);
	check_world(p, 1, 1);
	land_group(p, &g, &m, 1);
	assert_int_equal(g.d[0]->disposition, DISPOSITION_QUARANTINED);
	assert_false(g.d[0]->recorded);
	group_free(&g);
	check_world(p, 1, 1);
	shut(p);
	(void)recover(p);
	check_world(p, 1, 1);
}

/* A release that is quarantined again decides nothing, and lands nothing. */
static void
test_release_that_fails(void **state)
{
	static const struct made first = {.source = "a",
		.name = "bad",
		.text = "bad\n",
		.reason = "a test says so"};
	struct made again = first;
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct group g;
	uint64_t by;

	land_these(p, &first, 1);
	/* Another reason: the landing file would be another one too. */
	again.reason = "a test says so again";
	group_make(p, &g, &again, 1);
	g.d[0]->settles = true;
	must(commit_group(&p->c, g.d, g.n, &e), &e);
	assert_int_equal(g.d[0]->disposition, DISPOSITION_QUARANTINED);
	assert_false(g.d[0]->recorded);
	assert_false(g.d[0]->settles);
	assert_string_equal(g.d[0]->reason, again.reason);
	group_free(&g);
	assert_int_equal(catalog_settled(p->c.catalog, 0, &by, &e), END);
	check_world(p, 1, 1);
	shut(p);
	(void)recover(p);
	check_world(p, 1, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_path_taken),
		TEST(test_same_bytes_in_one_group),
		TEST(test_same_name_twice_in_one_group),
		TEST(test_to_and_fro),
		TEST(test_quarantined_again),
		TEST(test_release_that_fails),
	};

	return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
