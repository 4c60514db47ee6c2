#include "daemon/decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
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

static enum rc
stays(struct decision *d, enum disposition as)
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
		return stays(d, s->disposition);
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
	return corrected ? OK : stays(d, s->disposition);
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

/*
 * Names in the order of a directory lie anywhere in the catalog; so many of
 * them, sorted, lie side by side. What it costs is bounded by both numbers,
 * and a slow listing does not keep what it has found to itself.
 */
#define BATCH_NAMES 65536
#define BATCH_BYTES (4u << 20)
#define BATCH_TIME (CLOCK_SECOND / 4)

struct listed {
	struct item item;
	size_t name; /* where it is in names */
	int64_t at;  /* wall */
};

struct batch {
	struct decision *decision;
	enum rc (*each)(void *arg, const struct item *it, struct err *e);
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why);
	void *arg;
	struct str names;
	struct listed *listed;
	struct catalog_stand *stand;
	size_t n, cap;
};

static int
by_name(const void *a, const void *b)
{
	const struct item *x = &((const struct listed *)a)->item;
	const struct item *y = &((const struct listed *)b)->item;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, n);

	if (order != 0)
		return order;
	return (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* What has been listed is decided, and told to each. */
static enum rc
decide_batch(struct batch *b, struct err *e)
{
	struct decision *d = b->decision;
	size_t n = b->n;
	enum rc rc;

	/* Also when it fails: nothing is decided twice. */
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		b->listed[i].item.name =
			(const uint8_t *)b->names.s + b->listed[i].name;
	if (n > 1)
		qsort(b->listed, n, sizeof(*b->listed), by_name);
	for (size_t i = 0; i < n; i++)
		b->stand[i] = (struct catalog_stand){
			.name = b->listed[i].item.name,
			.name_len = b->listed[i].item.name_len,
		};
	rc = catalog_stands(d->catalog, d->config->name, b->stand, n, e);
	for (size_t i = 0; i < n && rc == OK; i++) {
		const struct listed *l = &b->listed[i];

		rc = decide_from(d, &l->item, &b->stand[i], l->at, e);
		if (rc == OK)
			rc = b->each(b->arg, &l->item, e);
	}
	str_clear(&b->names);
	return rc;
}

static enum rc
add_listed(void *arg, const struct item *it, struct err *e)
{
	struct batch *b = arg;

	if (b->n == b->cap) {
		b->cap = b->cap > 0 ? 2 * b->cap : 64;
		b->listed = mem_resize(b->listed, b->cap, sizeof(*b->listed));
		b->stand = mem_resize(b->stand, b->cap, sizeof(*b->stand));
	}
	b->listed[b->n] = (struct listed){
		.item = *it, .name = b->names.len, .at = clock_wall()};
	str_addn(&b->names, it->name, it->name_len);
	b->n++;
	if (b->n < BATCH_NAMES && b->names.len < BATCH_BYTES &&
		b->listed[b->n - 1].at - b->listed[0].at < BATCH_TIME)
		return OK;
	return decide_batch(b, e);
}

static void
tell_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct batch *b = arg;

	b->trouble(b->arg, name, len, why);
}

enum rc
decide_all(struct decision *d,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	struct batch b = {
		.decision = d,
		.each = each,
		.trouble = trouble,
		.arg = arg,
		.names = STR_INIT,
	};
	struct err ours = ERR_INIT;
	enum rc rc;

	rc = d->ops->list(d->source, add_listed, tell_trouble, &b, e);
	if (rc == OK) {
		rc = decide_batch(&b, e);
	} else if (rc == BAD_SOURCE && decide_batch(&b, &ours) == BROKEN) {
		*e = ours;
		rc = BROKEN;
	}
	str_release(&b.names);
	free(b.listed);
	free(b.stand);
	return rc;
}
