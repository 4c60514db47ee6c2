/*
 * daemon/: passes over a directory with all threads at work. Run under
 * ThreadSanitizer and AddressSanitizer it is also the proof that what they
 * share is locked and what they make is freed.
 */
#include "daemon/engine.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/pass.h"
#include "daemon/set.h"
#include "unit.h"

#include "scratch.h"

static char origin[] = "test.example.com/engine";
static char source_name[] = "drop";
static char ignore_glob[] = "*.tmp";

#define SMALL 400
#define BIG (3u << 20)

struct place {
	char path[SCRATCH_PATH];
	int dir;
	char drop[SCRATCH_PATH + 16];
	char zone[SCRATCH_PATH + 16];
	char state[SCRATCH_PATH + 16];
	char *ignore[1];
	struct source_config source;
	struct config config;
	struct engine *engine;
	/* Everything a pass's done was told; the committer's. */
	atomic_uint_fast64_t told;
	/* A second thread that asks how far it is, as a progress bar does. */
	pthread_t watcher;
	atomic_bool watch;
};

static void
in_place(char to[SCRATCH_PATH + 16], const struct place *p, const char *name)
{
	(void)snprintf(to, SCRATCH_PATH + 16, "%s/%s", p->path, name);
}

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;
	struct zone *zone;
	struct catalog *catalog;
	int fd;

	p->dir = scratch_make_quick(p->path);
	in_place(p->drop, p, "drop");
	in_place(p->zone, p, "zone");
	in_place(p->state, p, "state");
	assert_int_equal(mkdirat(p->dir, "drop", 0755), 0);
	assert_int_equal(mkdirat(p->dir, "drop/below", 0755), 0);
	assert_int_equal(mkdirat(p->dir, "state", 0700), 0);
	must(zone_create(p->zone, &e), &e);
	must(zone_open(p->zone, &zone, &e), &e);
	fd = openat(p->dir, "state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	must(ledger_create(zone_dir(zone), fd, origin, &e), &e);
	must(catalog_open(p->state, true, &catalog, &e), &e);
	catalog_close(catalog);
	zone_close(zone);
	close(fd);
	p->ignore[0] = ignore_glob;
	p->source = (struct source_config){
		.name = source_name,
		.kind = SOURCE_DROP,
		.drop = {.path = p->drop, .recursive = true},
		.ignore = {.glob = p->ignore, .n = 1},
		.duplicates = DUPLICATE_NOTE,
		.ready = {.n = 1}, /* stable 0s */
	};
	dialect_init(&p->source.dialect, SCAN_CSV);
	p->config = (struct config){
		.zone = p->zone,
		.state = p->state,
		.origin = origin,
		.limits = {.workers = 4},
		.level = 3,
		.source = &p->source,
		.n_sources = 1,
	};
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static void
done(void *arg, const struct delivery *d UNUSED)
{
	struct place *p = arg;

	p->told++;
}

static void *
watch(void *arg)
{
	struct place *p = arg;
	struct engine_progress now, before = {0};

	while (atomic_load(&p->watch)) {
		engine_progress(p->engine, &now);
		if (now.bytes < before.bytes || now.done < before.done)
			abort();
		before = now;
		clock_sleep(CLOCK_SECOND / 1000);
	}
	return NULL;
}

static void
start(struct place *p)
{
	const struct engine_options options = {.config = &p->config};
	struct err e = ERR_INIT;

	must(engine_open(&options, &p->engine, &e), &e);
	atomic_store(&p->watch, true);
	assert_int_equal(pthread_create(&p->watcher, NULL, watch, p), 0);
}

static void
stop(struct place *p)
{
	atomic_store(&p->watch, false);
	assert_int_equal(pthread_join(p->watcher, NULL), 0);
	engine_close(p->engine);
}

/* One pass, which must close its sums: as many of each as expected. */
static void
pass(struct place *p, uint64_t unchanged, const uint64_t count[DISPOSITIONS])
{
	const struct pass_options options = {
		.config = &p->source, .done = done, .arg = p};
	struct pass_report r;
	struct err e = ERR_INIT;
	uint64_t listed = 0;

	p->told = 0;
	pass_report_init(&r);
	must(pass_run(p->engine, &options, &r, &e), &e);
	for (unsigned i = 0; i < DISPOSITIONS; i++) {
		listed += count[i];
		if (r.pass.count[i] != count[i])
			fail_msg("%s: %d, not %d",
				i > 0 ? disposition_name(i) : "none",
				(int)r.pass.count[i], (int)count[i]);
	}
	assert_int_equal(r.pass.listed, listed);
	assert_int_equal(r.pass.unchanged, unchanged);
	assert_int_equal(p->told, listed - unchanged);
	assert_int_equal(r.pass.outcome, PASS_COMPLETE);
	assert_int_equal(r.failed, 0);
	assert_int_equal(r.troubles, 0);
	pass_report_release(&r);
}

static void
big_file(struct place *p, const char *name, char fill)
{
	char *text = mem_alloc(BIG + 1);

	memset(text, fill, BIG);
	for (size_t i = 63; i < BIG; i += 64)
		text[i] = '\n';
	scratch_file(p->dir, name, text);
	free(text);
}

static void
small_file(struct place *p, const char *pattern, int i, const char *more)
{
	struct str name = STR_INIT, text = STR_INIT;

	str_addf(&name, "drop/%s%03d.csv", pattern, i);
	str_addf(&text, "id,name\n%d,\"file\"\n%s", i, more);
	scratch_file(p->dir, name.s, text.s);
	str_release(&name);
	str_release(&text);
}

/* 400 small ones of which 40 repeat another's bytes; 20 to be ignored. */
static void
first_delivery(struct place *p)
{
	for (int i = 0; i < SMALL - 40; i++)
		small_file(p, i % 2 == 0 ? "" : "below/", i, "");
	for (int i = 0; i < 40; i++)
		small_file(p, "copy-", i, "");
	for (int i = 0; i < 20; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "drop/%d.tmp", i);
		scratch_file(p->dir, name, "half");
	}
	big_file(p, "drop/big-1.csv", 'a');
	big_file(p, "drop/below/big-2.csv", 'b');
}

