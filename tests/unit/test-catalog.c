/* catalog/: what is recorded comes back, fast, and damage is never believed. */
#include "landfall/catalog.h"

#include <sqlite3.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "catalog/catalog-sql.h"
#include "landfall/format.h"
#include "unit.h"

#include "scratch.h"

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct catalog *catalog;
};

static int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make(p->path);
	must(catalog_open(p->path, true, &p->catalog, &e), &e);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	catalog_close(p->catalog);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static void
reopen(struct place *p)
{
	struct err e = ERR_INIT;

	catalog_close(p->catalog);
	p->catalog = NULL;
	must(catalog_open(p->path, true, &p->catalog, &e), &e);
}

/* ---- shorthands ---- */

#define BYTES(text) ((const uint8_t *)(text)), strlen(text)

static const struct signature sig_a = {
	.size = UINT64_MAX, .mtime = -1, .ctime = 2, .inode = 3, .device = 4};
static const struct signature sig_b = {
	.size = 9, .mtime = -1, .ctime = 2, .inode = 3, .device = 4};

/* A first landing of `content` as `file`. */
static struct catalog_version
landing(uint64_t index, const char *content, const char *file)
{
	struct catalog_version v = {
		.generation = 1,
		.disposition = DISPOSITION_LANDED,
		.file = file,
		.size = strlen(content),
		.records = 7,
		.malformed = 2,
		.landed_at = INT64_C(1795435200000000000) + (int64_t)index,
		.index = index,
	};

	hash_bytes(content, strlen(content), v.bytes_sha256);
	hash_bytes(file, strlen(file), v.file_sha256);
	return v;
}

static void
put(struct place *p, const char *source, const char *name,
	const struct signature *sig, int64_t now,
	const struct catalog_version *v)
{
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_put(p->catalog, source, BYTES(name), sig, now, v, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
}

static void
note(struct place *p, const char *source, const char *name,
	const struct signature *sig, int64_t now, enum disposition d,
	const char *reason)
{
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_note(
		     p->catalog, source, BYTES(name), sig, now, d, reason, &e),
		&e);
	must(catalog_commit(p->catalog, &e), &e);
}

static enum rc
find(struct place *p, const char *source, const char *name,
	struct catalog_name *ret)
{
	struct err e = ERR_INIT;

	return catalog_find(p->catalog, source, BYTES(name), ret, &e);
}

/* "at source name disposition reason generation\n" of each event. */
static enum rc
add_event(void *arg, const struct catalog_event *ev, struct err *e UNUSED)
{
	str_addf(arg, "%lld %s ", (long long)ev->at, ev->source);
	str_addn(arg, ev->name, ev->name_len);
	str_addf(
		arg, " %s (%s)", disposition_name(ev->disposition), ev->reason);
	if (ev->version != NULL)
		str_addf(arg, " #%u %s", ev->version->generation,
			ev->version->file);
	str_addc(arg, '\n');
	return OK;
}

static enum rc
story(struct place *p, const char *source, const char *name, struct str *s)
{
	struct err e = ERR_INIT;

	str_clear(s);
	return catalog_story(p->catalog, source, BYTES(name), add_event, s, &e);
}

/* Behind the catalog's back. */
static sqlite3 *
open_database(struct place *p)
{
	struct str path = STR_INIT;
	sqlite3 *db;

	str_addf(&path, "%s/catalog.db", p->path);
	assert_int_equal(sqlite3_open(path.s, &db), SQLITE_OK);
	str_release(&path);
	return db;
}

