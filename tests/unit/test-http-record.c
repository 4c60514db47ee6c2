/* source/http/record: exchanges are kept without secrets, or not at all. */
#include "source/http/record.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "unit.h"

#include "scratch.h"

#define PIECE (64 << 10) /* of a body at a time */

static const struct api nowhere = {.profile = NULL};

static size_t
hide(const void *arg, struct str *text, struct hide_piece *piece)
{
	return hide_secrets(&nowhere, arg, text, piece);
}

/* A body of three pieces, and a secret in it that ends in the second. */
static void
fill(struct http_answer *a, const char *spelled, size_t before)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	while (s.len < before)
		str_addc(&s, '.');
	str_add(&s, spelled);
	while (s.len < 3 * PIECE)
		str_addc(&s, ',');
	http_answer_init(a, -1);
	a->status = 200;
	must(http_body_add(&a->body, s.s, s.len, &e), &e);
	str_release(&s);
}

static struct record *
begin(const char *dir, const struct vars *v, const atomic_bool *cancel)
{
	const struct record_options o = {.dir = dir,
		.source = "shop",
		.hide = hide,
		.arg = v,
		.cancel = cancel};
	struct err e = ERR_INIT;
	struct record *r;

	must(record_open(&o, &r, &e), &e);
	return r;
}

static void
test_a_secret_across_pieces(void **state UNUSED)
{
	static const char spelled[] = "Xq7\\u002dacme-2024!";
	char dir[SCRATCH_PATH];
	int fd = scratch_make(dir);
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;

	vars_set_text(&v, API_SECRET, "password", "Xq7-acme-2024!");
	vars_set_text(&v, API_SECRET, "user", "acme");
	for (size_t i = 0; i < sizeof(spelled); i++) {
		struct record *r = begin(dir, &v, NULL);
		struct str kept = STR_INIT;
		struct http_answer a;

		fill(&a, spelled, PIECE - i);
		record_keep(r, "GET", "https://x.example/", &a, false);
		must(record_check(r, &e), &e);
		must(io_read_file(fd, "shop/0001.body", 4 * PIECE, &kept,
			     BAD_SOURCE, &e),
			&e);
		assert_int_equal(kept.len, 3 * PIECE - strlen(spelled) + 3);
		assert_memory_equal(kept.s + PIECE - i, "***,", 4);
		str_release(&kept);
		http_answer_release(&a);
		record_close(r);
	}
	vars_release(&v);
	close(fd);
	scratch_remove(dir);
}

static void
test_what_is_stopped_is_not_kept(void **state UNUSED)
{
	char dir[SCRATCH_PATH];
	int fd = scratch_make(dir);
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;
	atomic_bool cancel = true;
	struct record *r = begin(dir, &v, &cancel);
	struct http_answer a;
	struct stat st;

	fill(&a, "", 0);
	record_keep(r, "GET", "https://x.example/", &a, false);
	assert_int_equal(record_check(r, &e), AGAIN);
	assert_int_equal(fstatat(fd, "shop/0001.body", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	http_answer_release(&a);
	record_close(r);
	close(fd);
	scratch_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_across_pieces),
		cmocka_unit_test(test_what_is_stopped_is_not_kept),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
