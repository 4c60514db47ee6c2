/* daemon/decide: of many names as of one, whatever the listing does. */
#include "daemon/decide.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "unit.h"

#include "scratch.h"

#define LONG_NAME 250

static char source_name[] = "s";
static char ignore_glob[] = "*.tmp";

/* A source of `names` names that says how its listing ends. */
struct place {
	char path[SCRATCH_PATH];
	int dir;
	char *ignore[1];
	struct source_config config;
	struct catalog *catalog;
	struct decision decision;
	size_t names, len;
	enum rc ends;
	int64_t lasts; /* each name, ns */
	/* What each was told. */
	uint64_t count[DISPOSITIONS], unchanged;
	char last[LONG_NAME + 1];
	size_t told, listed, unsorted, streamed;
	size_t stop_after; /* 0: never */
};

static int64_t wall;

static int64_t
fake_clock(void)
{
	return wall;
}

static const struct clock_ops fake_clocks = {fake_clock, fake_clock};

/* Backwards, so that the order told is not the order listed. */
static enum rc
fake_list(struct source *s,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	struct place *p = (struct place *)s;
	const struct err why = {.code = BAD_SOURCE, .text = "a trouble"};

	trouble(arg, (const uint8_t *)"below", 5, &why);
	for (size_t i = p->names; i-- > 0;) {
		char name[LONG_NAME + 1];
		int n = snprintf(name, sizeof(name), "%07zu-%0*d%s", i,
			(int)p->len - 12, 0, i % 10 == 9 ? ".tmp" : ".csv");
		const struct item it = {
			.name = (const uint8_t *)name,
			.name_len = (size_t)n,
			.signature = {.size = i, .mtime = 7, .inode = i},
		};
		enum rc rc;

		assert_int_equal(n, p->len);
		wall += p->lasts;
		p->listed++;
		rc = each(arg, &it, e);
		if (rc != OK)
			return rc;
	}
	return p->ends == OK ? OK : err_set(e, p->ends, "the listing ends");
}

static const struct source_ops fake_ops = {.list = fake_list};

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make_quick(p->path);
	p->ignore[0] = ignore_glob;
	p->config = (struct source_config){
		.name = source_name,
		.ignore = {.glob = p->ignore, .n = 1},
		.ready = {.n = 1}, /* stable 0s */
	};
	p->len = 20;
	must(catalog_open(p->path, true, &p->catalog, &e), &e);
	decision_init(&p->decision, p->catalog, &p->config, &fake_ops,
		(struct source *)p);
	wall = 1000 * CLOCK_SECOND;
	clock_replace(&fake_clocks);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	clock_replace(NULL);
	decision_release(&p->decision);
	catalog_close(p->catalog);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static enum rc
see(void *arg, const struct item *it, struct err *e)
{
	struct place *p = arg;
	char name[LONG_NAME + 1] = "";

	memcpy(name, it->name, it->name_len);
	p->unsorted += strcmp(name, p->last) <= 0;
	memcpy(p->last, name, sizeof(name));
	assert_int_equal(strtoul(name, NULL, 10), it->signature.size);
	p->count[p->decision.disposition]++;
	p->unchanged += p->decision.unchanged;
	p->streamed += p->listed < p->names;
	if (++p->told == p->stop_after)
		return err_set(e, BROKEN, "stopped");
	return OK;
}

static void
see_trouble(void *arg UNUSED, const uint8_t *name, size_t len,
	const struct err *why)
{
	assert_int_equal(len, 5);
	assert_memory_equal(name, "below", 5);
	assert_string_equal(why->text, "a trouble");
}

static enum rc
list(struct place *p, struct err *e)
{
	memset(p->count, 0, sizeof(p->count));
	memset(p->last, 0, sizeof(p->last));
	p->unchanged = p->told = p->listed = p->unsorted = p->streamed = 0;
	return decide_all(&p->decision, see, see_trouble, p, e);
}

