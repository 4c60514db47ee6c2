/* base/: the errors, encoders, clocks and durable writes all else rests on. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/durable.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static void
test_err_keeps_cause_and_adds_context(void **state UNUSED)
{
	struct err e = ERR_INIT;

	assert_int_equal(
		err_sys(&e, BAD_ITEM, ENOENT, "open %s", "a"), BAD_ITEM);
	assert_int_equal(err_add(&e, "source %s", "s"), BAD_ITEM);
	assert_string_equal(
		e.text, "source s: open a: No such file or directory");
	assert_int_equal(e.cause, ENOENT);
}

static void
test_err_cuts_what_does_not_fit(void **state UNUSED)
{
	struct err e = ERR_INIT;
	char big[4000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, BROKEN, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_add(&e, "context");
	assert_memory_equal(e.text, "context: xxx", 12);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void
test_err_says_nothing_to_the_terminal(void **state UNUSED)
{
	struct err e = ERR_INIT;

	/* Paths come from shells that expand what partners named. */
	err_sys(&e, BAD_ITEM, ENOENT, "open %s", "a\033[2J\n\x7f\xc3\xa9");
	err_add(&e, "%s", "b\r");
	assert_string_equal(
		e.text, "b?: open a?[2J??\xc3\xa9: No such file or directory");
}

/* What is said of an error may be told by another, even by itself. */
static void
test_err_may_be_of_its_own_text(void **state UNUSED)
{
	struct err e = ERR_INIT;

	err_set(&e, BAD_SOURCE, "file b/password: not there");
	assert_int_equal(
		err_set(&e, AGAIN, "unpack.password: %s", e.text), AGAIN);
	assert_string_equal(
		e.text, "unpack.password: file b/password: not there");
	err_sys(&e, BROKEN, ENOENT, "a: %s", e.text + 17);
	assert_string_equal(e.text,
		"a: file b/password: not there: No such file or directory");
	err_add(&e, "%.1s", e.text);
	assert_string_equal(e.text,
		"a: a: file b/password: not there: No such file or directory");
}

static void
test_buf_refuses_more_than_its_maximum(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, 10);
	must(buf_add(&b, "12345678", 8, &e), &e);
	assert_int_equal(buf_add(&b, "abc", 3, &e), BAD_ITEM);
	assert_string_equal(e.text, "more than 10 bytes");
	assert_int_equal(b.len, 8);
	buf_drop(&b, 6);
	assert_memory_equal(b.data, "78", 2);
	buf_release(&b);
}

static const struct quote_case {
	const char *bytes;
	size_t n;
	const char *shown;
} quote_cases[] = {
	{"plain.csv", 9, "plain.csv"},
	{"", 0, "''"},
	{"a b", 3, "'a b'"},
	{"new\nline", 8, "'new\\x0aline'"},
	{"\xff\xfe", 2, "'\\xff\\xfe'"},
	{"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
	{"a\\b", 3, "'a\\\\b'"},
	{"\x1b[31m", 5, "'\\x1b[31m'"},
	{"a\xe2\x80\xae"
	 "b",
		5,
		"'a\\xe2\\x80\\xae"
		"b'"},
};

static void
test_names_are_quoted_for_humans(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(quote_cases); i++) {
		struct str s = STR_INIT;

		str_add_quoted(&s, quote_cases[i].bytes, quote_cases[i].n);
		assert_string_equal(s.s, quote_cases[i].shown);
		str_release(&s);
	}
}

static void
test_percent_encoding_is_reversible(void **state UNUSED)
{
	uint8_t bytes[256], back[256];
	struct str s = STR_INIT;
	size_t n;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	str_add_percent(&s, bytes, sizeof(bytes), "/");
	assert_true(str_is_utf8(s.s, s.len));
	assert_true(str_parse_percent(s.s, s.len, back, sizeof(back), &n));
	assert_int_equal(n, sizeof(bytes));
	assert_memory_equal(back, bytes, n);
	assert_false(str_parse_percent("%4", 2, back, sizeof(back), &n));
	assert_false(str_parse_percent("%zz", 3, back, sizeof(back), &n));
	str_release(&s);
}

