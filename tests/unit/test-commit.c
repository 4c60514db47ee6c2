/*
 * commit: whatever a crash left behind, recovery brings it to the same end:
 * every delivery once in the catalog, the ledger and SHA256SUMS.
 *
 * The states are put together by hand from a world before a group and the
 * same world after it: zone files of the one, catalog of the other, and so
 * on. What a crash can leave is each prefix of the steps in commit.h.
 */
#include "landfall/commit.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "land/intent.h"
#include "unit.h"

#include "scratch.h"

#define ORIGIN "test.example.com/commit"
#define DAY "dt=2026-11-23"
#define INTENT FORMAT_STAGING_DIR "/" INTENT_NAME

/* 2026-11-23T12:00:00Z, and it stays that. */
static int64_t
noon(void)
{
	return INT64_C(1795435200) * CLOCK_SECOND;
}

static int64_t
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

static void
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

static void
shut(struct place *p)
{
	catalog_close(p->c.catalog);
	ledger_close(p->c.ledger);
	zone_close(p->c.zone);
	p->c = (struct commit){0};
}

static void
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

/* The world as it is, under a name; nothing is open meanwhile. */
static void
save(struct place *p, const char *as)
{
	shut(p);
	shell(p, "rm -rf @ && cp -a now @", as, NULL);
	open_all(p);
}

static void
begin_state(struct place *p, const char *from)
{
	shut(p);
	shell(p, "rm -rf now && cp -a @ now", from, NULL);
}

static void
take_ledger(struct place *p, const char *from)
{
	shell(p,
		"rm -rf now/zone/_ledger && "
		"cp -a @/zone/_ledger now/zone && "
		"cp -a @/state/ledger.last now/state",
		from, NULL);
}

static void
take_catalog(struct place *p, const char *from)
{
	shell(p,
		"rm -f now/state/catalog.db* && "
		"cp -a @/state/catalog.db* now/state",
		from, NULL);
}

/* What SHA256SUMS of a source held in that world; missing: nothing. */
static void
take_sums(struct place *p, const char *from, const char *source)
{
	shell(p,
		"rm -f now/zone/#/" DAY "/SHA256SUMS && "
		"if [ -e @/zone/#/" DAY "/SHA256SUMS ]; then "
		"cp -a @/zone/#/" DAY "/SHA256SUMS now/zone/#/" DAY "; fi",
		from, source);
}

static int
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

static int
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

static struct delivery *
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

static void
group_make(struct place *p, struct group *g, const struct made *m, size_t n)
{
	assert_true(n <= GROUP_MAX);
	for (g->n = 0; g->n < n; g->n++)
		g->d[g->n] = make(p, &m[g->n]);
}

static void
group_free(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		delivery_free(g->d[i]);
}

static void
land_group(struct place *p, struct group *g, const struct made *m, size_t n)
{
	struct err e = ERR_INIT;

	group_make(p, g, m, n);
	must(commit_group(&p->c, g->d, g->n, &e), &e);
}

/* The same when nobody asks what became of each. */
static void
land_these(struct place *p, const struct made *m, size_t n)
{
	struct group g;

	land_group(p, &g, m, n);
	group_free(&g);
}

/* ---- what must hold after everything ---- */

static void
no_finding(void *arg UNUSED, const char *file, const char *what)
{
	fail_msg("ledger: %s: %s", file, what);
}

static void
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
static enum rc
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
static void
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

static struct recovery
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

