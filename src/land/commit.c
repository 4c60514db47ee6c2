#include "landfall/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "land/intent.h"
#include "land/tell.h"

/* From this many files on one syncfs is cheaper than an fsync for each. */
#define SYNC_TOGETHER 4

struct delivery *
delivery_new(const char *source, const uint8_t *name, size_t name_len)
{
	struct delivery *d = mem_alloc(sizeof(*d));

	d->source = source;
	d->name = mem_dup(name, name_len);
	d->name_len = name_len;
	d->fd = -1;
	d->file = (struct str)STR_INIT;
	d->sha_chars = 12;
	return d;
}

void
delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	io_drop(&d->fd);
	str_release(&d->file);
	free(d->drift);
	free(d->reason);
	free(d->line);
	if (d->write_owned)
		free(d->write_arg);
	free(d->name);
	free(d);
}

static void
write_count(struct jsonw *j, const struct members *m, enum disposition d)
{
	jsonw_key(j, disposition_name(d)), jsonw_u64(j, m->count[d]);
}

static void
write_members(struct jsonw *j, const struct members *m)
{
	jsonw_object(j);
	write_count(j, m, DISPOSITION_DUPLICATE);
	jsonw_key(j, "findings"), jsonw_u64(j, m->findings);
	write_count(j, m, DISPOSITION_IGNORED);
	write_count(j, m, DISPOSITION_LANDED);
	jsonw_key(j, "missing"), jsonw_u64(j, m->missing);
	write_count(j, m, DISPOSITION_NEW_VERSION);
	write_count(j, m, DISPOSITION_QUARANTINED);
	jsonw_end(j);
}

void
commit_entry(struct str *s, const struct delivery *d)
{
	struct jsonw j = jsonw_canonical(s);
	bool has_file = d->file.len > 0;

	jsonw_object(&j);
	if (d->is_again)
		jsonw_key(&j, "again"), jsonw_u64(&j, d->again);
	jsonw_key(&j, "bytes_sha256");
	jsonw_hex(&j, d->landed.bytes_sha256, HASH_LEN);
	jsonw_key(&j, "disposition");
	jsonw_text(&j,
		d->rejected ? "rejected" : disposition_name(d->disposition));
	if (has_file) {
		jsonw_key(&j, "file"), jsonw_text(&j, d->file.s);
		jsonw_key(&j, "file_sha256");
		jsonw_hex(&j, d->file_sha256, HASH_LEN);
	}
	jsonw_key(&j, "generation"), jsonw_u64(&j, d->generation);
	jsonw_key(&j, "index"), jsonw_u64(&j, d->index);
	jsonw_key(&j, "landed_at"), jsonw_time(&j, d->landed_at);
	if (d->unpacked && d->members.known)
		jsonw_key(&j, "members"), write_members(&j, &d->members);
	jsonw_key(&j, "name"), jsonw_percent(&j, d->name, d->name_len);
	if (d->reason != NULL)
		jsonw_key(&j, "reason"), jsonw_text(&j, d->reason);
	if (has_file) {
		jsonw_key(&j, "records");
		jsonw_u64(&j, d->landed.totals.records);
	}
	if (d->settles)
		jsonw_key(&j, "settles"), jsonw_u64(&j, d->settled);
	jsonw_key(&j, "size"), jsonw_u64(&j, d->landed.size);
	jsonw_key(&j, "source"), jsonw_text(&j, d->source);
	jsonw_end(&j);
}

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
	if (d->quarantine && same_bytes) {
		/* They are kept once; why may be another reason by now. */
		char *reason = d->reason;

		d->reason = NULL;
		(void)same_again(d, &known.version, DISPOSITION_QUARANTINED);
		free(d->reason);
		d->reason = reason;
		return OK;
	}
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
	(void)same_again(d, &taken.version,
		d->quarantine ? DISPOSITION_QUARANTINED
			      : DISPOSITION_DUPLICATE);
	d->recorded = !d->quarantine;
	d->generation = generation;
	return OK;
}

void
members_add(struct str *s, const struct members *m)
{
	const char *before = "members: ";

	for (unsigned i = 1; i < DISPOSITIONS; i++) {
		if (m->count[i] == 0)
			continue;
		str_addf(s, "%s%llu %s", before,
			(unsigned long long)m->count[i], disposition_name(i));
		before = ", ";
	}
	if (m->findings > 0)
		str_addf(s, " (%llu unfit to be a file)",
			(unsigned long long)m->findings);
	if (m->missing > 0)
		str_addf(s, ", %llu missing", (unsigned long long)m->missing);
	if (*before == 'm')
		str_add(s, m->known ? "no members" : "unpacked");
}

/* What is told of an archive: of its members, then why it is as it is. */
static char *
unpacked_words(const struct delivery *d)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	members_add(&s, &d->members);
	if (d->reason != NULL)
		str_addf(&s, "; %s", d->reason);
	return str_take(&s);
}

static enum rc
tell(struct catalog *c, struct delivery *d, int64_t now, struct err *e)
{
	CLEANUP(mem_release)
	char *words = d->unpacked ? unpacked_words(d) : NULL;
	const char *reason = words != NULL ? words
		: d->reason != NULL	   ? d->reason
					   : d->drift;

	if (reason != NULL &&
		catalog_note(c, d->source, d->name, d->name_len, &d->signature,
			now, d->disposition, reason, e) != OK)
		return e->code;
	if (d->settles && catalog_settle(c, d->settled, d->index, e) != OK)
		return e->code;
	if (!d->has_shape ||
		(d->disposition != DISPOSITION_LANDED &&
			d->disposition != DISPOSITION_NEW_VERSION))
		return OK;
	d->shape.index = d->index;
	return catalog_shape_put(c, d->source, &d->shape, e);
}

