/* totals/: exact decimals, and what a partner says against what is there. */
#include "landfall/totals.h"

#include <stdlib.h>

#include "unit.h"

/* ---- decimals ---- */

static const char *
sum_of(const char *const *text, size_t n, char mark)
{
	static char shown[4096];
	struct decimal total, one;
	struct str s = STR_INIT;

	decimal_init(&total);
	decimal_init(&one);
	for (size_t i = 0; i < n; i++) {
		assert_true(decimal_read(&one, text[i], strlen(text[i]), mark));
		decimal_add(&total, &one);
	}
	decimal_write(&s, &total);
	assert_true(s.len < sizeof(shown));
	memcpy(shown, s.s, s.len + 1);
	str_release(&s);
	decimal_release(&one);
	decimal_release(&total);
	return shown;
}

#define SUM(mark, ...) \
	sum_of((const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), \
		mark)

static void
test_sums_are_exact(void **state UNUSED)
{
	assert_string_equal(SUM('.', "0.1", "0.2"), "0.3");
	assert_string_equal(SUM('.', "999", "1"), "1000");
	assert_string_equal(SUM('.', "-5", "3"), "-2");
	assert_string_equal(SUM('.', "5", "-7.25"), "-2.25");
	assert_string_equal(SUM('.', "-1.50", "1.5"), "0.00");
	assert_string_equal(SUM('.', "1", "-1", "-1"), "-1");
	assert_string_equal(SUM('.', "-0"), "0");
	assert_string_equal(SUM('.', "  +0007.100 "), "7.100");
	assert_string_equal(SUM('.', ".5", "5."), "5.5");
	assert_string_equal(SUM('.', "100", "-0.001"), "99.999");
	assert_string_equal(SUM('.', "0.001", "-100"), "-99.999");
	assert_string_equal(SUM(',', "1,25", "2,75"), "4.00");
	assert_string_equal(
		SUM('.', "99999999999999999999999999999999.99", "0.01"),
		"100000000000000000000000000000000.00");
	assert_string_equal(
		SUM('.', "18446744073709551616", "-18446744073709551615"), "1");
}

/* Against the machine's own integers, in hundredths. */
static void
test_sums_agree_with_integers(void **state UNUSED)
{
	struct decimal total, one;
	struct str s = STR_INIT, want = STR_INIT;
	int64_t cents = 0;
	uint32_t seed = 12345;

	decimal_init(&total);
	decimal_init(&one);
	for (int i = 0; i < 20000; i++) {
		int64_t v;

		seed = seed * 1664525 + 1013904223;
		v = (int64_t)(seed >> (seed % 24)) - (int64_t)(seed % 300000);
		str_clear(&s);
		str_addf(&s, "%s%lld.%02lld", v < 0 ? "-" : "",
			(long long)llabs(v) / 100, (long long)llabs(v) % 100);
		assert_true(decimal_read(&one, s.s, s.len, '.'));
		decimal_add(&total, &one);
		cents += v;
		str_clear(&s);
		decimal_write(&s, &total);
		str_clear(&want);
		str_addf(&want, "%s%lld.%02lld", cents < 0 ? "-" : "",
			(long long)llabs(cents) / 100,
			(long long)llabs(cents) % 100);
		assert_string_equal(s.s, want.s);
	}
	str_release(&s);
	str_release(&want);
	decimal_release(&one);
	decimal_release(&total);
}

static bool
equal(const char *a, const char *b)
{
	struct decimal x, y;
	bool same;

	decimal_init(&x);
	decimal_init(&y);
	assert_true(decimal_read(&x, a, strlen(a), '.'));
	assert_true(decimal_read(&y, b, strlen(b), '.'));
	same = decimal_equal(&x, &y);
	assert_int_equal(same, decimal_equal(&y, &x));
	decimal_release(&x);
	decimal_release(&y);
	return same;
}

