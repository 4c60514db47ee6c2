#include "landfall/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/mem.h"
#include "land/intent.h"
#include "land/seal.h"
#include "land/tell.h"

/* From this many files on one syncfs is cheaper than an fsync for each. */
#define SYNC_TOGETHER 4

/* Will there be a landing file of its own? */
static bool
is_new_file(const struct delivery *d)
{
	return d->staged && d->recorded &&
		d->disposition != DISPOSITION_DUPLICATE;
}

/* ---- decide: what the catalog (and the group so far) makes of it ---- */

static bool
has_bytes(const struct delivery *d, const struct catalog_version *v)
{
	return memcmp(v->bytes_sha256, d->landed.bytes_sha256, HASH_LEN) == 0;
}

static enum rc
same_again(struct delivery *d, const struct catalog_version *v,
	enum disposition as)
{
	d->disposition = as;
	d->recorded = d->settles;
	if (!d->settles) {
		free(d->reason);
		d->reason = NULL;
	}
	d->generation = v->generation;
	d->relation = RELATION_IDENTICAL;
	d->index = v->index;
	d->landed_at = v->landed_at;
	memcpy(d->file_sha256, v->file_sha256, HASH_LEN);
	str_clear(&d->file);
	str_add(&d->file, v->file);
	return OK;
}

/*
 * These bytes are in quarantine, and kept once; why may be another reason by
 * now. No entry tells it, so nothing is settled by it.
 */
static enum rc
quarantined_again(struct delivery *d, const struct catalog_version *v)
{
	char *reason = d->reason;

	d->reason = NULL;
	d->settles = false;
	(void)same_again(d, v, DISPOSITION_QUARANTINED);
	d->reason = reason;
	return OK;
}

static enum rc
decide(struct commit *c, struct delivery *d, struct err *e)
{
	struct catalog_name known = {0};
	struct catalog_version same;
	bool same_bytes, was_quarantined;
	enum rc rc;

	rc = catalog_find(
		c->catalog, d->source, d->name, d->name_len, &known, e);
	if (rc == END)
		known.version.id = 0;
	else if (rc != OK)
		return rc;
	d->recorded = true;
	memcpy(d->file_sha256, d->landed.file_sha256, HASH_LEN);
	if (d->unpacked) {
		/* Whoever unpacked it has asked whether that was done. */
		d->disposition = DISPOSITION_UNPACKED;
		return OK;
	}
	same_bytes = known.version.id != 0 && has_bytes(d, &known.version);
	was_quarantined = known.version.disposition == DISPOSITION_QUARANTINED;
	if (same_bytes && !was_quarantined)
		return same_again(d, &known.version, DISPOSITION_DUPLICATE);
	if (d->quarantine && same_bytes)
		return quarantined_again(d, &known.version);
	if (d->quarantine) {
		d->disposition = DISPOSITION_QUARANTINED;
		return OK;
	}
	rc = catalog_find_bytes(c->catalog, d->source, d->landed.bytes_sha256,
		d->landed.size, &same, e);
	if (rc != OK && rc != END)
		return rc;
	if (rc == OK && d->duplicates == DUPLICATE_NOTE) {
		uint32_t generation = d->generation;

		(void)same_again(d, &same, DISPOSITION_DUPLICATE);
		/* A new fact, though no new bytes: this name has them too. */
		d->recorded = true;
		d->generation = generation;
		return OK;
	}
	d->disposition = d->generation > 1 ? DISPOSITION_NEW_VERSION
					   : DISPOSITION_LANDED;
	return OK;
}

/*
 * A path that no version has. The same name with the same bytes takes the
 * same path on the same day: with a longer sum there is room for more, and
 * once all of the sum stands in a path that is taken, these very bytes are
 * in the zone often enough.
 */
