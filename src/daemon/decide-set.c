/*
 * Sets: what a manifest names lands together or not at all.
 *
 * A look lists twice. First come the manifests, which are read; then all
 * names, and those that a manifest has are kept until all have been seen.
 * Then each manifest is weighed: is all of it there, and complete? What is to
 * be read of one comes out at once, the manifest last.
 *
 * A manifest is spent once its set has landed: that is its disposition. One
 * that comes again, changed or only touched, names its set anew.
 */
#include <string.h>

#include "base/mem.h"
#include "daemon/decide-state.h"
#include "daemon/listing.h"
#include "daemon/weigh.h"
#include "landfall/side.h"

#define SPENT "manifest, and all of it has landed"

struct sets {
	struct decision *d;
	enum rc (*each)(void *arg, const struct item *it, struct err *e);
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why);
	void *arg;
	struct manifests ms;
	const struct manifest *bad; /* the first that cannot be used */
	struct str evidence;	    /* of the manifest whose set comes out */
	struct str what;	    /* "manifest a.mf" */
};

static bool
is_known_as(
	const struct decision *d, const struct item *it, enum disposition as)
{
	return d->known && d->name.disposition == as &&
		signature_equal(&d->name.signature, &it->signature);
}

static bool
is_spent(const struct decision *d, const struct item *it)
{
	return is_known_as(d, it, DISPOSITION_IGNORED) &&
		strncmp(d->name.reason, SPENT, strlen(SPENT)) == 0;
}

/* ---- the first listing ---- */

static enum rc
find_manifest(void *arg, const struct item *it, struct err *e)
{
	struct sets *t = arg;

	if (!source_is_manifest(t->d->config, it))
		return OK;
	if (weigh_know(t->d, it, e) != OK)
		return e->code;
	if (!is_spent(t->d, it))
		(void)manifests_add(&t->ms, it);
	return OK;
}

/* The second listing tells it. */
static void
no_trouble(void *arg UNUSED, const uint8_t *name UNUSED, size_t len UNUSED,
	const struct err *why UNUSED)
{
}

/* ---- the second listing ---- */

static enum rc
each_manifest(struct sets *t, const struct item *it, struct err *e)
{
	struct manifest *m = manifests_named(&t->ms, it->name, it->name_len);
	struct decision *d = t->d;

	if (m != NULL) {
		m->seen = true;
		if (!signature_equal(&m->signature, &it->signature) &&
			m->trouble == NULL) {
			m->trouble =
				mem_strdup("it changed while it was looked at");
			m->wait = WEIGH_AGAIN;
		}
		m->signature = it->signature;
		return OK;
	}
	if (weigh_know(d, it, e) != OK)
		return e->code;
	d->unchanged = d->spent = is_spent(d, it);
	d->disposition = d->spent ? DISPOSITION_IGNORED : DISPOSITION_PENDING;
	str_add(&d->rule,
		d->spent ? d->name.reason
			 : "manifest, which came while others were looked at "
			   "or waits for those before it: there are too many "
			   "at a time");
	d->wait = d->spent ? 0 : WEIGH_AGAIN;
	return t->each(t->arg, it, e);
}

/* No manifest names it, or none that can be used. */
static enum rc
each_unlisted(struct sets *t, const struct item *it, struct err *e)
{
	const struct ready_rule *rule = side_manifest(t->d->config);
	struct decision *d = t->d;

	if (weigh_know(d, it, e) != OK)
		return e->code;
	d->disposition =
		rule->ignore ? DISPOSITION_IGNORED : DISPOSITION_PENDING;
	d->unchanged = rule->ignore && is_known_as(d, it, DISPOSITION_IGNORED);
	str_addf(&d->rule, "%sno manifest (%s) names it",
		rule->ignore ? "" : "not complete yet: ", rule->side);
	if (t->bad != NULL) {
		str_add(&d->rule, ", but ");
		str_add_quoted(&d->rule, t->bad->name, t->bad->name_len);
		str_add(&d->rule, " cannot be used");
	}
	return t->each(t->arg, it, e);
}

/* What was dealt with before, and is the same. */
static enum rc
each_over(struct sets *t, const struct item *it, struct member *x,
	enum disposition as, struct err *e)
{
	struct decision *d = t->d;

	if (x != NULL)
		x->state = as == DISPOSITION_QUARANTINED ? MEMBER_QUARANTINED
							 : MEMBER_OVER;
	/* What a manifest has a digest of is compared with it first. */
	if (x != NULL && (x->claimed || x->state == MEMBER_QUARANTINED))
		return OK;
	if (x != NULL)
		x->told = true;
	/* Of what landed nothing more is asked. */
	if (as == DISPOSITION_QUARANTINED && weigh_know(d, it, e) != OK)
		return e->code;
	(void)decide_stays(d, as);
	d->wanted = x != NULL;
	return t->each(t->arg, it, e);
}

