/*
 * Bringing forward what a crash interrupted, and the catalog from the zone
 * alone. Both read a landing file back into the facts commit recorded.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "land/intent.h"
#include "land/tell.h"

/* A landing file, its provenance, and the delivery it was. */
struct recall {
	struct landing *landing;
	struct delivery *d;
};

static void
recall_release(struct recall *r)
{
	delivery_free(r->d);
	landing_close(r->landing);
}

/*
 * Reads a published file back. END: it is not there. With `whole` every byte
 * of it is verified and its SHA-256 known.
 */
static enum rc
recall(struct zone *z, const char *path, bool whole, struct recall *r,
	struct err *e)
{
	const struct provenance *p;
	struct delivery *d;
	int fd = -1;
	enum rc rc;

	*r = (struct recall){0};
	rc = zone_read(z, path, &fd, e);
	if (rc != OK)
		return rc;
	if (landing_open(fd, &r->landing, e) != OK)
		return err_add(e, "zone: %s", path);
	p = landing_provenance(r->landing);
	d = r->d = delivery_new(p->source, p->name, p->name_len);
	/* ctime and inode are not kept: the next look hashes once more. */
	d->signature = (struct signature){.size = p->size, .mtime = p->mtime};
	d->landed.size = p->size;
	d->landed.totals = p->totals;
	memcpy(d->landed.bytes_sha256, p->bytes_sha256, HASH_LEN);
	d->generation = p->generation;
	d->relation = p->relation;
	d->quarantine = p->reason != NULL;
	d->unpacked = p->unpacked;
	d->disposition = d->quarantine ? DISPOSITION_QUARANTINED
		: p->unpacked	       ? DISPOSITION_UNPACKED
		: p->generation > 1    ? DISPOSITION_NEW_VERSION
				       : DISPOSITION_LANDED;
	if (p->reason != NULL)
		d->reason = mem_strdup(p->reason);
	if (p->released != NULL) {
		d->settles = true;
		d->settled = p->settles;
		d->reason = mem_strdup(p->released);
	}
	if (p->drift != NULL)
		d->drift = mem_strdup(p->drift);
	d->has_shape = provenance_shape(p, &d->shape);
	str_add(&d->file, path);
	d->recorded = true;
	if (whole &&
		landing_check(r->landing, d->file_sha256, NULL, NULL, e) != OK)
		return err_add(e, "zone: %s", path);
	return OK;
}

/* A published file that nobody recorded: record it, inside a transaction. */
static enum rc
bring_forward(struct zone *z, struct catalog *c, const char *path,
	uint64_t *count, struct err *e)
{
	CLEANUP(recall_release) struct recall r;
	CLEANUP(str_release) struct str entry = STR_INIT;
	struct catalog_name known;
	int64_t last;
	enum rc rc;

	rc = catalog_find_file(c, path, &known, e);
	if (rc != END) {
		r = (struct recall){0};
		return rc;
	}
	rc = recall(z, path, true, &r, e);
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
	if (commit_put(c, r.d, e) != OK)
		return e->code;
	commit_entry(&entry, r.d);
	(*count)++;
	return catalog_outbox_put(c, r.d->index, entry.s, entry.len, path, e);
}

/* One file of the group that was interrupted. */
struct intended {
	const char *path;
	bool has_id;
	uint64_t id;
};

struct intention {
	struct str text;
	struct intended *file;
	size_t n;
};

static void
intention_release(struct intention *t)
{
	str_release(&t->text);
	free(t->file);
}

static enum rc
intention_read(struct zone *z, struct intention *t, struct err *e)
{
	char *line, *rest;
	size_t lines = 0;

	*t = (struct intention){.text = STR_INIT};
	if (intent_read(z, &t->text, e) != OK)
		return e->code;
	for (const char *p = t->text.s; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	t->file = mem_array(lines, sizeof(*t->file));
	for (line = lines > 0 ? strtok_r(t->text.s, "\n", &rest) : NULL;
		line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		struct intended *f = &t->file[t->n++];

		f->path = line;
		f->has_id = intent_line(line, &f->id);
	}
	return OK;
}

/*
 * Was any of them published, and not recorded? Then all were synced before,
 * and the others can follow. END: none was.
 */
static enum rc
find_published(struct zone *z, struct catalog *c, const struct intention *t,
	struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		CLEANUP(recall_release) struct recall r = {0};
		struct catalog_name known;
		enum rc rc = catalog_find_file(c, t->file[i].path, &known, e);

		if (rc == OK)
			continue;
		if (rc == END)
			rc = recall(z, t->file[i].path, true, &r, e);
		if (rc != END && (rc != BAD_ITEM || e->cause != 0))
			return rc;
		e->code = OK;
	}
	return END;
}