static enum rc
choose_path(struct commit *c, struct delivery *d, int64_t now, struct err *e)
{
	uint32_t generation = d->generation;
	struct catalog_name taken;
	enum rc rc;

	for (;; d->sha_chars += 4) {
		str_clear(&d->file);
		zone_path(&d->file, d->quarantine ? FORMAT_QUARANTINE_DIR : "",
			d->source, now, d->name, d->name_len,
			d->landed.bytes_sha256, d->sha_chars);
		rc = catalog_find_file(c->catalog, d->file.s, &taken, e);
		if (rc != OK || d->sha_chars >= 2 * HASH_LEN)
			break;
	}
	if (rc != OK)
		return rc == END ? OK : rc;
	if (d->quarantine)
		return quarantined_again(d, &taken.version);
	(void)same_again(d, &taken.version, DISPOSITION_DUPLICATE);
	d->recorded = true;
	d->generation = generation;
	return OK;
}

/* What the catalog says of it, and its entry, which the ledger gets too. */
static enum rc
record(struct commit *c, struct delivery *d, struct seal *x, struct err *e)
{
	CLEANUP(str_release) struct str entry = STR_INIT;
	const char *file = is_new_file(d) ? d->file.s : NULL;

	delivery_entry(&entry, d);
	seal_add(x, entry.s, entry.len, file, d->file_sha256);
	if (d->rejected)
		return tell_rejection(c->catalog, d, entry.s, entry.len, e);
	if (tell_version(c->catalog, d, e) != OK)
		return e->code;
	return catalog_outbox_put(
		c->catalog, d->index, entry.s, entry.len, file, e);
}

static enum rc
record_note(struct commit *c, struct delivery *d, int64_t now, struct err *e)
{
	CLEANUP(str_release) struct str reason = STR_INIT;

	if (d->reason != NULL)
		str_add(&reason, d->reason);
	else if (d->file.len > 0)
		str_addf(&reason, "same bytes again, landed as %s", d->file.s);
	return catalog_note(c->catalog, d->source, d->name, d->name_len,
		&d->signature, now, d->disposition, reason.s, e);
}

/*
 * Everything the group will record, inside the open transaction, so that a
 * later member sees an earlier one with the same bytes. What lands, lands
 * now; a note is of the time the clock says, for `ready` measures by it.
 */
static enum rc
record_group(struct commit *c, struct delivery **d, size_t n, int64_t now,
	int64_t wall, struct seal *x, struct err *e)
{
	uint64_t index;

	if (catalog_ledger_size(c->catalog, &index, e) != OK)
		return e->code;
	/* Anew in a second attempt. */
	seal_release(x);
	*x = (struct seal)SEAL_INIT;
	for (size_t i = 0; i < n; i++)
		memset(d[i]->members.count, 0, sizeof(d[i]->members.count));
	for (size_t i = 0; i < n; i++) {
		if (d[i]->staged && !d[i]->published) {
			if (decide(c, d[i], e) != OK)
				return e->code;
			if (is_new_file(d[i]) &&
				choose_path(c, d[i], now, e) != OK)
				return e->code;
		}
		if (d[i]->container != NULL)
			d[i]->container->members.count[d[i]->disposition]++;
		d[i]->members.known = true;
		if (d[i]->recorded) {
			d[i]->index = index++;
			d[i]->landed_at = now;
			if (record(c, d[i], x, e) != OK)
				return e->code;
		} else if (record_note(c, d[i], wall, e) != OK) {
			return e->code;
		}
		if (d[i]->with != NULL &&
			d[i]->with(c->catalog, d[i], d[i]->with_arg, e) != OK)
			return e->code;
	}
	return OK;
}

/* ---- publish ---- */

/*
 * Each staged file is synced once: on a second attempt (after AGAIN) only the
 * new intent must be made durable. One that was closed before (a set may be
 * larger than the limit on descriptors) is synced with all the others.
 */
