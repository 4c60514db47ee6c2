/*
 * checklist/ and base/digest: what sha256sum, md5, openssl and people write.
 */
#include "landfall/checklist.h"

#include <string.h>

#include "base/hash.h"
#include "unit.h"

#define MD5_ABC "900150983cd24fb0d6963f7d28e17f72"
#define SHA1_ABC "a9993e364706816aba3e25717850c26c9cd0d89d"
#define SHA256_ABC \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA512_ABC \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

/* FIPS 180-4 and RFC 1321 on "abc". */
static void
test_digests(void **state UNUSED)
{
	static const char *const wanted[] = {
		[DIGEST_MD5] = MD5_ABC,
		[DIGEST_SHA1] = SHA1_ABC,
		[DIGEST_SHA256] = SHA256_ABC,
		[DIGEST_SHA512] = SHA512_ABC,
	};

	for (unsigned k = 0; k < DIGESTS; k++) {
		uint8_t sum[DIGEST_MAX];
		struct digest d;
		struct str hex = STR_INIT;
		enum digest_kind kind;

		assert_true(digest_init(&d, (enum digest_kind)k));
		digest_add(&d, "a", 1);
		digest_add(&d, "", 0);
		digest_add(&d, "bc", 2);
		digest_end(&d, sum);
		digest_release(&d);
		str_add_hex(&hex, sum, digest_len((enum digest_kind)k));
		assert_string_equal(hex.s, wanted[k]);
		assert_true(digest_of_len(hex.len / 2, &kind));
		assert_int_equal(kind, k);
		str_release(&hex);
	}
}

static void
read_table(struct checklist *l, enum checklist_kind kind,
	const struct checklist_table *table, const char *text)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, CHECKLIST_BYTES);
	must(buf_add(&b, text, strlen(text), &e), &e);
	must(checklist_read(l, kind, table, &b, &e), &e);
	assert_null(b.data);
}

static void
read_text(struct checklist *l, enum checklist_kind kind, const char *text)
{
	read_table(l, kind, NULL, text);
}

/* One line about that name: hex in lower case, NULL for none. */
static void
has(struct checklist *l, const char *name, const char *hex)
{
	struct check_line *c;
	struct str found = STR_INIT;

	if (checklist_find(l, (const uint8_t *)name, strlen(name), &c) != 1)
		fail_msg("not one line about \"%s\"", name);
	if (c->has_sum)
		check_line_add_hex(&found, c);
	assert_string_equal(found.s, hex != NULL ? hex : "");
	str_release(&found);
}

static void
has_not(struct checklist *l, const char *name)
{
	struct check_line *c;

	assert_int_equal(
		checklist_find(l, (const uint8_t *)name, strlen(name), &c), 0);
	assert_null(c);
}

static void
test_sums(void **state UNUSED)
{
	struct checklist l;

	read_text(&l, CHECKLIST_SUMS,
		"\xef\xbb\xbf# made by hand\r\n"
		"\n  \t\n" SHA256_ABC "  b.csv\r\n" MD5_ABC " *a b.csv\n"
		"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015"
		"AD  ././upper.csv\n"
		"\\" SHA1_ABC "  back\\\\slash\\nand\\rends\n" SHA1_ABC
		"  not\\nescaped\n" SHA512_ABC " one\n" MD5_ABC "\ttab\n"
		"SHA256 (c (1) = .csv) = " SHA256_ABC "\n"
		"MD5(openssl)= " MD5_ABC "\n"
		"SHA2-256(sub/x)= " SHA256_ABC "\n"
		"\\SHA1 (new\\nline) = " SHA1_ABC "\n"
		"MD5 (wrong length) = " SHA1_ABC "\n"
		"ROT13 (x) = " MD5_ABC "\n"
		"a line that says nothing\n"
		"0" MD5_ABC "  odd\n"
		"\\" MD5_ABC "  bad\\x\n"
		"\\" MD5_ABC "  bad\\\n"
		"\\\n" MD5_ABC "  \n" MD5_ABC "  last");
	has(&l, "b.csv", SHA256_ABC);
	has(&l, "a b.csv", MD5_ABC);
	has(&l, "upper.csv", SHA256_ABC);
	has(&l, "back\\slash\nand\rends", SHA1_ABC);
	has(&l, "not\\nescaped", SHA1_ABC);
	has(&l, "one", SHA512_ABC);
	has(&l, "tab", MD5_ABC);
	has(&l, "c (1) = .csv", SHA256_ABC);
	has(&l, "openssl", MD5_ABC);
	has(&l, "sub/x", SHA256_ABC);
	has(&l, "new\nline", SHA1_ABC);
	has(&l, "last", MD5_ABC);
	has_not(&l, "wrong length");
	has_not(&l, "x");
	has_not(&l, "odd");
	has_not(&l, "las");
	has_not(&l, "lastt");
	has_not(&l, "");
	assert_int_equal(l.n, 12);
	assert_int_equal(l.strange, 15);
	checklist_release(&l);
}

