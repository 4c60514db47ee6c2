#include "daemon/receipts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/receipt.h"

/* Fewer than these are synced one by one. */
#define TOGETHER 4

/* So far the mark may stay behind when nothing is owed. */
#define MARK_BEHIND 4096

/* ---- making one ---- */

/* The catalog has the reason of a name's newest entry only. */
static json_t *
read_reason(const struct str *entry, struct receipt *r)
{
	json_t *j = json_loadb(entry->s, entry->len, 0, NULL);

	r->reason = json_string_value(json_object_get(j, "reason"));
	return j;
}

/* What cannot be read is said to be unknown: the ledger speaks all the same. */
static void
read_malformed(struct zone *z, struct receipt *r)
{
	struct err ignored = ERR_INIT;
	struct landing *l;
	int fd = -1;

	r->told = r->version->malformed == 0;
	if (r->told || zone_read(z, r->version->file, &fd, &ignored) != OK ||
		landing_open(fd, &l, &ignored) != OK)
		return;
	r->told = landing_malformed(l, r->malformed, RECEIPT_MALFORMED,
			  &r->n_malformed, &ignored) == OK;
	landing_close(l);
}

static enum rc
make(const struct receipts_sources *from, const struct catalog_name *n,
	struct str *s, struct err *e)
{
	CLEANUP(str_release) struct str entry = STR_INIT, proof = STR_INIT;
	struct receipt r = {
		.origin = ledger_view_origin(from->ledger),
		.source = n->source,
		.name = n->name,
		.name_len = n->name_len,
		.version = &n->version,
		.tree_size = ledger_view_size(from->ledger),
	};
	json_t *j;

	if (ledger_view_entry(from->ledger, n->version.index, &entry, e) !=
			OK ||
		ledger_view_tlog_proof(
			from->ledger, n->version.index, &proof, e) != OK)
		return err_raise(e, BAD_SOURCE);
	r.entry = entry.s;
	r.entry_len = entry.len;
	r.proof = proof.s;
	j = read_reason(&entry, &r);
	read_malformed(from->zone, &r);
	receipt_write(&r, s);
	json_decref(j);
	return OK;
}

enum rc
receipts_make(const struct receipts_sources *from, uint64_t index,
	struct str *s, struct err *e)
{
	struct catalog_name n;
	enum rc rc = catalog_find_index(from->catalog, index, &n, e);

	return rc == OK ? make(from, &n, s, e) : rc;
}

/* ---- what is owed ---- */

bool
receipts_wanted(const struct source_config *cfg)
{
	return cfg->receipt.path != NULL || cfg->receipt.folder != NULL;
}

struct marking {
	const char *source;
	uint64_t upto;
};

static enum rc
put_mark(struct catalog *c, void *arg, struct err *e)
{
	const struct marking *m = arg;

	return catalog_mark_put(c, m->source, MARK_RECEIPTS, m->upto, e);
}

static enum rc
mark(struct lane *l, const char *source, uint64_t upto, struct err *e)
{
	struct marking m = {.source = source, .upto = upto};

	return lane_write(l, put_mark, &m, e);
}

enum rc
receipts_begin(struct lane *l, const struct source_config *cfg, struct err *e)
{
	uint64_t upto;
	enum rc rc;

	if (!receipts_wanted(cfg))
		return OK;
	rc = catalog_mark_find(
		lane_catalog(l), cfg->name, MARK_RECEIPTS, &upto, e);
	if (rc != END)
		return rc;
	if (catalog_ledger_size(lane_catalog(l), &upto, e) != OK)
		return e->code;
	return mark(l, cfg->name, upto, e);
}

/* From where to where something may be owed. END: nothing is. */
static enum rc
range(struct catalog *c, const struct source_config *cfg, uint64_t *ret_from,
	uint64_t *ret_upto, struct err *e)
{
	enum rc rc = END;

	if (receipts_wanted(cfg))
		rc = catalog_mark_find(
			c, cfg->name, MARK_RECEIPTS, ret_from, e);
	if (rc == OK)
		rc = catalog_ledger_size(c, ret_upto, e);
	return rc == OK && *ret_upto <= *ret_from ? END : rc;
}

static enum rc
note_one(void *arg, const struct catalog_name *n UNUSED, struct err *e UNUSED)
{
	bool *found = arg;

	*found = true;
	return END;
}

enum rc
receipts_due(struct lane *l, const struct source_config *cfg, bool *ret,
	struct err *e)
{
	struct catalog *c = lane_catalog(l);
	uint64_t from, upto;
	enum rc rc = range(c, cfg, &from, &upto, e);

	*ret = false;
	if (rc == OK)
		rc = catalog_each_since(
			c, cfg->name, from, upto, note_one, ret, e);
	if (rc == OK && !*ret && upto > from + MARK_BEHIND)
		rc = mark(l, cfg->name, upto, e);
	return rc == END ? OK : rc;
}

static enum rc
count_one(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct receipts_owed *o = arg;

	if (o->n++ == 0)
		o->since = n->version.landed_at;
	return OK;
}