static void
sql(struct place *p, const char *text)
{
	sqlite3 *db = open_database(p);

	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int64_t
sql_number(struct place *p, const char *text)
{
	sqlite3 *db = open_database(p);
	sqlite3_stmt *q;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

/* ---- tests ---- */

static void
test_numbers_have_names(void **state UNUSED)
{
	assert_string_equal(disposition_name(DISPOSITION_LANDED), "landed");
	assert_string_equal(
		disposition_name(DISPOSITION_NEW_VERSION), "new-version");
	for (unsigned d = 1; d < DISPOSITIONS; d++)
		assert_non_null(disposition_name(d));
	assert_null(disposition_name(0));
	assert_null(disposition_name(DISPOSITIONS));
	assert_string_equal(relation_name(RELATION_FIRST), "first");
	assert_string_equal(relation_name(RELATION_REPLACED), "replaced");
	assert_null(relation_name(RELATION_REPLACED + 1));
}

static void
test_what_is_put_is_found_after_reopening(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "s/dt=1/a.zst"), got;
	struct catalog_name n;
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(find(p, "s", "a", &n), END);
	put(p, "s", "a", &sig_a, 100, &v);
	assert_int_equal(fstatat(p->dir, "catalog.db", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fstatat(p->dir, "catalog.db-wal", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	reopen(p);
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_string_equal(n.source, "s");
	assert_int_equal(n.name_len, 1);
	assert_memory_equal(n.name, "a", 1);
	assert_int_equal(n.disposition, DISPOSITION_LANDED);
	assert_string_equal(n.reason, "");
	assert_memory_equal(&n.signature, &sig_a, sizeof(sig_a));
	assert_int_equal(n.first_seen, 100);
	assert_int_equal(n.changed, 100);
	assert_int_not_equal(n.version.id, 0);
	assert_int_equal(n.version.generation, 1);
	assert_int_equal(n.version.disposition, DISPOSITION_LANDED);
	assert_int_equal(n.version.relation, RELATION_FIRST);
	assert_memory_equal(n.version.bytes_sha256, v.bytes_sha256, HASH_LEN);
	assert_memory_equal(n.version.file_sha256, v.file_sha256, HASH_LEN);
	assert_string_equal(n.version.file, v.file);
	assert_int_equal(n.version.size, 3);
	assert_int_equal(n.version.records, 7);
	assert_int_equal(n.version.malformed, 2);
	assert_int_equal(n.version.landed_at, v.landed_at);
	assert_int_equal(n.version.index, 0);
	assert_int_equal(find(p, "other", "a", &n), END);
	assert_int_equal(find(p, "s", "ab", &n), END);
	must(catalog_find_index(p->catalog, 0, &n, &e), &e);
	assert_memory_equal(n.name, "a", 1);
	assert_int_equal(catalog_find_index(p->catalog, 1, &n, &e), END);
	assert_int_equal(
		catalog_find_index(p->catalog, UINT64_MAX, &n, &e), END);
	must(catalog_find_file(p->catalog, v.file, &n, &e), &e);
	assert_int_equal(n.version.index, 0);
	assert_int_equal(catalog_find_file(p->catalog, "no", &n, &e), END);
	must(catalog_find_bytes(p->catalog, "s", v.bytes_sha256, 3, &got, &e),
		&e);
	assert_string_equal(got.file, v.file);
}

static void
test_a_name_is_any_bytes(void **state)
{
	static const uint8_t name[] = "a\0\n\xff/\xfe";
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f");
	struct catalog_name n;
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_put(
		     p->catalog, "s", name, sizeof(name), &sig_a, 1, &v, &e),
		&e);
	must(catalog_commit(p->catalog, &e), &e);
	assert_int_equal(find(p, "s", "a", &n), END);
	must(catalog_find(p->catalog, "s", name, sizeof(name), &n, &e), &e);
	assert_int_equal(n.name_len, sizeof(name));
	assert_memory_equal(n.name, name, sizeof(name));
	/* The last component, with its NUL. */
	must(catalog_story(p->catalog, NULL, name + 5, sizeof(name) - 5,
		     add_event, &s, &e),
		&e);
	str_release(&s);
}

static void
test_a_new_version_is_the_newest_and_first_sight_stays(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f0");
	struct catalog_version w = landing(1, "abcd", "f1");
	struct catalog_name n;

	w.generation = 2;
	w.disposition = DISPOSITION_NEW_VERSION;
	w.relation = RELATION_APPENDED;
	put(p, "s", "a", &sig_a, 100, &v);
	put(p, "s", "a", &sig_b, 200, &w);
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.first_seen, 100);
	assert_int_equal(n.changed, 200);
	assert_int_equal(n.signature.size, sig_b.size);
	assert_int_equal(n.disposition, DISPOSITION_NEW_VERSION);
	assert_int_equal(n.version.generation, 2);
	assert_int_equal(n.version.relation, RELATION_APPENDED);
	/* The same signature again: changed stays. */
	w.index = 2;
	w.file = "f2";
	put(p, "s", "a", &sig_b, 300, &w);
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 200);
}

static void
test_bytes_are_found_in_their_source_oldest_first(void **state)
{
	struct place *p = *state;
	struct catalog_version q = landing(0, "abc", "quarantined");
	struct catalog_version v = landing(1, "abc", "f1");
	struct catalog_version w = landing(2, "abc", "f2");
	struct catalog_version d = landing(3, "abc", "f1");
	struct catalog_version got;
	struct catalog_name n;
	struct err e = ERR_INIT;

	/* What was wrong with them may be right by now. */
	q.disposition = DISPOSITION_QUARANTINED;
	put(p, "s", "q", &sig_a, 1, &q);
	assert_int_equal(catalog_find_bytes(
				 p->catalog, "s", v.bytes_sha256, 3, &got, &e),
		END);
	put(p, "s", "a", &sig_a, 1, &v);
	put(p, "s", "b", &sig_a, 1, &w);
	d.disposition = DISPOSITION_DUPLICATE;
	put(p, "s", "c", &sig_a, 1, &d);
	must(catalog_find_bytes(p->catalog, "s", v.bytes_sha256, 3, &got, &e),
		&e);
	assert_string_equal(got.file, "f1");
	assert_int_equal(got.index, 1);
	assert_int_equal(catalog_find_bytes(
				 p->catalog, "s", v.bytes_sha256, 4, &got, &e),
		END);
	assert_int_equal(catalog_find_bytes(
				 p->catalog, "t", v.bytes_sha256, 3, &got, &e),
		END);
	/* The first eight bytes are the index, not the identity. */
	v.bytes_sha256[31] ^= 1;
	assert_int_equal(catalog_find_bytes(
				 p->catalog, "s", v.bytes_sha256, 3, &got, &e),
		END);
	/* A duplicate names a file, and does not own it. */
	must(catalog_find_file(p->catalog, "f1", &n, &e), &e);
	assert_memory_equal(n.name, "a", 1);
	must(catalog_find_index(p->catalog, 3, &n, &e), &e);
	assert_memory_equal(n.name, "c", 1);
	assert_string_equal(n.version.file, "f1");
	/* ... and what came last is what last had one of its own. */
	must(catalog_find_newest(p->catalog, "s", &n, &e), &e);
	assert_int_equal(n.version.index, 2);
	assert_int_equal(
		catalog_find_newest(p->catalog, "nobody", &n, &e), END);
}

static void
test_one_file_and_one_entry_belong_to_one_version(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f");
	struct catalog_name n;
	struct err e = ERR_INIT;

	put(p, "s", "a", &sig_a, 1, &v);
	must(catalog_begin(p->catalog, &e), &e);
	assert_int_equal(
		catalog_put(p->catalog, "s", BYTES("b"), &sig_a, 1, &v, &e),
		BROKEN);
	catalog_abort(p->catalog);
	v.index = 1;
	must(catalog_begin(p->catalog, &e), &e);
	assert_int_equal(
		catalog_put(p->catalog, "s", BYTES("b"), &sig_a, 1, &v, &e),
		BROKEN);
	catalog_abort(p->catalog);
	assert_int_equal(find(p, "s", "b", &n), END);
}

static void
test_an_abort_leaves_nothing_behind(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f");
	struct catalog_name n;
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_put(p->catalog, "new", BYTES("a"), &sig_a, 1, &v, &e), &e);
	assert_int_equal(find(p, "new", "a", &n), OK);
	catalog_abort(p->catalog);
	catalog_abort(p->catalog);
	assert_int_equal(find(p, "new", "a", &n), END);
	/* The source's number was undone too, and is given anew. */
	put(p, "other", "b", &sig_a, 1, &v);
	v.index = 1;
	v.file = "f1";
	put(p, "new", "a", &sig_a, 1, &v);
	assert_int_equal(find(p, "other", "a", &n), END);
	assert_int_equal(find(p, "new", "b", &n), END);
	assert_int_equal(find(p, "new", "a", &n), OK);
	assert_string_equal(n.source, "new");
}

