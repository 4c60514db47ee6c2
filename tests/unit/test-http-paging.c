/* source/http/paging: from page to page, and never for ever. */
#include "source/http/paging.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static struct paging_value
text(const char *s)
{
	return (struct paging_value){
		(const uint8_t *)s, s != NULL ? strlen(s) : 0};
}

static struct api_pagination
tokens(void)
{
	return (struct api_pagination){.type = API_PAGES_TOKEN,
		.next = {.from = API_FROM_BODY},
		.max_pages = 100000};
}

static const char *
token_of(const struct paging *g)
{
	static char kept[64];
	struct vars v = VARS_INIT;
	const struct var *x;

	paging_vars(g, &v);
	x = vars_get(&v, API_PAGE, "token");
	snprintf(kept, sizeof(kept), "%s",
		x != NULL ? (char *)x->text[0].p : "(none)");
	vars_release(&v);
	return kept;
}

static void
test_tokens(void **state UNUSED)
{
	struct api_pagination r = tokens();
	char *end[] = {(char[]){"null"}};
	struct paging g;
	struct err e = ERR_INIT;

	r.end = (struct api_words){end, 1};
	paging_init(&g, &r, NULL);
	assert_string_equal(token_of(&g), "(none)");
	/* An empty page with a token is not the last one. */
	must(paging_next(&g, &(struct paging_page){.next = text("a")}, &e), &e);
	assert_string_equal(token_of(&g), "a");
	must(paging_next(&g,
		     &(struct paging_page){.records = 3, .next = text("b")},
		     &e),
		&e);
	assert_int_equal(
		paging_next(
			&g, &(struct paging_page){.next = text("null")}, &e),
		END);
	assert_string_equal(g.newest.s, "b");
	assert_int_equal(g.pages, 3);
	assert_int_equal(g.records, 3);
	paging_release(&g);
	/* What a run before left off with. */
	r.initial = (char[]){"0"};
	paging_init(&g, &r, "kept");
	assert_string_equal(token_of(&g), "kept");
	paging_release(&g);
	paging_init(&g, &r, NULL);
	assert_string_equal(token_of(&g), "0");
	paging_release(&g);
}

static void
test_more_and_done(void **state UNUSED)
{
	struct api_pagination r = tokens();
	struct paging g;
	struct err e = ERR_INIT;

	r.more.from = r.done.from = API_FROM_BODY;
	paging_init(&g, &r, NULL);
	assert_int_equal(paging_next(&g,
				 &(struct paging_page){.next = text("a"),
					 .more = text("false")},
				 &e),
		END);
	assert_int_equal(paging_next(&g,
				 &(struct paging_page){.next = text("b"),
					 .more = text("true"),
					 .done = text("true")},
				 &e),
		END);
	assert_string_equal(g.newest.s, "b");
	must(paging_next(&g,
		     &(struct paging_page){
			     .next = text("c"), .more = text("true")},
		     &e),
		&e);
	/* A page cut short on the server must not look like the end. */
	assert_int_equal(
		paging_next(
			&g, &(struct paging_page){.more = text("true")}, &e),
		BAD_SOURCE);
	assert_non_null(strstr(e.text, "but not where"));
	paging_release(&g);
}

