/* zone/: names nobody can choose for us, put-if-absent, SHA256SUMS. */
#include "landfall/zone.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/mem.h"
#include "unit.h"

#include "scratch.h"

/* 2026-11-23T12:00:00Z */
#define NOON (INT64_C(1795435200) * CLOCK_SECOND)

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct zone *zone;
};

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make(p->path);
	must(zone_create(p->path, &e), &e);
	must(zone_open(p->path, &p->zone, &e), &e);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	zone_close(p->zone);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

/* ---- names ---- */

static const uint8_t sum[HASH_LEN] = {0x3f, 0x9a, 0x1c, 0x2b, 0x44, 0xd0, 0x11};

static void
name_of(struct str *s, const void *name, size_t len)
{
	str_clear(s);
	zone_path(s, "", "acme", NOON, name, len, sum, 12);
}

#define DAY "acme/dt=2026-11-23/"
#define SHA "3f9a1c2b44d0"

static const struct name_case {
	const char *name;
	const char *path;
} name_cases[] = {
	{"orders_20261123.csv", DAY "orders_20261123." SHA ".csv.zst"},
	{"README", DAY "README." SHA ".zst"},
	{"sub/dir/a.csv", DAY "sub%2Fdir%2Fa." SHA ".csv.zst"},
	{"a.tar.gz", DAY "a.tar." SHA ".gz.zst"},
	/* Not an extension: nothing before it, too long, other bytes. */
	{".bashrc", DAY "%2Ebashrc." SHA ".zst"},
	{"sub/.csv", DAY "sub%2F.csv." SHA ".zst"},
	{"a.", DAY "a.." SHA ".zst"},
	{"a.1234567890123456", DAY "a." SHA ".1234567890123456.zst"},
	{"a.12345678901234567", DAY "a.12345678901234567." SHA ".zst"},
	{"a.c-v", DAY "a.c-v." SHA ".zst"},
	{"a.b/c", DAY "a.b%2Fc." SHA ".zst"},
	/* What readers skip, shells misread and terminals obey. */
	{"_a.csv", DAY "%5Fa." SHA ".csv.zst"},
	{"-rf", DAY "%2Drf." SHA ".zst"},
	{"..", DAY "%2E.." SHA ".zst"},
	{"../../etc/x.csv", DAY "%2E.%2F..%2Fetc%2Fx." SHA ".csv.zst"},
	{"new\nline.csv", DAY "new%0Aline." SHA ".csv.zst"},
	{"\xff\xfe.csv", DAY "%FF%FE." SHA ".csv.zst"},
	{"a b%20c.csv", DAY "a%20b%2520c." SHA ".csv.zst"},
	{"back\\slash", DAY "back%5Cslash." SHA ".zst"},
	{"SHA256SUMS", DAY "SHA256SUMS." SHA ".zst"},
};

static void
test_names_become_safe_components(void **state UNUSED)
{
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(name_cases); i++) {
		name_of(&s, name_cases[i].name, strlen(name_cases[i].name));
		assert_string_equal(s.s, name_cases[i].path);
	}
	str_clear(&s);
	zone_path(&s, FORMAT_QUARANTINE_DIR, "acme", NOON,
		(const uint8_t *)"a.csv", 5, sum, 14);
	assert_string_equal(s.s, "_quarantine/" DAY "a.3f9a1c2b44d011.csv.zst");
	str_release(&s);
}

static const char *
component(const struct str *s)
{
	return strrchr(s->s, '/') + 1;
}

