#include "daemon/decide.h"

#include "base/clock.h"
#include "daemon/decide-state.h"
#include "daemon/listing.h"
#include "daemon/settle.h"
#include "landfall/side.h"

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
		.sides = SIDES_INIT,
	};
}

void
decision_release(struct decision *d)
{
	str_release(&d->rule);
	str_release(&d->evidence);
	claims_release(&d->claims);
	sides_release(&d->sides);
	sums_release(&d->sums);
}

/* It is to be taken: now, or is it not complete yet? */
enum rc
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
		.manifest = d->manifest,
		.skip = d->skip,
		.sums = &d->sums,
		.claims = &d->claims,
	};
	enum rc rc;

	/* Before: what is changed while it is read is not what was read. */
	sides_look(&d->sides, d->config, d->ops, d->source, it->name,
		it->name_len);
	rc = settle_check(&s, &d->evidence, &d->wait, e);
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
 * It is in quarantine: was its digest not what a side file said, and does that
 * say something else by now?
 */
static enum rc
is_corrected(struct decision *d, const struct item *it, const char *matched,
	int64_t now, bool *ret, struct err *e)
{
	*ret = false;
	if (!claims_are_news(NULL, d->name.reason))
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
decide_stays(struct decision *d, enum disposition as)
{
	d->disposition = as;
	d->unchanged = true;
	str_clear(&d->rule);
	str_add(&d->rule, "dealt with before, and it looks the same");
	return OK;
}

/* From how it stands; its whole row is read only when it is not over. */
static enum rc
decide_from(struct decision *d, const struct item *it,
	const struct catalog_stand *s, int64_t now, struct err *e)
{
	bool same = s->disposition != 0 &&
		signature_equal(&s->signature, &it->signature);
	bool corrected;
	const char *matched;
	enum rc rc;

	d->known = d->unchanged = false;
	d->wait = 0;
	if (source_rule(d->config, it, &d->rule, &matched) != NULL) {
		d->disposition = DISPOSITION_IGNORED;
		d->unchanged = same && s->disposition == DISPOSITION_IGNORED;
		return OK;
	}
	str_clear(&d->rule);
	if (same && s->disposition != DISPOSITION_PENDING &&
		s->disposition != DISPOSITION_IGNORED &&
		s->disposition != DISPOSITION_QUARANTINED)
		return decide_stays(d, s->disposition);
	if (s->disposition != 0) {
		rc = catalog_find(d->catalog, d->config->name, it->name,
			it->name_len, &d->name, e);
		if (rc != OK && rc != END)
			return rc;
		d->known = rc == OK;
	}
	if (!same || !d->known || s->disposition != DISPOSITION_QUARANTINED)
		return decide_ready(d, it, matched, now, e);
	if (is_corrected(d, it, matched, now, &corrected, e) != OK)
		return e->code;
	return corrected ? OK : decide_stays(d, s->disposition);
}

enum rc
decide(struct decision *d, const struct item *it, int64_t now, struct err *e)
{
	struct catalog_stand s = {.name = it->name, .name_len = it->name_len};

	if (catalog_stands(d->catalog, d->config->name, &s, 1, e) != OK)
		return e->code;
	return decide_from(d, it, &s, now, e);
}

/* ---- a whole listing ---- */

struct deciding {
	struct decision *decision;
	enum rc (*each)(void *arg, const struct item *it, struct err *e);
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why);
	void *arg;
};

static enum rc
decide_listed(void *arg, const struct item *it, const struct catalog_stand *s,
	int64_t now, struct err *e)
{
	struct deciding *g = arg;
	enum rc rc = decide_from(g->decision, it, s, now, e);

	return rc == OK ? g->each(g->arg, it, e) : rc;
}

static void
tell_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct deciding *g = arg;

	g->trouble(g->arg, name, len, why);
}

/*
 * A checksum that will be read for sure, if it is there, may come while others
 * are decided.
 */
static void
want_sums(void *arg, const struct item *it, const struct catalog_stand *s)
{
	CLEANUP(str_release) struct str side = STR_INIT;
	const struct decision *d = ((const struct deciding *)arg)->decision;
	const struct ready *r = &d->config->ready;

	if (s->disposition != 0 && s->disposition != DISPOSITION_PENDING &&
		signature_equal(&s->signature, &it->signature))
		return;
	for (size_t i = 0; i < r->n && (i == 0 || r->all); i++) {
		if (r->rule[i].kind != READY_CHECKSUM ||
			side_is_shared(r->rule[i].side))
			continue;
		str_clear(&side);
		side_name(&side, r->rule[i].side, it->name, it->name_len);
		d->ops->want(
			d->source, (const uint8_t *)side.s, side.len, NULL);
	}
}

enum rc
decide_all(struct decision *d,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	struct deciding g = {
		.decision = d,
		.each = each,
		.trouble = trouble,
		.arg = arg,
	};
	const struct listing l = {
		.catalog = d->catalog,
		.name = d->config->name,
		.ops = d->ops,
		.source = d->source,
		.each = decide_listed,
		.trouble = tell_trouble,
		.ahead = d->ops->want != NULL ? want_sums : NULL,
		.arg = &g,
		.large_first = d->config->kind == SOURCE_SFTP &&
			d->config->sftp.order == ORDER_LARGE_FIRST,
	};

	if (side_manifest(d->config) != NULL)
		return decide_sets(d, each, trouble, arg, e);
	return listing_run(&l, e);
}