/* The side file of one delivery may leave out whose it is. */
static void
test_bare(void **state UNUSED)
{
	static const char *const texts[] = {
		SHA256_ABC,
		SHA256_ABC "\r\n",
		SHA256_ABC "  -\n",
		"# x\n" SHA256_ABC "\n",
	};
	struct checklist l;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		read_text(&l, CHECKLIST_SUMS, texts[i]);
		assert_int_equal(l.n, 1);
		has(&l, "", SHA256_ABC);
		has_not(&l, "-");
		checklist_release(&l);
	}
	read_text(&l, CHECKLIST_SUMS, "");
	assert_int_equal(l.n, 0);
	has_not(&l, "");
	checklist_release(&l);
}

static void
test_names(void **state UNUSED)
{
	struct check_line *c;
	struct checklist l;

	read_text(&l, CHECKLIST_NAMES,
		"# orders of today\n"
		"\n"
		"b.csv\r\n"
		"./sub/a.csv\n"
		" a space \n" SHA256_ABC "  summed.csv\n"
		"back\\slash\n" MD5_ABC "\n"
		"MD5 (x) = " MD5_ABC "\n"
		"twice\n"
		"twice\n" MD5_ABC "  twice\n" MD5_ABC "  -\n"
		"last");
	has(&l, "b.csv", NULL);
	has(&l, "sub/a.csv", NULL);
	has(&l, " a space ", NULL);
	has(&l, "summed.csv", SHA256_ABC);
	has(&l, "back\\slash", NULL);
	has(&l, MD5_ABC, NULL);
	has(&l, "x", MD5_ABC);
	has(&l, "last", NULL);
	assert_int_equal(
		checklist_find(&l, (const uint8_t *)"twice", 5, &c), 3);
	assert_int_equal(c[0].number, 10);
	assert_true(c[2].has_sum);
	assert_int_equal(l.strange, 13);
	checklist_release(&l);
}

static void
test_table(void **state UNUSED)
{
	static const struct checklist_table table = {
		.column = {COLUMN_NAME, COLUMN_SIZE, COLUMN_SKIP,
			COLUMN_RECORDS, COLUMN_DIGEST},
		.n = 5,
		.delimiter = '|',
		.header = 1,
	};
	static const char *const strange[] = {
		"a|1|x|2",
		"a|1|x|2|" MD5_ABC "|",
		"a|1.5|x|2|" MD5_ABC,
		"a|-1|x|2|" MD5_ABC,
		"a|18446744073709551616|x|2|" MD5_ABC,
		"a||x|2|" MD5_ABC,
		"|1|x|2|" MD5_ABC,
		"a|1|x|2|no digest",
		"a|1|x|2|",
	};
	struct check_line *c;
	struct checklist l;

	read_table(&l, CHECKLIST_TABLE, &table,
		"file|bytes|day|rows|md5\r\n"
		"# nothing\n"
		"a b.csv | 12 |mon| 3|" MD5_ABC "\r\n"
		"\"quoted, c.csv\"|\"0\"|\"\"|18446744073709551615|"
		"\"" SHA256_ABC "\"");
	assert_int_equal(l.strange, 0);
	assert_int_equal(l.n, 2);
	has(&l, "a b.csv", MD5_ABC);
	has(&l, "quoted, c.csv", SHA256_ABC);
	assert_int_equal(
		checklist_find(&l, (const uint8_t *)"a b.csv", 7, &c), 1);
	assert_true(c->has_size && c->has_records);
	assert_int_equal(c->size, 12);
	assert_int_equal(c->records, 3);
	checklist_release(&l);
	for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
		struct str s = STR_INIT;

		str_addf(&s, "header\n%s\n", strange[i]);
		read_table(&l, CHECKLIST_TABLE, &table, s.s);
		assert_int_equal(l.strange, 2);
		assert_int_equal(l.n, 0);
		checklist_release(&l);
		str_release(&s);
	}
}

static void
test_bounds(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct checklist l;
	struct buf b;

	for (int more = 0; more < 2; more++) {
		buf_init(&b, CHECKLIST_BYTES);
		for (int i = 0; i < CHECKLIST_LINES + more; i++)
			must(buf_add(&b, "x\n", 2, &e), &e);
		if (more) {
			assert_int_equal(checklist_read(&l, CHECKLIST_NAMES,
						 NULL, &b, &e),
				BAD_ITEM);
			assert_int_equal(l.n, 0);
		} else {
			must(checklist_read(&l, CHECKLIST_NAMES, NULL, &b, &e),
				&e);
			assert_int_equal(l.n, CHECKLIST_LINES);
		}
		checklist_release(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("checklist", tests, NULL, NULL);
}