static enum rc
sync_staged(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	size_t files = 0, closed = 0, paths = 0;
	int intent = -1;

	for (size_t i = 0; i < n; i++) {
		if (!is_new_file(d[i]))
			continue;
		paths += !d[i]->published;
		files += !d[i]->synced;
		closed += !d[i]->synced && d[i]->fd < 0;
	}
	if (paths == 0)
		return OK;
	if (intent_write(c->zone, d, n, &intent, e) != OK)
		return e->code;
	if (files >= SYNC_TOGETHER || closed > 0) {
		if (durable_sync_fs(zone_dir(c->zone), e) != OK)
			goto fail;
	} else {
		for (size_t i = 0; i < n; i++)
			if (is_new_file(d[i]) && !d[i]->synced &&
				durable_sync(d[i]->fd, e) != OK)
				goto fail;
		if (durable_sync(intent, e) != OK)
			goto fail;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_new_file(d[i]))
			continue;
		d[i]->synced = true;
		if (d[i]->fd >= 0 && io_close(&d[i]->fd, BROKEN, e) != OK)
			goto fail;
	}
	if (io_close(&intent, BROKEN, e) == OK)
		return OK;
fail:
	io_drop(&intent);
	return err_add(e, "zone: staged files");
}

static int
by_path(const void *a, const void *b)
{
	const struct delivery *const *x = a, *const *y = b;

	return strcmp((*x)->file.s, (*y)->file.s);
}

/* Bytes of the directory part of a path below the zone. */
static size_t
dir_len(const struct delivery *d)
{
	return (size_t)(strrchr(d->file.s, '/') - d->file.s);
}

static bool
same_dir(const struct delivery *a, const struct delivery *b)
{
	return dir_len(a) == dir_len(b) &&
		memcmp(a->file.s, b->file.s, dir_len(a)) == 0;
}

/* The members with a landing file of their own, by path; the caller frees. */
static struct delivery **
new_files(struct delivery **d, size_t n, size_t *ret_n)
{
	struct delivery **sorted = mem_array(n, sizeof(*sorted));

	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (is_new_file(d[i]))
			sorted[(*ret_n)++] = d[i];
	qsort(sorted, *ret_n, sizeof(*sorted), by_path);
	return sorted;
}

/* AGAIN: a path was taken by other bytes; decide it anew with a longer sum. */
static enum rc
publish_files(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < n; i++) {
		if (d[i]->published)
			continue;
		if (zone_publish(c->zone, d[i]->stage, d[i]->file.s, e) == OK) {
			d[i]->published = true;
			continue;
		}
		if (e->code != BAD_ITEM || d[i]->sha_chars >= 2 * HASH_LEN)
			return err_raise(e, BROKEN);
		d[i]->sha_chars += 4;
		rc = AGAIN;
	}
	if (rc != OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || !same_dir(d[i - 1], d[i])) &&
			zone_sync_parent(c->zone, d[i]->file.s, e) != OK)
			return e->code;
	return OK;
}

static enum rc
publish_group(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	size_t n_files;
	struct delivery **files = new_files(d, n, &n_files);
	enum rc rc = publish_files(c, files, n_files, e);

	free(files);
	return rc;
}

/* ---- all of it ---- */

enum rc
commit_group(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	CLEANUP(seal_release) struct seal x = SEAL_INIT;
	int64_t wall = clock_wall(), now, last;
	enum rc rc;

	do {
		if (catalog_begin(c->catalog, e) != OK)
			return e->code;
		/* Landing time never runs backwards, whatever the clock does.
		 */
		rc = catalog_last_landed(c->catalog, &last, e);
		now = wall > last ? wall - wall % CLOCK_SECOND : last;
		if (rc == OK)
			rc = catalog_outbox_drop(
				c->catalog, ledger_size(c->ledger), e);
		if (rc == OK)
			rc = record_group(c, d, n, now, wall, &x, e);
		if (rc == OK)
			rc = sync_staged(c, d, n, e);
		if (rc == OK)
			rc = publish_group(c, d, n, e);
		if (rc == OK)
			rc = catalog_commit(c->catalog, e);
		else
			catalog_abort(c->catalog);
	} while (rc == AGAIN);
	if (rc == OK)
		rc = seal_set(&x, c, e);
	for (size_t i = 0; i < n && rc == OK; i++) {
		if (!d[i]->staged || d[i]->published)
			continue;
		io_drop(&d[i]->fd);
		zone_unstage(c->zone, d[i]->stage);
	}
	return rc;
}
