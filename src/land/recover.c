#include "land/recover.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "land/recall.h"
#include "land/seal.h"
#include "land/tell.h"

enum rc
recover_file(struct zone *z, struct catalog *c, const char *path,
	uint64_t *count, struct err *e)
{
	CLEANUP(recall_release) struct recall r = {0};
	CLEANUP(str_release) struct str entry = STR_INIT;
	struct catalog_name known;
	int64_t last;
	enum rc rc;

	rc = catalog_find_file(c, path, &known, e);
	if (rc != END)
		return rc;
	rc = recall_read(&r, z, path, true, e);
	/*
	 * Ours are whole before they get their name. What is not one, though
	 * it can be read, was there before us, or was damaged since; the
	 * source still has the bytes, and verify reports the file.
	 */
	if (rc == END || (rc == BAD_ITEM && e->cause == 0)) {
		e->code = OK;
		return OK;
	}
	if (rc != OK)
		return err_raise(e, BROKEN);
	if (catalog_ledger_size(c, &r.d->index, e) != OK ||
		catalog_last_landed(c, &last, e) != OK)
		return e->code;
	r.d->landed_at = clock_wall() - clock_wall() % CLOCK_SECOND;
	if (r.d->landed_at < last)
		r.d->landed_at = last;
	if (tell_version(c, r.d, e) != OK)
		return e->code;
	delivery_entry(&entry, r.d);
	(*count)++;
	return catalog_outbox_put(c, r.d->index, entry.s, entry.len, path, e);
}

/*
 * Was any of them published, and not recorded? Then all were synced before,
 * and the others can follow. END: none was.
 */
static enum rc
find_published(struct zone *z, struct catalog *c, const struct intent *t,
	struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		CLEANUP(recall_release) struct recall r = {0};
		struct catalog_name known;
		enum rc rc = catalog_find_file(c, t->file[i].path, &known, e);

		if (rc == OK)
			continue;
		if (rc == END)
			rc = recall_read(&r, z, t->file[i].path, true, e);
		if (rc != END && (rc != BAD_ITEM || e->cause != 0))
			return rc;
		e->code = OK;
	}
	return END;
}

/* A staged file of that group takes its path, if it is there and whole. */
static enum rc
publish_late(struct zone *z, const struct intent_file *f, struct err *e)
{
	CLEANUP(recall_release) struct recall r = {0};
	CLEANUP(str_release) struct str staged = STR_INIT;
	enum rc rc;

	str_addf(
		&staged, FORMAT_STAGING_DIR "/%llu", (unsigned long long)f->id);
	rc = recall_read(&r, z, staged.s, true, e);
	if (rc == END || (rc == BAD_ITEM && e->cause == 0)) {
		e->code = OK;
		return OK;
	}
	if (rc != OK)
		return err_raise(e, BROKEN);
	rc = zone_publish(z, f->id, f->path, e);
	/* A stranger's file: of two attempts this was the first one's path. */
	if (rc == BAD_ITEM && e->cause == EEXIST) {
		e->code = OK;
		return OK;
	}
	return rc == OK ? zone_sync_parent(z, f->path, e)
			: err_raise(e, BROKEN);
}

enum rc
recover_group(struct zone *z, struct catalog *c, const struct intent *t,
	struct err *e)
{
	enum rc rc = find_published(z, c, t, e);

	if (rc != OK)
		return rc == END ? OK : err_raise(e, BROKEN);
	for (size_t i = 0; i < t->n; i++)
		if (t->file[i].has_id && publish_late(z, &t->file[i], e) != OK)
			return e->code;
	return OK;
}

static enum rc
bring_intent_forward(struct commit *c, uint64_t *count, struct err *e)
{
	CLEANUP(intent_release) struct intent t;
	enum rc rc = intent_read(c->zone, &t, e);

	if (rc != OK || t.n == 0)
		return rc;
	if (recover_group(c->zone, c->catalog, &t, e) != OK ||
		catalog_begin(c->catalog, e) != OK)
		return e->code;
	for (size_t i = 0; i < t.n && rc == OK; i++)
		rc = recover_file(
			c->zone, c->catalog, t.file[i].path, count, e);
	if (rc == OK)
		return catalog_commit(c->catalog, e);
	catalog_abort(c->catalog);
	return rc;
}

/* An entry of the outbox that the ledger lacks. */
static enum rc
add_entry(void *arg, uint64_t index UNUSED, const char *entry, size_t len,
	const char *file, struct err *e)
{
	struct seal *x = arg;
	json_error_t je;
	json_t *j = json_loadb(entry, len, 0, &je);
	const char *hex = json_string_value(json_object_get(j, "file_sha256"));
	uint8_t sum[HASH_LEN] = {0};
	bool good = file == NULL ||
		(hex != NULL && strlen(hex) == 2 * HASH_LEN &&
			str_parse_hex(hex, sum, HASH_LEN));

	json_decref(j);
	if (!good)
		return err_set(e, BROKEN,
			"catalog: outbox entry of %s is damaged: run "
			"`landfall catalog rebuild`",
			file);
	seal_add(x, entry, len, file, sum);
	return OK;
}

static enum rc
complete_ledger(struct commit *c, uint64_t *count, struct err *e)
{
	CLEANUP(seal_release) struct seal x = SEAL_INIT;

	if (catalog_outbox_each(
		    c->catalog, ledger_size(c->ledger), add_entry, &x, e) != OK)
		return e->code;
	*count = x.n;
	return seal_set(&x, c, e);
}

static enum rc
contradiction(struct commit *c, uint64_t recorded, struct err *e)
{
	return err_set(e, BROKEN,
		"the ledger has %llu entries, the catalog knows %llu: "
		"one of them was restored from a copy; run `landfall "
		"catalog rebuild`",
		(unsigned long long)ledger_size(c->ledger),
		(unsigned long long)recorded);
}

enum rc
commit_recover(struct commit *c, struct recovery *ret, struct err *e)
{
	uint64_t recorded;

	*ret = (struct recovery){0};
	/*
	 * Recording comes before the ledger. Looked at first: an old catalog
	 * would take the intent's files for unrecorded, and give them numbers
	 * that the ledger has given away.
	 */
	if (catalog_ledger_size(c->catalog, &recorded, e) != OK)
		return e->code;
	if (recorded < ledger_size(c->ledger))
		return contradiction(c, recorded, e);
	if (bring_intent_forward(c, &ret->brought_forward, e) != OK ||
		complete_ledger(c, &ret->entries, e) != OK ||
		catalog_ledger_size(c->catalog, &recorded, e) != OK)
		return e->code;
	if (recorded != ledger_size(c->ledger))
		return contradiction(c, recorded, e);
	return zone_sweep(c->zone, INTENT_NAME, e);
}

void
recovery_add(struct str *s, const struct recovery *r)
{
	str_add_count(s, r->brought_forward, "file");
	str_add(s, " and ");
	str_add_count(s, r->entries, "ledger entry");
	str_add(s, " were brought forward");
}