static void
test_equality_ignores_scale_not_sign(void **state UNUSED)
{
	assert_true(equal("1.50", "1.5"));
	assert_true(equal("100", "100.000"));
	assert_true(equal("-0", "0.00"));
	assert_true(equal("007", "7"));
	assert_false(equal("1.5", "-1.5"));
	assert_false(equal("1.5", "15"));
	assert_false(equal("0.1", "0.01"));
	assert_false(equal("10", "1"));
}

static void
test_what_is_no_number(void **state UNUSED)
{
	static const char *const bad[] = {"", " ", "-", ".", "+.", "1.2.3",
		"1,5", "12a", "1 2", "--1", "1-", "0x10", "1e3", "\t1",
		"\xd9\xa1"};
	char many[DECIMAL_DIGITS_MAX + 2];
	struct decimal d;

	decimal_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(decimal_read(&d, "12.5", 4, '.'));
		if (decimal_read(&d, bad[i], strlen(bad[i]), '.'))
			fail_msg("'%s' was read", bad[i]);
		assert_int_equal(d.digits.len, 0);
		assert_int_equal(d.scale, 0);
		assert_false(d.negative);
	}
	/* A point is no mark where it may mean thousands. */
	assert_false(decimal_read(&d, "1.234", 5, ','));
	assert_false(decimal_read(&d, "1\0002", 3, '.'));
	memset(many, '9', sizeof(many));
	assert_true(decimal_read(&d, many, DECIMAL_DIGITS_MAX, '.'));
	assert_false(decimal_read(&d, many, DECIMAL_DIGITS_MAX + 1, '.'));
	decimal_release(&d);
}

/* ---- rows ---- */

struct offer {
	struct totals_record record[8];
	size_t n;
	const char *side_name, *side;
	size_t walks;
};

static enum rc
each_record(void *arg,
	enum rc (*each)(
		void *each_arg, const struct totals_record *r, struct err *e),
	void *each_arg, struct err *e)
{
	struct offer *o = arg;
	enum rc rc = OK;

	o->walks++;
	for (size_t i = 0; i < o->n && rc == OK; i++)
		rc = each(each_arg, &o->record[i], e);
	return rc;
}

static enum rc
read_side(void *arg, const uint8_t *name, size_t len, struct str *text,
	struct err *e UNUSED)
{
	struct offer *o = arg;

	if (o->side_name == NULL || strlen(o->side_name) != len ||
		memcmp(o->side_name, name, len) != 0)
		return END;
	str_add(text, o->side);
	return OK;
}

/* A header line, records, a trailer line; "" for none. */
struct delivery_text {
	const char *header, *records[8], *trailer, *name;
	const char *side_name, *side;
	struct dialect dialect;
	enum scan_encoding encoding;
};

static enum rc
check(const struct delivery_text *t, const struct total *row, size_t n,
	struct str *told, struct err *e)
{
	struct offer o = {.side_name = t->side_name, .side = t->side};
	struct totals_input in = {
		.dialect = &t->dialect,
		.encoding = t->encoding,
		.name = (const uint8_t *)t->name,
		.name_len = strlen(t->name),
		.side = read_side,
		.records_each = each_record,
		.arg = &o,
	};
	uint64_t at = 0;

	in.header = (struct totals_record){
		.bytes = (const uint8_t *)t->header, .len = strlen(t->header)};
	at = in.header.len;
	while (t->records[o.n] != NULL) {
		o.record[o.n] = (struct totals_record){.number = o.n,
			.offset = at,
			.bytes = (const uint8_t *)t->records[o.n],
			.len = strlen(t->records[o.n])};
		at += o.record[o.n++].len;
	}
	in.records = o.n;
	in.trailer =
		(struct totals_record){.bytes = (const uint8_t *)t->trailer,
			.len = strlen(t->trailer),
			.offset = at};
	return totals_check(row, n, &in, told, e);
}