static void
test_a_story_grows_only_when_something_is_told(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f0");
	struct catalog_version w = landing(1, "abcd", "f1");
	struct catalog_name n;
	struct str s = STR_INIT;

	assert_int_equal(story(p, NULL, "in/a", &s), END);
	note(p, "s", "in/a", &sig_a, 105, DISPOSITION_PENDING, "too young");
	note(p, "s", "in/a", &sig_a, 110, DISPOSITION_PENDING, "too young");
	assert_int_equal(find(p, "s", "in/a", &n), OK);
	assert_int_equal(n.version.id, 0);
	assert_int_equal(n.changed, 105);
	assert_string_equal(n.reason, "too young");
	note(p, "s", "in/a", &sig_b, 120, DISPOSITION_PENDING, "too young");
	assert_int_equal(find(p, "s", "in/a", &n), OK);
	assert_int_equal(n.changed, 120);
	assert_int_equal(n.first_seen, 105);
	note(p, "s", "in/a", &sig_b, 125, DISPOSITION_PENDING, "no sentinel");
	assert_int_equal(find(p, "s", "in/a", &n), OK);
	assert_int_equal(n.changed, 120);
	/* Recorded later, at a time before: the order is that of recording. */
	put(p, "s", "in/a", &sig_b, 100, &v);
	assert_int_equal(find(p, "s", "in/a", &n), OK);
	assert_string_equal(n.reason, "");
	note(p, "t", "in/a", &sig_b, 130, DISPOSITION_IGNORED, "ignore *");
	note(p, "s", "in/a", &sig_a, 140, DISPOSITION_DUPLICATE, "again");
	w.disposition = DISPOSITION_QUARANTINED;
	w.generation = 2;
	put(p, "s", "in/a", &sig_a, 150, &w);
	note(p, "s", "in/a", &sig_a, 150, DISPOSITION_QUARANTINED, "torn");
	assert_int_equal(find(p, "s", "in/a", &n), OK);
	assert_string_equal(n.reason, "torn");
	assert_int_equal(n.version.generation, 2);
	assert_int_equal(story(p, "s", "in/a", &s), OK);
	assert_string_equal(s.s,
		"105 s in/a pending (too young)\n"
		"125 s in/a pending (no sentinel)\n"
		"100 s in/a landed () #1 f0\n"
		"140 s in/a duplicate (again)\n"
		"150 s in/a quarantined () #2 f1\n"
		"150 s in/a quarantined (torn)\n");
	/* All sources; by the last component; not by a part of it. */
	assert_int_equal(story(p, NULL, "a", &s), OK);
	assert_non_null(strstr(s.s, "130 t in/a ignored (ignore *)\n140 s"));
	assert_int_equal(story(p, "t", "a", &s), OK);
	assert_string_equal(s.s, "130 t in/a ignored (ignore *)\n");
	assert_int_equal(story(p, NULL, "n/a", &s), END);
	assert_int_equal(story(p, "u", "a", &s), END);
	/* An exact name hides those that only end so. */
	note(p, "t", "a", &sig_a, 160, DISPOSITION_IGNORED, "x");
	assert_int_equal(story(p, NULL, "a", &s), OK);
	assert_string_equal(s.s, "160 t a ignored (x)\n");
	str_release(&s);
}

