/*
 * daemon/: sets land as a whole or not at all, with all threads at work. Run
 * under ThreadSanitizer, like test-engine.c.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine.h"
#include "daemon/set.h"

#include "engine-place.h"

/* Files that lie staged, but for the intent. */
static unsigned
staged_now(struct place *p)
{
	char path[SCRATCH_PATH + 32];
	const struct dirent *entry;
	unsigned n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/_staging", p->zone);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	closedir(d);
	return n;
}

struct together {
	struct place *p;
	const struct source_ops *ops;
	struct source *source;
	struct lane *lane;
	size_t n; /* of the set; its names are 000.csv on */
	/* The committer's; the test reads them after lane_wait. */
	uint64_t count[DISPOSITIONS];
	struct str reason; /* of the first that is pending */
	bool whole;	   /* when the first was told, all were in the ledger */
	bool first;
};

/* Entries in the ledger, as anybody can read them. */
static uint64_t
entries_now(struct place *p)
{
	struct ledger_view *v;
	struct zone *zone;
	struct err e = ERR_INIT;
	uint64_t n;

	must(zone_open(p->zone, &zone, &e), &e);
	must(ledger_view_open(zone_dir(zone), NULL, &v, &e), &e);
	n = ledger_view_size(v);
	ledger_view_close(v);
	zone_close(zone);
	return n;
}

static void
told_together(void *arg, const struct delivery *d)
{
	struct together *t = arg;

	if (t->first && (size_t)atoi((const char *)d->name) < t->n) {
		t->whole = entries_now(t->p) >= t->n;
		t->first = false;
	}
	t->count[d->disposition]++;
	if (d->disposition == DISPOSITION_PENDING && t->reason.len == 0)
		str_add(&t->reason, d->reason);
}

static void
together_begin(struct together *t, struct place *p, size_t n)
{
	struct err e = ERR_INIT;

	*t = (struct together){
		.p = p, .n = n, .reason = STR_INIT, .first = true};
	t->ops = source_ops(SOURCE_DROP);
	must(t->ops->open(&p->source, NULL, &t->source, &e), &e);
	must(lane_open(p->engine,
		     &(struct lane_options){.done = told_together, .arg = t},
		     &t->lane, &e),
		&e);
}

static void
together_end(struct together *t)
{
	lane_close(t->lane);
	t->ops->close(t->source);
	str_release(&t->reason);
}

static enum rc
submit(struct together *t, struct set *set, const char *name, struct err *e)
{
	struct job *j =
		job_new(&t->p->source, (const uint8_t *)name, strlen(name));

	j->source = t->source;
	j->by_hand = true;
	j->evidence = mem_strdup("test");
	j->transport = "drop";
	j->set = set;
	return lane_submit(t->lane, j, e);
}

static void
submit_numbered(struct together *t, struct set *set, int i)
{
	char name[32];
	struct err e = ERR_INIT;

	(void)snprintf(name, sizeof(name), "%03d.csv", i);
	must(submit(t, set, name, &e), &e);
}

/* What lands together is in one commit, whatever lands beside it. */
static void
test_set(void **state)
{
	struct place *p = *state;
	struct together t;
	struct set *set;
	struct err e = ERR_INIT;

	for (int i = 0; i < 60; i++)
		small_file(p, "", i, "");
	start(p);
	together_begin(&t, p, 30);
	set = set_new("a set");
	for (int i = 0; i < 30; i++)
		submit_numbered(&t, set, i);
	set_close(t.lane, set);
	must(lane_wait(t.lane, &e), &e);
	assert_true(t.whole);
	assert_int_equal(t.count[DISPOSITION_LANDED], 30);

	/* Closed when everything was read long ago; and one of no members. */
	set_close(t.lane, set_new("nothing"));
	set = set_new("a late one");
	for (int i = 30; i < 60; i++)
		submit_numbered(&t, set, i);
	while (t.lane != NULL) {
		struct engine_progress now;

		engine_progress(p->engine, &now);
		if (now.bytes >= 60 * 14)
			break;
		clock_sleep(CLOCK_SECOND / 100);
	}
	assert_int_equal(entries_now(p), 30);
	set_close(t.lane, set);
	must(lane_wait(t.lane, &e), &e);
	assert_int_equal(t.count[DISPOSITION_LANDED], 60);
	together_end(&t);
	stop(p);
	check_world(p, 60, 60);
}