static void
no_finding(void *arg UNUSED, const char *file, const char *what)
{
	fail_msg("ledger: %s: %s", file, what);
}

struct seen {
	struct place *p;
	struct catalog *catalog;
	struct zone *zone;
	uint64_t files;
};

static enum rc
see_file(void *arg, const char *path, struct err *e)
{
	struct seen *s = arg;
	struct catalog_name n;
	struct landing *l;
	uint8_t sum[HASH_LEN];
	int fd;

	s->files++;
	must(catalog_find_file(s->catalog, path, &n, e), e);
	must(zone_read(s->zone, path, &fd, e), e);
	must(landing_open(fd, &l, e), e);
	must(landing_check(l, sum, NULL, NULL, e), e);
	landing_close(l);
	assert_memory_equal(sum, n.version.file_sha256, HASH_LEN);
	return OK;
}

/* The zone as a stranger finds it, and the catalog: so many of each. */
static void
check_world(struct place *p, uint64_t entries, uint64_t files)
{
	struct seen s = {.p = p};
	struct ledger_view *v;
	struct catalog_name n;
	struct err e = ERR_INIT;

	must(zone_open(p->zone, &s.zone, &e), &e);
	must(catalog_open(p->state, false, &s.catalog, &e), &e);
	must(ledger_view_open(zone_dir(s.zone), NULL, &v, &e), &e);
	must(ledger_view_check(v, no_finding, NULL, &e), &e);
	assert_int_equal(ledger_view_size(v), entries);
	for (uint64_t i = 0; i < entries; i++)
		must(catalog_find_index(s.catalog, i, &n, &e), &e);
	assert_int_equal(catalog_find_index(s.catalog, entries, &n, &e), END);
	must(zone_list(s.zone, NULL, see_file, &s, &e), &e);
	assert_int_equal(s.files, files);
	ledger_view_close(v);
	catalog_close(s.catalog);
	zone_close(s.zone);
}

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

/* ---- sets ---- */

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
		TEST(test_passes),
		TEST(test_pending_then_landed),
		TEST(test_names_join_a_look),
		TEST(test_closed_with_work_left),
		TEST(test_waiting_holds_up_nobody_else),
		TEST(test_broken_stops_everybody),
		TEST(test_set),
		TEST(test_set_with_a_bad_member),
		TEST(test_set_with_a_note),
		TEST(test_set_broken),
		TEST(test_large_set),
		TEST(test_full_queues),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
