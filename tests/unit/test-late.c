/* Libraries that are loaded when they are needed, and what is not there. */
#include "unit.h"

#include <string.h>

#include "late/archive.h"
#include "late/curl.h"

static enum rc
load(const char *library, const char *name, void **ret, struct err *e)
{
	const char *const names[] = {name};
	struct late l = {
		.library = library, .names = names, .n = 1, .table = ret};

	return late_load(&l, e);
}

static void
test_what_is_missing_is_told(void **state UNUSED)
{
	void *f = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(load("libnone.so.9", "none", &f, &e), BROKEN);
	assert_non_null(strstr(e.text, "libnone.so.9"));
	e = (struct err)ERR_INIT;
	assert_int_equal(load("libc.so.6", "no_such_call", &f, &e), BROKEN);
	assert_non_null(strstr(e.text, "no_such_call"));
	assert_null(f);
	e = (struct err)ERR_INIT;
	assert_int_equal(load("libc.so.6", "getpid", &f, &e), OK);
	assert_non_null(f);
}

static void
test_each_name_has_its_place(void **state UNUSED)
{
	struct err e = ERR_INIT;
	CURLU *u;

	assert_int_equal(late_curl(&e), OK);
	assert_int_equal(late_curl(&e), OK);
	u = curl_url();
	assert_non_null(u);
	assert_int_equal(curl_url_set(u, CURLUPART_URL, "http://a/", 0), 0);
	curl_url_cleanup(u);
	assert_int_equal(late_archive(&e), OK);
	archive_read_free(archive_read_new());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_missing_is_told),
		cmocka_unit_test(test_each_name_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
