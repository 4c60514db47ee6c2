/*
 * daemon/: passes over a directory with all threads at work. Run under
 * ThreadSanitizer and AddressSanitizer it is also the proof that what they
 * share is locked and what they make is freed.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine.h"
#include "daemon/pass.h"

#include "engine-place.h"

static void
test_passes(void **state)
{
	struct place *p = *state;
	const uint64_t first[DISPOSITIONS] = {
		[DISPOSITION_LANDED] = SMALL - 40 + 2,
		[DISPOSITION_DUPLICATE] = 40,
		[DISPOSITION_IGNORED] = 20,
	};
	const uint64_t later[DISPOSITIONS] = {
		[DISPOSITION_LANDED] = SMALL - 40 + 2 - 31 + 10,
		[DISPOSITION_DUPLICATE] = 40 + 5,
		[DISPOSITION_NEW_VERSION] = 31,
		[DISPOSITION_IGNORED] = 20,
	};
	const uint64_t total = SMALL + 2 + 20;

	first_delivery(p);
	start(p);
	pass(p, 0, first);
	pass(p, total, first);
	check_world(p, SMALL + 2, SMALL - 40 + 2);

	/*
	 * 31 new versions, one of a big one; 10 new, 5 copies of them. Not of
	 * names with copies: which of two landed, the listing decided.
	 */
	for (int i = 100; i < 130; i++)
		small_file(p, i % 2 == 0 ? "" : "below/", i, "7,more\n");
	big_file(p, "drop/big-1.csv", 'c');
	for (int i = 500; i < 510; i++)
		small_file(p, "", i, "");
	for (int i = 500; i < 505; i++)
		small_file(p, "below/copy-", i, "");
	pass(p, total - 31, later);
	pass(p, total + 15, later);
	stop(p);
	check_world(p, SMALL + 2 + 31 + 15, SMALL - 40 + 2 + 31 + 10);

	/* What one process knew the next one knows. */
	start(p);
	assert_int_equal(engine_recovery(p->engine)->brought_forward, 0);
	assert_int_equal(engine_recovery(p->engine)->entries, 0);
	pass(p, total + 15, later);
	stop(p);
}

/* Too young: every name gets a note, and lands by a later look. */
static void
test_pending_then_landed(void **state)
{
	struct place *p = *state;
	const uint64_t young[DISPOSITIONS] = {[DISPOSITION_PENDING] = 50};
	const uint64_t ready[DISPOSITIONS] = {[DISPOSITION_LANDED] = 50};

	for (int i = 0; i < 50; i++)
		small_file(p, "", i, "");
	p->source.ready.rule[0].time = 3600 * CLOCK_SECOND;
	start(p);
	pass(p, 0, young);
	pass(p, 0, young);
	p->source.ready.rule[0].time = 0;
	pass(p, 0, ready);
	stop(p);
	check_world(p, 50, 50);
}

/* Names that join a look while those before them are being landed. */
struct joining {
	struct place *p;
	int rounds;
	struct pass_name name[3 * 50];
	char text[3 * 50][8];
};

static bool
join_more(void *arg, struct pass_list *l)
{
	struct joining *j = arg;

	if (j->rounds == 3)
		return false;
	for (int i = 50 * j->rounds; i < 50 * (j->rounds + 1); i++) {
		small_file(j->p, "", i, "");
		(void)snprintf(j->text[i], sizeof(j->text[i]), "%03d.csv", i);
		l->name[l->n++] = (struct pass_name){
			(const uint8_t *)j->text[i], strlen(j->text[i])};
	}
	j->rounds++;
	return true;
}

static void
test_names_join_a_look(void **state)
{
	struct place *p = *state;
	const struct pass_options options = {
		.config = &p->source, .done = done, .arg = p};
	struct joining j = {.p = p};
	struct pass_list l = {.name = j.name, .more = join_more, .arg = &j};
	struct pass_report r;
	struct err e = ERR_INIT;

	start(p);
	pass_report_init(&r);
	must(pass_names(p->engine, &options, &l, &r, &e), &e);
	assert_int_equal(p->told, 150);
	assert_int_equal(r.pass.listed, 150);
	assert_int_equal(r.pass.count[DISPOSITION_LANDED], 150);
	pass_report_release(&r);

	/* All of them once more, none of which is new; no more join. */
	l.more = NULL;
	pass_report_init(&r);
	must(pass_names(p->engine, &options, &l, &r, &e), &e);
	assert_int_equal(r.pass.unchanged, 150);
	pass_report_release(&r);
	stop(p);
	check_world(p, 150, 150);
}

