/*
 * commit: whatever a crash left behind, recovery brings it to the same end:
 * every delivery once in the catalog, the ledger and SHA256SUMS.
 *
 * The states are put together by hand from a world before a group and the
 * same world after it: zone files of the one, catalog of the other, and so
 * on. What a crash can leave is each prefix of the steps in commit.h.
 */
#include <errno.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/commit.h"

#include "commit-world.h"

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

static void
recover_again(struct place *p)
{
	struct recovery r;

	shut(p);
	r = recover(p);
	assert_int_equal(r.brought_forward, 0);
	assert_int_equal(r.entries, 0);
}

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
		TEST(test_archive),
		TEST(test_archive_kept),
	};

	return cmocka_run_group_tests_name("commit-crash", tests, NULL, NULL);
}
