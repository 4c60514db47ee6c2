/*
 * What one answer says: records, their fields, and the values of selectors.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/http/reply.h"

static void
answer(struct http_answer *a, const char *fields, const char *body)
{
	struct err e = ERR_INIT;

	http_answer_init(a, AT_FDCWD);
	a->status = 200;
	str_add(&a->fields, fields);
	must(http_body_add(&a->body, body, strlen(body), &e), &e);
}

static struct jsonpath
path(const char *text)
{
	struct jsonpath p;
	struct err e = ERR_INIT;

	must(jsonpath_parse(text, strlen(text), &p, &e), &e);
	return p;
}

/* Number, place, bytes and two fields. */
static enum rc
write_record(void *arg, const struct reply_record *x, struct err *e UNUSED)
{
	str_addf(arg, "%u@%u+%u:%.*s", (unsigned)x->number, (unsigned)x->offset,
		(unsigned)x->length, (int)x->size, (const char *)x->bytes);
	for (size_t i = 0; i < 2; i++) {
		if (x->field[i].set)
			str_addf(arg, " %.*s", (int)x->field[i].len,
				(const char *)x->field[i].p);
		else
			str_add(arg, " -");
	}
	str_addc(arg, '\n');
	return OK;
}

static void
see_value(const struct reply *r, const struct api_selector *s, size_t i,
	const char *want)
{
	CLEANUP(str_release) struct str got = STR_INIT;
	enum rc rc = reply_value(r, s, i, &got);

	if (rc != (want != NULL ? OK : END) ||
		(want != NULL && strcmp(got.s, want) != 0))
		fail_msg("value %zu is %s, wanted %s", i, got.s,
			want != NULL ? want : "none");
}

static void
test_a_document(void **state UNUSED)
{
	struct api_records records = {.path = path("$.data[*]")};
	struct api_place id = {.path = path("$.id")};
	struct api_place at = {.path = path("$.a.b")};
	const struct api_place *const fields[] = {&id, &at};
	struct api_selector next = {
		.from = API_FROM_BODY, .path = path("$.links.next")};
	struct api_selector last = {
		.from = API_FROM_LAST, .path = path("$.id")};
	struct api_selector deep = {.from = API_FROM_HEADER_JSON,
		.name = (char[]){"X-Use"},
		.path = path("$[*][*].m")};
	const struct api_selector head = {
		.from = API_FROM_HEADER, .name = (char[]){"X-Left"}};
	const struct api_selector link = {
		.from = API_FROM_LINK, .name = (char[]){"next"}};
	const struct api_selector status = {.from = API_FROM_STATUS};
	const struct api_selector *const selectors[] = {&next, &last};
	const struct reply_spec spec = {.layer = API_JSON,
		.records = &records,
		.field = fields,
		.n_fields = 2,
		.selector = selectors,
		.n_selectors = 2};
	struct reply *r = reply_new(&spec);
	CLEANUP(str_release) struct str told = STR_INIT;
	struct http_answer a;
	struct err e = ERR_INIT;

	answer(&a,
		"X-Left: 7\nX-Use: {\"1\":[{\"m\":4},{\"m\":5}]}\n"
		"Link: </b>; rel=prev\nLink: </c?x=1>; rel=\"x next\"\n",
		"{\"links\":{\"next\":\"h\\u0065\"},\"data\":[{\"id\":1,"
		"\"a\":{\"b\":\"x\"}}, {\"id\":null}]}");
	must(reply_read(r, &a, write_record, &told, &e), &e);
	assert_string_equal(told.s,
		"0@36+22:{\"id\":1,\"a\":{\"b\":\"x\"}} 1 x\n"
		"1@60+11:{\"id\":null} - -\n");
	assert_int_equal(reply_records(r), 2);
	/* A null is there, and what no record has is not. */
	assert_int_equal(reply_met(r, 0), 2);
	assert_int_equal(reply_met(r, 1), 1);
	assert_true(reply_has(r, &next));
	assert_true(reply_has(r, &head));
	see_value(r, &next, 0, "he");
	see_value(r, &next, 1, NULL);
	/* Of the last record, which has none. */
	see_value(r, &last, 0, NULL);
	see_value(r, &head, 0, "7");
	see_value(r, &deep, 1, "5");
	see_value(r, &deep, 2, NULL);
	see_value(r, &link, 0, "/c?x=1");
	see_value(r, &status, 0, "200");
	http_answer_release(&a);

	answer(&a, "", "{\"data\":[{\"id\":1},{\"id\":\"z\"}]}");
	must(reply_read(r, &a, NULL, NULL, &e), &e);
	assert_int_equal(reply_met(r, 0), 2);
	assert_int_equal(reply_met(r, 1), 0);
	assert_false(reply_has(r, &next));
	assert_false(reply_has(r, &head));
	see_value(r, &last, 0, "z");
	see_value(r, &next, 0, NULL);
	see_value(r, &link, 0, NULL);
	http_answer_release(&a);
	reply_free(r);
	jsonpath_release(&records.path);
	jsonpath_release(&id.path);
	jsonpath_release(&at.path);
	jsonpath_release(&next.path);
	jsonpath_release(&last.path);
	jsonpath_release(&deep.path);
}

