/* catalog/: its file: fast, migrated whole, damage is never believed. */
#include <sqlite3.h>
#include <stdio.h>

#include "catalog/catalog-sql.h"
#include "landfall/catalog.h"

#include "catalog-place.h"

static void
sql(struct place *p, const char *text)
{
	sqlite3 *db = open_database(p);

	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
test_a_reader_sees_commits_and_waits_for_none(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f0");
	struct catalog_version w = landing(1, "abcd", "f1");
	struct catalog *reader;
	struct catalog_name n;
	struct err e = ERR_INIT;

	put(p, "s", "a", &sig_a, 1, &v);
	must(catalog_open(p->path, false, &reader, &e), &e);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_put(p->catalog, "t", BYTES("b"), &sig_a, 1, &w, &e), &e);
	must(catalog_find(reader, "s", BYTES("a"), &n, &e), &e);
	assert_int_equal(catalog_find(reader, "t", BYTES("b"), &n, &e), END);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_find(reader, "t", BYTES("b"), &n, &e), &e);
	assert_string_equal(n.version.file, "f1");
	catalog_close(reader);
}

/* ---- files that are not what they should be ---- */

static void
close_catalog(struct place *p)
{
	catalog_close(p->catalog);
	p->catalog = NULL;
}

static void
assert_broken(struct place *p, bool create, const char *text)
{
	struct catalog *c = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(catalog_open(p->path, create, &c, &e), BROKEN);
	assert_null(c);
	if (strstr(e.text, text) == NULL)
		fail_msg("%s: not in: %s", text, e.text);
	assert_non_null(strstr(e.text, p->path));
}

static void
test_missing_and_empty_catalogs(void **state)
{
	struct place *p = *state;
	struct catalog_name n;
	struct err e = ERR_INIT;
	struct catalog *c;
	struct stat st;

	close_catalog(p);
	assert_int_equal(unlinkat(p->dir, "catalog.db", 0), 0);
	assert_int_equal(catalog_open(p->path, false, &c, &e), END);
	assert_int_equal(fstatat(p->dir, "catalog.db", &st, 0), -1);
	/* Version 0: a process died between making and migrating it. */
	scratch_file(p->dir, "catalog.db", "");
	assert_int_equal(catalog_open(p->path, false, &c, &e), END);
	must(catalog_open(p->path, true, &p->catalog, &e), &e);
	note(p, "s", "a", &sig_a, 1, DISPOSITION_PENDING, "");
	must(catalog_open(p->path, false, &c, &e), &e);
	must(catalog_find(c, "s", BYTES("a"), &n, &e), &e);
	catalog_close(c);
	/* The state directory itself is missing. */
	assert_int_equal(catalog_open("/nonexistent", true, &c, &e), BROKEN);
	assert_non_null(strstr(e.text, "/nonexistent/catalog.db"));
	assert_int_equal(catalog_open("/nonexistent", false, &c, &e), END);
}