static void
test_what_is_told_changes_nothing_else(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(0, "abc", "f0");
	struct catalog_name n;
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	put(p, "s", "a", &sig_a, 100, &v);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_tell(p->catalog, "s", BYTES("a"), 110, "moved", &e), &e);
	assert_int_equal(
		catalog_tell(p->catalog, "s", BYTES("b"), 110, "x", &e), END);
	must(catalog_commit(p->catalog, &e), &e);
	assert_int_equal(story(p, "s", "a", &s), OK);
	assert_string_equal(s.s,
		"100 s a landed () #1 f0\n"
		"110 s a landed (moved)\n");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_string_equal(n.reason, "");
	assert_int_equal(n.changed, 100);
	assert_int_equal(n.disposition, DISPOSITION_LANDED);
	str_release(&s);
}

static enum rc
add_entry(void *arg, uint64_t index, const char *entry, size_t len,
	const char *file, struct err *e UNUSED)
{
	str_addf(arg, "%llu %.*s %s\n", (unsigned long long)index, (int)len,
		entry, file != NULL ? file : "-");
	return OK;
}

/* What the ledger will never take must not be promised to it. */
static void
test_the_outbox_takes_only_entries(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	char *text = mem_alloc(FORMAT_ENTRY_MAX + 1);

	memset(text, 'x', FORMAT_ENTRY_MAX + 1);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_outbox_put(p->catalog, 0, text, FORMAT_ENTRY_MAX, "f", &e),
		&e);
	assert_int_equal(catalog_outbox_put(p->catalog, 1, text,
				 FORMAT_ENTRY_MAX + 1, "g", &e),
		BROKEN);
	catalog_abort(p->catalog);
	free(text);
}

static void
test_the_outbox_keeps_count_of_what_it_forgets(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(4, "abc", "f");
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	uint64_t size;
	int64_t last;

	must(catalog_ledger_size(p->catalog, &size, &e), &e);
	assert_int_equal(size, 0);
	must(catalog_last_landed(p->catalog, &last, &e), &e);
	assert_int_equal(last, 0);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_outbox_put(p->catalog, 0, "{}", 2, "f", &e), &e);
	must(catalog_outbox_put(p->catalog, 1, "{1}", 3, NULL, &e), &e);
	must(catalog_outbox_put(p->catalog, 2, "{22}", 4, "g", &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_ledger_size(p->catalog, &size, &e), &e);
	assert_int_equal(size, 3);
	must(catalog_outbox_each(p->catalog, 1, add_entry, &s, &e), &e);
	assert_string_equal(s.s, "1 {1} -\n2 {22} g\n");
	must(catalog_outbox_drop(p->catalog, 2, &e), &e);
	str_clear(&s);
	must(catalog_outbox_each(p->catalog, 0, add_entry, &s, &e), &e);
	assert_string_equal(s.s, "2 {22} g\n");
	must(catalog_outbox_drop(p->catalog, 3, &e), &e);
	must(catalog_outbox_drop(p->catalog, 1, &e), &e);
	reopen(p);
	must(catalog_ledger_size(p->catalog, &size, &e), &e);
	assert_int_equal(size, 3);
	/* A rebuild puts versions that are in the ledger already. */
	put(p, "s", "a", &sig_a, 1, &v);
	must(catalog_ledger_size(p->catalog, &size, &e), &e);
	assert_int_equal(size, 5);
	must(catalog_last_landed(p->catalog, &last, &e), &e);
	assert_int_equal(last, v.landed_at);
	v.index = 5;
	v.file = "f5";
	v.landed_at -= 10;
	put(p, "s", "b", &sig_a, 1, &v);
	must(catalog_last_landed(p->catalog, &last, &e), &e);
	assert_int_equal(last, v.landed_at + 10);
	str_release(&s);
}

static void
test_what_arrived(void **state)
{
	struct place *p = *state;
	struct catalog_pass pass = {.source = "s", .started = 70};
	struct catalog_version v = landing(0, "abc", "f0");
	struct arrived least = {.files = 2}, a;
	int64_t t = v.landed_at;
	struct err e = ERR_INIT;

	must(catalog_arrived(p->catalog, "s", 0, INT64_MAX, &least, &a, &e),
		&e);
	assert_int_equal(a.files, 0);
	assert_int_equal(a.looked, 0);
	for (uint32_t i = 0; i < 5; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		char file[3] = {'f', (char)('0' + i), '\0'};

		v.index = i;
		v.file = file;
		v.size = 100;
		v.records = 10 + i;
		v.landed_at = t + i;
		v.disposition = i == 1 ? DISPOSITION_DUPLICATE
			: i == 3       ? DISPOSITION_QUARANTINED
			: i == 4       ? DISPOSITION_NEW_VERSION
				       : DISPOSITION_LANDED;
		put(p, "s", name, &sig_a, 1, &v);
	}
	v.index = 5;
	v.file = "f5";
	put(p, "t", "a", &sig_a, 1, &v);
	/* a, c and e count. */
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.files, 3);
	assert_int_equal(a.bytes, 300);
	assert_int_equal(a.records, 36);
	assert_int_equal(a.enough_at, t + 2);
	least.records = 23;
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.enough_at, t + 4);
	least.bytes = 301;
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.enough_at, 0);
	/* From the first instant on, and without the last. */
	must(catalog_arrived(p->catalog, "s", t + 1, t + 4, &least, &a, &e),
		&e);
	assert_int_equal(a.files, 1);
	assert_int_equal(a.records, 12);
	/* The newest complete look. */
	pass.outcome = PASS_COMPLETE;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	pass.started = 80;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	pass.started = 90;
	pass.outcome = PASS_COULD_NOT_LOOK;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	pass.started = 100;
	pass.outcome = PASS_STOPPED;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.looked, 80);
	must(catalog_arrived(p->catalog, "t", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.files, 1);
	assert_int_equal(a.looked, 0);
}