static void
recover_again(struct place *p)
{
	struct recovery r;

	shut(p);
	r = recover(p);
	assert_int_equal(r.brought_forward, 0);
	assert_int_equal(r.entries, 0);
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

/* Worlds "before" and "after" the group; names of its files, in order. */
static uint64_t stage[N_BOTH]; /* and their staged files */

static void
two_worlds(struct place *p, struct str file[N_BOTH])
{
	struct group g;

	land_these(p, earlier, 1);
	save(p, "before");
	land_group(p, &g, both, N_BOTH);
	for (size_t i = 0; i < N_BOTH; i++) {
		file[i] = (struct str)STR_INIT;
		str_add(&file[i], g.d[i]->file.s);
		stage[i] = g.d[i]->stage;
	}
	group_free(&g);
	check_world(p, 1 + N_BOTH, 1 + N_BOTH);
	save(p, "after");
}

static void
release_files(struct str file[N_BOTH])
{
	for (size_t i = 0; i < N_BOTH; i++)
		str_release(&file[i]);
}

/* The partner's files are still there: they come again, and count once. */
static void
deliver_again(struct place *p)
{
	land_these(p, both, N_BOTH);
	check_world(p, 1 + N_BOTH, 1 + N_BOTH);
}

/* As it was published; what was not is staged again. */
static void
unpublish(struct place *p, const struct str *file, size_t i)
{
	struct str id = STR_INIT;

	str_addf(&id, "%llu", (unsigned long long)stage[i]);
	shell(p, "mv now/zone/@ now/zone/_staging/#", file->s, id.s);
	str_release(&id);
}

/* All were synced, those of `published` have their paths; no record. */
static void
begin_published(struct place *p, struct str file[N_BOTH], unsigned published)
{
	begin_state(p, "after");
	take_catalog(p, "before");
	take_ledger(p, "before");
	take_sums(p, "before", "a");
	take_sums(p, "before", "b");
	for (size_t i = 0; i < N_BOTH; i++)
		if ((published >> i & 1) == 0)
			unpublish(p, &file[i], i);
}

/* Whichever were published: the group stands as a whole, or not at all. */
static void
test_published_not_recorded(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH];
	struct recovery r;

	two_worlds(p, file);
	for (unsigned published = 0; published < 1u << N_BOTH; published++) {
		size_t k = published != 0 ? N_BOTH : 0;

		begin_published(p, file, published);
		r = recover(p);
		assert_int_equal(r.brought_forward, k);
		assert_int_equal(r.entries, k);
		check_world(p, 1 + k, 1 + k);
		recover_again(p);
		deliver_again(p);
	}
	release_files(file);
}

/* A staged file that is not whole never gets a path, nor one that is gone. */
static void
test_damaged_while_staged(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH], id = STR_INIT;
	struct recovery r;

	two_worlds(p, file);
	begin_published(p, file, 1);
	str_addf(&id, "%llu", (unsigned long long)stage[1]);
	shell(p,
		"chmod u+w now/zone/_staging/@ && "
		"truncate -s -1 now/zone/_staging/@",
		id.s, NULL);
	str_clear(&id);
	str_addf(&id, "%llu", (unsigned long long)stage[2]);
	shell(p, "rm -f now/zone/_staging/@", id.s, NULL);
	r = recover(p);
	assert_int_equal(r.brought_forward, 1);
	check_world(p, 2, 2);
	deliver_again(p);
	str_release(&id);
	release_files(file);
}

/*
 * What the rebuilt catalog is told of a group that was interrupted is also
 * all of it.
 */
static void
test_rebuild_completes_group(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH];
	struct err e = ERR_INIT;
	uint64_t versions;

	two_worlds(p, file);
	begin_published(p, file, 2);
	shell(p, "rm -f now/state/catalog.db*", NULL, NULL);
	open_all(p);
	must(commit_rebuild(p->c.zone, p->c.catalog, &versions, &e), &e);
	assert_int_equal(versions, 1 + N_BOTH);
	shut(p);
	(void)recover(p);
	check_world(p, 1 + N_BOTH, 1 + N_BOTH);
	deliver_again(p);
	release_files(file);
}

/* Closed before it is committed: synced with the rest, and removed if it is
 * not needed. */
static void
test_closed_before(void **state)
{
	struct place *p = *state;
	struct made m[3];
	struct group g;
	struct err e = ERR_INIT;

	memcpy(m, both, sizeof(m));
	m[2].text = m[0].text;
	group_make(p, &g, m, 3);
	for (size_t i = 0; i < g.n; i++)
		must(io_close(&g.d[i]->fd, BROKEN, &e), &e);
	must(commit_group(&p->c, g.d, g.n, &e), &e);
	assert_int_equal(g.d[2]->disposition, DISPOSITION_DUPLICATE);
	group_free(&g);
	shell(p, "[ -z \"$(ls now/zone/_staging | grep -vx intent)\" ]", NULL,
		NULL);
	check_world(p, 3, 2);
}

