/*
 * fill.c - a catalog and a ledger as they are after years: ENTRIES landings
 * recorded through the same contracts as real ones, without their files.
 *
 *	tests/bench/fill LANDFALL.YAML ENTRIES
 *
 * They belong to the first source, are named old_0000000.csv and up, and
 * continue what is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "landfall/commit.h"

#define BATCH 16384

struct fill {
	struct commit to;
	const char *source;
	uint64_t first; /* index of the first entry we add */
	int64_t now;	/* whole seconds */
	struct delivery *d[BATCH];
	struct ledger_entry entry[BATCH];
};

/* Delivery number i, as the commit leaves it. */
static struct delivery *
deliver(const struct fill *f, uint64_t i)
{
	char name[32];
	int n = snprintf(
		name, sizeof(name), "old_%07llu.csv", (unsigned long long)i);
	struct delivery *d =
		delivery_new(f->source, (const uint8_t *)name, (size_t)n);

	d->signature = (struct signature){
		.size = 4096 + i % 4096,
		.mtime = f->now - (int64_t)i,
		.ctime = f->now - (int64_t)i,
		.inode = i + 1,
		.device = 1,
	};
	d->landed.size = d->signature.size;
	d->landed.totals.records = 50 + i % 50;
	hash_bytes(&i, sizeof(i), d->landed.bytes_sha256);
	hash_bytes(d->landed.bytes_sha256, HASH_LEN, d->file_sha256);
	d->generation = 1;
	d->disposition = DISPOSITION_LANDED;
	d->index = f->first + i;
	d->landed_at = f->now;
	zone_path(&d->file, "", d->source, d->landed_at, d->name, d->name_len,
		d->landed.bytes_sha256, d->sha_chars);
	return d;
}

static enum rc
record(struct fill *f, const struct delivery *d, const struct str *entry,
	struct err *e)
{
	struct catalog_version v = {
		.generation = d->generation,
		.disposition = d->disposition,
		.relation = d->relation,
		.size = d->landed.size,
		.records = d->landed.totals.records,
		.landed_at = d->landed_at,
		.index = d->index,
		.file = d->file.s,
	};

	memcpy(v.bytes_sha256, d->landed.bytes_sha256, HASH_LEN);
	memcpy(v.file_sha256, d->file_sha256, HASH_LEN);
	if (catalog_put(f->to.catalog, d->source, d->name, d->name_len,
		    &d->signature, f->now, &v, e) != OK)
		return e->code;
	return catalog_outbox_put(
		f->to.catalog, d->index, entry->s, entry->len, d->file.s, e);
}

static enum rc
add_batch(struct fill *f, uint64_t from, size_t n, struct err *e)
{
	struct str *text = mem_array(n, sizeof(*text));
	enum rc rc;

	rc = catalog_begin(f->to.catalog, e);
	if (rc == OK)
		rc = catalog_outbox_drop(
			f->to.catalog, ledger_size(f->to.ledger), e);
	for (size_t i = 0; i < n && rc == OK; i++) {
		struct delivery *d = deliver(f, from + i);

		text[i] = (struct str)STR_INIT;
		commit_entry(&text[i], d);
		f->entry[i] = (struct ledger_entry){text[i].s, text[i].len};
		rc = record(f, d, &text[i], e);
		delivery_free(d);
	}
	if (rc == OK)
		rc = catalog_commit(f->to.catalog, e);
	if (rc == OK)
		rc = ledger_append(f->to.ledger, f->entry, n, e);
	for (size_t i = 0; i < n && rc == OK; i++)
		str_release(&text[i]);
	free(text);
	return rc;
}

static enum rc
open_stores(struct fill *f, const struct config *c, struct err *e)
{
	int state = -1;
	enum rc rc;

	if (zone_open(c->zone, &f->to.zone, e) != OK ||
		io_open(AT_FDCWD, c->state, O_RDONLY | O_DIRECTORY, 0, &state,
			BROKEN, e) != OK)
		return e->code;
	rc = ledger_open(
		zone_dir(f->to.zone), state, c->origin, &f->to.ledger, e);
	io_drop(&state);
	if (rc == OK)
		rc = catalog_open(c->state, true, &f->to.catalog, e);
	return rc;
}

static enum rc
fill(struct fill *f, uint64_t entries, struct err *e)
{
	f->first = ledger_size(f->to.ledger);
	for (uint64_t i = 0; i < entries; i += BATCH) {
		size_t n = entries - i < BATCH ? (size_t)(entries - i) : BATCH;

		if (add_batch(f, i, n, e) != OK)
			return e->code;
	}
	if (catalog_begin(f->to.catalog, e) != OK ||
		catalog_outbox_drop(
			f->to.catalog, ledger_size(f->to.ledger), e) != OK)
		return e->code;
	return catalog_commit(f->to.catalog, e);
}

int
main(int argc, char **argv)
{
	CLEANUP(str_release) struct str report = STR_INIT;
	struct fill *f = mem_alloc(sizeof(*f));
	struct config *c = NULL;
	struct err e = ERR_INIT;

	if (argc != 3) {
		fprintf(stderr, "usage: fill LANDFALL.YAML ENTRIES\n");
		return 1;
	}
	if (config_load(argv[1], &c, &report, &e) == OK && c->n_sources == 0)
		err_set(&e, BAD_ITEM, "no source");
	if (e.code == OK) {
		f->source = c->source[0].name;
		f->now = clock_wall() - clock_wall() % CLOCK_SECOND;
		if (open_stores(f, c, &e) == OK)
			(void)fill(f, strtoull(argv[2], NULL, 10), &e);
	}
	if (e.code != OK)
		fprintf(stderr, "%sfill: %s\n", report.s, e.text);
	catalog_close(f->to.catalog);
	ledger_close(f->to.ledger);
	zone_close(f->to.zone);
	config_free(c);
	free(f);
	return e.code != OK;
}