static void
test_it_never_runs_for_ever(void **state UNUSED)
{
	struct api_pagination r = tokens();
	struct paging g;
	struct err e = ERR_INIT;
	char name[32];

	/* A circle of 500 tokens. */
	paging_init(&g, &r, NULL);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		must(paging_next(
			     &g, &(struct paging_page){.next = text(name)}, &e),
			&e);
	}
	assert_int_equal(
		paging_next(
			&g, &(struct paging_page){.next = text("t123")}, &e),
		BAD_SOURCE);
	assert_non_null(strstr(e.text, "the same token again, t123"));
	/* Begun again on purpose, they may come again. */
	paging_restart(&g);
	must(paging_next(&g, &(struct paging_page){.next = text("t123")}, &e),
		&e);
	paging_release(&g);

	r.max_pages = 3;
	paging_init(&g, &r, NULL);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		must(paging_next(
			     &g, &(struct paging_page){.next = text(name)}, &e),
			&e);
	}
	assert_int_equal(
		paging_next(&g, &(struct paging_page){.next = text("x")}, &e),
		BAD_SOURCE);
	assert_non_null(strstr(e.text, "max_pages"));
	paging_release(&g);

	r.type = API_PAGES_LINK;
	r.max_pages = 100;
	paging_init(&g, &r, NULL);
	must(paging_next(&g, &(struct paging_page){.next = text("/2")}, &e),
		&e);
	assert_string_equal(g.link.s, "/2");
	assert_int_equal(
		paging_next(&g, &(struct paging_page){.next = text("/2")}, &e),
		BAD_SOURCE);
	paging_release(&g);
}

static void
test_numbers(void **state UNUSED)
{
	struct api_pagination r = {.type = API_PAGES_NUMBER,
		.start = 1,
		.size = 10,
		.stop = API_STOP_ON_EMPTY,
		.max_pages = 100};
	struct paging g;
	struct err e = ERR_INIT;

	paging_init(&g, &r, NULL);
	assert_string_equal(token_of(&g), "1");
	/* A short page with more behind it. */
	must(paging_next(&g, &(struct paging_page){.records = 4}, &e), &e);
	assert_string_equal(token_of(&g), "2");
	assert_int_equal(
		paging_next(&g, &(struct paging_page){.records = 0}, &e), END);
	paging_release(&g);
	r.stop = API_STOP_ON_SHORT;
	paging_init(&g, &r, NULL);
	must(paging_next(&g, &(struct paging_page){.records = 10}, &e), &e);
	assert_int_equal(
		paging_next(&g, &(struct paging_page){.records = 9}, &e), END);
	paging_release(&g);
}

static void
test_offsets(void **state UNUSED)
{
	struct api_pagination r = {.type = API_PAGES_OFFSET,
		.size = 10,
		.total = {.from = API_FROM_BODY},
		.max_pages = 100};
	struct paging_page p = {.records = 7, .total = text("20")};
	struct paging g;
	struct err e = ERR_INIT;

	paging_init(&g, &r, NULL);
	assert_string_equal(token_of(&g), "0");
	must(paging_next(&g, &p, &e), &e);
	assert_string_equal(token_of(&g), "7");
	must(paging_next(&g, &p, &e), &e);
	assert_int_equal(paging_next(&g, &p, &e), END);
	paging_restart(&g);
	must(paging_next(&g, &p, &e), &e);
	p.records = 0;
	assert_int_equal(paging_next(&g, &p, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "gives no records"));
	paging_release(&g);
}

static void
test_smaller_pages(void **state UNUSED)
{
	struct api_pagination r = {.type = API_PAGES_OFFSET,
		.size = 10,
		.stop = API_STOP_ON_EMPTY,
		.max_pages = 100};
	struct paging g;
	struct err e = ERR_INIT;

	paging_init(&g, &r, NULL);
	must(paging_next(&g, &(struct paging_page){.records = 10}, &e), &e);
	assert_int_equal(paging_shrink(&g), OK);
	assert_int_equal(g.size, 5);
	assert_string_equal(token_of(&g), "10");
	assert_int_equal(paging_shrink(&g), OK);
	assert_int_equal(paging_shrink(&g), OK);
	assert_int_equal(paging_shrink(&g), END);
	paging_release(&g);
	r.type = API_PAGES_NUMBER;
	r.start = 1;
	paging_init(&g, &r, NULL);
	must(paging_next(&g, &(struct paging_page){.records = 10}, &e), &e);
	assert_int_equal(paging_shrink(&g), OK);
	assert_string_equal(token_of(&g), "1");
	paging_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_more_and_done),
		cmocka_unit_test(test_it_never_runs_for_ever),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_smaller_pages),
	};

	return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