static void
test_base64_is_strict(void **state UNUSED)
{
	/* RFC 4648 section 10. */
	static const char *const vector[][2] = {{"", ""}, {"f", "Zg=="},
		{"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	uint8_t out[16];
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(vector); i++) {
		struct str s = STR_INIT;

		str_add_base64(&s, (const uint8_t *)vector[i][0],
			strlen(vector[i][0]));
		assert_string_equal(s.s, vector[i][1]);
		assert_true(str_parse_base64(s.s, s.len, out, sizeof(out), &n));
		assert_int_equal(n, strlen(vector[i][0]));
		assert_memory_equal(out, vector[i][0], n);
		str_release(&s);
	}
	assert_false(str_parse_base64("Zh==", 4, out, sizeof(out), &n));
	assert_false(str_parse_base64("Z===", 4, out, sizeof(out), &n));
	assert_false(str_parse_base64("Zg=", 3, out, sizeof(out), &n));
	assert_false(str_parse_base64("Zg==Zg==", 8, out, sizeof(out), &n));
}

static void
test_utf8_is_rfc3629(void **state UNUSED)
{
	assert_true(str_is_utf8("a\xf0\x9d\x84\x9e", 5));
	assert_false(str_is_utf8("\xc0\x80", 2));
	assert_false(str_is_utf8("\xed\xa0\x80", 3));
	assert_false(str_is_utf8("\xf4\x90\x80\x80", 4));
	assert_false(str_is_utf8("\xe2\x82", 2));
}

static void
test_numbers_and_sizes(void **state UNUSED)
{
	struct str s = STR_INIT;
	uint64_t v;

	assert_true(str_parse_u64("18446744073709551615", 20, &v));
	assert_true(v == UINT64_MAX);
	assert_false(str_parse_u64("18446744073709551616", 20, &v));
	assert_false(str_parse_u64("", 0, &v));
	assert_false(str_parse_u64("-1", 2, &v));
	str_add_size(&s, 1023), str_addc(&s, '|');
	str_add_size(&s, 1536), str_addc(&s, '|');
	str_add_size(&s, (uint64_t)5 << 30), str_addc(&s, '|');
	str_add_duration(&s, 850000000), str_addc(&s, '|');
	str_add_duration(&s, UINT64_C(245000000000));
	assert_string_equal(s.s, "1023 B|1.5 KiB|5.0 GiB|850ms|4m05s");
	str_clear(&s);
	str_add_count(&s, 0, "record"), str_addc(&s, '|');
	str_add_count(&s, 1, "record"), str_addc(&s, '|');
	str_add_count(&s, 2, "record"), str_addc(&s, '|');
	str_add_count(&s, 1, "entry"), str_addc(&s, '|');
	str_add_count(&s, 2, "entry");
	assert_string_equal(
		s.s, "0 records|1 record|2 records|1 entry|2 entries");
	str_release(&s);
	assert_int_equal(str_distance("recursive", "recusrive"), 1);
	assert_int_equal(str_distance("match", "mtach"), 1);
	assert_int_equal(str_distance("zone", "origin"), 6);
}

static void
test_times_round_trip(void **state UNUSED)
{
	struct str s = STR_INIT;
	int64_t wall;

	clock_add_time_ns(&s, -1);
	assert_string_equal(s.s, "1969-12-31T23:59:59.999999999Z");
	assert_true(clock_parse_time(s.s, &wall));
	assert_true(wall == -1);
	assert_true(clock_parse_time("2026-11-23T01:02:03Z", &wall));
	str_clear(&s);
	clock_add_time(&s, wall);
	assert_string_equal(s.s, "2026-11-23T01:02:03Z");
	str_clear(&s);
	clock_add_date(&s, wall);
	assert_string_equal(s.s, "2026-11-23");
	assert_false(clock_parse_time("2026-11-23 01:02:03Z", &wall));
	assert_false(clock_parse_time("2026-11-23T01:02:03Zx", &wall));
	assert_false(clock_parse_time("2026-11-23T01:02:03", &wall));
	str_release(&s);
}

static int64_t wall_now, mono_now;

static int64_t
told_wall(void)
{
	return wall_now;
}

static int64_t
told_mono(void)
{
	return mono_now;
}

static void
test_a_clock_that_is_set_is_noticed(void **state UNUSED)
{
	static const struct clock_ops told = {told_wall, told_mono};

	clock_replace(&told);
	wall_now = 1000 * CLOCK_SECOND;
	mono_now = 5 * CLOCK_SECOND;
	assert_int_equal(clock_steady_since(), 0);
	/* A day passes, and the clock is slewed a little. */
	wall_now += 86400 * CLOCK_SECOND + CLOCK_SECOND / 10;
	mono_now += 86400 * CLOCK_SECOND;
	assert_int_equal(clock_steady_since(), 0);
	wall_now -= 3600 * CLOCK_SECOND;
	assert_int_equal(clock_steady_since(), wall_now);
	wall_now += CLOCK_SECOND;
	mono_now += CLOCK_SECOND;
	assert_int_equal(clock_steady_since(), wall_now - CLOCK_SECOND);
	wall_now += 7200 * CLOCK_SECOND;
	assert_int_equal(clock_steady_since(), wall_now);
	clock_replace(NULL);
}

static void
test_json_escapes_and_separates(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct jsonw j = jsonw_canonical(&s);

	jsonw_object(&j);
	jsonw_key(&j, "a"), jsonw_text(&j, "q\"b\\n\n\x01\xff\xc3\xa9");
	jsonw_key(&j, "b"), jsonw_array(&j);
	jsonw_u64(&j, 1), jsonw_i64(&j, -2), jsonw_bool(&j, true),
		jsonw_null(&j);
	jsonw_end(&j);
	jsonw_key(&j, "c"), jsonw_object(&j), jsonw_end(&j);
	jsonw_key(&j, "d"), jsonw_percent(&j, "x/\xff", 3);
	jsonw_end(&j);
	assert_string_equal(s.s,
		"{\"a\":\"q\\\"b\\\\n\\n\\u0001\xef\xbf\xbd\xc3\xa9\","
		"\"b\":[1,-2,true,null],\"c\":{},\"d\":\"x/%FF\"}");
	str_release(&s);
}

static void
test_hash_is_sha256(void **state UNUSED)
{
	uint8_t sum[HASH_LEN];
	struct str s = STR_INIT;

	hash_bytes("abc", 3, sum);
	str_add_hex(&s, sum, sizeof(sum));
	assert_string_equal(s.s,
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad");
	str_release(&s);
}

/* A directory of its own, below the build directory. */
static int
scratch(char path[64])
{
	int fd;

	strcpy(path, "test-base-XXXXXX");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
write_file(int dir, const char *name, const char *text)
{
	struct err e = ERR_INIT;
	int fd;

	must(io_open(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd, BROKEN,
		     &e),
		&e);
	must(io_write(fd, text, strlen(text), BROKEN, &e), &e);
	must(io_close(&fd, BROKEN, &e), &e);
}

static void
assert_file(int dir, const char *name, const char *text)
{
	struct err e = ERR_INIT;
	struct str s = STR_INIT;

	must(io_read_file(dir, name, 1 << 20, &s, BROKEN, &e), &e);
	assert_string_equal(s.s, text);
	str_release(&s);
}

static void
test_publish_never_overwrites(void **state UNUSED)
{
	struct err e = ERR_INIT;
	char path[64];
	int dir = scratch(path);

	must(durable_mkdirs(dir, "a/b/c", 0755, &e), &e);
	must(durable_mkdirs(dir, "a/b/c", 0755, &e), &e);
	write_file(dir, "one", "1");
	write_file(dir, "two", "2");
	must(durable_publish(dir, "one", dir, "a/b/c/x", &e), &e);
	assert_int_equal(
		durable_publish(dir, "two", dir, "a/b/c/x", &e), BAD_ITEM);
	assert_int_equal(e.cause, EEXIST);
	assert_file(dir, "a/b/c/x", "1");
	assert_file(dir, "two", "2");
	unlinkat(dir, "two", 0);
	unlinkat(dir, "a/b/c/x", 0);
	unlinkat(dir, "a/b/c", AT_REMOVEDIR);
	unlinkat(dir, "a/b", AT_REMOVEDIR);
	unlinkat(dir, "a", AT_REMOVEDIR);
	close(dir);
	assert_int_equal(rmdir(path), 0);
}

static void
test_replace_survives_its_own_leftovers(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct stat st;
	char path[64];
	int dir = scratch(path);

	write_file(dir, "f.tmp", "torn");
	must(durable_replace(dir, "f", "old", 3, 0444, &e), &e);
	must(durable_replace(dir, "f", "new", 3, 0444, &e), &e);
	assert_file(dir, "f", "new");
	assert_int_equal(fstatat(dir, "f.tmp", &st, 0), -1);
	assert_int_equal(
		durable_replace(dir, "no/f", "x", 1, 0444, &e), BROKEN);
	unlinkat(dir, "f", 0);
	close(dir);
	assert_int_equal(rmdir(path), 0);
}

static void
test_names_are_a_bounded_set(void **state UNUSED)
{
	struct names n = NAMES_INIT(1000, 4000);
	size_t len;
	char name[8];

	assert_int_equal(names_put(&n, "a\0", 2), 0);
	assert_int_equal(names_put(&n, "a", 1), 1);
	assert_int_equal(names_put(&n, "", 0), 2);
	assert_int_equal(names_put(&n, "a\0", 2), 0);
	assert_int_equal(names_put(&n, "", 0), 2);
	assert_memory_equal(names_at(&n, 0, &len), "a\0", 2);
	assert_int_equal(len, 2);
	/* Numbers stay while it grows; too many bytes, then too many names. */
	for (int i = 3; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(names_put(&n, name, strlen(name)), i);
	}
	assert_int_equal(names_put(&n, "a", 1), 1);
	assert_int_equal(names_put(&n, "400", 3), 400);
	n.bytes_max = n.text.len + 2;
	assert_int_equal(names_put(&n, "x12", 3), NAMES_FULL);
	assert_int_equal(names_put(&n, "x1", 2), 500);
	n.max = 501;
	assert_int_equal(names_put(&n, "", 0), 2);
	assert_int_equal(names_put(&n, "y", 1), NAMES_FULL);
	names_release(&n);
	assert_int_equal(n.max, 501);
	assert_int_equal(names_put(&n, "y", 1), 0);
	names_release(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_keeps_cause_and_adds_context),
		cmocka_unit_test(test_err_cuts_what_does_not_fit),
		cmocka_unit_test(test_err_says_nothing_to_the_terminal),
		cmocka_unit_test(test_err_may_be_of_its_own_text),
		cmocka_unit_test(test_buf_refuses_more_than_its_maximum),
		cmocka_unit_test(test_names_are_quoted_for_humans),
		cmocka_unit_test(test_names_are_a_bounded_set),
		cmocka_unit_test(test_percent_encoding_is_reversible),
		cmocka_unit_test(test_base64_is_strict),
		cmocka_unit_test(test_utf8_is_rfc3629),
		cmocka_unit_test(test_numbers_and_sizes),
		cmocka_unit_test(test_times_round_trip),
		cmocka_unit_test(test_a_clock_that_is_set_is_noticed),
		cmocka_unit_test(test_json_escapes_and_separates),
		cmocka_unit_test(test_hash_is_sha256),
		cmocka_unit_test(test_publish_never_overwrites),
		cmocka_unit_test(test_replace_survives_its_own_leftovers),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