/* One that is not good: none lands, and each says which it was. */
static void
test_set_with_a_bad_member(void **state)
{
	struct place *p = *state;
	struct together t;
	struct set *set;
	struct err e = ERR_INIT;

	for (int i = 0; i < 20; i++)
		small_file(p, "", i, "");
	start(p);
	together_begin(&t, p, 0);
	set = set_new("manifest x.mf");
	for (int i = 0; i < 10; i++)
		submit_numbered(&t, set, i);
	must(submit(&t, set, "gone.csv", &e), &e);
	for (int i = 10; i < 15; i++)
		submit_numbered(&t, set, i);
	set_close(t.lane, set);
	for (int i = 15; i < 20; i++)
		submit_numbered(&t, NULL, i);
	must(lane_wait(t.lane, &e), &e);
	assert_int_equal(t.count[DISPOSITION_PENDING], 15);
	assert_int_equal(t.count[DISPOSITION_IGNORED], 1);
	assert_int_equal(t.count[DISPOSITION_LANDED], 5);
	assert_string_equal(t.reason.s,
		"manifest x.mf lands as a whole or not at all, and gone.csv "
		"is not there: removed before it was read");

	/* The same without it, but somebody says it is not to be. */
	str_clear(&t.reason);
	set = set_new("manifest x.mf");
	for (int i = 0; i < 15; i++)
		submit_numbered(&t, set, i);
	set_spoil(t.lane, set, "a test says so");
	set_spoil(t.lane, set, "the second reason is nobody's");
	set_close(t.lane, set);
	must(lane_wait(t.lane, &e), &e);
	assert_int_equal(t.count[DISPOSITION_PENDING], 30);
	assert_string_equal(t.reason.s,
		"manifest x.mf lands as a whole or not at all: a test says "
		"so");
	assert_int_equal(staged_now(p), 0);
	together_end(&t);
	stop(p);
	check_world(p, 5, 5);
}

static struct delivery *
note_on(struct place *p, const char *name)
{
	struct delivery *d = delivery_new(
		p->source.name, (const uint8_t *)name, strlen(name));

	d->disposition = DISPOSITION_IGNORED;
	d->reason = mem_strdup("all of it has landed");
	return d;
}

/*
 * A manifest stands as its set does. Of a set that lost one the others that
 * wait for their turn are not read.
 */
static void
test_set_with_a_note(void **state)
{
	struct place *p = *state;
	struct engine_progress before, after;
	struct together t;
	struct set *set;
	struct err e = ERR_INIT;

	for (int i = 0; i < 15; i++)
		small_file(p, "", i, "");
	start(p);
	together_begin(&t, p, 0);
	set = set_new("manifest x.mf");
	for (int i = 0; i < 5; i++)
		submit_numbered(&t, set, i);
	must(set_conclude(t.lane, set, note_on(p, "x.mf"), &e), &e);
	must(lane_wait(t.lane, &e), &e);
	assert_int_equal(t.count[DISPOSITION_LANDED], 5);
	assert_int_equal(t.count[DISPOSITION_IGNORED], 1);

	engine_progress(p->engine, &before);
	set = set_new("manifest y.mf");
	set_spoil(t.lane, set, "a test says so");
	for (int i = 5; i < 15; i++)
		submit_numbered(&t, set, i);
	must(set_conclude(t.lane, set, note_on(p, "y.mf"), &e), &e);
	must(lane_wait(t.lane, &e), &e);
	engine_progress(p->engine, &after);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(t.count[DISPOSITION_LANDED], 5);
	assert_int_equal(t.count[DISPOSITION_IGNORED], 1);
	assert_int_equal(t.count[DISPOSITION_PENDING], 11);
	assert_string_equal(t.reason.s,
		"manifest y.mf lands as a whole or not at all: a test says "
		"so");
	assert_int_equal(staged_now(p), 0);

	/* Nothing of it was to be read: the note alone. */
	must(set_conclude(t.lane, set_new("nothing"), note_on(p, "z.mf"), &e),
		&e);
	must(lane_wait(t.lane, &e), &e);
	assert_int_equal(t.count[DISPOSITION_IGNORED], 2);
	together_end(&t);
	stop(p);
	check_world(p, 5, 5);
}