static enum rc
each_listed(void *arg, const struct item *it, const struct catalog_stand *s,
	int64_t now UNUSED, struct err *e)
{
	struct sets *t = arg;
	struct decision *d = t->d;
	bool same = s->disposition != 0 &&
		signature_equal(&s->signature, &it->signature);
	struct member *x;

	weigh_begin(d);
	x = manifests_find(&t->ms, it->name, it->name_len);
	if (x != NULL)
		x->signature = it->signature;
	if (source_is_manifest(d->config, it)) {
		if (x != NULL) {
			x->told = true;
			x->state = MEMBER_IGNORED;
		}
		return each_manifest(t, it, e);
	}
	if (source_rule(d->config, it, &d->rule, NULL) != NULL) {
		if (x != NULL) {
			x->told = true;
			x->state = it->type == ITEM_FILE ? MEMBER_IGNORED
							 : MEMBER_NOT_FILE;
		}
		d->disposition = DISPOSITION_IGNORED;
		d->unchanged = same && s->disposition == DISPOSITION_IGNORED;
		return t->each(t->arg, it, e);
	}
	str_clear(&d->rule);
	if (same && s->disposition != DISPOSITION_PENDING &&
		s->disposition != DISPOSITION_IGNORED)
		return each_over(t, it, x, s->disposition, e);
	if (x == NULL)
		return each_unlisted(t, it, e);
	x->state = MEMBER_THERE;
	return OK;
}

/* ---- what comes out ---- */

static void
decide_manifest(
	const struct sets *t, const struct manifest *m, const struct item *it)
{
	struct decision *d = t->d;

	if (m->trouble != NULL) {
		d->disposition = DISPOSITION_PENDING;
		d->wait = m->wait;
		str_addf(&d->rule, "manifest %s: %s",
			m->bad ? "cannot be used" : "waits", m->trouble);
		return;
	}
	d->disposition = DISPOSITION_IGNORED;
	if (m->names > 0)
		str_addf(&d->rule, SPENT " (%zu name%s)", m->names,
			m->names == 1 ? "" : "s");
	else
		str_add(&d->rule, "manifest that names nothing");
	d->unchanged = is_known_as(d, it, DISPOSITION_IGNORED) &&
		strcmp(d->name.reason, d->rule.s) == 0;
}

/* w: its set comes out before it; NULL: it waits. */
static enum rc
emit_manifest(struct sets *t, const struct manifest *m, const struct weight *w,
	struct err *e)
{
	const struct item it = {
		.name = m->name,
		.name_len = m->name_len,
		.type = ITEM_FILE,
		.signature = m->signature,
	};
	struct decision *d = t->d;

	if (!m->seen)
		return OK;
	weigh_begin(d);
	if (weigh_know(d, &it, e) != OK)
		return e->code;
	decide_manifest(t, m, &it);
	if (w != NULL && w->to_read > 0) {
		d->set = t->what.s;
		d->set_ends = true;
		d->set_bytes = w->bytes;
	}
	return t->each(t->arg, &it, e);
}

/* One of a set that is complete. */
static enum rc
emit_member(struct sets *t, const struct manifest *m, size_t first,
	const struct weight *w, struct err *e)
{
	struct member *x = weigh_member(&t->ms, m, first);
	struct item it = weigh_item(x);
	struct decision *d = t->d;
	enum verdict v;

	x->told = true;
	if (weigh_name(d, &t->ms, m, first, t->evidence.s, &v, e) != OK)
		return e->code;
	if (v == VERDICT_OVER) {
		(void)decide_stays(d, d->name.disposition);
		d->wanted = true;
		return t->each(t->arg, &it, e);
	}
	/* It changed since it was weighed: the set is not to land. */
	if (v == VERDICT_WAITS)
		d->disposition = DISPOSITION_PENDING;
	d->set = t->what.s;
	d->set_bytes = w->bytes;
	return t->each(t->arg, &it, e);
}