/* Recorded; of the sums, any prefix was written; nothing in the ledger. */
static void
test_recorded_and_torn_sums(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH];
	static const char *const sums[] = {
		"zone/a/" DAY "/SHA256SUMS", "zone/b/" DAY "/SHA256SUMS"};
	static const char *const source[] = {"a", "b"};
	struct stat before, after;
	char path[64];

	two_worlds(p, file);
	for (size_t k = 0; k < 2; k++) {
		off_t from = 0;

		(void)snprintf(path, sizeof(path), "before/%s", sums[k]);
		if (fstatat(p->dir, path, &before, 0) == 0)
			from = before.st_size;
		(void)snprintf(path, sizeof(path), "after/%s", sums[k]);
		assert_int_equal(fstatat(p->dir, path, &after, 0), 0);
		for (off_t cut = from; cut <= after.st_size; cut++) {
			struct recovery r;
			int fd;

			begin_state(p, "after");
			take_ledger(p, "before");
			/* Directories are written one after the other. */
			if (k == 0)
				take_sums(p, "before", source[1]);
			(void)snprintf(path, sizeof(path), "now/%s", sums[k]);
			fd = openat(p->dir, path, O_WRONLY | O_CLOEXEC);
			assert_true(fd >= 0);
			assert_int_equal(ftruncate(fd, cut), 0);
			close(fd);
			r = recover(p);
			assert_int_equal(r.brought_forward, 0);
			assert_int_equal(r.entries, N_BOTH);
			check_world(p, 1 + N_BOTH, 1 + N_BOTH);
		}
		recover_again(p);
	}
	deliver_again(p);
	release_files(file);
}

/* Nothing was published: what of the intent reached the disk means nothing. */
static void
test_torn_intent(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH], intent = STR_INIT;
	struct err e = ERR_INIT;

	two_worlds(p, file);
	must(io_read_file(
		     zone_dir(p->c.zone), INTENT, 1 << 20, &intent, BROKEN, &e),
		&e);
	assert_true(intent.len > 0);
	for (size_t cut = 0; cut <= intent.len; cut++) {
		for (int zeros = 0; zeros < 1 + (cut % 8 == 0); zeros++) {
			struct recovery r;
			int fd;

			begin_state(p, "before");
			/* The directories may be there already. */
			shell(p, "mkdir -p now/zone/b/" DAY, NULL, NULL);
			fd = openat(p->dir, "now/zone/" INTENT,
				O_WRONLY | O_CREAT | O_TRUNC, 0600);
			assert_true(fd >= 0);
			assert_int_equal(write(fd, intent.s, cut), cut);
			/* The size is there, the last blocks are not. */
			if (zeros)
				assert_int_equal(
					ftruncate(fd, (off_t)intent.len), 0);
			close(fd);
			r = recover(p);
			assert_int_equal(r.brought_forward, 0);
			assert_int_equal(r.entries, 0);
		}
	}
	check_world(p, 1, 1);
	deliver_again(p);
	str_release(&intent);
	release_files(file);
}

static void
test_staged_leftovers(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH];
	struct recovery r;

	two_worlds(p, file);
	begin_state(p, "before");
	shell(p,
		"cd now/zone/_staging && echo half >0000000000000001 && "
		"chmod 0440 0000000000000001 && mkdir -p dir/in && "
		"echo x >dir/in/x && ln -s /dev/null link && mkfifo fifo",
		NULL, NULL);
	r = recover(p);
	assert_int_equal(r.brought_forward, 0);
	check_world(p, 1, 1);
	deliver_again(p);
	release_files(file);
}

/*
 * No crash does this, a restored copy does: refused, whether or not the
 * intent names files that the old catalog does not know.
 */