/* Our failure while a set is open, half read, half queued. */
static void
test_set_broken(void **state)
{
	struct place *p = *state;
	struct together t;
	struct set *set;
	struct err e = ERR_INIT;
	char staging[SCRATCH_PATH + 32];
	enum rc rc = OK;

	for (int i = 0; i < 50; i++)
		small_file(p, "", i, "");
	start(p);
	together_begin(&t, p, 0);
	set = set_new("a set");
	for (int i = 0; i < 25; i++)
		submit_numbered(&t, set, i);
	(void)snprintf(staging, sizeof(staging), "%s/_staging", p->zone);
	/* Workers put files there meanwhile; there are only so many. */
	for (int i = 0; i < 1000 && access(staging, F_OK) == 0; i++)
		(void)nftw(
			staging, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_not_equal(access(staging, F_OK), 0);
	for (int i = 0; i < 25 && rc == OK; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%03d.csv", 25 + i);
		rc = submit(&t, set, name, &e);
	}
	set_close(t.lane, set);
	assert_int_equal(lane_wait(t.lane, &e), BROKEN);
	together_end(&t);
	stop(p);
	assert_int_equal(mkdir(staging, 0755), 0);
	check_world(p, 0, 0);
}

/*
 * A set of more than there may be descriptors, and than a group holds, beside
 * a pass that wants its turn. Before the limit is set for good.
 */
#define LARGE 4200
#define OTHERS 10

static void
test_large_set(void **state)
{
	struct place *p = *state;
	const struct rlimit few = {300, 300};
	struct together t;
	struct set *set;
	struct err e = ERR_INIT;

	for (int i = 0; i < LARGE + OTHERS; i++)
		small_file(p, "", i, "");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	start(p);
	together_begin(&t, p, LARGE);
	set = set_new("a large set");
	for (int i = 0; i < LARGE; i++) {
		submit_numbered(&t, set, i);
		if (i % (LARGE / OTHERS) == 0)
			submit_numbered(&t, NULL, LARGE + i / (LARGE / OTHERS));
	}
	/* What was told of the others until now is not about the set. */
	assert_true(entries_now(p) <= OTHERS);
	set_close(t.lane, set);
	must(lane_wait(t.lane, &e), &e);
	assert_true(t.whole);
	assert_int_equal(t.count[DISPOSITION_LANDED], LARGE + OTHERS);
	together_end(&t);
	stop(p);
	check_world(p, LARGE + OTHERS, LARGE + OTHERS);
}

/*
 * The queues are bounded: with few descriptors both fill, and everybody
 * waits for everybody without stopping. Last, as the limit stays.
 */
static void
test_full_queues(void **state)
{
	struct place *p = *state;
	const struct rlimit few = {300, 300};
	const uint64_t first[DISPOSITIONS] = {
		[DISPOSITION_LANDED] = SMALL - 40 + 2,
		[DISPOSITION_DUPLICATE] = 40,
		[DISPOSITION_IGNORED] = 20 + 1500,
	};

	first_delivery(p);
	for (int i = 1000; i < 2500; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "drop/%d.tmp", i);
		scratch_file(p->dir, name, "half");
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	start(p);
	pass(p, 0, first);
	stop(p);
	check_world(p, SMALL + 2, SMALL - 40 + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_set),
		TEST(test_set_with_a_bad_member),
		TEST(test_set_with_a_note),
		TEST(test_set_broken),
		TEST(test_large_set),
		TEST(test_full_queues),
	};

	return cmocka_run_group_tests_name("engine-set", tests, NULL, NULL);
}