static struct delivery_text
orders(void)
{
	struct delivery_text t = {
		.header = "id;amount;3\n",
		.records = {"1;10.50;x\n", "2;-0.25;\"a;b\"\n", "3;\"4\";y\n"},
		.trailer = "TRL;3;14.250\r\n",
		.name = "in/orders_20261123_3.csv",
		.side_name = "in/orders_20261123_3.csv.ctl",
		.side = "rows = 3\n",
	};

	dialect_init(&t.dialect, SCAN_CSV);
	t.dialect.delimiter = ';';
	return t;
}

static void
expect_ok(const struct delivery_text *t, const struct total *row, size_t n,
	const char *told)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	must(check(t, row, n, &s, &e), &e);
	assert_string_equal(s.s, told);
	str_release(&s);
}

static void
expect_bad(const struct delivery_text *t, const struct total *row, size_t n,
	enum rc code, const char *text)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(check(t, row, n, &s, &e), code);
	assert_string_equal(e.text, text);
	str_release(&s);
}

static char name_pattern[] = "orders_*_#.csv";
static char side_pattern[] = "{name}.ctl";

#define TRAILER(n) \
	{ \
		.of = TOTAL_RECORDS, .from = TOTAL_TRAILER, .at = n, \
		.mark = '.' \
	}
#define TRAILER_SUM(f, n) \
	{ \
		.of = TOTAL_SUM, .field = f, .from = TOTAL_TRAILER, .at = n, \
		.mark = '.' \
	}

static void
test_all_rows_match(void **state UNUSED)
{
	const struct total rows[] = {TRAILER(2), TRAILER_SUM(2, 3),
		{.from = TOTAL_HEADER, .at = 3, .mark = '.'},
		{.from = TOTAL_SIDE, .pattern = side_pattern, .mark = '.'},
		{.from = TOTAL_NAME, .pattern = name_pattern, .mark = '.'}};
	struct delivery_text t = orders();

	expect_ok(&t, rows, ARRAY_LEN(rows),
		"records 3 as trailer field 2 says; "
		"sum of field 2 14.25 as trailer field 3 says; "
		"records 3 as header field 3 says; "
		"records 3 as side file in/orders_20261123_3.csv.ctl says; "
		"records 3 as name orders_*_#.csv says");
	expect_ok(&t, rows, 0, "");
}

static void
test_a_mismatch_has_both_numbers(void **state UNUSED)
{
	const struct total rows[] = {TRAILER(2), TRAILER_SUM(2, 3)};
	struct delivery_text t = orders();

	t.trailer = "TRL;4;14.25\n";
	expect_bad(&t, rows, 1, BAD_ITEM,
		"control total of records: trailer field 2 says 4, the "
		"delivery has 3");
	t.trailer = "TRL;3;-14.25\n";
	expect_bad(&t, rows, 2, BAD_ITEM,
		"control total of sum of field 2: trailer field 3 says "
		"-14.25, the delivery has 14.25");
}

static void
test_what_cannot_be_read_is_named(void **state UNUSED)
{
	const struct total rows[] = {
		TRAILER(2), TRAILER_SUM(2, 3), TRAILER(4), TRAILER_SUM(9, 3)};
	struct delivery_text t = orders();

	expect_bad(&t, &rows[2], 1, BAD_ITEM,
		"control total of records: the trailer at byte 44, field 4: "
		"no field 4, it has 3");
	expect_bad(&t, &rows[3], 1, BAD_ITEM,
		"control total of sum of field 9: record 0 at byte 12, field "
		"9: no field 9, it has 3");
	t.records[1] = "2;n/a;b\n";
	expect_bad(&t, &rows[1], 1, BAD_ITEM,
		"control total of sum of field 2: record 1 at byte 22, field "
		"2: n/a is not a number");
	t.records[1] = "2;;b\n";
	expect_bad(&t, &rows[1], 1, BAD_ITEM,
		"control total of sum of field 2: record 1 at byte 22, field "
		"2: '' is not a number");
	t.trailer = "TRL;;1\n";
	expect_bad(&t, rows, 1, BAD_ITEM,
		"control total of records: the trailer at byte 35, field 2: "
		"'' is not a number");
	t.trailer = "";
	expect_bad(&t, rows, 1, BAD_ITEM,
		"control total of records: there is no trailer");
}