static void
test_ledger_ahead_of_catalog(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH], path = STR_INIT;
	struct err e = ERR_INIT;
	struct recovery r;
	uint64_t versions;

	two_worlds(p, file);
	for (int intent = 0; intent < 2; intent++) {
		begin_state(p, "after");
		take_catalog(p, "before");
		if (!intent)
			shell(p, "rm now/zone/" INTENT, NULL, NULL);
		open_all(p);
		e = (struct err)ERR_INIT;
		assert_int_equal(commit_recover(&p->c, &r, &e), BROKEN);
		assert_non_null(strstr(e.text, "catalog rebuild"));
		assert_non_null(strstr(e.text, "4 entries"));
		/* Nothing was changed: the advice can be taken. */
		catalog_close(p->c.catalog);
		shell(p, "rm now/state/catalog.db*", NULL, NULL);
		str_clear(&path);
		str_addf(&path, "%s/now/state", p->path);
		must(catalog_open(path.s, true, &p->c.catalog, &e), &e);
		must(commit_rebuild(p->c.zone, p->c.catalog, &versions, &e),
			&e);
		assert_int_equal(versions, 1 + N_BOTH);
		recover_again(p);
		check_world(p, 1 + N_BOTH, 1 + N_BOTH);
	}
	str_release(&path);
	release_files(file);
}

/* Each crash state is also what a rebuild from the zone alone can meet. */
static void
test_rebuild_after_crash(void **state)
{
	struct place *p = *state;
	struct str file[N_BOTH], path = STR_INIT;
	struct err e = ERR_INIT;
	struct recovery r;
	uint64_t versions;

	two_worlds(p, file);
	begin_state(p, "after");
	take_ledger(p, "before");
	take_sums(p, "before", "a");
	take_sums(p, "before", "b");
	shell(p, "rm now/state/catalog.db*", NULL, NULL);
	open_all(p);
	must(commit_rebuild(p->c.zone, p->c.catalog, &versions, &e), &e);
	assert_int_equal(versions, 1 + N_BOTH);
	shut(p);
	r = recover(p);
	assert_int_equal(r.entries, N_BOTH);
	check_world(p, 1 + N_BOTH, 1 + N_BOTH);
	deliver_again(p);
	str_release(&path);
	release_files(file);
}

/* ---- what a group can hold ---- */

/* Other bytes stand where one of three would go. */
static void
test_path_taken(void **state)
{
	struct place *p = *state;
	struct str taken = STR_INIT, longer = STR_INIT;
	struct err e = ERR_INIT;
	struct group g;

	group_make(p, &g, both, N_BOTH);
	zone_path(&taken, "", "a", noon(), g.d[0]->name, g.d[0]->name_len,
		g.d[0]->landed.bytes_sha256, 12);
	zone_path(&longer, "", "a", noon(), g.d[0]->name, g.d[0]->name_len,
		g.d[0]->landed.bytes_sha256, 16);
	shell(p, "mkdir -p now/zone/a/" DAY " && echo other >now/zone/@",
		taken.s, NULL);
	must(commit_group(&p->c, g.d, g.n, &e), &e);
	assert_string_equal(g.d[0]->file.s, longer.s);
	for (size_t i = 0; i < g.n; i++) {
		assert_int_equal(g.d[i]->index, i);
		assert_int_equal(g.d[i]->disposition, DISPOSITION_LANDED);
	}
	group_free(&g);
	shell(p, "[ other = \"$(cat now/zone/@)\" ] && rm -f now/zone/@",
		taken.s, NULL);
	check_world(p, N_BOTH, N_BOTH);
	shut(p);
	(void)recover(p);
	check_world(p, N_BOTH, N_BOTH);
	str_release(&taken);
	str_release(&longer);
}

static void
test_same_bytes_in_one_group(void **state)
{
	static const struct made noted[] = {
		{.source = "a", .name = "one", .text = "same\n"},
		{.source = "a", .name = "two", .text = "same\n"},
		{.source = "b", .name = "one", .text = "same\n"},
	};
	static const struct made landed[] = {
		{.source = "c", .name = "one", .text = "same\n"},
		{.source = "c",
			.name = "two",
			.text = "same\n",
			.duplicates = DUPLICATE_LAND},
	};
	struct place *p = *state;
	struct group g;

	land_group(p, &g, noted, ARRAY_LEN(noted));
	assert_int_equal(g.d[0]->disposition, DISPOSITION_LANDED);
	assert_int_equal(g.d[1]->disposition, DISPOSITION_DUPLICATE);
	assert_true(g.d[1]->recorded);
	assert_string_equal(g.d[1]->file.s, g.d[0]->file.s);
	assert_int_equal(g.d[2]->disposition, DISPOSITION_LANDED);
	group_free(&g);
	check_world(p, 3, 2);
	land_group(p, &g, landed, ARRAY_LEN(landed));
	assert_int_equal(g.d[1]->disposition, DISPOSITION_LANDED);
	group_free(&g);
	check_world(p, 5, 4);
	shut(p);
	(void)recover(p);
	check_world(p, 5, 4);
}