static void
test_a_migration_from_version_0_is_whole(void **state)
{
	struct place *p = *state;
	int64_t tables = sql_number(p, "SELECT count(*) FROM sqlite_schema");
	struct catalog_name n;

	/* Of version 0 are an empty file and a database without tables. */
	close_catalog(p);
	assert_int_equal(unlinkat(p->dir, "catalog.db", 0), 0);
	sql(p, "VACUUM");
	reopen(p);
	assert_int_equal(
		sql_number(p, "SELECT count(*) FROM sqlite_schema"), tables);
	assert_int_equal(
		sql_number(p, "PRAGMA user_version"), catalog_sql_n_steps);
	assert_int_equal(sql_number(p, "PRAGMA application_id"),
		CATALOG_SQL_APPLICATION);
	assert_int_equal(
		sql_number(p,
			"SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
		1);
	note(p, "s", "a", &sig_a, 1, DISPOSITION_PENDING, "");
	/* And once is enough. */
	reopen(p);
	assert_int_equal(find(p, "s", "a", &n), OK);
}

static void
put_stream(struct place *p, const char *stream, const char *partition,
	uint64_t upto)
{
	const struct catalog_stream s = {.stream = stream,
		.partition = partition,
		.position = "",
		.job = "",
		.why = "",
		.upto = upto};
	struct err e = ERR_INIT;
	int64_t id;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_stream_put(p->catalog, "shop", &s, &id, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
}

static enum rc
add_sum(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	str_addf(arg, "%s/%s:%llu,%llu ", s->stream, s->partition,
		(unsigned long long)s->files, (unsigned long long)s->records);
	return OK;
}

/* Streams of before they had sums get them, of what they had learned. */
static void
test_a_migration_counts_what_streams_landed(void **state)
{
	static const struct {
		const char *source, *name;
	} landed[] = {
		{"shop.things", "things.20260101T000000Z.json"},
		{"shop.things", "things.20260102T000000Z.json"},
		{"shop.things", "things.absent.20260102T000000Z.jsonl"},
		{"shop.parts", "parts.shelf=a.20260101T000000Z.json"},
		{"shop.parts", "parts.shelf=ab.20260101T000000Z.json"},
		{"shop.parts", "parts.shelf=a.b.20260101T000000Z.json"},
		{"shop.parts", "parts.shelf=a.20260101T000000.500000000Z.json"},
		{"other.things", "things.20260101T000000Z.json"},
		{"shop.things", "things.20260103T000000Z.json"},
	};
	struct place *p = *state;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(landed); i++) {
		struct catalog_version v;

		str_clear(&text);
		str_addf(&text, "%zu", i);
		v = landing(i, text.s, text.s);
		put(p, landed[i].source, landed[i].name, &sig_a, 1, &v);
	}
	/* The last is for the stream to learn. */
	put_stream(p, "things", "", 8);
	put_stream(p, "things", "absent", 8);
	put_stream(p, "parts", "shelf=a", 8);
	put_stream(p, "parts", "shelf=a.b", 8);
	put_stream(p, "parts", "shelf=b", 8);
	close_catalog(p);
	sql(p,
		"ALTER TABLE stream DROP COLUMN files;"
		"ALTER TABLE stream DROP COLUMN records;"
		"ALTER TABLE stream DROP COLUMN remains;"
		"ALTER TABLE stream DROP COLUMN allowed;"
		"DROP INDEX version_quarantined;"
		"PRAGMA user_version = 9");
	reopen(p);
	str_clear(&text);
	must(catalog_stream_each(p->catalog, "shop", add_sum, &text, &e), &e);
	assert_string_equal(text.s,
		"parts/shelf=a:2,14 parts/shelf=a.b:1,7 parts/shelf=b:0,0 "
		"things/:2,14 things/absent:1,7 ");
	str_release(&text);
}

static void
test_newer_and_foreign_databases_are_refused(void **state)
{
	struct place *p = *state;

	close_catalog(p);
	sql(p, "PRAGMA user_version = 99");
	assert_broken(p, true, "version 99");
	assert_broken(p, false, "landfall catalog rebuild");
	sql(p, "PRAGMA user_version = 1; PRAGMA application_id = 17");
	assert_broken(p, true, "not a catalog of landfall");
	assert_int_equal(unlinkat(p->dir, "catalog.db", 0), 0);
	sql(p, "CREATE TABLE t(x)");
	assert_broken(p, true, "not a catalog of landfall");
	assert_broken(p, false, "not a catalog of landfall");
}

static void
test_damage_is_named_and_rebuilding_is_advised(void **state)
{
	static const char zeros[4096];
	struct place *p = *state;
	struct catalog_name n;
	struct err e = ERR_INIT;
	struct stat st;
	int fd;
	enum rc rc = OK;

	must(catalog_begin(p->catalog, &e), &e);
	for (uint64_t i = 0; i < 2000; i++) {
		struct catalog_version v;
		char name[32];

		snprintf(name, sizeof(name), "in/%llu", (unsigned long long)i);
		v = landing(i, name, name);
		must(catalog_put(
			     p->catalog, "s", BYTES(name), &sig_a, 1, &v, &e),
			&e);
	}
	must(catalog_commit(p->catalog, &e), &e);
	close_catalog(p);
	/* Somewhere in the middle: found when it is read. */
	fd = openat(p->dir, "catalog.db", O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size > 100 * 4096);
	for (off_t at = 20 * 4096; at < st.st_size; at += 4096)
		assert_int_equal(
			pwrite(fd, zeros, sizeof(zeros), at), sizeof(zeros));
	if (catalog_open(p->path, true, &p->catalog, &e) == OK) {
		for (uint64_t i = 0; i < 2000 && rc != BROKEN; i++)
			rc = catalog_find_index(p->catalog, i, &n, &e);
		assert_int_equal(rc, BROKEN);
		close_catalog(p);
	}
	assert_non_null(strstr(e.text, "is damaged"));
	assert_non_null(strstr(e.text, "landfall catalog rebuild"));
	/* Cut short. */
	assert_int_equal(ftruncate(fd, 10 * 4096), 0);
	assert_broken(p, true, "landfall catalog rebuild");
	/* No database at all. */
	assert_int_equal(pwrite(fd, "garbage garbage!", 16, 0), 16);
	assert_broken(p, true, "landfall catalog rebuild");
	assert_broken(p, false, "landfall catalog rebuild");
	close(fd);
}

static void
test_a_row_that_makes_no_sense_is_damage(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f0");
	struct catalog_name n;
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	put(p, "s", "a", &sig_a, 1, &v);
	sql(p, "UPDATE version SET file_sha256 = x'00'");
	assert_int_equal(
		catalog_find(p->catalog, "s", BYTES("a"), &n, &e), BROKEN);
	assert_non_null(strstr(e.text, "landfall catalog rebuild"));
	assert_int_equal(story(p, "s", "a", &s), BROKEN);
	sql(p,
		"UPDATE version SET disposition = 77,"
		" file_sha256 = zeroblob(32)");
	assert_int_equal(
		catalog_find(p->catalog, "s", BYTES("a"), &n, &e), BROKEN);
	sql(p,
		"UPDATE version SET disposition = 1;"
		"UPDATE name SET disposition = 0");
	assert_int_equal(
		catalog_find(p->catalog, "s", BYTES("a"), &n, &e), BROKEN);
	str_release(&s);
}

/* How many names stand, asked at once, and what must not be asked. */
static void
test_many_names_stand_as_each_does(void **state)
{
	struct place *p = *state;
	const struct catalog_version v = landing(0, "one", "s/1.zst");
	struct catalog_stand asked[] = {
		{.name = (const uint8_t *)"never", .name_len = 5},
		{.name = (const uint8_t *)"b", .name_len = 1},
		{.name = (const uint8_t *)"a", .name_len = 1},
		{.name = (const uint8_t *)"a\0", .name_len = 2},
	};
	struct err e = ERR_INIT;

	/* A source nobody has seen; what stood there before is gone. */
	asked[0].disposition = asked[3].disposition = DISPOSITION_LANDED;
	must(catalog_stands(p->catalog, "s", asked, 4, &e), &e);
	assert_int_equal(asked[0].disposition, 0);
	assert_int_equal(asked[3].disposition, 0);

	put(p, "s", "a", &sig_a, 5, &v);
	note(p, "s", "b", &sig_b, 6, DISPOSITION_PENDING, "young");
	note(p, "other", "never", &sig_b, 6, DISPOSITION_PENDING, "young");
	asked[0].disposition = DISPOSITION_LANDED;
	must(catalog_stands(p->catalog, "s", asked, 4, &e), &e);
	assert_int_equal(asked[0].disposition, 0);
	assert_int_equal(asked[1].disposition, DISPOSITION_PENDING);
	assert_true(signature_equal(&asked[1].signature, &sig_b));
	assert_int_equal(asked[2].disposition, DISPOSITION_LANDED);
	assert_true(signature_equal(&asked[2].signature, &sig_a));
	assert_int_equal(asked[3].disposition, 0);

	/* The snapshot is over: what others write is seen, and we may too. */
	note(p, "s", "b", &sig_b, 7, DISPOSITION_IGNORED, "rule");
	must(catalog_stands(p->catalog, "s", asked, 4, &e), &e);
	assert_int_equal(asked[1].disposition, DISPOSITION_IGNORED);

	sql(p,
		"UPDATE name SET disposition = 77 WHERE name = CAST('b' AS "
		"BLOB)");
	assert_int_equal(catalog_stands(p->catalog, "s", asked, 4, &e), BROKEN);
	assert_non_null(strstr(e.text, "rebuild"));
	e = (struct err)ERR_INIT;
	must(catalog_begin(p->catalog, &e), &e);
	catalog_abort(p->catalog);
}

/* ---- speed, as far as a plan can tell ---- */

static void
test_no_statement_reads_a_whole_table(void **state)
{
	struct place *p = *state;
	struct str text = STR_INIT;
	sqlite3 *db;
	size_t searches = 0;

	/* As many names as make a planner think. */
	sql(p,
		"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL"
		" SELECT i + 1 FROM n WHERE i < 100000)"
		" INSERT INTO name SELECT i, i % 7, CAST('n' || i AS BLOB), "
		"NULL, 1, '', 0, "
		"0,"
		" 0, 0, 0, 0, 0, i FROM n;"
		"INSERT INTO version SELECT id, id, source, 0, 0, 1, 1, 0, id,"
		" zeroblob(32), zeroblob(32), 'f' || id, 0, 0, 0, 0 FROM name;"
		"INSERT INTO event SELECT id, id, 0, 1, '' FROM name;");
	db = open_database(p);
	for (size_t i = 0; i < SQL_STATEMENTS; i++) {
		const struct catalog_sql_text *t = &catalog_sql_texts[i];
		sqlite3_stmt *q;

		assert_non_null(t->text);
		str_clear(&text);
		str_addf(&text, "EXPLAIN QUERY PLAN %s", t->text);
		if (sqlite3_prepare_v2(db, text.s, -1, &q, NULL) != SQLITE_OK)
			fail_msg("%s: %s", t->text, sqlite3_errmsg(db));
		while (sqlite3_step(q) == SQLITE_ROW) {
			const char *plan =
				(const char *)sqlite3_column_text(q, 3);

			searches += strncmp(plan, "SEARCH", 6) == 0;
			/* "SCAN CONSTANT ROW" is a SELECT without a table. */
			if (!t->lists && strstr(plan, "SCAN") != NULL &&
				strstr(plan, "CONSTANT ROW") == NULL)
				fail_msg("%s: %s", t->text, plan);
			if (i == SQL_FIND_BYTES &&
				strstr(plan, "TEMP B-TREE") != NULL)
				fail_msg("%s: %s", t->text, plan);
			/* max() says SEARCH also when it reads everything. */
			if (i == SQL_LAST_LANDED &&
				strstr(plan, "version_landed") == NULL)
				fail_msg("%s: %s", t->text, plan);
			if (i == SQL_ARRIVED &&
				strstr(plan, "version_arrived") == NULL)
				fail_msg("%s: %s", t->text, plan);
			if (i == SQL_EACH_LANDED &&
				strstr(plan, "TEMP B-TREE") != NULL)
				fail_msg("does not stream: %s", plan);
		}
		sqlite3_finalize(q);
	}
	assert_true(searches >= 15);
	sqlite3_close(db);
	str_release(&text);
}

/* ---- what is forgotten ---- */

struct lines {
	unsigned n, versions;
	char first[64], second[128], last[64];
};

static enum rc
count_line(void *arg, const struct catalog_event *ev, struct err *e UNUSED)
{
	struct lines *l = arg;

	l->n++;
	l->versions += ev->version != NULL;
	if (l->n == 1)
		snprintf(l->first, sizeof(l->first), "%s", ev->reason);
	if (l->n == 2)
		snprintf(l->second, sizeof(l->second), "%s", ev->reason);
	snprintf(l->last, sizeof(l->last), "%s",
		ev->version != NULL ? "version" : ev->reason);
	return OK;
}

static void
flap(struct place *p, const char *name, unsigned from, unsigned to)
{
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	for (unsigned i = from; i < to; i++) {
		char reason[32];

		snprintf(reason, sizeof(reason), "reason %u", i);
		must(catalog_note(p->catalog, "s", (const uint8_t *)name,
			     strlen(name), &sig_a, i, DISPOSITION_PENDING,
			     reason, &e),
			&e);
	}
	must(catalog_commit(p->catalog, &e), &e);
}

static struct lines
story_of(struct place *p, const char *name)
{
	struct lines l = {0};
	struct err e = ERR_INIT;

	must(catalog_story(p->catalog, NULL, (const uint8_t *)name,
		     strlen(name), count_line, &l, &e),
		&e);
	return l;
}

/* However long it flaps: a bounded story, which says what it leaves out. */
static void
test_long_stories_are_cut(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "x", "f0");
	struct lines l;

	flap(p, "x", 0, 300);
	put(p, "s", "x", &sig_a, 300, &v);
	l = story_of(p, "x");
	assert_int_equal(l.n, 301);
	flap(p, "x", 300, 10000);
	v = landing(1, "x", "f1");
	put(p, "s", "x", &sig_a, 10000, &v);
	l = story_of(p, "x");
	assert_true(l.n > 200 && l.n < 410);
	assert_int_equal(l.versions, 2);
	assert_string_equal(l.first, "reason 0");
	assert_string_equal(l.last, "version");
	/* All but that line and the versions are there, or counted. */
	assert_int_equal(strtoul(strrchr(l.second, ' ') + 1, NULL, 10) + l.n,
		10000 + 1 + 2);
	flap(p, "x", 10000, 10001);
	assert_string_equal(story_of(p, "x").last, "reason 10000");
	/* Others are not touched. */
	flap(p, "y", 0, 399);
	assert_int_equal(story_of(p, "y").n, 399);
}

