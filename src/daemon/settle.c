#include "daemon/settle.h"

#include <string.h>

#include "base/clock.h"

#define NAME_WORD "{name}"

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
	if (changed <= s->now && s->now - changed >= rule->time) {
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
	if (changed > s->now)
		changed = last_seen_changed(s);
	str_add(why, "age ");
	str_add_duration(why, (uint64_t)rule->time);
	if (s->now - changed >= rule->time)
		return OK;
	str_add(why, ": too young");
	*wait = rule->time - (s->now - changed);
	return AGAIN;
}

/* "{name}.done" for "sub/a.csv" is "sub/a.csv.done". */
static void
add_side(struct str *s, const char *side, const uint8_t *name, size_t len)
{
	const uint8_t *slash = memrchr(name, '/', len);
	size_t folder = slash != NULL ? (size_t)(slash + 1 - name) : 0;
	const char *at = strstr(side, NAME_WORD);

	str_addn(s, name, folder);
	str_addn(s, side, (size_t)(at - side));
	str_addn(s, name + folder, len - folder);
	str_add(s, at + strlen(NAME_WORD));
}

static enum rc
check_sentinel(const struct settle *s, const struct ready_rule *rule,
	struct str *why, int64_t *wait UNUSED, struct err *e)
{
	CLEANUP(str_release) struct str side = STR_INIT;
	struct signature sig;
	enum item_type type;
	enum rc rc;

	add_side(&side, rule->side, s->item->name, s->item->name_len);
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

static rule_check *const checks[] = {
	[READY_STABLE] = check_stable,
	[READY_AGE] = check_age,
	[READY_SENTINEL] = check_sentinel,
	[READY_CLOSED] = check_closed,
};

enum rc
settle_check(const struct settle *s, struct str *evidence, int64_t *ret_wait,
	struct err *e)
{
	const struct ready *r = &s->config->ready;
	bool all = true;

	str_clear(evidence);
	*ret_wait = 0;
	for (size_t i = 0; i < r->n; i++) {
		size_t before = evidence->len;
		int64_t wait = 0;
		enum rc rc;

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

bool
settle_base(const struct source_config *cfg, const uint8_t *name, size_t len,
	struct str *base)
{
	const uint8_t *slash = memrchr(name, '/', len);
	size_t folder = slash != NULL ? (size_t)(slash + 1 - name) : 0;

	for (size_t i = 0; i < cfg->ready.n; i++) {
		const char *side = cfg->ready.rule[i].side, *at;
		size_t head, tail;

		if (side == NULL)
			continue;
		at = strstr(side, NAME_WORD);
		head = (size_t)(at - side);
		tail = strlen(at) - strlen(NAME_WORD);
		if (len - folder <= head + tail ||
			memcmp(name + folder, side, head) != 0 ||
			memcmp(name + len - tail, at + strlen(NAME_WORD),
				tail) != 0)
			continue;
		str_clear(base);
		str_addn(base, name, folder);
		str_addn(
			base, name + folder + head, len - folder - head - tail);
		return true;
	}
	return false;
}