/* A name that has been as it is since tomorrow: the clock was set back. */
static void
test_since_tomorrow(void **state)
{
	struct place *p = *state;
	struct catalog_name n;

	note(p, "s", "a", &sig_a, 1000, DISPOSITION_PENDING, "young");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 1000);
	note(p, "s", "a", &sig_a, 10, DISPOSITION_PENDING, "young");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 10);
	note(p, "s", "a", &sig_a, 20, DISPOSITION_PENDING, "young");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 10);
	assert_int_equal(sql_number(p, "SELECT count(*) FROM event"), 1);
}

static void
test_passes_and_counts(void **state)
{
	struct place *p = *state;
	struct catalog_pass pass = {
		.source = "s", .started = 10, .listed = 3, .unchanged = 1};
	struct catalog_pass got;
	uint64_t count[DISPOSITIONS];
	struct err e = ERR_INIT;

	assert_int_equal(catalog_pass_last(p->catalog, "s", &got, &e), END);
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.ended, 0);
	assert_string_equal(got.trouble, "");
	pass.ended = 20;
	pass.outcome = PASS_COULD_NOT_LOOK;
	pass.count[DISPOSITION_LANDED] = 5;
	pass.count[DISPOSITION_IGNORED] = 6;
	pass.count[DISPOSITION_UNPACKED] = 2;
	pass.trouble = "list folder x: Permission denied";
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_string_equal(got.source, "s");
	assert_int_equal(got.started, 10);
	assert_int_equal(got.ended, 20);
	assert_int_equal(got.outcome, PASS_COULD_NOT_LOOK);
	assert_int_equal(got.listed, 3);
	assert_int_equal(got.unchanged, 1);
	assert_memory_equal(got.count, pass.count, sizeof(pass.count));
	assert_string_equal(got.trouble, pass.trouble);
	/* The newest of many. */
	must(catalog_begin(p->catalog, &e), &e);
	for (int i = 0; i < CATALOG_SQL_PASSES_KEPT + 10; i++) {
		pass.started = 100 + i;
		must(catalog_pass_put(p->catalog, &pass, &e), &e);
	}
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.started, 109 + CATALOG_SQL_PASSES_KEPT);
	assert_int_equal(catalog_pass_last(p->catalog, "t", &got, &e), END);
	assert_int_equal(sql_number(p, "SELECT count(*) FROM pass"),
		CATALOG_SQL_PASSES_KEPT);
	/* The clock was set back: what was recorded last is the newest. */
	pass.started = 99 + CATALOG_SQL_PASSES_KEPT;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.started, 99 + CATALOG_SQL_PASSES_KEPT);

	note(p, "s", "a", &sig_a, 1, DISPOSITION_PENDING, "");
	note(p, "s", "b", &sig_a, 1, DISPOSITION_PENDING, "");
	note(p, "s", "c", &sig_a, 1, DISPOSITION_IGNORED, "");
	note(p, "t", "d", &sig_a, 1, DISPOSITION_IGNORED, "");
	must(catalog_count(p->catalog, "s", count, &e), &e);
	assert_int_equal(count[DISPOSITION_PENDING], 2);
	assert_int_equal(count[DISPOSITION_IGNORED], 1);
	assert_int_equal(count[DISPOSITION_LANDED], 0);
	must(catalog_count(p->catalog, "nobody", count, &e), &e);
	assert_int_equal(count[DISPOSITION_PENDING], 0);
}

static enum rc
add_file(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	str_addf(arg, "%llu %s ", (unsigned long long)n->version.index,
		n->source);
	str_addn(arg, n->name, n->name_len);
	str_addf(arg, " %s\n", n->version.file);
	return OK;
}

static enum rc
stop(void *arg, const struct catalog_name *n UNUSED, struct err *e UNUSED)
{
	++*(int *)arg;
	return AGAIN;
}

