#include "daemon/settle.h"

#include <string.h>

#include "base/clock.h"
#include "landfall/side.h"

/* So wrong a server's clock may be: all zones there are, and some more. */
#define FOREIGN_CLOCK (86400 * CLOCK_SECOND)

/* What one rule says: OK it holds, AGAIN not yet, else the source failed. */
typedef enum rc
rule_check(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait, struct err *e);

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * The last change of size, name or bytes, as the filesystem tells it; in a
 * time that is believed.
 */
static int64_t
last_change(const struct settle *s)
{
	const struct signature *sig = &s->item->signature;

	return later(later(sig->mtime, sig->ctime), s->steady_since);
}

/* The same by our own looks. What we saw tomorrow, we saw until today. */
static int64_t
last_seen_changed(const struct settle *s)
{
	if (s->unchanged_since > s->now)
		return s->steady_since > 0 ? s->steady_since : s->now;
	return later(s->unchanged_since, s->steady_since);
}

/* Some servers do not tell when a file changed. */
static bool
has_no_time(const struct settle *s)
{
	return s->config->kind == SOURCE_SFTP && s->item->signature.mtime == 0;
}

/*
 * How far a time of the name's own must lie back to be believed. The clock
 * and the zone of a partner's server are the partner's, and it may tell no
 * time at all.
 */
static bool
is_long_ago(const struct settle *s, int64_t changed, int64_t time)
{
	if (s->config->kind == SOURCE_SFTP)
		time += FOREIGN_CLOCK;
	return !has_no_time(s) && changed <= s->now && s->now - changed >= time;
}

/*
 * By the name's own change times when both lie far enough back, else by two
 * looks of ours that saw the same. A time in the future, or the clock of
 * another machine, only costs a second look.
 */
static enum rc
check_stable(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait, struct err *e UNUSED)
{
	int64_t changed = last_change(s), since = last_seen_changed(s);

	if (rule->time == 0) {
		str_add(why, "stable 0s: one look");
		return OK;
	}
	str_add(why, "stable ");
	str_add_duration(why, (uint64_t)rule->time);
	if (is_long_ago(s, changed, rule->time)) {
		str_add(why, ": last changed ");
		str_add_duration(why, (uint64_t)(s->now - changed));
		str_add(why, " before");
		return OK;
	}
	if (s->now - since >= rule->time) {
		str_add(why, ": the same in two looks, ");
		str_add_duration(why, (uint64_t)(s->now - since));
		str_add(why, " apart");
		return OK;
	}
	str_add(why, ": changed too recently");
	*wait = rule->time - (s->now - since);
	return AGAIN;
}

static enum rc
check_age(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait, struct err *e UNUSED)
{
	int64_t changed = last_change(s);

	/* A change in the future says nothing: our own looks count instead. */
	if (changed > s->now || has_no_time(s))
		changed = last_seen_changed(s);
	str_add(why, "age ");
	str_add_duration(why, (uint64_t)rule->time);
	if (s->now - changed >= rule->time)
		return OK;
	str_add(why, ": too young");
	*wait = rule->time - (s->now - changed);
	return AGAIN;
}

static enum rc
check_sentinel(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait UNUSED, struct err *e)
{
	CLEANUP(str_release) struct str side = STR_INIT;
	struct signature sig;
	enum item_type type;
	enum rc rc;

	side_name(&side, rule->side, s->item->name, s->item->name_len);
	rc = s->ops->look(
		s->source, (const uint8_t *)side.s, side.len, &type, &sig, e);
	str_add(why, "sentinel ");
	str_add_quoted(why, side.s, side.len);
	if (rc == OK && type == ITEM_FILE)
		return OK;
	str_add(why, " is not there");
	return rc == OK || rc == END || rc == BAD_ITEM ? AGAIN : rc;
}

static enum rc
check_closed(const struct settle *s, const struct ready_rule *rule UNUSED,
	struct str *why, int64_t *wait, struct err *e)
{
	struct err untold = ERR_INIT;
	enum rc rc = s->ops->closed == NULL
		? err_set(&untold, BAD_ITEM, "who writes cannot be told here")
		: s->ops->closed(
			  s->source, s->item->name, s->item->name_len, &untold);

	if (rc == OK) {
		str_add(why, "closed: nobody has it open for writing");
		return OK;
	}
	if (rc == AGAIN) {
		str_add(why, "closed: somebody has it open for writing");
		*wait = CLOCK_SECOND;
	} else if (rc == BAD_ITEM) {
		str_addf(why, "closed: %s", untold.text);
	} else if (rc == END) {
		str_add(why, "closed: it is gone");
	} else {
		*e = untold;
		return rc;
	}
	return AGAIN;
}

/* ---- checksums ---- */

