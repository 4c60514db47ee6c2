/* daemon/watcher: which names a look takes, and which wait for the next. */
#include "daemon/watcher.h"

#include <stdio.h>

#include "base/clock.h"
#include "unit.h"

#define T(n) ((n)*CLOCK_SECOND)

static int64_t now;

static int64_t
fake_clock(void)
{
	return now;
}

static const struct clock_ops fake_clocks = {fake_clock, fake_clock};

static const struct source_config alone;
static const struct source_config sets = {
	.ready = {.all = true, .n = 1, .rule = {{.kind = READY_MANIFEST}}},
};
static struct watcher w;
static struct pass_list l;

static int
set_up(void **state UNUSED)
{
	now = T(100);
	clock_replace(&fake_clocks);
	watcher_init(&w, &alone);
	watcher_plan(&w, INT64_MAX);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	watcher_release(&w);
	clock_replace(NULL);
	return 0;
}

static void
hint(const char *name, int64_t due)
{
	watcher_add(&w, (const uint8_t *)name, strlen(name), due);
}

/* Begins a look at names. */
static void
begin(void)
{
	bool full = true;

	watcher_begin(&w, &full, &l);
	assert_false(full);
}

/* "a b c": what the look has so far. */
static void
assert_looks_at(const char *names)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	for (size_t i = 0; i < l.n; i++) {
		if (i > 0)
			str_addc(&s, ' ');
		str_addn(&s, l.name[i].name, l.name[i].len);
	}
	assert_string_equal(s.s, names);
}

static void
test_what_is_due_is_looked_at_once(void **state UNUSED)
{
	hint("a", T(100));
	hint("b", T(101));
	hint("c", T(103));
	hint("c", T(99));  /* the earlier one stands */
	hint("a", T(102)); /* and stands */
	assert_true(watcher_due(&w) == T(99));
	begin();
	assert_looks_at("a c");
	watcher_end(&w, &l);
	assert_true(watcher_due(&w) == T(101));
	now = T(101);
	begin();
	assert_looks_at("b");
	watcher_end(&w, &l);
	assert_true(watcher_due(&w) == INT64_MAX);
	begin();
	assert_looks_at("");
	watcher_end(&w, &l);
}

static void
test_what_comes_meanwhile_joins_but_not_twice(void **state UNUSED)
{
	hint("late", T(101));
	hint("a", T(100));
	begin();
	assert_looks_at("a");
	hint("b", T(100));
	hint("a", T(100));
	assert_true(watcher_more(&w, &l));
	assert_looks_at("a b");
	assert_false(watcher_more(&w, &l));
	now = T(101);
	assert_true(watcher_more(&w, &l));
	assert_looks_at("a b late");
	/* Still pending, say: back in a while. */
	hint("b", T(200));
	assert_false(watcher_more(&w, &l));
	watcher_end(&w, &l);

	assert_true(watcher_due(&w) == T(100));
	begin();
	assert_looks_at("a");
	watcher_end(&w, &l);
	assert_true(watcher_due(&w) == T(200));
}

static void
test_a_look_ends(void **state UNUSED)
{
	char name[32];

	/* Somebody waits for it. */
	hint("a", T(100));
	begin();
	hint("b", T(100));
	watcher_hurry(&w);
	assert_false(watcher_more(&w, &l));
	watcher_end(&w, &l);
	begin();
	assert_looks_at("b");
	hint("c", T(100));
	assert_true(watcher_more(&w, &l));

	/* All is to be looked at. */
	hint("d", T(100));
	watcher_rescan(&w);
	assert_false(watcher_more(&w, &l));
	watcher_end(&w, &l);

	/* Others shall have their turn. */
	w.rescan = INT64_MAX;
	for (int i = 0; i < WATCHER_LOOK + 5; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		hint(name, T(100));
	}
	begin();
	assert_int_equal(l.n, WATCHER_LOOK);
	assert_false(watcher_more(&w, &l));
	watcher_end(&w, &l);
	begin();
	assert_int_equal(l.n, 6); /* and d */
	watcher_end(&w, &l);
}

