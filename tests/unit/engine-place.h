/*
 * engine-place.h - an engine on directories of its own, names in its drop,
 * and what must hold after everything.
 */
#ifndef TESTS_ENGINE_PLACE_H
#define TESTS_ENGINE_PLACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine.h"
#include "daemon/pass.h"
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

static inline void
in_place(char to[SCRATCH_PATH + 16], const struct place *p, const char *name)
{
	(void)snprintf(to, SCRATCH_PATH + 16, "%s/%s", p->path, name);
}

static inline int
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

static inline int
tear_down(void **state)
{
	struct place *p = *state;

	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static inline void
done(void *arg, const struct delivery *d UNUSED)
{
	struct place *p = arg;

	p->told++;
}

static inline void *
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

static inline void
start(struct place *p)
{
	const struct engine_options options = {.config = &p->config};
	struct err e = ERR_INIT;

	must(engine_open(&options, &p->engine, &e), &e);
	atomic_store(&p->watch, true);
	assert_int_equal(pthread_create(&p->watcher, NULL, watch, p), 0);
}

static inline void
stop(struct place *p)
{
	atomic_store(&p->watch, false);
	assert_int_equal(pthread_join(p->watcher, NULL), 0);
	engine_close(p->engine);
}

/* One pass, which must close its sums: as many of each as expected. */
static inline void
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

static inline void
big_file(struct place *p, const char *name, char fill)
{
	char *text = mem_alloc(BIG + 1);

	memset(text, fill, BIG);
	for (size_t i = 63; i < BIG; i += 64)
		text[i] = '\n';
	scratch_file(p->dir, name, text);
	free(text);
}

static inline void
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
static inline void
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

static inline void
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

static inline enum rc
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
static inline void
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

#endif