/* Each name comes once, over several batches, whichever bound ends one. */
static void
test_every_name_once(void **state)
{
	static const struct {
		size_t names, len;
	} rows[] = {{0, 20}, {1, 20}, {9, 20}, {200000, 16}, {40000, 250}};
	struct place *p = *state;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		p->names = rows[i].names;
		p->len = rows[i].len;
		must(list(p, &e), &e);
		assert_int_equal(p->told, p->names);
		assert_int_equal(p->count[DISPOSITION_IGNORED], p->names / 10);
		assert_int_equal(
			p->count[DISPOSITION_LANDED], p->names - p->names / 10);
		assert_int_equal(p->unchanged, 0);
		/* In order, but where a batch begins. */
		assert_in_range(p->unsorted, 0, 4);
		assert_true(p->names < 10000 || p->streamed > 0);
	}
}

/* Who lists slowly does not wait for ten thousand names. */
static void
test_a_slow_listing_streams(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	p->names = 20;
	p->lasts = CLOCK_SECOND / 10;
	must(list(p, &e), &e);
	assert_int_equal(p->told, 20);
	assert_true(p->streamed >= 12);
}

/* What was listed before the listing failed is decided all the same. */
static void
test_a_listing_that_fails(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	p->names = 30;
	p->ends = BAD_SOURCE;
	assert_int_equal(list(p, &e), BAD_SOURCE);
	assert_string_equal(e.text, "the listing ends");
	assert_int_equal(p->told, 30);

	/* Our own failure meanwhile is the greater one. */
	p->stop_after = 7;
	assert_int_equal(list(p, &e), BROKEN);
	assert_string_equal(e.text, "stopped");
	assert_int_equal(p->told, 7);
}

static void
test_who_stops_is_not_asked_again(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	p->names = 70000;
	p->stop_after = 7;
	assert_int_equal(list(p, &e), BROKEN);
	assert_int_equal(p->told, 7);
	assert_true(p->listed < p->names);
}

/* As the listing has name i. */
static void
record(struct place *p, size_t i, uint64_t size, enum disposition d,
	const char *end)
{
	const struct signature sig = {.size = size, .mtime = 7, .inode = i};
	struct err e = ERR_INIT;
	char name[32];
	int n = snprintf(name, sizeof(name), "%07zu-%08d%s", i, 0, end);

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_note(p->catalog, source_name, (const uint8_t *)name,
		     (size_t)n, &sig, 5, d, "", &e),
		&e);
	must(catalog_commit(p->catalog, &e), &e);
}

/* What is over and looks the same is unchanged, and nothing else is. */
static void
test_what_is_known(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	p->names = 20;
	record(p, 0, 0, DISPOSITION_LANDED, ".csv");
	record(p, 1, 99, DISPOSITION_LANDED, ".csv"); /* another size */
	record(p, 2, 2, DISPOSITION_PENDING, ".csv");
	record(p, 3, 3, DISPOSITION_IGNORED, ".csv"); /* no longer */
	record(p, 4, 4, DISPOSITION_QUARANTINED, ".csv");
	record(p, 9, 9, DISPOSITION_IGNORED, ".tmp");
	record(p, 19, 19, DISPOSITION_LANDED, ".tmp"); /* ignored by now */
	must(list(p, &e), &e);
	assert_int_equal(p->told, 20);
	assert_int_equal(p->unchanged, 3);
	assert_int_equal(p->count[DISPOSITION_QUARANTINED], 1);
	assert_int_equal(p->count[DISPOSITION_IGNORED], 2);
	assert_int_equal(p->count[DISPOSITION_LANDED], 17);
}

/* One name alone gets the same answer. */
static void
test_one_name(void **state)
{
	struct place *p = *state;
	struct decision *d = &p->decision;
	struct item it = {
		.name = (const uint8_t *)"0000000-00000000.csv",
		.name_len = 20,
		.signature = {.size = 0, .mtime = 7},
	};
	struct err e = ERR_INIT;

	must(decide(d, &it, wall, &e), &e);
	assert_int_equal(d->disposition, DISPOSITION_LANDED);
	assert_false(d->unchanged);
	assert_false(d->known);
	record(p, 0, 0, DISPOSITION_LANDED, ".csv");
	must(decide(d, &it, wall, &e), &e);
	assert_true(d->unchanged);
	it.signature.ctime = 1;
	must(decide(d, &it, wall, &e), &e);
	assert_false(d->unchanged);
	assert_true(d->known);
	assert_int_equal(d->name.first_seen, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_every_name_once),
		TEST(test_a_slow_listing_streams),
		TEST(test_a_listing_that_fails),
		TEST(test_who_stops_is_not_asked_again),
		TEST(test_what_is_known),
		TEST(test_one_name),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