static void
test_old_ignored_names_are_forgotten(void **state)
{
	static const char *const names[] = {
		"old", "landed", "pending", "young", "last"};
	static const int64_t day = INT64_C(86400000000000);
	struct place *p = *state;
	struct catalog_version v = landing(0, "landed", "f0");
	struct catalog_pass pass = {.source = "s",
		.started = 500 * day,
		.ended = 500 * day,
		.outcome = PASS_COMPLETE};
	struct catalog_name n;
	struct err e = ERR_INIT;

	put(p, "s", "landed", &sig_a, 1, &v);
	must(catalog_begin(p->catalog, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		must(catalog_note(p->catalog, "s", (const uint8_t *)names[i],
			     strlen(names[i]), &sig_a, i == 3 ? 200 * day : 1,
			     i == 2 ? DISPOSITION_PENDING : DISPOSITION_IGNORED,
			     "why", &e),
			&e);
	must(catalog_commit(p->catalog, &e), &e);
	for (unsigned k = 0; k < 2; k++) {
		must(catalog_begin(p->catalog, &e), &e);
		must(catalog_pass_put(p->catalog, &pass, &e), &e);
		must(catalog_commit(p->catalog, &e), &e);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(
			catalog_find(p->catalog, "s", (const uint8_t *)names[i],
				strlen(names[i]), &n, &e),
			i == 0 ? END : OK);
	/* The number of the newest name and event is not used again. */
	must(catalog_find(p->catalog, "s", (const uint8_t *)"last", 4, &n, &e),
		&e);
	flap(p, "new", 0, 1);
	assert_int_equal(story_of(p, "new").n, 1);
	assert_int_equal(story_of(p, "last").n, 1);
	/* It is there after all: as if it were new. */
	flap(p, "old", 0, 1);
	assert_int_equal(story_of(p, "old").n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_catalog(test_long_stories_are_cut),
		with_catalog(test_old_ignored_names_are_forgotten),
		with_catalog(test_a_reader_sees_commits_and_waits_for_none),
		with_catalog(test_missing_and_empty_catalogs),
		with_catalog(test_a_migration_from_version_0_is_whole),
		with_catalog(test_a_migration_counts_what_streams_landed),
		with_catalog(test_newer_and_foreign_databases_are_refused),
		with_catalog(test_damage_is_named_and_rebuilding_is_advised),
		with_catalog(test_a_row_that_makes_no_sense_is_damage),
		with_catalog(test_many_names_stand_as_each_does),
		with_catalog(test_no_statement_reads_a_whole_table),
	};

	return cmocka_run_group_tests_name("catalog-file", tests, NULL, NULL);
}
