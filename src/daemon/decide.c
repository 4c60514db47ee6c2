#include "daemon/decide.h"

#include "base/clock.h"
#include "daemon/settle.h"

void
decision_init(struct decision *d, struct catalog *c,
	const struct source_config *cfg, const struct source_ops *ops,
	struct source *s)
{
	*d = (struct decision){
		.catalog = c,
		.config = cfg,
		.ops = ops,
		.source = s,
		.rule = STR_INIT,
		.evidence = STR_INIT,
		.sums = SUMS_INIT,
	};
}

void
decision_release(struct decision *d)
{
	str_release(&d->rule);
	str_release(&d->evidence);
	claims_release(&d->claims);
	sums_release(&d->sums);
}

/* It is to be taken: now, or is it not complete yet? */
static enum rc
decide_ready(struct decision *d, const struct item *it, const char *matched,
	int64_t now, struct err *e)
{
	const struct settle s = {
		.config = d->config,
		.ops = d->ops,
		.source = d->source,
		.item = it,
		.unchanged_since = d->known &&
				signature_equal(
					&d->name.signature, &it->signature)
			? d->name.changed
			: now,
		.now = now,
		.steady_since = clock_steady_since(),
		.sums = &d->sums,
		.claims = &d->claims,
	};
	enum rc rc = settle_check(&s, &d->evidence, &d->wait, e);

	if (rc != OK && rc != AGAIN)
		return rc;
	if (rc == AGAIN) {
		d->disposition = DISPOSITION_PENDING;
		str_addf(&d->rule, "not complete yet: %s", d->evidence.s);
		return OK;
	}
	str_add(&d->rule, matched != NULL ? "match " : "every name is taken");
	if (matched != NULL)
		str_add(&d->rule, matched);
	str_addf(&d->rule, "; ready: %s", d->evidence.s);
	d->disposition = d->known && d->name.version.id != 0
		? DISPOSITION_NEW_VERSION
		: DISPOSITION_LANDED;
	return OK;
}

/*
 * Was its digest not what a side file said, and does that say something else
 * by now?
 */
static enum rc
is_corrected(struct decision *d, const struct item *it, const char *matched,
	int64_t now, bool *ret, struct err *e)
{
	*ret = false;
	if (d->name.disposition != DISPOSITION_QUARANTINED ||
		!claims_are_news(NULL, d->name.reason))
		return OK;
	if (decide_ready(d, it, matched, now, e) != OK)
		return e->code;
	*ret = d->disposition != DISPOSITION_PENDING &&
		claims_are_news(&d->claims, d->name.reason);
	if (!*ret)
		d->wait = 0;
	return OK;
}

enum rc
decide(struct decision *d, const struct item *it, int64_t now, struct err *e)
{
	const char *matched;
	bool corrected;
	enum rc rc;

	d->unchanged = false;
	d->wait = 0;
	str_clear(&d->rule);
	rc = catalog_find(d->catalog, d->config->name, it->name, it->name_len,
		&d->name, e);
	if (rc != OK && rc != END)
		return rc;
	d->known = rc == OK;
	if (source_rule(d->config, it, &d->rule, &matched) != NULL) {
		d->disposition = DISPOSITION_IGNORED;
		d->unchanged = d->known &&
			d->name.disposition == DISPOSITION_IGNORED &&
			signature_equal(&d->name.signature, &it->signature);
		return OK;
	}
	str_clear(&d->rule);
	if (!d->known || !signature_equal(&d->name.signature, &it->signature) ||
		d->name.disposition == DISPOSITION_PENDING ||
		d->name.disposition == DISPOSITION_IGNORED)
		return decide_ready(d, it, matched, now, e);
	if (is_corrected(d, it, matched, now, &corrected, e) != OK)
		return e->code;
	if (corrected)
		return OK;
	d->disposition = d->name.disposition;
	d->unchanged = true;
	str_clear(&d->rule);
	str_addf(&d->rule, "dealt with before: generation %u",
		d->name.version.generation);
	return OK;
}
