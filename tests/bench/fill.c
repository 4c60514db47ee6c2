/*
 * fill.c - a catalog and a ledger as they are after years: ENTRIES landings
 * recorded through the same contracts as real ones, without their files.
 *
 *	tests/bench/fill LANDFALL.YAML ENTRIES
 *	tests/bench/fill LANDFALL.YAML drop
 *
 * They belong to the first source, are named old_0000000.csv and up, and
 * continue what is there. With `drop` they are the names that lie at the
 * source, as they look now and in the order of its listing: a pass finds
 * nothing new.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/children.h"
#include "landfall/commit.h"
#include "landfall/source.h"

#define BATCH 16384

struct fill {
	struct commit to;
	const char *source;
	uint64_t first;	  /* index of the first entry we add */
	int64_t now;	  /* whole seconds */
	uint64_t entries; /* delivered */
	struct delivery *d[BATCH];
	size_t n; /* of them not yet recorded */
	struct ledger_entry entry[BATCH];
};

/* Delivery number i of this name, as the commit leaves it. */
static struct delivery *
deliver(const struct fill *f, uint64_t i, const uint8_t *name, size_t len,
	const struct signature *sig)
{
	struct delivery *d = delivery_new(f->source, name, len);

	d->signature = *sig;
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

/* What is delivered and not yet recorded. */
static enum rc
add_batch(struct fill *f, struct err *e)
{
	struct str *text = mem_array(f->n, sizeof(*text));
	enum rc rc;

	rc = catalog_begin(f->to.catalog, e);
	if (rc == OK)
		rc = catalog_outbox_drop(
			f->to.catalog, ledger_size(f->to.ledger), e);
	for (size_t i = 0; i < f->n && rc == OK; i++) {
		text[i] = (struct str)STR_INIT;
		delivery_entry(&text[i], f->d[i]);
		f->entry[i] = (struct ledger_entry){text[i].s, text[i].len};
		rc = record(f, f->d[i], &text[i], e);
		delivery_free(f->d[i]);
	}
	if (rc == OK)
		rc = catalog_commit(f->to.catalog, e);
	if (rc == OK)
		rc = ledger_append(f->to.ledger, f->entry, f->n, e);
	for (size_t i = 0; i < f->n && rc == OK; i++)
		str_release(&text[i]);
	free(text);
	f->n = 0;
	return rc;
}

static enum rc
add(struct fill *f, const uint8_t *name, size_t len,
	const struct signature *sig, struct err *e)
{
	f->d[f->n++] = deliver(f, f->entries++, name, len, sig);
	return f->n == BATCH ? add_batch(f, e) : OK;
}

static enum rc
add_listed(void *arg, const struct item *it, struct err *e)
{
	return add(arg, it->name, it->name_len, &it->signature, e);
}

static void
no_trouble(void *arg UNUSED, const uint8_t *name UNUSED, size_t len UNUSED,
	const struct err *why)
{
	fprintf(stderr, "fill: %s\n", why->text);
	abort();
}

/* Every name that lies at the source. */
static enum rc
add_drop(struct fill *f, const struct source_config *cfg, struct err *e)
{
	const struct source_ops *ops = source_ops(cfg->kind);
	struct source *s;
	enum rc rc = ops->open(cfg, NULL, &s, e);

	if (rc != OK)
		return rc;
	rc = ops->list(s, add_listed, no_trouble, f, e);
	ops->close(s);
	return rc;
}

static enum rc
add_old(struct fill *f, uint64_t entries, struct err *e)
{
	for (uint64_t i = 0; i < entries; i++) {
		struct signature sig = {
			.size = 4096 + i % 4096,
			.mtime = f->now - (int64_t)i,
			.ctime = f->now - (int64_t)i,
			.inode = i + 1,
			.device = 1,
		};
		char name[32];
		int n = snprintf(name, sizeof(name), "old_%07llu.csv",
			(unsigned long long)i);

		if (add(f, (const uint8_t *)name, (size_t)n, &sig, e) != OK)
			return e->code;
	}
	return OK;
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
fill(struct fill *f, const struct source_config *cfg, const char *what,
	struct err *e)
{
	enum rc rc;

	f->first = ledger_size(f->to.ledger);
	rc = strcmp(what, "drop") == 0
		? add_drop(f, cfg, e)
		: add_old(f, strtoull(what, NULL, 10), e);
	if (rc != OK || add_batch(f, e) != OK ||
		catalog_begin(f->to.catalog, e) != OK ||
		catalog_outbox_drop(
			f->to.catalog, ledger_size(f->to.ledger), e) != OK)
		return e->code;
	return catalog_commit(f->to.catalog, e);
}

int
main(int argc, char **argv)
{
	CLEANUP(str_release) struct str report = STR_INIT;
	struct fill *f;
	struct config *c = NULL;
	struct err e = ERR_INIT;

	/* A partner's server is listed by a child, which is this again. */
	if (child_wanted(argc, argv))
		return child_main(child_kinds, argv);
	f = mem_alloc(sizeof(*f));
	if (argc != 3) {
		fprintf(stderr, "usage: fill LANDFALL.YAML ENTRIES|drop\n");
		return 1;
	}
	if (config_load(argv[1], &c, &report, &e) == OK && c->n_sources == 0)
		err_set(&e, BAD_ITEM, "no source");
	if (e.code == OK) {
		f->source = c->source[0].name;
		f->now = clock_wall() - clock_wall() % CLOCK_SECOND;
		if (open_stores(f, c, &e) == OK)
			(void)fill(f, &c->source[0], argv[2], &e);
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