/* A staged file of that group takes its path, if it is there and whole. */
static enum rc
publish_late(struct zone *z, const struct intended *f, struct err *e)
{
	CLEANUP(recall_release) struct recall r = {0};
	CLEANUP(str_release) struct str staged = STR_INIT;
	enum rc rc;

	str_addf(
		&staged, FORMAT_STAGING_DIR "/%llu", (unsigned long long)f->id);
	rc = recall(z, staged.s, true, &r, e);
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

/*
 * A group stands in the zone as a whole or not at all: once one of its files
 * was published, the others get their paths too.
 */
static enum rc
complete_group(struct zone *z, struct catalog *c, const struct intention *t,
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
	CLEANUP(intention_release) struct intention t;
	enum rc rc = intention_read(c->zone, &t, e);

	if (rc != OK || t.n == 0)
		return rc;
	if (complete_group(c->zone, c->catalog, &t, e) != OK ||
		catalog_begin(c->catalog, e) != OK)
		return e->code;
	for (size_t i = 0; i < t.n && rc == OK; i++)
		rc = bring_forward(
			c->zone, c->catalog, t.file[i].path, count, e);
	if (rc == OK)
		return catalog_commit(c->catalog, e);
	catalog_abort(c->catalog);
	return rc;
}

/* A landing file whose line SHA256SUMS may lack. */
struct summed {
	char *file;
	uint8_t sum[HASH_LEN];
};

/* Entries of the outbox that the ledger lacks, gathered in order. */
struct missing {
	struct str text;
	size_t *len;
	size_t n, cap;
	struct summed *summed;
	size_t n_summed, cap_summed;
};

static void
missing_release(struct missing *m)
{
	for (size_t i = 0; i < m->n_summed; i++)
		free(m->summed[i].file);
	free(m->summed);
	free(m->len);
	str_release(&m->text);
}

static enum rc
add_summed(struct missing *m, const char *entry, size_t len, const char *file,
	struct err *e)
{
	struct summed *s;
	json_error_t je;
	json_t *j = json_loadb(entry, len, 0, &je);
	const char *hex = json_string_value(json_object_get(j, "file_sha256"));
	uint8_t sum[HASH_LEN];
	bool good = hex != NULL && strlen(hex) == 2 * HASH_LEN &&
		str_parse_hex(hex, sum, HASH_LEN);

	json_decref(j);
	if (!good)
		return err_set(e, BROKEN,
			"catalog: outbox entry of %s is damaged: run "
			"`landfall catalog rebuild`",
			file);
	if (m->n_summed == m->cap_summed) {
		m->cap_summed = m->cap_summed > 0 ? 2 * m->cap_summed : 64;
		m->summed = mem_resize(
			m->summed, m->cap_summed, sizeof(*m->summed));
	}
	s = &m->summed[m->n_summed++];
	s->file = mem_strdup(file);
	memcpy(s->sum, sum, HASH_LEN);
	return OK;
}

static int
by_file(const void *a, const void *b)
{
	const struct summed *x = a, *y = b;

	return strcmp(x->file, y->file);
}

/*
 * In the order in which commit wrote them: zone_sums_append knows the lines
 * again only when they come as they came before.
 */
static enum rc
complete_sums(struct zone *z, struct missing *m, struct err *e)
{
	CLEANUP(str_release) struct str lines = STR_INIT;
	CLEANUP(str_release) struct str dir = STR_INIT;

	if (m->n_summed > 0)
		qsort(m->summed, m->n_summed, sizeof(*m->summed), by_file);
	for (size_t i = 0; i < m->n_summed; i++) {
		const char *file = m->summed[i].file;
		size_t len = (size_t)(strrchr(file, '/') - file) + 1;

		zone_sums_line(&lines, file, m->summed[i].sum);
		/* A file's name has no slash: the same up to the last one. */
		if (i + 1 < m->n_summed &&
			strncmp(file, m->summed[i + 1].file, len) == 0 &&
			strchr(m->summed[i + 1].file + len, '/') == NULL)
			continue;
		str_clear(&dir);
		str_addn(&dir, file, len - 1);
		if (zone_sums_append(z, dir.s, lines.s, lines.len, e) != OK)
			return e->code;
		str_clear(&lines);
	}
	return OK;
}

static enum rc
gather(void *arg, uint64_t index UNUSED, const char *entry, size_t len,
	const char *file, struct err *e)
{
	struct missing *m = arg;

	if (m->n == m->cap) {
		m->cap = m->cap > 0 ? 2 * m->cap : 64;
		m->len = mem_resize(m->len, m->cap, sizeof(*m->len));
	}
	m->len[m->n++] = len;
	str_addn(&m->text, entry, len);
	return file != NULL ? add_summed(m, entry, len, file, e) : OK;
}

static enum rc
complete_ledger(struct commit *c, uint64_t *count, struct err *e)
{
	CLEANUP(missing_release) struct missing m = {.text = STR_INIT};
	struct ledger_entry *entry = NULL;
	size_t at = 0;
	enum rc rc;

	rc = catalog_outbox_each(
		c->catalog, ledger_size(c->ledger), gather, &m, e);
	if (rc == OK)
		rc = complete_sums(c->zone, &m, e);
	if (rc == OK && m.n > 0) {
		entry = mem_array(m.n, sizeof(*entry));
		for (size_t i = 0; i < m.n; i++) {
			entry[i].text = m.text.s + at;
			entry[i].len = m.len[i];
			at += m.len[i];
		}
		rc = ledger_append(c->ledger, entry, m.n, e);
	}
	*count = m.n;
	free(entry);
	return rc;
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

/* ---- the catalog from the zone alone ---- */

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

/* One ledger entry into the catalog. */
static enum rc
replay(struct rebuild *rb, uint64_t index, const struct str *text,
	struct err *e)
{
	CLEANUP(recall_release) struct recall r = {0};
	struct err ignored = ERR_INIT;
	json_error_t je;
	json_t *j = json_loadb(text->s, text->len, 0, &je);
	const char *name = entry_text(j, "name");
	size_t cap = strlen(name) + 1, name_len;
	CLEANUP(mem_release) uint8_t *bytes = mem_alloc(cap);
	struct delivery *d;
	enum rc rc = OK;

	if (!str_parse_percent(name, cap - 1, bytes, cap, &name_len) ||
		strlen(entry_text(j, "bytes_sha256")) != 2 * HASH_LEN ||
		(has_file(j) &&
			strlen(entry_text(j, "file_sha256")) != 2 * HASH_LEN)) {
		json_decref(j);
		return err_set(e, BROKEN,
			"ledger entry %llu is not one of a landing",
			(unsigned long long)index);
	}
	d = delivery_new(entry_text(j, "source"), bytes, name_len);
	d->rejected = strcmp(entry_text(j, "disposition"), "rejected") == 0;
	d->settles = json_is_integer(json_object_get(j, "settles"));
	d->settled = (uint64_t)entry_u64(j, "settles");
	d->recorded = true;
	d->index = index;
	d->is_again = json_object_get(j, "again") != NULL;
	d->again = (uint64_t)entry_u64(j, "again");
	for (unsigned k = 1; k < DISPOSITIONS; k++)
		if (strcmp(entry_text(j, "disposition"), disposition_name(k)) ==
			0)
			d->disposition = (enum disposition)k;
	d->unpacked = d->disposition == DISPOSITION_UNPACKED;
	take_members(&d->members, j);
	str_add(&d->file, entry_text(j, "file"));
	d->generation = (uint32_t)entry_u64(j, "generation");
	d->landed.size = (uint64_t)entry_u64(j, "size");
	d->landed.totals.records = (uint64_t)entry_u64(j, "records");
	if (json_object_get(j, "reason") != NULL)
		d->reason = mem_strdup(entry_text(j, "reason"));
	if (!str_parse_hex(entry_text(j, "bytes_sha256"),
		    d->landed.bytes_sha256, HASH_LEN) ||
		(has_file(j) &&
			!str_parse_hex(entry_text(j, "file_sha256"),
				d->file_sha256, HASH_LEN)) ||
		!clock_parse_time(entry_text(j, "landed_at"), &d->landed_at))
		rc = err_set(e, BROKEN, "ledger entry %llu is damaged",
			(unsigned long long)index);
	d->signature = (struct signature){.size = d->landed.size};
	d->relation = d->disposition == DISPOSITION_DUPLICATE
		? RELATION_IDENTICAL
		: RELATION_FIRST;
	/* What the entry does not say stands in the file, if it is there. */
	if (rc == OK && !d->rejected &&
		d->disposition != DISPOSITION_DUPLICATE && has_file(j) &&
		recall(rb->zone, d->file.s, false, &r, &ignored) == OK) {
		d->signature = r.d->signature;
		d->relation = r.d->relation;
		d->landed.totals = r.d->landed.totals;
		d->has_shape = r.d->has_shape;
		d->shape = r.d->shape;
		if (r.d->drift != NULL)
			d->drift = mem_strdup(r.d->drift);
	}
	if (rc == OK && d->rejected)
		rc = commit_reject(rb->catalog, d, text->s, text->len, e);
	else if (rc == OK && d->disposition != 0)
		rc = commit_put(rb->catalog, d, e);
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

	return bring_forward(rb->zone, rb->catalog, path, &rb->versions, e);
}

enum rc
commit_rebuild(struct zone *z, struct catalog *empty, uint64_t *ret_versions,
	struct err *e)
{
	CLEANUP(intention_release) struct intention t;
	struct rebuild rb = {.zone = z, .catalog = empty};
	enum rc rc;

	if (intention_read(z, &t, e) != OK || catalog_begin(empty, e) != OK)
		return e->code;
	rc = replay_ledger(&rb, e);
	if (rc == OK)
		rc = complete_group(z, empty, &t, e);
	if (rc == OK)
		rc = zone_list(z, NULL, add_unledgered, &rb, e);
	if (rc == OK)
		rc = catalog_commit(empty, e);
	else
		catalog_abort(empty);
	*ret_versions = rb.versions;
	return rc;
}
