/*
 * commit-world.h - zone, catalog and ledger of a test, deliveries into
 * them, and what must hold after everything.
 */
#ifndef TESTS_COMMIT_WORLD_H
#define TESTS_COMMIT_WORLD_H

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "land/intent.h"
#include "landfall/commit.h"
#include "unit.h"

#include "scratch.h"

#define ORIGIN "test.example.com/commit"
#define DAY "dt=2026-11-23"
#define INTENT FORMAT_STAGING_DIR "/" INTENT_NAME

/* 2026-11-23T12:00:00Z, and it stays that. */
static inline int64_t
noon(void)
{
	return INT64_C(1795435200) * CLOCK_SECOND;
}

static inline int64_t
still(void)
{
	return 0;
}

static const struct clock_ops clock_at_noon = {noon, still};

struct place {
	char path[SCRATCH_PATH];
	int dir;
	int state;
	struct land_pool *pool;
	struct commit c;
};

/* ---- a world, saved and restored ---- */

static inline void
shell(const struct place *p, const char *fmt, const char *a, const char *b)
{
	struct str s = STR_INIT;

	str_addf(&s, "cd %s && ", p->path);
	for (; *fmt != '\0'; fmt++)
		if (*fmt == '@')
			str_add(&s, a);
		else if (*fmt == '#')
			str_add(&s, b);
		else
			str_addc(&s, *fmt);
	if (system(s.s) != 0)
		fail_msg("%s", s.s);
	str_release(&s);
}

static inline void
shut(struct place *p)
{
	catalog_close(p->c.catalog);
	ledger_close(p->c.ledger);
	zone_close(p->c.zone);
	p->c = (struct commit){0};
}

static inline void
open_all(struct place *p)
{
	struct str zone = STR_INIT, state = STR_INIT;
	struct err e = ERR_INIT;

	str_addf(&zone, "%s/now/zone", p->path);
	str_addf(&state, "%s/now/state", p->path);
	must(zone_open(zone.s, &p->c.zone, &e), &e);
	if (p->state >= 0)
		close(p->state);
	p->state = open(state.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->state >= 0);
	must(ledger_open(
		     zone_dir(p->c.zone), p->state, ORIGIN, &p->c.ledger, &e),
		&e);
	must(catalog_open(state.s, true, &p->c.catalog, &e), &e);
	str_release(&zone);
	str_release(&state);
}

static inline int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;
	struct str zone = STR_INIT;

	clock_replace(&clock_at_noon);
	p->dir = scratch_make_quick(p->path);
	shell(p, "mkdir now && mkdir -m 700 now/state", NULL, NULL);
	str_addf(&zone, "%s/now/zone", p->path);
	must(zone_create(zone.s, &e), &e);
	must(zone_open(zone.s, &p->c.zone, &e), &e);
	p->state = openat(p->dir, "now/state", O_RDONLY | O_DIRECTORY);
	assert_true(p->state >= 0);
	must(ledger_create(zone_dir(p->c.zone), p->state, ORIGIN, &e), &e);
	zone_close(p->c.zone);
	open_all(p);
	p->pool = land_pool_new(1, 3);
	str_release(&zone);
	*state = p;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct place *p = *state;

	shut(p);
	land_pool_free(p->pool);
	close(p->state);
	close(p->dir);
	shell(p, "chmod -R u+w .", NULL, NULL);
	scratch_remove(p->path);
	free(p);
	clock_replace(NULL);
	return 0;
}

/* ---- deliveries ---- */

struct made {
	const char *source, *name, *text;
	uint32_t generation; /* 0 means 1 */
	enum duplicate_policy duplicates;
	const char *reason; /* into quarantine */
	bool archive;
};

static inline struct delivery *
make(struct place *p, const struct made *m)
{
	struct delivery *d = delivery_new(
		m->source, (const uint8_t *)m->name, strlen(m->name));
	struct provenance from = {
		.source = m->source,
		.name = d->name,
		.name_len = d->name_len,
		.transport = "drop",
		.evidence = "test",
		.reason = m->reason,
		.unpacked = m->archive,
		.dialect_origin = "declared",
		.generation = m->generation > 0 ? m->generation : 1,
		.relation =
			m->generation > 1 ? RELATION_REPLACED : RELATION_FIRST,
	};
	struct err e = ERR_INIT;
	struct land *l;
	uint8_t *room;
	size_t n;

	must(zone_stage(p->c.zone, &d->stage, &d->fd, &e), &e);
	dialect_init(&from.dialect, SCAN_LINES);
	l = land_new(p->pool, &from.dialect, d->fd, p->state, 0);
	room = land_room(l, &n);
	assert_true(n >= strlen(m->text));
	memcpy(room, m->text, strlen(m->text));
	must(land_add(l, strlen(m->text), &e), &e);
	must(land_settle(l, &d->landed, &e), &e);
	from.size = d->landed.size;
	from.totals = d->landed.totals;
	memcpy(from.bytes_sha256, d->landed.bytes_sha256, HASH_LEN);
	must(land_finish(l, &from, &d->landed, &e), &e);
	land_free(l);
	d->staged = true;
	d->generation = from.generation;
	d->relation = from.relation;
	d->duplicates = m->duplicates;
	d->quarantine = m->reason != NULL;
	d->reason = m->reason != NULL ? mem_strdup(m->reason) : NULL;
	d->signature = (struct signature){
		.size = d->landed.size, .inode = (uint64_t)d->stage};
	return d;
}

#define GROUP_MAX 8

struct group {
	struct delivery *d[GROUP_MAX];
	size_t n;
};