static void
test_long_names_are_cut_and_stay_apart(void **state UNUSED)
{
	struct str a = STR_INIT, b = STR_INIT;
	char name[255];
	size_t most = 0;

	/* Every byte needs three: each length cuts at another place. */
	for (size_t len = 1; len <= sizeof(name); len++) {
		const char *c;

		memset(name, 0xff, len);
		name_of(&a, name, len);
		c = component(&a);
		assert_true(strlen(c) <= NAME_MAX);
		most = strlen(c) > most ? strlen(c) : most;
		assert_null(strstr(c, "%~"));
		assert_null(strstr(c, "%F~"));
		assert_non_null(strstr(c, "." SHA ".zst"));
	}
	assert_true(most > NAME_MAX - 3);
	/* Uncut bytes before the cut: all three phases of %XX. */
	for (size_t plain = 0; plain < 3; plain++) {
		memset(name, 0xff, sizeof(name));
		memset(name, 'x', plain);
		name_of(&a, name, sizeof(name));
		assert_true(strlen(component(&a)) <= NAME_MAX);
		assert_null(strstr(a.s, "%~"));
		assert_null(strstr(a.s, "%F~"));
		assert_non_null(strchr(a.s, '~'));
	}
	/* They differ only behind the cut. */
	memset(name, 'x', sizeof(name));
	name_of(&a, name, sizeof(name));
	name[sizeof(name) - 1] = 'y';
	name_of(&b, name, sizeof(name));
	assert_string_not_equal(a.s, b.s);
	assert_int_equal(strlen(component(&a)), NAME_MAX);
	/* The longest that is not cut, and one more. */
	memset(name, 'x', sizeof(name));
	name_of(&a, name, 255 - strlen("." SHA ".zst"));
	assert_null(strchr(a.s, '~'));
	assert_int_equal(strlen(component(&a)), NAME_MAX);
	name_of(&a, name, 256 - strlen("." SHA ".zst"));
	assert_non_null(strchr(a.s, '~'));
	str_release(&a);
	str_release(&b);
}

static void
test_the_cut_name_carries_the_digest_of_the_exact_name(void **state UNUSED)
{
	struct str a = STR_INIT, want = STR_INIT;
	uint8_t digest[HASH_LEN];
	char name[255];

	memset(name, 'x', sizeof(name));
	memcpy(name + 251, ".csv", 4);
	hash_bytes(name, sizeof(name), digest);
	str_addc(&want, '~');
	str_add_hex(&want, digest, 8);
	str_add(&want, "." SHA ".csv.zst");
	name_of(&a, name, sizeof(name));
	assert_string_equal(strchr(a.s, '~'), want.s);
	str_release(&a);
	str_release(&want);
}

/* ---- staging and publishing ---- */

static uint64_t
stage(struct zone *z, const char *text)
{
	struct err e = ERR_INIT;
	uint64_t id;
	int fd;

	must(zone_stage(z, &id, &fd, &e), &e);
	must(io_write(fd, text, strlen(text), BROKEN, &e), &e);
	must(io_close(&fd, BROKEN, &e), &e);
	return id;
}

static void
assert_bytes(struct zone *z, const char *path, const char *text)
{
	struct err e = ERR_INIT;
	char got[256];
	size_t n;
	int fd;

	must(zone_read(z, path, &fd, &e), &e);
	must(io_read(fd, got, sizeof(got), &n, BROKEN, &e), &e);
	close(fd);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, n);
}