static void
test_side_files(void **state UNUSED)
{
	const struct total row = {
		.from = TOTAL_SIDE, .pattern = side_pattern, .mark = '.'};
	struct delivery_text t = orders();

	t.side = "checked\n";
	expect_bad(&t, &row, 1, BAD_ITEM,
		"control total of records: side file "
		"in/orders_20261123_3.csv.ctl holds no number");
	t.side = "-3 records";
	expect_bad(&t, &row, 1, BAD_ITEM,
		"control total of records: side file "
		"in/orders_20261123_3.csv.ctl says -3, the delivery has 3");
	t.side_name = NULL;
	expect_bad(&t, &row, 1, AGAIN,
		"control total of records: side file "
		"in/orders_20261123_3.csv.ctl is not there yet");
}

static void
test_names(void **state UNUSED)
{
	static const struct {
		const char *name, *pattern;
		bool fits;
	} cases[] = {
		{"orders_x_3.csv", "orders_*_#.csv", true},
		{"a/b/orders_x_3.csv", "orders_*_#.csv", true},
		{"orders_003.csv", "orders_#.csv", true},
		{"3", "#", true},
		{"2/x3.csv", "*/x#.csv", true},
		{"orders_x_3.csv.gz", "orders_*_#.csv", false},
		{"orders_x_y.csv", "orders_*_#.csv", false},
		{"orders_x_.csv", "orders_*_#.csv", false},
		{"x3.csv", "*/x#.csv", false},
	};
	struct delivery_text t = orders();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char pattern[32];
		const struct total row = {
			.from = TOTAL_NAME, .pattern = pattern, .mark = '.'};
		struct str s = STR_INIT;
		struct err e = ERR_INIT;

		strcpy(pattern, cases[i].pattern);
		t.name = cases[i].name;
		if ((check(&t, &row, 1, &s, &e) == OK) != cases[i].fits)
			fail_msg("%s %s: %s", t.name, pattern, e.text);
		str_release(&s);
	}
}

/* The quick way of finding a field and the decoder must agree. */
static void
test_marks_encodings_and_escapes(void **state UNUSED)
{
	struct total row = TRAILER_SUM(2, 2);
	struct delivery_text t = orders();

	row.mark = ',';
	t.records[0] = "1;10,50;x\n";
	t.records[1] = "2;\"-0,25\";b\r\n";
	t.records[2] = "3; 4 ;y";
	t.trailer = "T;14,25";
	expect_ok(&t, &row, 1, "sum of field 2 14.25 as trailer field 2 says");
	t.records[0] = "\xef\xbb\xbf"
		       "1;10,50;x\n";
	expect_ok(&t, &row, 1, "sum of field 2 14.25 as trailer field 2 says");
	t.records[0] = "\xe9;10,50;x\n";
	t.encoding = t.dialect.encoding = ENCODING_LATIN1;
	expect_ok(&t, &row, 1, "sum of field 2 14.25 as trailer field 2 says");
	t.dialect.escape = ESCAPE_BACKSLASH;
	t.records[1] = "\"\\\";\";-0,25;b\n";
	expect_ok(&t, &row, 1, "sum of field 2 14.25 as trailer field 2 says");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_are_exact),
		cmocka_unit_test(test_sums_agree_with_integers),
		cmocka_unit_test(test_equality_ignores_scale_not_sign),
		cmocka_unit_test(test_what_is_no_number),
		cmocka_unit_test(test_all_rows_match),
		cmocka_unit_test(test_a_mismatch_has_both_numbers),
		cmocka_unit_test(test_what_cannot_be_read_is_named),
		cmocka_unit_test(test_side_files),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_marks_encodings_and_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
