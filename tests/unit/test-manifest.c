/* daemon/manifest: what manifests name, where that leads, and how much. */
#include "daemon/manifest.h"

#include <stdio.h>

#include "base/mem.h"
#include "unit.h"

#include "scratch.h"

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct source_config config;
	const struct source_ops *ops;
	struct source *source;
	struct manifests ms;
};

static const struct checklist_table no_table;
static char source_name[] = "s";

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make_quick(p->path);
	p->config = (struct source_config){
		.name = source_name,
		.kind = SOURCE_DROP,
		.drop = {.path = p->path, .recursive = true},
	};
	p->ops = source_ops(SOURCE_DROP);
	must(p->ops->open(&p->config, NULL, &p->source, &e), &e);
	manifests_init(&p->ms, &no_table, p->ops, p->source);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	manifests_release(&p->ms);
	p->ops->close(p->source);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static bool
add(struct place *p, const char *name)
{
	struct item it = {
		.name = (const uint8_t *)name, .name_len = strlen(name)};

	return manifests_add(&p->ms, &it);
}

static void
write_one(struct place *p, const char *name, const char *text)
{
	scratch_file(p->dir, name, text);
	assert_true(add(p, name));
}

static struct manifest *
named(struct place *p, const char *name)
{
	struct manifest *m =
		manifests_named(&p->ms, (const uint8_t *)name, strlen(name));

	assert_non_null(m);
	return m;
}

static struct member *
member(struct place *p, const char *name)
{
	return manifests_find(&p->ms, (const uint8_t *)name, strlen(name));
}

static void
test_paths(void **state UNUSED)
{
	static const struct {
		const char *name, *path; /* NULL: it leads nowhere */
	} rows[] = {
		{"a.csv", "in/a.csv"},
		{"sub/a.csv", "in/sub/a.csv"},
		{".//sub/./a.csv", "in/sub/a.csv"},
		{"...", "in/..."},
		{"..a/b..", "in/..a/b.."},
		{"a\\b", "in/a\\b"},
		{"/a.csv", NULL},
		{"..", NULL},
		{"../a.csv", NULL},
		{"sub/../a.csv", NULL},
		{"sub/..", NULL},
		{"sub/", NULL},
		{".", NULL},
		{"./", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str path = STR_INIT;
		const char *why = manifest_path(&path, (const uint8_t *)"in/",
			3, (const uint8_t *)rows[i].name, strlen(rows[i].name));

		if (rows[i].path == NULL) {
			assert_non_null(why);
		} else {
			assert_null(why);
			assert_string_equal(path.s, rows[i].path);
		}
		str_release(&path);
	}
}

/* Two that name the same; itself; a name twice; one that cannot be used. */
static void
test_names(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	assert_int_equal(mkdirat(p->dir, "sub", 0755), 0);
	write_one(p, "z.mf", "b\nc\nz.mf\nb\n./b\n");
	write_one(p, "a.mf", "a\nb\nsub/x\n");
	write_one(p, "sub/x.mf", "x\n");
	write_one(p, "bad.mf", "good\n../b\n");
	write_one(p, "gone.mf", "good\n");
	assert_int_equal(unlinkat(p->dir, "gone.mf", 0), 0);
	must(manifests_read(&p->ms, &e), &e);
	assert_int_equal(p->ms.n_members, 4);
	assert_non_null(member(p, "a"));
	assert_non_null(member(p, "sub/x"));
	assert_null(member(p, "x"));
	assert_null(member(p, "good"));
	assert_null(member(p, "z.mf"));
	assert_int_equal(named(p, "z.mf")->names, 2);
	assert_int_equal(named(p, "z.mf")->n, 4);
	assert_int_equal(named(p, "a.mf")->names, 3);
	assert_true(named(p, "bad.mf")->bad);
	assert_string_equal(named(p, "bad.mf")->trouble,
		"line 2: ../b leads out of its folder");
	assert_false(named(p, "gone.mf")->bad);
	assert_true(named(p, "gone.mf")->wait > 0);
	assert_null(manifests_named(&p->ms, (const uint8_t *)"b.mf", 4));
}

/* By name: those that fit are whole, the others wait and are not blamed. */
static void
test_bounds(void **state)
{
	struct place *p = *state;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;
	char name[32];

	for (int k = 0; k < 3; k++) {
		str_clear(&text);
		for (int i = 0; i < 80000; i++)
			str_addf(&text, "%d-%d\n", k, i);
		(void)snprintf(name, sizeof(name), "%d.mf", 2 - k);
		write_one(p, name, text.s);
	}
	write_one(p, "3.mf", "small\n");
	for (int i = 4; i < MANIFESTS_MAX; i++)
		assert_true(add(p, "not-there.mf"));
	assert_false(add(p, "one-more.mf"));
	must(manifests_read(&p->ms, &e), &e);
	assert_int_equal(named(p, "0.mf")->names, 80000);
	assert_int_equal(named(p, "1.mf")->names, 80000);
	assert_non_null(named(p, "2.mf")->trouble);
	assert_false(named(p, "2.mf")->bad);
	assert_int_equal(named(p, "2.mf")->n, 0);
	assert_non_null(member(p, "2-79999")); /* 0.mf was written last */
	assert_null(member(p, "0-0"));
	assert_non_null(member(p, "small"));
	assert_true(p->ms.n_mentions <= MANIFEST_NAMES_MAX);
	str_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		cmocka_unit_test(test_paths),
		TEST(test_names),
		TEST(test_bounds),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