static void
test_publish_puts_once(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct stat st;
	uint64_t a = stage(p->zone, "one"), b = stage(p->zone, "two");
	char name[64];
	int fd = -1;

	assert_int_not_equal(a, b);
	assert_int_equal(zone_read(p->zone, DAY "x.zst", &fd, &e), END);
	must(zone_publish(p->zone, a, DAY "x.zst", &e), &e);
	must(zone_sync_parent(p->zone, DAY "x.zst", &e), &e);
	assert_int_equal(zone_publish(p->zone, b, DAY "x.zst", &e), BAD_ITEM);
	assert_int_equal(e.cause, EEXIST);
	assert_bytes(p->zone, DAY "x.zst", "one");
	assert_int_equal(fstatat(p->dir, DAY "x.zst", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777 & ~0440u, 0);
	/* Nothing changed: the second is still staged. */
	snprintf(name, sizeof(name), "_staging/%llu", (unsigned long long)b);
	assert_int_equal(fstatat(p->dir, name, &st, 0), 0);
	zone_unstage(p->zone, b);
	zone_unstage(p->zone, b);
	assert_int_equal(fstatat(p->dir, name, &st, 0), -1);
	assert_int_equal(zone_publish(p->zone, b, DAY "y.zst", &e), BROKEN);
}

static void
test_a_removed_directory_is_made_again(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	must(zone_publish(p->zone, stage(p->zone, "1"), DAY "x.zst", &e), &e);
	assert_int_equal(unlinkat(p->dir, DAY "x.zst", 0), 0);
	assert_int_equal(unlinkat(p->dir, DAY, AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(p->dir, "acme", AT_REMOVEDIR), 0);
	must(zone_publish(p->zone, stage(p->zone, "2"), DAY "x.zst", &e), &e);
	assert_bytes(p->zone, DAY "x.zst", "2");
}

static void
test_more_directories_than_are_remembered(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	char path[64];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 70; i++) {
			snprintf(path, sizeof(path),
				"s%d/dt=2026-11-23/f%d.zst", i, round);
			must(zone_publish(
				     p->zone, stage(p->zone, "x"), path, &e),
				&e);
		}
	assert_bytes(p->zone, "s69/dt=2026-11-23/f1.zst", "x");
}

static void
test_what_is_no_file_is_not_read(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	int fd = -1;

	assert_int_equal(mkfifoat(p->dir, "fifo.zst", 0600), 0);
	assert_int_equal(symlinkat("/etc/passwd", p->dir, "link.zst"), 0);
	assert_int_equal(mkdirat(p->dir, "dir.zst", 0700), 0);
	assert_int_equal(zone_read(p->zone, "fifo.zst", &fd, &e), BROKEN);
	assert_int_equal(zone_read(p->zone, "link.zst", &fd, &e), BROKEN);
	assert_int_equal(zone_read(p->zone, "dir.zst", &fd, &e), BROKEN);
	assert_int_equal(fd, -1);
}

static void
test_sweep_removes_all_but_one_and_follows_nothing(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct stat st;

	stage(p->zone, "left");
	scratch_file(p->dir, "outside", "kept");
	assert_int_equal(mkdirat(p->dir, "outdir", 0700), 0);
	scratch_file(p->dir, "outdir/f", "kept");
	scratch_file(p->dir, "_staging/intent", "kept");
	scratch_file(p->dir, "_staging/intent.tmp", "gone");
	assert_int_equal(symlinkat("../outside", p->dir, "_staging/l"), 0);
	assert_int_equal(symlinkat("../outdir", p->dir, "_staging/ld"), 0);
	assert_int_equal(mkfifoat(p->dir, "_staging/fifo", 0600), 0);
	assert_int_equal(mkdirat(p->dir, "_staging/d", 0700), 0);
	assert_int_equal(mkdirat(p->dir, "_staging/d/d", 0700), 0);
	assert_int_equal(
		symlinkat("../../../outdir", p->dir, "_staging/d/d/l"), 0);
	scratch_file(p->dir, "_staging/d/intent", "gone: not in staging");
	must(zone_sweep(p->zone, "intent", &e), &e);
	must(zone_sweep(p->zone, "intent", &e), &e);
	assert_int_equal(fstatat(p->dir, "outside", &st, 0), 0);
	assert_int_equal(fstatat(p->dir, "outdir/f", &st, 0), 0);
	assert_int_equal(fstatat(p->dir, "_staging/intent", &st, 0), 0);
	assert_int_equal(unlinkat(p->dir, "_staging/intent", 0), 0);
	/* Empty now. */
	assert_int_equal(unlinkat(p->dir, "_staging", AT_REMOVEDIR), 0);
}

static void
test_create_makes_the_way_and_open_wants_a_zone(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct zone *z = NULL;
	struct str path = STR_INIT;
	uint64_t room, size;

	str_addf(&path, "%s/a/b/zone", p->path);
	assert_int_equal(zone_open(path.s, &z, &e), BROKEN);
	must(zone_create(path.s, &e), &e);
	must(zone_create(path.s, &e), &e);
	must(zone_open(path.s, &z, &e), &e);
	must(zone_space(z, &room, &size, &e), &e);
	assert_true(room > 0 && room <= size);
	zone_close(z);
	z = NULL;
	str_clear(&path);
	str_addf(&path, "%s/a", p->path);
	assert_int_equal(zone_open(path.s, &z, &e), BROKEN);
	assert_non_null(strstr(e.text, "landfall init"));
	assert_null(z);
	scratch_file(p->dir, "file", "");
	str_clear(&path);
	str_addf(&path, "%s/file/zone", p->path);
	assert_int_equal(zone_create(path.s, &e), BROKEN);
	str_release(&path);
}

/* ---- listing ---- */

static enum rc
add_line(void *arg, const char *path, struct err *e UNUSED)
{
	str_addf(arg, "%s\n", path);
	return OK;
}

static enum rc
stop(void *arg, const char *path UNUSED, struct err *e UNUSED)
{
	++*(int *)arg;
	return AGAIN;
}

static void
test_list_is_every_landing_file_and_nothing_else(void **state)
{
	static const char *const files[] = {
		"b/dt=2026-11-23/x.zst",
		"b/dt=2026-11-22/y.zst",
		"a/dt=2026-11-23/z.zst",
		"_quarantine/a/dt=2026-11-23/q.zst",
	};
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct str s = STR_INIT;
	int n = 0;

	must(zone_list(p->zone, NULL, add_line, &s, &e), &e);
	assert_string_equal(s.s, "");
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		must(zone_publish(p->zone, stage(p->zone, "x"), files[i], &e),
			&e);
	stage(p->zone, "staged");
	scratch_file(p->dir, "a/dt=2026-11-23/SHA256SUMS", "");
	scratch_file(p->dir, "a/dt=2026-11-23/_a.zst", "");
	scratch_file(p->dir, "a/dt=2026-11-23/.zst", "");
	scratch_file(p->dir, "a/stray.zst", "");
	scratch_file(p->dir, "stray.zst", "");
	assert_int_equal(mkdirat(p->dir, "a/dt=today", 0755), 0);
	scratch_file(p->dir, "a/dt=today/x.zst", "");
	assert_int_equal(
		mkdirat(p->dir, "a/dt=2026-11-23/directory.zst", 0755), 0);
	assert_int_equal(
		symlinkat("z.zst", p->dir, "a/dt=2026-11-23/l.zst"), 0);
	must(zone_list(p->zone, NULL, add_line, &s, &e), &e);
	assert_string_equal(s.s,
		"a/dt=2026-11-23/z.zst\n"
		"b/dt=2026-11-22/y.zst\n"
		"b/dt=2026-11-23/x.zst\n"
		"_quarantine/a/dt=2026-11-23/q.zst\n");
	str_clear(&s);
	must(zone_list(p->zone, "a", add_line, &s, &e), &e);
	assert_string_equal(s.s,
		"a/dt=2026-11-23/z.zst\n"
		"_quarantine/a/dt=2026-11-23/q.zst\n");
	assert_int_equal(zone_list(p->zone, NULL, stop, &n, &e), AGAIN);
	assert_int_equal(n, 1);
	must(zone_list(p->zone, "nobody", stop, &n, &e), &e);
	assert_int_equal(n, 1);
	str_release(&s);
}

/* ---- SHA256SUMS ---- */

#define SUMS DAY FORMAT_SUMS_NAME
#define DIR_OF_DAY "acme/dt=2026-11-23"

static void
assert_sums(struct place *p, const char *text)
{
	struct err e = ERR_INIT;
	struct str s = STR_INIT;

	must(io_read_file(p->dir, SUMS, 1 << 20, &s, BROKEN, &e), &e);
	assert_string_equal(s.s, text);
	str_release(&s);
}

static void
test_sums_lines_are_for_sha256sum(void **state UNUSED)
{
	struct str s = STR_INIT;
	uint8_t zero[HASH_LEN] = {0xab};

	zone_sums_line(&s, DAY "a.zst", zero);
	assert_string_equal(s.s,
		"ab000000000000000000000000000000"
		"00000000000000000000000000000000  a.zst\n");
	str_release(&s);
}

static void
test_sums_complete_every_torn_prefix(void **state)
{
	static const char before[] = "0000  before\n";
	static const char group[] = "1111  a\n1111  ab\n2222  c\n";
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct stat st;
	/* Not a byte more than the lines: reading on is seen by a sanitizer. */
	char *exact = mem_alloc(sizeof(group) - 1);

	memcpy(exact, group, sizeof(group) - 1);
	assert_int_equal(mkdirat(p->dir, "acme", 0755), 0);
	assert_int_equal(mkdirat(p->dir, DIR_OF_DAY, 0755), 0);
	for (int old = 0; old < 2; old++)
		for (size_t torn = 0; torn < sizeof(group); torn++) {
			char there[64], want[64];

			snprintf(there, sizeof(there), "%s%.*s",
				old ? before : "", (int)torn, group);
			snprintf(want, sizeof(want), "%s%s", old ? before : "",
				group);
			scratch_file(p->dir, SUMS, there);
			for (int again = 0; again < 2; again++) {
				must(zone_sums_append(p->zone, DIR_OF_DAY,
					     exact, sizeof(group) - 1, &e),
					&e);
				assert_sums(p, want);
			}
		}
	free(exact);
	assert_int_equal(unlinkat(p->dir, SUMS, 0), 0);
	must(zone_sums_append(p->zone, DIR_OF_DAY, "1  a\n", 5, &e), &e);
	must(zone_sums_append(p->zone, DIR_OF_DAY, "2  b\n", 5, &e), &e);
	assert_sums(p, "1  a\n2  b\n");
	assert_int_equal(fstatat(p->dir, SUMS, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777 & ~0644u, 0);
}

static void
test_sums_are_not_fooled_by_what_looks_alike(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	assert_int_equal(mkdirat(p->dir, "acme", 0755), 0);
	assert_int_equal(mkdirat(p->dir, DIR_OF_DAY, 0755), 0);
	/* The end of a line is not the start of one. */
	scratch_file(p->dir, SUMS, "91  a\n");
	must(zone_sums_append(p->zone, DIR_OF_DAY, "1  a\n", 5, &e), &e);
	assert_sums(p, "91  a\n1  a\n");
	/* A torn line of another group is not ours to complete. */
	scratch_file(p->dir, SUMS, "1  a\n2  ");
	assert_int_equal(
		zone_sums_append(p->zone, DIR_OF_DAY, "3  c\n", 5, &e), BROKEN);
	assert_non_null(strstr(e.text, SUMS));
	assert_sums(p, "1  a\n2  ");
	assert_int_equal(unlinkat(p->dir, SUMS, 0), 0);
	assert_int_equal(symlinkat("elsewhere", p->dir, SUMS), 0);
	assert_int_equal(
		zone_sums_append(p->zone, DIR_OF_DAY, "3  c\n", 5, &e), BROKEN);
	assert_int_equal(unlinkat(p->dir, SUMS, 0), 0);
	assert_int_equal(mkfifoat(p->dir, SUMS, 0600), 0);
	assert_int_equal(
		zone_sums_append(p->zone, DIR_OF_DAY, "3  c\n", 5, &e), BROKEN);
	assert_non_null(strstr(e.text, "not a regular file"));
}

#define with_zone(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_become_safe_components),
		cmocka_unit_test(test_long_names_are_cut_and_stay_apart),
		cmocka_unit_test(
			test_the_cut_name_carries_the_digest_of_the_exact_name),
		with_zone(test_publish_puts_once),
		with_zone(test_a_removed_directory_is_made_again),
		with_zone(test_more_directories_than_are_remembered),
		with_zone(test_what_is_no_file_is_not_read),
		with_zone(test_sweep_removes_all_but_one_and_follows_nothing),
		with_zone(test_create_makes_the_way_and_open_wants_a_zone),
		with_zone(test_list_is_every_landing_file_and_nothing_else),
		cmocka_unit_test(test_sums_lines_are_for_sha256sum),
		with_zone(test_sums_complete_every_torn_prefix),
		with_zone(test_sums_are_not_fooled_by_what_looks_alike),
	};

	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
