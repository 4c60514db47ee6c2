/* scan/: what every instruction set answers, against plain loops. */
#include "scan/isa.h"

#include "unit.h"

#include "base/str.h"
#include "scan/utf8.h"

#include <stdlib.h>

static uint64_t seed = 88172645463325252u;

static unsigned
draw(unsigned n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* Text around the edges of every row of RFC 3629 section 4, some wrong. */
static const char *const pieces[] = {"a", "b", "\xc2\x80", "\xdf\xbf",
	"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
	"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xf1\x80\x80\x80",
	"\xe1\x80\x80"};
static const char *const wrong[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf",
	"\xc2", "\xc2\xc2\x80", "\xe0\x9f\xbf", "\xe0\x80\x80", "\xe1\x80",
	"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x80\x80\x80",
	"\xf1\x80\x80", "\xf4\x90\x80\x80", "\xf4\xbf\xbf\xbf",
	"\xf5\x80\x80\x80", "\xfc\x80\x80\x80", "\xff", "\xfe\x80",
	"\xe1\x80\x80\x80", "\xc2\x80\x80"};

static void
test_utf8_against_the_definition(void **state UNUSED)
{
	const char *const *names = scan_isa_names();

	for (unsigned round = 0; round < 40000; round++) {
		CLEANUP(str_release) struct str s = STR_INIT;
		size_t n = draw(200);
		bool bad = draw(2);
		uint8_t *p;

		while (s.len < n) {
			str_add(&s, pieces[draw(ARRAY_LEN(pieces))]);
			if (bad && draw(16) == 0)
				str_add(&s, wrong[draw(ARRAY_LEN(wrong))]);
		}
		if (bad && s.len > 3)
			str_cut(&s, s.len - draw(3));
		p = malloc(s.len + 1);
		assert_non_null(p);
		/* At its very end, so that a sanitizer sees what is beyond. */
		memcpy(p + 1, s.s, s.len);
		for (size_t i = 0; names[i] != NULL; i++) {
			assert_true(scan_use(names[i]));
			if (isa_current()->utf8(p + 1, s.len) !=
				str_is_utf8(s.s, s.len))
				fail_msg("%s: round %u", names[i], round);
		}
		free(p);
	}
}

/* Every one-, two- and three-byte beginning, across the edge of a vector. */
static void
test_utf8_exhaustively(void **state UNUSED)
{
	const char *const *names = scan_isa_names();
	uint8_t text[160];

	for (size_t i = 0; names[i] != NULL; i++) {
		assert_true(scan_use(names[i]));
		for (uint32_t code = 0; code < 1 << 24; code += 1 + draw(61)) {
			size_t at = 30 + draw(70);

			memset(text, 'x', sizeof(text));
			text[at] = (uint8_t)(code >> 16);
			text[at + 1] = (uint8_t)(code >> 8);
			text[at + 2] = (uint8_t)code;
			text[at + 3] = draw(2) ? 0x80 : 'x';
			if (isa_current()->utf8(text, sizeof(text)) !=
				str_is_utf8(text, sizeof(text)))
				fail_msg("%s: %06x", names[i], code);
		}
	}
}

static void
test_find_and_bytes(void **state UNUSED)
{
	const char *const *names = scan_isa_names();

	for (unsigned round = 0; round < 20000; round++) {
		size_t n = draw(200), first = n;
		uint8_t *p = malloc(n + 1);
		unsigned bytes = 0;

		assert_non_null(p);
		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t)('a' + draw(20));
		if (n > 0 && draw(2))
			p[draw((unsigned)n)] = draw(2) ? '\r' : '\n';
		if (n > 0 && draw(2))
			p[draw((unsigned)n)] = 0;
		if (n > 0 && draw(2))
			p[draw((unsigned)n)] = (uint8_t)(0x80 | draw(128));
		for (size_t i = n; i-- > 0;) {
			first = p[i] == '\r' || p[i] == '\n' ? i : first;
			bytes |= p[i] == 0    ? BYTES_NUL
				: p[i] > 0x7f ? BYTES_HIGH
					      : 0;
		}
		for (size_t i = 0; names[i] != NULL; i++) {
			assert_true(scan_use(names[i]));
			assert_int_equal(
				isa_current()->find(p, n, '\r', '\n'), first);
			assert_int_equal(isa_current()->bytes(p, n), bytes);
		}
		free(p);
	}
}

static void
test_names(void **state UNUSED)
{
	const char *const *names = scan_isa_names();
	size_t n = 0;

	while (names[n] != NULL)
		assert_true(scan_use(names[n++]));
	assert_true(n >= 2);
	assert_string_equal(names[n - 1], "scalar");
	assert_string_equal(names[n - 2], "portable");
	assert_false(scan_use("abacus"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_find_and_bytes),
		cmocka_unit_test(test_utf8_against_the_definition),
		cmocka_unit_test(test_utf8_exhaustively),
	};

	return cmocka_run_group_tests_name("isa", tests, NULL, NULL);
}
