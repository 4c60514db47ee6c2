/* catalog/: names, versions and stories: what is recorded comes back. */
#include "base/mem.h"
#include "landfall/catalog.h"
#include "landfall/format.h"

#include "catalog-place.h"

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

static enum rc
add_name(void *arg, const uint8_t *name, size_t len, struct err *e UNUSED)
{
	str_addn(arg, name, len);
	str_addc(arg, ' ');
	return OK;
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
		with_catalog(test_names_in_a_range),
		with_catalog(test_landing_files_come_in_ledger_order),
	};

	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