static void
test_landing_files_come_in_ledger_order(void **state)
{
	struct place *p = *state;
	struct catalog_version v = landing(3, "abc", "f3");
	struct catalog_version d = landing(2, "abc", "f3");
	struct catalog_version w = landing(1, "abcd", "f1");
	struct catalog_version q = landing(4, "x", "q");
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	int n = 0;

	d.disposition = DISPOSITION_DUPLICATE;
	q.disposition = DISPOSITION_QUARANTINED;
	put(p, "s", "a", &sig_a, 1, &v);
	put(p, "s", "b", &sig_a, 1, &d);
	put(p, "t", "a", &sig_a, 1, &w);
	put(p, "s", "a", &sig_a, 1, &q);
	must(catalog_each_landed(p->catalog, NULL, add_file, &s, &e), &e);
	assert_string_equal(s.s, "1 t a f1\n3 s a f3\n4 s a q\n");
	str_clear(&s);
	must(catalog_each_landed(p->catalog, "t", add_file, &s, &e), &e);
	assert_string_equal(s.s, "1 t a f1\n");
	must(catalog_each_landed(p->catalog, "u", stop, &n, &e), &e);
	assert_int_equal(
		catalog_each_landed(p->catalog, NULL, stop, &n, &e), AGAIN);
	assert_int_equal(n, 1);
	str_release(&s);
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
	put_stream(p, "things", "", 6);
	put_stream(p, "things", "absent", 6);
	put_stream(p, "parts", "shelf=a", 6);
	put_stream(p, "parts", "shelf=b", 6);
	close_catalog(p);
	sql(p,
		"ALTER TABLE stream DROP COLUMN files;"
		"ALTER TABLE stream DROP COLUMN records;"
		"ALTER TABLE stream DROP COLUMN remains;"
		"ALTER TABLE stream DROP COLUMN allowed;"
		"PRAGMA user_version = 9");
	reopen(p);
	str_clear(&text);
	must(catalog_stream_each(p->catalog, "shop", add_sum, &text, &e), &e);
	assert_string_equal(text.s,
		"parts/shelf=a:1,7 parts/shelf=b:0,0 things/:2,14 "
		"things/absent:1,7 ");
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

static void
assert_shape(const struct catalog_shape *a, const struct catalog_shape *b)
{
	assert_int_equal(a->index, b->index);
	assert_int_equal(a->has_header, b->has_header);
	assert_memory_equal(a->header_sha256, b->header_sha256, HASH_LEN);
	assert_int_equal(a->columns, b->columns);
	assert_int_equal(a->bom, b->bom);
}

static void
test_a_source_has_the_shape_it_was_given_last(void **state)
{
	struct place *p = *state;
	const struct catalog_shape one = {.index = 7,
		.has_header = true,
		.header_sha256 = {1, 2, 3},
		.columns = 3};
	const struct catalog_shape two = {.index = 9, .bom = true};
	struct catalog_shape got;
	struct err e = ERR_INIT;

	assert_int_equal(catalog_shape_find(p->catalog, "s", &got, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_shape_put(p->catalog, "s", &one, &e), &e);
	must(catalog_shape_put(p->catalog, "t", &two, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	reopen(p);
	must(catalog_shape_find(p->catalog, "s", &got, &e), &e);
	assert_shape(&got, &one);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_shape_put(p->catalog, "s", &two, &e), &e);
	catalog_abort(p->catalog);
	must(catalog_shape_find(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.index, 7);
	must(catalog_shape_find(p->catalog, "t", &got, &e), &e);
	assert_shape(&got, &two);
}

static enum rc
add_since(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	str_addf(arg, "%llu:", (unsigned long long)n->version.index);
	str_addn(arg, n->name, n->name_len);
	str_addc(arg, ' ');
	return OK;
}

static void
test_marks_and_what_came_since(void **state)
{
	struct place *p = *state;
	struct catalog_version v;
	struct err e = ERR_INIT;
	struct str text = STR_INIT;
	struct catalog_name n;
	uint64_t upto;

	assert_int_equal(
		catalog_mark_find(p->catalog, "s", MARK_ALERTS, &upto, &e),
		END);
	assert_int_equal(catalog_unsettled(p->catalog, "s", 0, 9, &e), END);
	v = landing(0, "a", "f0");
	put(p, "s", "a", &sig_a, 1, &v);
	v = landing(1, "b", "f1");
	put(p, "t", "b", &sig_a, 1, &v);
	v = landing(2, "c", "f2");
	v.disposition = DISPOSITION_QUARANTINED;
	put(p, "s", "c", &sig_a, 1, &v);
	v = landing(3, "d", "f3");
	put(p, "s", "d", &sig_a, 1, &v);
	must(catalog_each_since(p->catalog, "s", 0, 3, add_since, &text, &e),
		&e);
	assert_string_equal(text.s, "0:a 2:c ");
	str_clear(&text);
	must(catalog_each_since(p->catalog, "s", 1, 9, add_since, &text, &e),
		&e);
	assert_string_equal(text.s, "2:c 3:d ");

	/* What came under the same name before. */
	must(catalog_find_index(p->catalog, 0, &n, &e), &e);
	assert_int_equal(
		catalog_find_before(p->catalog, n.id, 0, &upto, &e), END);
	must(catalog_find_before(p->catalog, n.id, 1, &upto, &e), &e);
	assert_int_equal(upto, 0);
	must(catalog_find_before(p->catalog, n.id, 99, &upto, &e), &e);
	assert_int_equal(upto, 0);

	assert_int_equal(catalog_unsettled(p->catalog, "s", 0, 4, &e), OK);
	assert_int_equal(catalog_unsettled(p->catalog, "s", 3, 4, &e), END);
	assert_int_equal(catalog_unsettled(p->catalog, "t", 0, 4, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_settle(p->catalog, 2, 4, &e), &e);
	must(catalog_mark_put(p->catalog, "s", MARK_ALERTS, 3, &e), &e);
	must(catalog_mark_put(p->catalog, "s", MARK_ALERTS, 2, &e), &e);
	must(catalog_mark_put(p->catalog, "s", MARK_ALERTS, 4, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	assert_int_equal(catalog_unsettled(p->catalog, "s", 0, 4, &e), END);
	must(catalog_mark_find(p->catalog, "s", MARK_ALERTS, &upto, &e), &e);
	assert_int_equal(upto, 4);
	str_release(&text);
}

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

static enum rc
add_side(void *arg, const struct catalog_side *s, struct err *e UNUSED)
{
	str_addf(arg, "%.*s:%.*s:%llu ", (int)s->name_len,
		(const char *)s->name, (int)s->side_len, (const char *)s->side,
		(unsigned long long)s->signature.size);
	return OK;
}

static struct catalog_side
side(const char *name, const char *of, uint64_t size)
{
	return (struct catalog_side){
		.name = (const uint8_t *)name,
		.name_len = strlen(name),
		.side = (const uint8_t *)of,
		.side_len = strlen(of),
		.signature = {.size = size},
	};
}

static enum rc
add_name(void *arg, const uint8_t *name, size_t len, struct err *e UNUSED)
{
	str_addn(arg, name, len);
	str_addc(arg, ' ');
	return OK;
}

static void
test_side_files(void **state)
{
	const struct catalog_side rows[] = {
		side("b", "b.done", 1), side("a", "a.sum", 2),
		side("a", "a.done", 3),
		side("a", "a.done", 4), /* in the place of the one before */
	};
	struct place *p = *state;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	must(catalog_side_each(p->catalog, "s", NULL, add_side, &text, &e), &e);
	assert_string_equal(text.s, "");
	must(catalog_begin(p->catalog, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		must(catalog_side_put(p->catalog, "s", &rows[i], &e), &e);
	must(catalog_side_put(p->catalog, "t", &rows[0], &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_side_each(p->catalog, "s", NULL, add_side, &text, &e), &e);
	assert_string_equal(text.s, "a:a.done:4 a:a.sum:2 b:b.done:1 ");
	str_clear(&text);
	must(catalog_side_each(p->catalog, "s", &rows[1], add_side, &text, &e),
		&e);
	assert_string_equal(text.s, "b:b.done:1 ");
	str_clear(&text);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_side_drop(p->catalog, "s", &rows[0], &e), &e);
	must(catalog_side_drop(p->catalog, "s", &rows[0], &e), &e);
	must(catalog_side_drop(p->catalog, "nobody", &rows[0], &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_side_each(p->catalog, "s", NULL, add_side, &text, &e), &e);
	assert_string_equal(text.s, "a:a.done:4 a:a.sum:2 ");
	str_release(&text);
}

static void
test_names_in_a_range(void **state)
{
	static const char *const names[] = {
		"b", "a.csv", "a", "a/x", "a.", "a-"};
	struct place *p = *state;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		must(catalog_note(p->catalog, "s", (const uint8_t *)names[i],
			     strlen(names[i]), &sig_a, 1, DISPOSITION_PENDING,
			     "", &e),
			&e);
	must(catalog_note(p->catalog, "t", (const uint8_t *)"a.z", 3, &sig_a, 1,
		     DISPOSITION_PENDING, "", &e),
		&e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_each_name(p->catalog, "s", (const uint8_t *)"a", 1,
		     (const uint8_t *)"a/", 2, add_name, &text, &e),
		&e);
	assert_string_equal(text.s, "a a- a. a.csv ");
	str_release(&text);
}

static enum rc
add_alert(void *arg, const struct catalog_alert *a, struct err *e UNUSED)
{
	str_addf(arg, "%s %s %lld %lld %llu (%s) %s;", a->source, a->event,
		(long long)a->at, (long long)a->due,
		(unsigned long long)a->attempts, a->trouble, a->body);
	return OK;
}

static void
add_alerts(struct place *p, bool given_up, struct str *text)
{
	struct err e = ERR_INIT;

	str_clear(text);
	must(catalog_alert_each(p->catalog, given_up, add_alert, text, &e), &e);
}

static void
test_conditions_and_alerts(void **state)
{
	struct place *p = *state;
	const struct catalog_condition missing = {
		.state = "missing", .key = 17, .at = 5};
	struct catalog_alert a = {.source = "s",
		.event = "missing",
		.at = 5,
		.due = 6,
		.body = "{}"};
	struct catalog_condition x;
	struct err e = ERR_INIT;
	struct str text = STR_INIT;

	must(catalog_condition_find(p->catalog, "s", CONDITION_ARRIVAL, &x, &e),
		&e);
	assert_string_equal(x.state, "");
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_condition_put(
		     p->catalog, "s", CONDITION_ARRIVAL, &missing, &e),
		&e);
	must(catalog_alert_put(p->catalog, &a, &e), &e);
	a.event = "late";
	a.due = 4;
	must(catalog_alert_put(p->catalog, &a, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_condition_find(p->catalog, "s", CONDITION_ARRIVAL, &x, &e),
		&e);
	assert_string_equal(x.state, "missing");
	assert_int_equal(x.key, 17);
	assert_int_equal(x.at, 5);
	must(catalog_condition_find(p->catalog, "s", CONDITION_DRIFT, &x, &e),
		&e);
	assert_string_equal(x.state, "");
	add_alerts(p, false, &text);
	assert_string_equal(
		text.s, "s late 5 4 0 () {};s missing 5 6 0 () {};");

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_alert_tried(p->catalog, 1, 9, false, "no route", &e), &e);
	must(catalog_alert_tried(p->catalog, 2, 8, true, "gone", &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	add_alerts(p, false, &text);
	assert_string_equal(text.s, "s missing 5 9 1 (no route) {};");
	add_alerts(p, true, &text);
	assert_string_equal(text.s, "s late 5 8 1 (gone) {};");
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_alert_drop(p->catalog, 1, &e), &e);
	must(catalog_alert_forget(p->catalog, 8, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	add_alerts(p, false, &text);
	assert_string_equal(text.s, "");
	add_alerts(p, true, &text);
	assert_string_equal(text.s, "s late 5 8 1 (gone) {};");
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_alert_forget(p->catalog, 9, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	add_alerts(p, true, &text);
	assert_string_equal(text.s, "");
	str_release(&text);
}

static void
pass_at(struct place *p, int64_t started, enum pass_outcome outcome)
{
	const struct catalog_pass pass = {.source = "s",
		.started = started,
		.ended = started,
		.outcome = outcome};
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
}

static enum rc
add_stream(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	str_addf(arg, "%s/%s:%s ", s->stream, s->partition, s->position);
	return OK;
}

static void
test_streams_and_what_they_remember(void **state)
{
	static const uint8_t one[CATALOG_SEEN] = {1}, two[CATALOG_SEEN] = {2};
	struct place *p = *state;
	struct catalog_stream s = {.stream = "b",
		.partition = "x",
		.position = "7",
		.job = "",
		.why = "quota",
		.upto = 3,
		.parked = 9,
		.files = 2,
		.records = 70,
		.has_left = true,
		.left = 5,
		.allowed = 10};
	struct catalog_stream back;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;
	int64_t id, other;

	assert_int_equal(
		catalog_stream_find(p->catalog, "s", "b", "x", &back, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_stream_put(p->catalog, "s", &s, &id, &e), &e);
	s.position = "8";
	must(catalog_stream_put(p->catalog, "s", &s, &other, &e), &e);
	assert_int_equal(id, other);
	s.stream = "a";
	s.partition = "";
	s.has_left = false;
	must(catalog_stream_put(p->catalog, "s", &s, &other, &e), &e);
	must(catalog_seen_put(p->catalog, id, one, 10, &e), &e);
	must(catalog_seen_put(p->catalog, id, one, 5, &e), &e);
	must(catalog_seen_put(p->catalog, id, two, 5, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_stream_find(p->catalog, "s", "b", "x", &back, &e), &e);
	assert_int_equal(back.id, id);
	assert_string_equal(back.position, "8");
	assert_string_equal(back.why, "quota");
	assert_int_equal(back.upto, 3);
	assert_int_equal(back.parked, 9);
	assert_int_equal(back.files, 2);
	assert_int_equal(back.records, 70);
	assert_true(back.has_left);
	assert_int_equal(back.left, 5);
	assert_int_equal(back.allowed, 10);
	must(catalog_stream_find(p->catalog, "s", "a", "", &back, &e), &e);
	assert_false(back.has_left);
	must(catalog_stream_each(p->catalog, "s", add_stream, &text, &e), &e);
	assert_string_equal(text.s, "a/:8 b/x:8 ");
	must(catalog_stream_each(p->catalog, "t", add_stream, &text, &e), &e);
	assert_string_equal(text.s, "a/:8 b/x:8 ");
	str_release(&text);

	must(catalog_seen_find(p->catalog, id, two, &e), &e);
	assert_int_equal(catalog_seen_find(p->catalog, other, two, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_seen_forget(p->catalog, id, 10, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	assert_int_equal(catalog_seen_find(p->catalog, id, two, &e), END);
	must(catalog_seen_find(p->catalog, id, one, &e), &e);
}

static void
test_since_when_a_source_fails(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	int64_t since = 0;

	assert_int_equal(catalog_failing(p->catalog, "s", &since, &e), END);
	pass_at(p, 10, PASS_COULD_NOT_LOOK);
	pass_at(p, 20, PASS_COULD_NOT_LOOK);
	must(catalog_failing(p->catalog, "s", &since, &e), &e);
	assert_int_equal(since, 10);
	pass_at(p, 30, PASS_COMPLETE);
	assert_int_equal(catalog_failing(p->catalog, "s", &since, &e), END);
	pass_at(p, 40, PASS_COULD_NOT_LOOK);
	must(catalog_failing(p->catalog, "s", &since, &e), &e);
	assert_int_equal(since, 40);
}

#define with_catalog(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_have_names),
		with_catalog(test_what_is_put_is_found_after_reopening),
		with_catalog(test_a_name_is_any_bytes),
		with_catalog(
			test_a_new_version_is_the_newest_and_first_sight_stays),
		with_catalog(test_bytes_are_found_in_their_source_oldest_first),
		with_catalog(test_one_file_and_one_entry_belong_to_one_version),
		with_catalog(test_an_abort_leaves_nothing_behind),
		with_catalog(test_a_story_grows_only_when_something_is_told),
		with_catalog(test_the_outbox_takes_only_entries),
		with_catalog(test_what_is_told_changes_nothing_else),
		with_catalog(test_the_outbox_keeps_count_of_what_it_forgets),
		with_catalog(test_what_arrived),
		with_catalog(test_since_tomorrow),
		with_catalog(test_passes_and_counts),
		with_catalog(test_a_source_has_the_shape_it_was_given_last),
		with_catalog(test_marks_and_what_came_since),
		with_catalog(test_long_stories_are_cut),
		with_catalog(test_old_ignored_names_are_forgotten),
		with_catalog(test_side_files),
		with_catalog(test_names_in_a_range),
		with_catalog(test_conditions_and_alerts),
		with_catalog(test_streams_and_what_they_remember),
		with_catalog(test_since_when_a_source_fails),
		with_catalog(test_landing_files_come_in_ledger_order),
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

	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
