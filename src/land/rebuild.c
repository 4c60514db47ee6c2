/*
 * The catalog from the zone alone: what the ledger says, and what a crash
 * kept out of it.
 */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "land/recall.h"
#include "land/recover.h"
#include "land/tell.h"

struct rebuild {
	struct zone *zone;
	struct catalog *catalog;
	uint64_t versions;
};

static int64_t
entry_u64(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static const char *
entry_text(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text != NULL ? text : "";
}

/* An archive whose bytes were not kept, or another name of it: no file. */
static bool
has_file(const json_t *j)
{
	return json_object_get(j, "file") != NULL ||
		(strcmp(entry_text(j, "disposition"), "unpacked") != 0 &&
			json_object_get(j, "again") == NULL);
}

static void
take_members(struct members *m, const json_t *j)
{
	const json_t *members = json_object_get(j, "members");

	m->known = members != NULL;
	for (unsigned k = 1; k < DISPOSITIONS; k++)
		m->count[k] = (uint64_t)entry_u64(members, disposition_name(k));
	m->findings = (uint64_t)entry_u64(members, "findings");
	m->missing = (uint64_t)entry_u64(members, "missing");
}

static bool
has_sum(const json_t *j, const char *key)
{
	return strlen(entry_text(j, key)) == 2 * HASH_LEN;
}

static enum disposition
disposition_of(const json_t *j)
{
	for (unsigned k = 1; k < DISPOSITIONS; k++)
		if (strcmp(entry_text(j, "disposition"), disposition_name(k)) ==
			0)
			return (enum disposition)k;
	return 0;
}

/* Who it is of. */
static struct delivery *
new_delivery(const json_t *j)
{
	const char *name = entry_text(j, "name");
	size_t cap = strlen(name) + 1, len;
	CLEANUP(mem_release) uint8_t *bytes = mem_alloc(cap);

	return str_parse_percent(name, cap - 1, bytes, cap, &len)
		? delivery_new(entry_text(j, "source"), bytes, len)
		: NULL;
}

/* *ret lives no longer than j. */
static enum rc
read_entry(
	const json_t *j, uint64_t index, struct delivery **ret, struct err *e)
{
	struct delivery *d = NULL;

	if (has_sum(j, "bytes_sha256") &&
		(!has_file(j) || has_sum(j, "file_sha256")))
		d = new_delivery(j);
	if (d == NULL)
		return err_set(e, BROKEN,
			"ledger entry %llu is not one of a landing",
			(unsigned long long)index);
	d->rejected = strcmp(entry_text(j, "disposition"), "rejected") == 0;
	d->settles = json_is_integer(json_object_get(j, "settles"));
	d->settled = (uint64_t)entry_u64(j, "settles");
	d->recorded = true;
	d->index = index;
	d->is_again = json_object_get(j, "again") != NULL;
	d->again = (uint64_t)entry_u64(j, "again");
	d->disposition = disposition_of(j);
	d->unpacked = d->disposition == DISPOSITION_UNPACKED;
	take_members(&d->members, j);
	str_add(&d->file, entry_text(j, "file"));
	d->generation = (uint32_t)entry_u64(j, "generation");
	d->landed.size = (uint64_t)entry_u64(j, "size");
	d->landed.totals.records = (uint64_t)entry_u64(j, "records");
	if (json_object_get(j, "reason") != NULL)
		d->reason = mem_strdup(entry_text(j, "reason"));
	d->signature = (struct signature){.size = d->landed.size};
	d->relation = d->disposition == DISPOSITION_DUPLICATE
		? RELATION_IDENTICAL
		: RELATION_FIRST;
	if (!str_parse_hex(entry_text(j, "bytes_sha256"),
		    d->landed.bytes_sha256, HASH_LEN) ||
		(has_file(j) &&
			!str_parse_hex(entry_text(j, "file_sha256"),
				d->file_sha256, HASH_LEN)) ||
		!clock_parse_time(entry_text(j, "landed_at"), &d->landed_at)) {
		delivery_free(d);
		return err_set(e, BROKEN, "ledger entry %llu is damaged",
			(unsigned long long)index);
	}
	*ret = d;
	return OK;
}

/* What the entry does not say stands in the file, if it is there. */
static void
read_file(struct zone *z, struct delivery *d)
{
	CLEANUP(recall_release) struct recall r = {0};
	struct err ignored = ERR_INIT;

	if (recall_read(&r, z, d->file.s, false, &ignored) != OK)
		return;
	d->signature = r.d->signature;
	d->relation = r.d->relation;
	d->landed.totals = r.d->landed.totals;
	d->has_shape = r.d->has_shape;
	d->shape = r.d->shape;
	if (r.d->drift != NULL)
		d->drift = mem_strdup(r.d->drift);
}

/* One ledger entry into the catalog. */
static enum rc
replay(struct rebuild *rb, uint64_t index, const struct str *text,
	struct err *e)
{
	json_error_t je;
	json_t *j = json_loadb(text->s, text->len, 0, &je);
	struct delivery *d = NULL;
	enum rc rc = read_entry(j, index, &d, e);

	if (rc == OK && !d->rejected &&
		d->disposition != DISPOSITION_DUPLICATE && has_file(j))
		read_file(rb->zone, d);
	if (rc == OK && d->rejected)
		rc = tell_rejection(rb->catalog, d, text->s, text->len, e);
	else if (rc == OK && d->disposition != 0)
		rc = tell_version(rb->catalog, d, e);
	rb->versions++;
	delivery_free(d);
	json_decref(j);
	return rc;
}

static enum rc
replay_ledger(struct rebuild *rb, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct ledger_view *v;
	enum rc rc = ledger_view_open(zone_dir(rb->zone), NULL, &v, e);

	if (rc != OK)
		return rc == END ? OK : err_raise(e, BROKEN);
	for (uint64_t i = 0; i < ledger_view_size(v) && rc == OK; i++) {
		str_clear(&text);
		rc = ledger_view_entry(v, i, &text, e);
		if (rc == OK)
			rc = replay(rb, i, &text, e);
		else
			err_raise(e, BROKEN);
	}
	ledger_view_close(v);
	return rc == OK ? OK : e->code;
}

static enum rc
add_unledgered(void *arg, const char *path, struct err *e)
{
	struct rebuild *rb = arg;

	return recover_file(rb->zone, rb->catalog, path, &rb->versions, e);
}

enum rc
commit_rebuild(struct zone *z, struct catalog *empty, uint64_t *ret_versions,
	struct err *e)
{
	CLEANUP(intent_release) struct intent t;
	struct rebuild rb = {.zone = z, .catalog = empty};
	enum rc rc;

	if (intent_read(z, &t, e) != OK || catalog_begin(empty, e) != OK)
		return e->code;
	rc = replay_ledger(&rb, e);
	if (rc == OK)
		rc = recover_group(z, empty, &t, e);
	if (rc == OK)
		rc = zone_list(z, NULL, add_unledgered, &rb, e);
	if (rc == OK)
		rc = catalog_commit(empty, e);
	else
		catalog_abort(empty);
	*ret_versions = rb.versions;
	return rc;
}