static size_t
last_component(const uint8_t *name, size_t len)
{
	const uint8_t *slash = len > 0 ? memrchr(name, '/', len) : NULL;

	return slash != NULL ? (size_t)(slash + 1 - name) : 0;
}

/* A file of its own names it by whatever path it had at the partner's. */
static bool
is_about(const struct check_line *c, const struct settle *s, bool shared)
{
	const struct item *it = s->item;
	size_t from = last_component(it->name, it->name_len);
	size_t skip = shared ? 0 : last_component(c->name, c->name_len);

	if (c->name_len == 0)
		return !shared;
	return c->name_len - skip == it->name_len - from &&
		memcmp(c->name + skip, it->name + from, it->name_len - from) ==
		0;
}

/* The lines about this one; false: there are none, or too many. */
static bool
find_claims(const struct settle *s, struct checklist *l, bool shared,
	const char *from, struct str *why)
{
	const struct item *it = s->item;
	size_t skip = last_component(it->name, it->name_len), n = l->n;
	struct check_line *c = l->line;
	size_t before = s->claims->n;

	if (shared)
		n = checklist_find(l, it->name + skip, it->name_len - skip, &c);
	for (size_t i = 0; i < n; i++) {
		if (!is_about(&c[i], s, shared))
			continue;
		if (!claims_add(s->claims, &c[i], from)) {
			claims_cut(s->claims, before);
			str_add(why, " has too many lines about it");
			return false;
		}
		str_addf(why, "%s%s ", s->claims->n == before + 1 ? ": " : ", ",
			digest_name(c[i].kind));
		check_line_add_hex(why, &c[i]);
	}
	if (s->claims->n > before)
		return true;
	str_add(why, " has no line about it");
	return false;
}

static enum rc
check_checksum(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait, struct err *e)
{
	CLEANUP(str_release) struct str side = STR_INIT;
	CLEANUP(str_release) struct str quoted = STR_INIT;
	struct err untold = ERR_INIT;
	struct checklist *l;
	enum rc rc;

	side_name(&side, rule->side, s->item->name, s->item->name_len);
	str_add_quoted(&quoted, side.s, side.len);
	str_addf(why, "checksum %s", quoted.s);
	rc = sums_get(s->sums, s->ops, s->source, &side, &l, &untold);
	switch (rc) {
	case OK:
		return find_claims(
			       s, l, side_is_shared(rule->side), quoted.s, why)
			? OK
			: AGAIN;
	case END:
		str_add(why, " is not there");
		return AGAIN;
	case AGAIN:
		str_add(why, " changed while it was read");
		*wait = CLOCK_SECOND;
		return AGAIN;
	case BAD_ITEM:
		str_addf(why, " %s", untold.text);
		return AGAIN;
	default:
		*e = untold;
		return rc;
	}
}

/* Whether all of it is there is a question to the manifest: decide-set.c. */
static enum rc
check_manifest(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait UNUSED, struct err *e UNUSED)
{
	if (s->manifest == NULL) {
		str_addf(why, "no manifest (%s) names it", rule->side);
		return AGAIN;
	}
	str_add(why, s->manifest);
	return OK;
}

static rule_check *const checks[] = {
	[READY_STABLE] = check_stable,
	[READY_AGE] = check_age,
	[READY_SENTINEL] = check_sentinel,
	[READY_CLOSED] = check_closed,
	[READY_CHECKSUM] = check_checksum,
	[READY_MANIFEST] = check_manifest,
};

enum rc
settle_check(const struct settle *s, struct str *evidence, int64_t *ret_wait,
	struct err *e)
{
	const struct ready *r = &s->config->ready;
	bool all = true;

	str_clear(evidence);
	claims_release(s->claims);
	*ret_wait = 0;
	for (size_t i = 0; i < r->n; i++) {
		size_t before = evidence->len;
		int64_t wait = 0;
		enum rc rc;

		if (s->skip & 1u << r->rule[i].kind)
			continue;
		if (before > 0)
			str_add(evidence, "; ");
		rc = checks[r->rule[i].kind](
			s, &r->rule[i], evidence, &wait, e);
		if (rc != OK && rc != AGAIN)
			return rc;
		if (rc == OK && !r->all) {
			/* One is enough, and it alone is the evidence. */
			if (before > 0) {
				size_t n = evidence->len - before - 2;

				memmove(evidence->s, evidence->s + before + 2,
					n);
				str_cut(evidence, n);
			}
			*ret_wait = 0;
			return OK;
		}
		if (rc == AGAIN) {
			all = false;
			if (wait > 0 && (*ret_wait == 0 || wait < *ret_wait))
				*ret_wait = wait;
		}
	}
	return r->all && all ? OK : AGAIN;
}
