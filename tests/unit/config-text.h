/*
 * config-text.h - a text as a configuration, and the mistakes in it.
 */
#ifndef TESTS_CONFIG_TEXT_H
#define TESTS_CONFIG_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include "config/parse.h"
#include "landfall/config.h"
#include "unit.h"

/* What is wrong with the text, as config_load would tell it; "" if nothing. */
static inline char *
mistakes(const char *text, size_t len)
{
	struct report r = REPORT_INIT;
	struct str s = STR_INIT;
	struct config *c;

	if (parse_config(text, len, "/etc/lf/f", &c, &r))
		config_free(c);
	else
		assert_true(r.n > 0);
	report_write(&r, "f", &s);
	report_release(&r);
	return str_take(&s);
}

static inline void
assert_mistakes_n(const char *text, size_t len, const char *expected)
{
	char *got = mistakes(text, len);

	if (strcmp(got, expected) != 0)
		fprintf(stderr, "expected:\n%sfound:\n%s", expected, got);
	assert_string_equal(got, expected);
	free(got);
}

static inline void
assert_mistakes(const char *text, const char *expected)
{
	assert_mistakes_n(text, strlen(text), expected);
}

#define HEAD "zone: /lf/zone\nstate: /lf/state\n"

/* A source with a csv block of these keys. */
#define CSV(keys) \
	HEAD "sources:\n  s:\n    drop: {path: /d}\n    format: csv\n" \
	     "    csv:\n" keys

/* A source with this block, the sixth line of the file and on. */
#define SFTP(block) HEAD "sources:\n  s:\n    sftp:\n" block

#endif
