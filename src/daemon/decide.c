#include "daemon/decide.h"

void
decision_init(struct decision *d)
{
	*d = (struct decision){.rule = STR_INIT, .evidence = STR_INIT};
}

void
decision_release(struct decision *d)
{
	str_release(&d->rule);
	str_release(&d->evidence);
}

static bool
looks_the_same(const struct catalog_name *n, const struct item *it)
{
	const struct signature *a = &n->signature, *b = &it->signature;

	return a->size == b->size && a->mtime == b->mtime &&
		a->ctime == b->ctime && a->inode == b->inode &&
		a->device == b->device;
}

/*
 * Unchanged for `ready.stable`: by the name's own change times when both lie
 * far enough back, else by two looks of ours that saw the same. A time in
 * the future or a clock of another machine only costs a second look.
 */
static bool
is_stable(struct decision *d, const struct source_config *cfg,
	const struct item *it, int64_t now)
{
	int64_t newest = it->signature.mtime > it->signature.ctime
		? it->signature.mtime
		: it->signature.ctime;
	int64_t need = cfg->ready.stable, since;

	str_clear(&d->evidence);
	if (need == 0) {
		str_add(&d->evidence, "stable 0s: one look");
		return true;
	}
	str_add(&d->evidence, "stable ");
	str_add_duration(&d->evidence, (uint64_t)need);
	if (newest <= now && now - newest >= need) {
		str_add(&d->evidence, ": last changed ");
		str_add_duration(&d->evidence, (uint64_t)(now - newest));
		str_add(&d->evidence, " before");
		return true;
	}
	since = d->known && looks_the_same(&d->name, it) ? d->name.changed
							 : now;
	if (since <= now && now - since >= need) {
		str_add(&d->evidence, ": the same in two looks, ");
		str_add_duration(&d->evidence, (uint64_t)(now - since));
		str_add(&d->evidence, " apart");
		return true;
	}
	d->wait = since <= now ? need - (now - since) : need;
	return false;
}

enum rc
decide(struct decision *d, struct catalog *c, const struct source_config *cfg,
	const struct item *it, int64_t now, struct err *e)
{
	const char *matched;
	enum rc rc;

	d->unchanged = false;
	d->wait = 0;
	str_clear(&d->rule);
	rc = catalog_find(c, cfg->name, it->name, it->name_len, &d->name, e);
	if (rc != OK && rc != END)
		return rc;
	d->known = rc == OK;
	if (source_rule(cfg, it, &d->rule, &matched) != NULL) {
		d->disposition = DISPOSITION_IGNORED;
		d->unchanged = d->known &&
			d->name.disposition == DISPOSITION_IGNORED &&
			looks_the_same(&d->name, it);
		return OK;
	}
	if (d->known && looks_the_same(&d->name, it) &&
		d->name.disposition != DISPOSITION_PENDING &&
		d->name.disposition != DISPOSITION_IGNORED) {
		d->disposition = d->name.disposition;
		d->unchanged = true;
		str_addf(&d->rule, "dealt with before: generation %u",
			d->name.version.generation);
		return OK;
	}
	str_clear(&d->rule);
	str_add(&d->rule, matched != NULL ? "match " : "every name is taken");
	if (matched != NULL)
		str_add(&d->rule, matched);
	if (!is_stable(d, cfg, it, now)) {
		d->disposition = DISPOSITION_PENDING;
		str_clear(&d->rule);
		str_add(&d->rule, "not yet unchanged for ");
		str_add_duration(&d->rule, (uint64_t)cfg->ready.stable);
		return OK;
	}
	str_addf(&d->rule, "; ready: %s", d->evidence.s);
	d->disposition = d->known && d->name.version.id != 0
		? DISPOSITION_NEW_VERSION
		: DISPOSITION_LANDED;
	return OK;
}
