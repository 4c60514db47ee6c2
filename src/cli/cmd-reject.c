/*
 * landfall reject: what was quarantined will not land. Its bytes stay where
 * they are; the ledger says who decided, and why.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/verdict.h"

static enum rc
reject(struct verdict *s, struct err *e)
{
	const struct catalog_version *v = &s->name.version;
	struct delivery *d =
		delivery_new(s->config->name, s->name.name, s->name.name_len);

	d->rejected = d->settles = d->recorded = true;
	d->settled = v->index;
	d->disposition = DISPOSITION_QUARANTINED;
	d->reason = mem_strdup(s->why.s);
	d->generation = v->generation;
	d->landed.size = v->size;
	d->landed.totals.records = v->records;
	memcpy(d->landed.bytes_sha256, v->bytes_sha256, HASH_LEN);
	memcpy(d->file_sha256, v->file_sha256, HASH_LEN);
	str_add(&d->file, v->file);
	return lane_note(s->lane, d, e);
}

enum status
cmd_reject_work(struct order_work *w)
{
	struct verdict s;
	struct err e = ERR_INIT;
	enum status st = verdict_open(&s, w, "rejected");
	enum rc rc = st == STATUS_DONE ? reject(&s, &e) : OK;

	return verdict_close(&s, st, rc, &e);
}

enum status
cmd_reject(struct cli *c, int argc, char **argv)
{
	return verdict_give(c, argc, argv, ORDER_REJECT);
}