static void
test_same_name_twice_in_one_group(void **state)
{
	static const struct made m[] = {
		{.source = "a", .name = "n", .text = "first\n"},
		{.source = "a", .name = "n", .text = "first\n"},
		{.source = "a", .name = "n", .text = "more\n", .generation = 2},
	};
	struct place *p = *state;
	struct group g;

	land_group(p, &g, m, ARRAY_LEN(m));
	assert_int_equal(g.d[0]->disposition, DISPOSITION_LANDED);
	assert_int_equal(g.d[1]->disposition, DISPOSITION_DUPLICATE);
	assert_false(g.d[1]->recorded);
	assert_int_equal(g.d[2]->disposition, DISPOSITION_NEW_VERSION);
	group_free(&g);
	check_world(p, 2, 2);
	shut(p);
	(void)recover(p);
	check_world(p, 2, 2);
}

/*
 * A name goes to and fro between bytes it had today: the paths are taken by
 * us, first some, in the end (12, 16, ... 64 digits) all.
 */
static void
test_to_and_fro(void **state)
{
	struct made m[] = {
		{.source = "a", .name = "n", .text = "x\n"},
		{.source = "a", .name = "n", .text = "y\n"},
	};
	const char *reason[] = {NULL, "a test says so"};
	uint64_t entries = 0, files = 0;
	struct place *p = *state;

	for (size_t i = 0; i < 64; i++) {
		struct made *now = &m[i % 2];

		now->generation = (uint32_t)(i % 32 + 1);
		now->duplicates = DUPLICATE_LAND;
		now->reason = reason[i / 32];
		land_these(p, now, 1);
		/* Landed ones are entries all the same. */
		files += i % 32 < 2 * 14;
		entries += i < 32 || i % 32 < 2 * 14;
	}
	check_world(p, entries, files);
	shut(p);
	(void)recover(p);
	check_world(p, entries, files);
}

/* What is quarantined comes back, touched but the same, on the same day. */
static void
test_quarantined_again(void **state)
{
	static const struct made m = {.source = "a",
		.name = "bad",
		.text = "bad\n",
		.reason = "a test says so"};
	struct place *p = *state;
	struct group g;

	land_these(p, &m, 1);
	check_world(p, 1, 1);
	land_group(p, &g, &m, 1);
	assert_int_equal(g.d[0]->disposition, DISPOSITION_QUARANTINED);
	assert_false(g.d[0]->recorded);
	group_free(&g);
	check_world(p, 1, 1);
	shut(p);
	(void)recover(p);
	check_world(p, 1, 1);
}

/* ---- an archive: its members, and itself behind them ---- */

static const struct made inside[] = {
	{.source = "a", .name = "x.zip!/one", .text = "one\n"},
	{.source = "a", .name = "x.zip!/old", .text = "old\n"},
	{.source = "a", .name = "x.zip!/two", .text = "two\n"},
};
#define N_INSIDE ARRAY_LEN(inside)

static const uint8_t archive_sum[HASH_LEN] = {0xab, 0xcd};

/* kept: it has a landing file of its own. */
static struct delivery *
make_archive(struct place *p, const char *name, bool kept)
{
	const struct made m = {
		.source = "a", .name = name, .text = "PK", .archive = true};
	struct delivery *d;

	if (kept) {
		d = make(p, &m);
	} else {
		d = delivery_new("a", (const uint8_t *)name, strlen(name));
		memcpy(d->landed.bytes_sha256, archive_sum, HASH_LEN);
		d->landed.size = 2;
		d->generation = 1;
		d->recorded = true;
		d->disposition = DISPOSITION_UNPACKED;
	}
	d->unpacked = true;
	return d;
}