/* Closing without waiting first: what was submitted still lands. */
static void
test_closed_with_work_left(void **state)
{
	struct place *p = *state;
	const struct source_ops *ops = source_ops(SOURCE_DROP);
	struct source *s;
	struct lane *l;
	struct err e = ERR_INIT;

	first_delivery(p);
	start(p);
	must(ops->open(&p->source, NULL, &s, &e), &e);
	must(lane_open(p->engine,
		     &(struct lane_options){.done = done, .arg = p}, &l, &e),
		&e);
	for (int i = 0; i < SMALL - 40; i += 2) {
		struct str name = STR_INIT;
		struct job *j;

		str_addf(&name, "%03d.csv", i);
		j = job_new(&p->source, (const uint8_t *)name.s, name.len);
		j->source = s;
		j->by_hand = true;
		j->evidence = mem_strdup("test");
		j->transport = "drop";
		must(lane_submit(l, j, &e), &e);
		str_release(&name);
	}
	lane_close(l);
	stop(p);
	ops->close(s);
	check_world(p, (SMALL - 40) / 2, (SMALL - 40) / 2);
}

/*
 * A partner far away: each delivery comes out of one pipe, when somebody
 * writes into it, and is always what it was.
 */
static int far_pipe[2];

static enum rc
far_fetch(struct source *s UNUSED, const uint8_t *name UNUSED,
	size_t len UNUSED, struct feed **ret_feed, struct signature *ret,
	struct err *e UNUSED)
{
	*ret_feed = feed_file(fcntl(far_pipe[0], F_DUPFD_CLOEXEC, 0));
	*ret = (struct signature){.size = 2};
	return OK;
}

static enum rc
far_look(struct source *s UNUSED, const uint8_t *name UNUSED, size_t len UNUSED,
	enum item_type *ret_type UNUSED, struct signature *ret,
	struct err *e UNUSED)
{
	*ret = (struct signature){.size = 2};
	return OK;
}

static const struct source_ops far_ops = {.fetch = far_fetch, .look = far_look};

/*
 * As many wait for a partner who sends nothing as the engine has workers of
 * its own; a pass over another source does not notice.
 */
static void
test_waiting_holds_up_nobody_else(void **state)
{
	struct place *p = *state;
	const struct lane_options options = {
		.done = done, .arg = p, .workers = 4};
	const uint64_t first[DISPOSITIONS] = {
		[DISPOSITION_LANDED] = SMALL - 40 + 2,
		[DISPOSITION_DUPLICATE] = 40,
		[DISPOSITION_IGNORED] = 20,
	};
	struct engine_progress now;
	struct lane *l;
	struct err e = ERR_INIT;

	assert_int_equal(pipe(far_pipe), 0);
	first_delivery(p);
	start(p);
	must(lane_open(p->engine, &options, &l, &e), &e);
	for (char c = 'a'; c < 'a' + 4; c++) {
		struct job *j = job_new(&p->source, (uint8_t *)&c, 1);

		j->ops = &far_ops;
		j->by_hand = true;
		j->evidence = mem_strdup("test");
		j->transport = "far";
		must(lane_submit(l, j, &e), &e);
	}
	do {
		clock_sleep(CLOCK_SECOND / 1000);
		engine_progress(p->engine, &now);
	} while (now.reading < 4);
	pass(p, 0, first);
	engine_progress(p->engine, &now);
	assert_int_equal(now.reading, 4);
	assert_int_equal(write(far_pipe[1], "x\n", 2), 2);
	close(far_pipe[1]);
	must(lane_wait(l, &e), &e);
	lane_close(l);
	close(far_pipe[0]);
	stop(p);
	/* One of the four got the bytes, the others an empty file. */
	check_world(p, SMALL + 2 + 4, SMALL - 40 + 2 + 2);
}

/* Our own failure stops all threads and is what every later call says. */
static void
test_broken_stops_everybody(void **state)
{
	struct place *p = *state;
	const struct pass_options options = {.config = &p->source};
	struct pass_report r;
	struct lane *l;
	struct err e = ERR_INIT, again = ERR_INIT;
	char staging[SCRATCH_PATH + 32];

	first_delivery(p);
	start(p);
	(void)snprintf(staging, sizeof(staging), "%s/_staging", p->zone);
	scratch_remove(staging);
	pass_report_init(&r);
	assert_int_equal(pass_run(p->engine, &options, &r, &e), BROKEN);
	must(lane_open(p->engine, NULL, &l, &again), &again);
	assert_int_equal(lane_wait(l, &again), BROKEN);
	lane_close(l);
	assert_string_equal(e.text, again.text);
	pass_report_release(&r);
	stop(p);
	assert_int_equal(mkdir(staging, 0755), 0);
	check_world(p, 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_passes),
		TEST(test_pending_then_landed),
		TEST(test_names_join_a_look),
		TEST(test_closed_with_work_left),
		TEST(test_waiting_holds_up_nobody_else),
		TEST(test_broken_stops_everybody),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