static void
test_what_does_not_fit_is_a_full_look(void **state UNUSED)
{
	bool full = false;
	char name[32];

	for (int i = 0; i < WATCHER_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		hint(name, T(100 + i));
	}
	assert_true(watcher_due(&w) == T(100));
	hint("0", T(90)); /* known: it fits */
	assert_true(watcher_due(&w) == T(90));
	hint("more", T(100));
	assert_true(watcher_due(&w) == INT64_MIN);
	watcher_begin(&w, &full, &l);
	assert_true(full);
	assert_int_equal(l.n, 0);
	/* What is hinted while all is looked at comes after it. */
	hint("again", T(100));
	assert_false(watcher_is_planned(&w, now));
	watcher_end(&w, &l);
	begin();
	assert_looks_at("again");
	watcher_end(&w, &l);
	watcher_plan(&w, T(100));
	assert_true(watcher_is_planned(&w, now));
	watcher_begin(&w, &full, &l);
	assert_true(full);
	watcher_end(&w, &l);
}

/* What a look leaves to be made up for is due whatever is planned. */
static void
test_it_is_due_before_it_is_planned(void **state UNUSED)
{
	bool full = false;

	watcher_plan(&w, T(3600));
	watcher_rescan(&w);
	watcher_begin(&w, &full, &l);
	assert_true(full);
	watcher_rescan(&w);
	watcher_end(&w, &l);
	assert_true(watcher_due(&w) == INT64_MIN);
	assert_false(watcher_is_planned(&w, now));
}

/* What waits is looked at by itself, and all else when it is planned. */
static void
test_a_wait_that_is_over_is_no_full_look(void **state UNUSED)
{
	bool full = false;

	watcher_plan(&w, T(200));
	watcher_wake_by(&w, T(140));
	watcher_wake_by(&w, T(130));
	watcher_wake_by(&w, T(140));
	assert_true(watcher_due(&w) == T(130));
	now = T(129);
	assert_true(watcher_is_planned(&w, now));
	now = T(130);
	assert_false(watcher_is_planned(&w, now));
	begin();
	watcher_end(&w, &l);
	assert_true(watcher_due(&w) == T(200));
	/* With all else it is one look. */
	watcher_wake_by(&w, T(250));
	now = T(200);
	watcher_begin(&w, &full, &l);
	assert_true(full);
	watcher_plan(&w, T(300));
	watcher_end(&w, &l);
	assert_true(watcher_due(&w) == T(300));
	watcher_wake(&w);
	assert_true(watcher_due(&w) == INT64_MIN);
}

/* One of a set is judged with all of it, and not for every hint anew. */
static void
test_sets_are_looked_at_whole(void **state UNUSED)
{
	bool full = false;

	w.config = &sets;
	hint("a", T(102));
	hint("b", T(101));
	assert_true(watcher_due(&w) == T(101));
	now = T(101);
	watcher_begin(&w, &full, &l);
	assert_true(full);
	assert_int_equal(l.n, 0);
	watcher_plan(&w, INT64_MAX);
	hint("c", T(101)); /* while it goes on */
	now = T(103);
	watcher_end(&w, &l);

	/* That took 2 s: the one after the next comes 18 s later. */
	assert_true(watcher_due(&w) == T(101));
	watcher_begin(&w, &full, &l);
	assert_true(full);
	now = T(105);
	watcher_end(&w, &l);
	hint("d", T(105));
	assert_true(watcher_due(&w) == T(105 + 18));
	assert_true(watcher_is_planned(&w, now));
	watcher_rescan(&w);
	assert_true(watcher_due(&w) == INT64_MIN);
	assert_false(watcher_is_planned(&w, now));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_what_is_due_is_looked_at_once),
		TEST(test_what_comes_meanwhile_joins_but_not_twice),
		TEST(test_a_look_ends),
		TEST(test_what_does_not_fit_is_a_full_look),
		TEST(test_it_is_due_before_it_is_planned),
		TEST(test_a_wait_that_is_over_is_no_full_look),
		TEST(test_sets_are_looked_at_whole),
	};

	return cmocka_run_group_tests_name("watcher", tests, NULL, NULL);
}