enum rc
commit_put(struct catalog *c, struct delivery *d, struct err *e)
{
	struct catalog_version v = {
		.generation = d->generation,
		.disposition = d->disposition,
		.relation = d->relation,
		.size = d->landed.size,
		.records = d->landed.totals.records,
		.malformed = d->landed.totals.malformed,
		.landed_at = d->landed_at,
		.index = d->index,
		.file = d->file.s,
	};

	memcpy(v.bytes_sha256, d->landed.bytes_sha256, HASH_LEN);
	memcpy(v.file_sha256, d->file_sha256, HASH_LEN);
	if (catalog_put(c, d->source, d->name, d->name_len, &d->signature,
		    d->landed_at, &v, e) != OK)
		return e->code;
	return tell(c, d, d->landed_at, e);
}

/* The name stands as it stood; its story has one line more. */
enum rc
commit_reject(struct catalog *c, const struct delivery *d, const char *entry,
	size_t len, struct err *e)
{
	struct catalog_name n;
	enum rc rc = catalog_find(c, d->source, d->name, d->name_len, &n, e);

	if (rc == END)
		return err_set(e, BROKEN,
			"rejected entry %llu is of a name the catalog does "
			"not know: run `landfall catalog rebuild`",
			(unsigned long long)d->settled);
	if (rc != OK ||
		catalog_note(c, d->source, d->name, d->name_len, &n.signature,
			d->landed_at, n.disposition, d->reason, e) != OK ||
		catalog_settle(c, d->settled, d->index, e) != OK)
		return e->code;
	return catalog_outbox_put(c, d->index, entry, len, NULL, e);
}

static enum rc
record_rejection(struct commit *c, struct delivery *d, struct err *e)
{
	CLEANUP(str_release) struct str entry = STR_INIT;

	commit_entry(&entry, d);
	return commit_reject(c->catalog, d, entry.s, entry.len, e);
}

static enum rc
record_version(struct commit *c, struct delivery *d, struct err *e)
{
	CLEANUP(str_release) struct str entry = STR_INIT;

	if (commit_put(c->catalog, d, e) != OK)
		return e->code;
	commit_entry(&entry, d);
	return catalog_outbox_put(c->catalog, d->index, entry.s, entry.len,
		is_new_file(d) ? d->file.s : NULL, e);
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
	int64_t wall, struct err *e)
{
	uint64_t index;

	if (catalog_ledger_size(c->catalog, &index, e) != OK)
		return e->code;
	/* Anew in a second attempt. */
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
			if ((d[i]->rejected ? record_rejection(c, d[i], e)
					    : record_version(c, d[i], e)) != OK)
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
publish_group(struct commit *c, struct delivery **d, size_t n, struct err *e)
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

/* ---- after the record ---- */

static enum rc
write_sums(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	CLEANUP(str_release) struct str lines = STR_INIT;
	CLEANUP(str_release) struct str dir = STR_INIT;

	for (size_t i = 0; i < n; i++) {
		zone_sums_line(&lines, d[i]->file.s, d[i]->file_sha256);
		if (i + 1 < n && same_dir(d[i], d[i + 1]))
			continue;
		str_clear(&dir);
		str_addn(&dir, d[i]->file.s, dir_len(d[i]));
		if (zone_sums_append(c->zone, dir.s, lines.s, lines.len, e) !=
			OK)
			return e->code;
		str_clear(&lines);
	}
	return OK;
}

static enum rc
write_ledger(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	struct ledger_entry *entry = mem_array(n, sizeof(*entry));
	struct str text = STR_INIT;
	size_t k = 0, at = 0;
	enum rc rc = OK;

	for (size_t i = 0; i < n; i++) {
		if (!d[i]->recorded)
			continue;
		commit_entry(&text, d[i]);
		entry[k++].len = text.len - at;
		at = text.len;
	}
	at = 0;
	for (size_t i = 0; i < k; i++) {
		entry[i].text = text.s + at;
		at += entry[i].len;
	}
	if (k > 0)
		rc = ledger_append(c->ledger, entry, k, e);
	str_release(&text);
	free(entry);
	return rc;
}

enum rc
commit_group(struct commit *c, struct delivery **d, size_t n, struct err *e)
{
	struct delivery **files = NULL;
	size_t n_files = 0;
	int64_t wall = clock_wall(), now, last;
	enum rc rc;

	do {
		free(files);
		files = NULL;
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
			rc = record_group(c, d, n, now, wall, e);
		if (rc == OK)
			rc = sync_staged(c, d, n, e);
		if (rc == OK) {
			files = new_files(d, n, &n_files);
			rc = publish_group(c, files, n_files, e);
		}
		if (rc == OK)
			rc = catalog_commit(c->catalog, e);
		else
			catalog_abort(c->catalog);
	} while (rc == AGAIN);
	if (rc == OK)
		rc = write_sums(c, files, n_files, e);
	if (rc == OK)
		rc = write_ledger(c, d, n, e);
	for (size_t i = 0; i < n && rc == OK; i++) {
		if (!d[i]->staged || d[i]->published)
			continue;
		io_drop(&d[i]->fd);
		zone_unstage(c->zone, d[i]->stage);
	}
	free(files);
	return rc;
}