static void
land_archive(struct place *p, struct group *g, bool kept)
{
	struct delivery *note, *archive = make_archive(p, "x.zip", kept);
	struct err e = ERR_INIT;

	group_make(p, g, inside, N_INSIDE);
	note = delivery_new("a", (const uint8_t *)"x.zip!/link", 11);
	note->disposition = DISPOSITION_IGNORED;
	note->reason = mem_strdup("symbolic link");
	archive->members.findings = 1;
	g->d[g->n++] = note;
	for (size_t i = 0; i < g->n; i++)
		g->d[i]->container = archive;
	g->d[g->n++] = archive;
	must(commit_group(&p->c, g->d, g->n, &e), &e);
}

static void
check_story(struct place *p, const char *name, enum disposition as,
	const char *reason)
{
	struct catalog_name n;
	struct err e = ERR_INIT;

	must(catalog_find(p->c.catalog, "a", (const uint8_t *)name,
		     strlen(name), &n, &e),
		&e);
	assert_int_equal(n.disposition, as);
	assert_string_equal(n.reason, reason);
}

static void
check_archive(struct place *p)
{
	static const char members[] = "members: 2 landed, 1 duplicate, "
				      "1 ignored (1 unfit to be a file)";

	check_story(p, "x.zip", DISPOSITION_UNPACKED, members);
	check_story(p, "x.zip!/old", DISPOSITION_DUPLICATE, "");
}

static void
test_archive(void **state)
{
	struct place *p = *state;
	struct delivery *again;
	struct catalog_version v;
	struct group g;
	struct err e = ERR_INIT;
	uint64_t versions;

	land_these(p, earlier, 1);
	land_archive(p, &g, false);
	assert_int_equal(g.d[0]->disposition, DISPOSITION_LANDED);
	assert_int_equal(g.d[1]->disposition, DISPOSITION_DUPLICATE);
	check_archive(p);
	check_story(p, "x.zip!/link", DISPOSITION_IGNORED, "symbolic link");
	group_free(&g);
	check_world(p, 5, 3);
	must(catalog_find_unpacked(p->c.catalog, "a", archive_sum, 2, &v, &e),
		&e);
	assert_int_equal(v.index, 4);
	assert_int_equal(
		catalog_find_bytes(p->c.catalog, "a", archive_sum, 2, &v, &e),
		END);

	/* Under another name it is an entry that names the first one. */
	again = make_archive(p, "y.zip", false);
	again->unpacked = false;
	again->is_again = true;
	again->again = 4;
	again->disposition = DISPOSITION_DUPLICATE;
	must(commit_group(&p->c, &again, 1, &e), &e);
	delivery_free(again);
	check_world(p, 6, 3);

	/* The same from the zone alone. */
	shut(p);
	shell(p, "rm -f now/state/catalog.db*", NULL, NULL);
	open_all(p);
	must(commit_rebuild(p->c.zone, p->c.catalog, &versions, &e), &e);
	assert_int_equal(versions, 6);
	check_world(p, 6, 3);
	check_archive(p);
	check_story(p, "y.zip", DISPOSITION_DUPLICATE, "");
}

/* One that is kept has a file, and is what it is also after a crash. */
static void
test_archive_kept(void **state)
{
	struct place *p = *state;
	struct group g;

	land_these(p, earlier, 1);
	save(p, "before");
	land_archive(p, &g, true);
	check_archive(p);
	check_world(p, 5, 4);
	save(p, "after");
	/* Published and not recorded: all members, and the archive. */
	begin_state(p, "after");
	take_ledger(p, "before");
	take_catalog(p, "before");
	take_sums(p, "before", "a");
	assert_int_equal(recover(p).brought_forward, 3);
	check_story(p, "x.zip", DISPOSITION_UNPACKED, "unpacked");
	recover_again(p);
	group_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_published_not_recorded),
		TEST(test_damaged_while_staged),
		TEST(test_rebuild_completes_group),
		TEST(test_closed_before),
		TEST(test_recorded_and_torn_sums),
		TEST(test_torn_intent),
		TEST(test_staged_leftovers),
		TEST(test_ledger_ahead_of_catalog),
		TEST(test_rebuild_after_crash),
		TEST(test_path_taken),
		TEST(test_same_bytes_in_one_group),
		TEST(test_same_name_twice_in_one_group),
		TEST(test_to_and_fro),
		TEST(test_quarantined_again),
		TEST(test_archive),
		TEST(test_archive_kept),
	};

	return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