enum rc
receipts_count(struct catalog *c, const struct source_config *cfg,
	struct receipts_owed *ret, struct err *e)
{
	struct receipts_owed o = {.n = 0};
	uint64_t from, upto;
	enum rc rc = range(c, cfg, &from, &upto, e);

	if (rc == OK)
		rc = catalog_each_since(
			c, cfg->name, from, upto, count_one, &o, e);
	if (rc != OK && rc != END)
		return rc;
	*ret = o;
	return OK;
}

/* ---- giving them ---- */

struct giving {
	struct receipts_sources from;
	const struct outbox *outbox;
	uint64_t index[RECEIPTS_MOST];
	size_t n;
	struct receipts_given *report;
};

static enum rc
take(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct giving *g = arg;

	g->index[g->n++] = n->version.index;
	return g->n < RECEIPTS_MOST ? OK : END;
}

static enum rc
put(struct giving *g, const char *file, const struct str *text, struct err *e)
{
	return g->outbox->put(
		g->outbox->arg, file, text->s, text->len, g->n >= TOGETHER, e);
}

/*
 * Before a name's newest receipt is replaced, the one before it has a file of
 * its own. It is made anew: what lies in the place is anybody's.
 */
static enum rc
keep_older(struct giving *g, const struct catalog_name *n, const char *newest,
	struct err *e)
{
	CLEANUP(str_release) struct str file = STR_INIT, text = STR_INIT;
	struct catalog_name before;
	uint64_t index;
	enum rc rc;

	rc = catalog_find_before(
		g->from.catalog, n->id, n->version.index, &index, e);
	if (rc == OK)
		rc = g->outbox->has(g->outbox->arg, newest, e);
	if (rc != OK)
		return rc == END ? OK : rc;
	rc = catalog_find_index(g->from.catalog, index, &before, e);
	if (rc != OK)
		return rc == END ? OK : rc;
	receipt_file_of(&file, before.name, before.name_len, index);
	rc = g->outbox->has(g->outbox->arg, file.s, e);
	if (rc != END)
		return rc;
	rc = make(&g->from, &before, &text, e);
	return rc == OK ? put(g, file.s, &text, e) : rc;
}

static enum rc
give_one(struct giving *g, uint64_t index, struct err *e)
{
	CLEANUP(str_release) struct str file = STR_INIT, text = STR_INIT;
	struct catalog_name n;
	enum rc rc = catalog_find_index(g->from.catalog, index, &n, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	receipt_file(&file, n.name, n.name_len);
	rc = make(&g->from, &n, &text, e);
	/* The last use of n: what is found next takes its place. */
	if (rc == OK)
		rc = keep_older(g, &n, file.s, e);
	if (rc == OK)
		rc = put(g, file.s, &text, e);
	if (rc == OK) {
		g->report->n++;
	} else if (rc == BAD_ITEM) {
		if (g->report->lost++ == 0)
			str_addf(&g->report->trouble, "entry %" PRIu64 ": %s",
				index, e->text);
		e->code = OK;
		return OK;
	}
	return rc;
}

static enum rc
give_all(struct giving *g, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < g->n && rc == OK; i++)
		rc = give_one(g, g->index[i], e);
	if (rc == OK && g->n >= TOGETHER)
		rc = g->outbox->sync(g->outbox->arg, e);
	return rc;
}

static enum rc
open_ledger(struct giving *g, const char *zone, struct err *e)
{
	enum rc rc = zone_open(zone, &g->from.zone, e);

	if (rc == OK)
		rc = ledger_view_open(
			zone_dir(g->from.zone), NULL, &g->from.ledger, e);
	return rc == OK ? OK : err_raise(e, BAD_SOURCE);
}

enum rc
receipts_give(struct lane *l, const char *zone, const struct source_config *cfg,
	const struct outbox *o, struct receipts_given *r, struct err *e)
{
	struct catalog *c = lane_catalog(l);
	struct giving *g;
	uint64_t from, upto;
	enum rc rc = range(c, cfg, &from, &upto, e);

	r->more = false;
	if (rc != OK)
		return rc == END ? OK : rc;
	g = mem_alloc(sizeof(*g));
	g->from.catalog = c;
	g->outbox = o;
	g->report = r;
	/* The catalog may know entries that the ledger does not have yet. */
	rc = catalog_each_since(c, cfg->name, from, upto, take, g, e);
	if (rc == OK && g->n > 0)
		rc = open_ledger(g, zone, e);
	if (rc == OK && g->n > 0) {
		bool full = g->n == RECEIPTS_MOST;

		while (g->n > 0 &&
			g->index[g->n - 1] >= ledger_view_size(g->from.ledger))
			g->n--;
		r->more = full && g->n > 0;
		rc = give_all(g, e);
		if (rc == OK && g->n > 0)
			rc = mark(l, cfg->name, g->index[g->n - 1] + 1, e);
	}
	ledger_view_close(g->from.ledger);
	zone_close(g->from.zone);
	free(g);
	return rc;
}
