/*
 * catalog-place.h - a catalog in a directory of its own, what is put
 * there in a line, and what lies in the database behind its back.
 */
#ifndef TESTS_CATALOG_PLACE_H
#define TESTS_CATALOG_PLACE_H

#include <sqlite3.h>

#include "base/mem.h"
#include "landfall/catalog.h"
#include "unit.h"

#include "scratch.h"

struct place {
	char path[SCRATCH_PATH];
	int dir;
	struct catalog *catalog;
};

static inline int
set_up(void **state)
{
	struct place *p = mem_alloc(sizeof(*p));
	struct err e = ERR_INIT;

	p->dir = scratch_make(p->path);
	must(catalog_open(p->path, true, &p->catalog, &e), &e);
	*state = p;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct place *p = *state;

	catalog_close(p->catalog);
	close(p->dir);
	scratch_remove(p->path);
	free(p);
	return 0;
}

static inline void
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
static inline struct catalog_version
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

static inline void
put(struct place *p, const char *source, const char *name,
	const struct signature *sig, int64_t now,
	const struct catalog_version *v)
{
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_put(p->catalog, source, BYTES(name), sig, now, v, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
}

static inline void
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

static inline enum rc
find(struct place *p, const char *source, const char *name,
	struct catalog_name *ret)
{
	struct err e = ERR_INIT;

	return catalog_find(p->catalog, source, BYTES(name), ret, &e);
}

/* "at source name disposition reason generation\n" of each event. */
static inline enum rc
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

static inline enum rc
story(struct place *p, const char *source, const char *name, struct str *s)
{
	struct err e = ERR_INIT;

	str_clear(s);
	return catalog_story(p->catalog, source, BYTES(name), add_event, s, &e);
}

/* Behind the catalog's back. */
static inline sqlite3 *
open_database(struct place *p)
{
	struct str path = STR_INIT;
	sqlite3 *db;

	str_addf(&path, "%s/catalog.db", p->path);
	assert_int_equal(sqlite3_open(path.s, &db), SQLITE_OK);
	str_release(&path);
	return db;
}

static inline int64_t
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

#define with_catalog(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