static inline void
group_make(struct place *p, struct group *g, const struct made *m, size_t n)
{
	assert_true(n <= GROUP_MAX);
	for (g->n = 0; g->n < n; g->n++)
		g->d[g->n] = make(p, &m[g->n]);
}

static inline void
group_free(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		delivery_free(g->d[i]);
}

static inline void
land_group(struct place *p, struct group *g, const struct made *m, size_t n)
{
	struct err e = ERR_INIT;

	group_make(p, g, m, n);
	must(commit_group(&p->c, g->d, g->n, &e), &e);
}

/* The same when nobody asks what became of each. */
static inline void
land_these(struct place *p, const struct made *m, size_t n)
{
	struct group g;

	land_group(p, &g, m, n);
	group_free(&g);
}

/* ---- what must hold after everything ---- */

static inline void
no_finding(void *arg UNUSED, const char *file, const char *what)
{
	fail_msg("ledger: %s: %s", file, what);
}

static inline void
sum_of(struct place *p, const char *path, uint8_t sum[HASH_LEN])
{
	struct str bytes = STR_INIT;
	struct err e = ERR_INIT;

	must(io_read_file(
		     zone_dir(p->c.zone), path, 1 << 20, &bytes, BROKEN, &e),
		&e);
	hash_bytes(bytes.s, bytes.len, sum);
	str_release(&bytes);
}

struct seen {
	struct place *p;
	uint64_t files;
	struct str dir, lines; /* of SHA256SUMS */
	size_t matched;	       /* bytes of it that files account for */
};

/* Each file is in the catalog, and in its SHA256SUMS exactly once. */
static inline enum rc
see_file(void *arg, const char *path, struct err *e)
{
	struct seen *s = arg;
	struct catalog_name n;
	struct str line = STR_INIT, file = STR_INIT;
	uint8_t sum[HASH_LEN];
	const char *at;
	size_t dir = (size_t)(strrchr(path, '/') - path);

	s->files++;
	must(catalog_find_file(s->p->c.catalog, path, &n, e), e);
	if (s->dir.len != dir || strncmp(s->dir.s, path, dir) != 0) {
		assert_int_equal(s->matched, s->lines.len);
		str_clear(&s->dir);
		str_addn(&s->dir, path, dir);
		str_addf(&file, "%s/" FORMAT_SUMS_NAME, s->dir.s);
		str_clear(&s->lines);
		must(io_read_file(zone_dir(s->p->c.zone), file.s, 1 << 20,
			     &s->lines, BROKEN, e),
			e);
		s->matched = 0;
	}
	sum_of(s->p, path, sum);
	assert_memory_equal(sum, n.version.file_sha256, HASH_LEN);
	zone_sums_line(&line, path, sum);
	at = strstr(s->lines.s, line.s);
	assert_non_null(at);
	assert_null(strstr(at + 1, line.s));
	s->matched += line.len;
	str_release(&line);
	str_release(&file);
	return OK;
}

/* Ledger, catalog, files and sums say the same: so many entries and files. */
static inline void
check_world(struct place *p, uint64_t entries, uint64_t files)
{
	struct seen s = {.p = p, .dir = STR_INIT, .lines = STR_INIT};
	struct str text = STR_INIT, part = STR_INIT;
	struct catalog_name n;
	struct err e = ERR_INIT;
	struct ledger_view *v;
	uint64_t size;

	must(ledger_view_open(zone_dir(p->c.zone), NULL, &v, &e), &e);
	must(ledger_view_check(v, no_finding, NULL, &e), &e);
	assert_int_equal(ledger_view_size(v), entries);
	must(catalog_ledger_size(p->c.catalog, &size, &e), &e);
	assert_int_equal(size, entries);
	for (uint64_t i = 0; i < entries; i++) {
		str_clear(&text);
		str_clear(&part);
		must(ledger_view_entry(v, i, &text, &e), &e);
		must(catalog_find_index(p->c.catalog, i, &n, &e), &e);
		str_addf(&part, "\"file\":\"%s\"", n.version.file);
		if (*n.version.file == '\0')
			assert_null(strstr(text.s, "\"file\":"));
		else
			assert_non_null(strstr(text.s, part.s));
		str_clear(&part);
		str_add(&part, "\"name\":\"");
		str_add_percent(&part, n.name, n.name_len, "/");
		str_add(&part, "\"");
		assert_non_null(strstr(text.s, part.s));
	}
	ledger_view_close(v);
	must(zone_list(p->c.zone, NULL, see_file, &s, &e), &e);
	assert_int_equal(s.matched, s.lines.len);
	assert_int_equal(s.files, files);
	str_release(&s.dir);
	str_release(&s.lines);
	str_release(&text);
	str_release(&part);
}

static inline struct recovery
recover(struct place *p)
{
	struct err e = ERR_INIT;
	struct recovery r;

	open_all(p);
	must(commit_recover(&p->c, &r, &e), &e);
	/* Nothing is left but the intent; a second time finds nothing. */
	shell(p, "[ -z \"$(ls now/zone/_staging | grep -vx intent)\" ]", NULL,
		NULL);
	return r;
}

/* ---- a group over two directories, not in their order ---- */

static const struct made earlier[] = {
	{.source = "a", .name = "old", .text = "old\n"},
};
static const struct made both[] = {
	{.source = "a", .name = "z.csv", .text = "z\n"},
	{.source = "b", .name = "x.csv", .text = "x\n"},
	{.source = "a", .name = "y.csv", .text = "y\n"},
};
#define N_BOTH ARRAY_LEN(both)

#endif