/* Those that failed at the look before come first: they may do it again. */
static enum rc
emit_set(struct sets *t, const struct manifest *m, const struct weight *w,
	struct err *e)
{
	str_clear(&t->what);
	str_add(&t->what, "manifest ");
	str_add_quoted(&t->what, m->name, m->name_len);
	str_clear(&t->evidence);
	str_addf(&t->evidence, "%s of %zu name%s, sha256 ", t->what.s, m->names,
		m->names == 1 ? "" : "s");
	str_add_hex(&t->evidence, m->sha256, HASH_LEN);
	for (int failed = 1; failed >= 0; failed--)
		for (size_t i = 0; i < m->n; i += weigh_lines(&t->ms, m, i)) {
			const struct member *x = weigh_member(&t->ms, m, i);

			if (!x->told && x->state != MEMBER_MISSING &&
				x->failed == failed &&
				emit_member(t, m, i, w, e) != OK)
				return e->code;
		}
	return emit_manifest(t, m, w, e);
}

/* One of a set that waits. */
static enum rc
emit_waiting(struct sets *t, const struct manifest *m, struct member *x,
	struct err *e)
{
	struct item it = weigh_item(x);
	struct decision *d = t->d;

	x->told = true;
	weigh_begin(d);
	if (weigh_know(d, &it, e) != OK)
		return e->code;
	if (x->state != MEMBER_THERE) {
		(void)decide_stays(d, d->name.disposition);
		d->wanted = true;
		return t->each(t->arg, &it, e);
	}
	d->disposition = DISPOSITION_PENDING;
	d->wait = m->wait;
	d->told = m->seen;
	str_add(&d->rule, "manifest ");
	str_add_quoted(&d->rule, m->name, m->name_len);
	str_addf(&d->rule, " waits: %s", m->trouble);
	return t->each(t->arg, &it, e);
}

/* If it is complete it comes out; else its trouble says what it lacks. */
static enum rc
settle_manifest(struct sets *t, struct manifest *m, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct weight w = WEIGHT_INIT;
	enum rc rc = OK;

	if (!m->seen && m->trouble == NULL)
		m->trouble = mem_strdup("it went away while it was looked at");
	if (m->trouble == NULL)
		rc = weigh_manifest(t->d, m, e);
	if (rc != OK || m->trouble != NULL)
		return rc;
	rc = weigh_set(t->d, &t->ms, m, &w, e);
	if (rc == OK && w.missing == 0 && w.obstacle.len == 0) {
		rc = emit_set(t, m, &w, e);
	} else if (rc == OK) {
		weigh_add_lack(&why, m, &w);
		m->trouble = str_take(&why);
		m->wait = w.wait;
	}
	str_release(&w.obstacle);
	return rc;
}

static enum rc
settle_all(struct sets *t, struct err *e)
{
	for (size_t i = 0; i < t->ms.n; i++)
		if (settle_manifest(t, &t->ms.manifest[i], e) != OK)
			return e->code;
	for (size_t i = 0; i < t->ms.n; i++) {
		const struct manifest *m = &t->ms.manifest[i];

		if (m->trouble == NULL)
			continue;
		for (size_t k = 0; k < m->n; k++) {
			struct member *x = weigh_member(&t->ms, m, k);

			if (!x->told && x->state != MEMBER_MISSING &&
				emit_waiting(t, m, x, e) != OK)
				return e->code;
		}
		if (emit_manifest(t, m, NULL, e) != OK)
			return e->code;
	}
	return OK;
}

/* ---- a look ---- */

static void
tell_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct sets *t = arg;

	t->trouble(t->arg, name, len, why);
}

static enum rc
look(struct sets *t, struct err *e)
{
	struct decision *d = t->d;
	const struct listing l = {
		.catalog = d->catalog,
		.name = d->config->name,
		.ops = d->ops,
		.source = d->source,
		.each = each_listed,
		.trouble = tell_trouble,
		.arg = t,
	};
	struct err ours = ERR_INIT;
	enum rc rc;

	if (d->ops->list(d->source, find_manifest, no_trouble, t, e) != OK ||
		manifests_read(&t->ms, e) != OK)
		return e->code;
	for (size_t i = t->ms.n; i-- > 0;)
		if (t->ms.manifest[i].bad)
			t->bad = &t->ms.manifest[i];
	rc = listing_run(&l, e);
	/* What was listed gets its disposition, whatever happened then. */
	if ((rc == OK || rc == BAD_SOURCE) && settle_all(t, &ours) != OK) {
		*e = ours;
		rc = ours.code;
	}
	return rc;
}

enum rc
decide_sets(struct decision *d,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e)
{
	struct sets t = {
		.d = d,
		.each = each,
		.trouble = trouble,
		.arg = arg,
		.evidence = STR_INIT,
		.what = STR_INIT,
	};
	enum rc rc;

	manifests_init(
		&t.ms, &side_manifest(d->config)->table, d->ops, d->source);
	rc = look(&t, e);
	weigh_begin(d);
	manifests_release(&t.ms);
	str_release(&t.evidence);
	str_release(&t.what);
	return rc;
}