static void
test_what_is_no_page(void **state UNUSED)
{
	static const char *const wrong[] = {"", "<html>", "{\"data\":[1}",
		"{\"date\":[]}", "{\"data\":[{}]} x", "\xef\xbb"};
	struct api_records records = {.path = path("$.data[*]")};
	const struct reply_spec spec = {.layer = API_JSON, .records = &records};
	struct reply *r = reply_new(&spec);
	struct http_answer a;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		answer(&a, "", wrong[i]);
		if (reply_read(r, &a, NULL, NULL, &e) != BAD_ITEM)
			fail_msg("taken: %s", wrong[i]);
		http_answer_release(&a);
	}
	/* An empty page has its place. */
	answer(&a, "", "{\"data\":[]}");
	must(reply_read(r, &a, NULL, NULL, &e), &e);
	assert_int_equal(reply_records(r), 0);
	http_answer_release(&a);
	reply_free(r);
	jsonpath_release(&records.path);
}

static void
test_rows(void **state UNUSED)
{
	const struct api_records all = {.path = {.n = 0}};
	const struct api_place id = {.column = (char[]){"Id"}};
	const struct api_place at = {.column = (char[]){"x y"}};
	struct api_place key = {.path = path("$.k")};
	struct api_place none = {.path = path("$.n")};
	const struct api_place *const columns[] = {&id, &at};
	const struct api_place *const members[] = {&key, &none};
	const struct reply_spec csv = {.layer = API_CSV,
		.records = &all,
		.field = columns,
		.n_fields = 2};
	const struct reply_spec jsonl = {.layer = API_JSONL,
		.records = &all,
		.field = members,
		.n_fields = 2};
	struct reply *r = reply_new(&csv);
	CLEANUP(str_release) struct str told = STR_INIT;
	struct http_answer a;
	struct err e = ERR_INIT;

	answer(&a, "", "\xef\xbb\xbf\"x y\",Id\r\n\"a\n\"\"b\",7\r\n,8\r\n");
	must(reply_read(r, &a, write_record, &told, &e), &e);
	assert_string_equal(
		told.s, "0@13+11:\"a\n\"\"b\",7 7 a\n\"b\n1@24+4:,8 8 \n");
	http_answer_release(&a);
	reply_free(r);

	str_clear(&told);
	r = reply_new(&jsonl);
	answer(&a, "", "{\"k\":1}\n\nnot\n{\"k\":\"z\",\"n\":[]}");
	must(reply_read(r, &a, write_record, &told, &e), &e);
	assert_string_equal(told.s,
		"0@0+8:{\"k\":1} 1 -\n1@13+16:{\"k\":\"z\",\"n\":[]} z -\n");
	http_answer_release(&a);
	answer(&a, "", "");
	must(reply_read(r, &a, NULL, NULL, &e), &e);
	assert_int_equal(reply_records(r), 0);
	http_answer_release(&a);
	reply_free(r);
	jsonpath_release(&key.path);
	jsonpath_release(&none.path);
}

/* A record far behind what of a body is held in memory. */
static void
test_a_spooled_body(void **state UNUSED)
{
	struct api_records records = {.path = path("$[*]")};
	struct api_place id = {.path = path("$.id")};
	const struct api_place *const fields[] = {&id, &id};
	const struct reply_spec spec = {.layer = API_JSON,
		.records = &records,
		.field = fields,
		.n_fields = 2};
	struct reply *r = reply_new(&spec);
	CLEANUP(str_release) struct str told = STR_INIT;
	CLEANUP(str_release) struct str body = STR_INIT;
	struct http_answer a;
	struct err e = ERR_INIT;
	int spool = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	str_addc(&body, '[');
	while (body.len < HTTP_BODY_HELD + 300000)
		str_addc(&body, ' ');
	str_add(&body, "{\"id\":3}]");
	http_answer_init(&a, spool);
	must(http_body_add(&a.body, body.s, body.len, &e), &e);
	must(reply_read(r, &a, write_record, &told, &e), &e);
	assert_non_null(strstr(told.s, "+8:{\"id\":3} 3"));
	http_answer_release(&a);
	reply_free(r);
	close(spool);
	jsonpath_release(&records.path);
	jsonpath_release(&id.path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_document),
		cmocka_unit_test(test_what_is_no_page),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_spooled_body),
	};

	return cmocka_run_group_tests_name("http-reply", tests, NULL, NULL);
}
