#include "daemon/weigh.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/decide-state.h"

#define COUNTED 100 /* larger sets are told in percent */

void
weigh_begin(struct decision *d)
{
	d->known = d->unchanged = false;
	d->set_ends = d->spent = d->wanted = d->told = false;
	d->wait = 0;
	d->set = d->manifest = NULL;
	d->set_bytes = 0;
	d->skip = 0;
	str_clear(&d->rule);
	str_clear(&d->evidence);
	claims_release(&d->claims);
}

enum rc
weigh_know(struct decision *d, const struct item *it, struct err *e)
{
	enum rc rc = catalog_find(d->catalog, d->config->name, it->name,
		it->name_len, &d->name, e);

	d->known = rc == OK;
	return rc == END ? OK : rc;
}

struct member *
weigh_member(const struct manifests *ms, const struct manifest *m, size_t first)
{
	return &ms->member[ms->mention[m->mention[first]].member];
}

size_t
weigh_lines(const struct manifests *ms, const struct manifest *m, size_t first)
{
	const struct member *x = weigh_member(ms, m, first);
	size_t n = 1;

	while (first + n < m->n && weigh_member(ms, m, first + n) == x)
		n++;
	return n;
}

struct item
weigh_item(const struct member *x)
{
	return (struct item){
		.name = x->name,
		.name_len = x->name_len,
		.type = ITEM_FILE,
		.signature = x->signature,
	};
}

/* ---- one name ---- */

/* The digests and records that the manifest has of it; false: too many. */
static bool
add_claims(struct decision *d, const struct manifests *ms,
	const struct manifest *m, size_t first)
{
	CLEANUP(str_release) struct str from = STR_INIT;
	size_t end = first + weigh_lines(ms, m, first);

	str_add_quoted(&from, m->name, m->name_len);
	for (size_t i = first; i < end; i++) {
		const struct mention *y = &ms->mention[m->mention[i]];
		const struct check_line *c = &m->list.line[y->line];

		if (c->has_records)
			claims_add_records(&d->claims, c->records, from.s);
		if (c->has_sum && !claims_add(&d->claims, c, from.s))
			return false;
	}
	return true;
}

/* Has it the size that the manifest says? If not, d->rule says both. */
static bool
has_size(struct decision *d, const struct manifests *ms,
	const struct manifest *m, size_t first)
{
	const struct member *x = weigh_member(ms, m, first);
	size_t end = first + weigh_lines(ms, m, first);

	for (size_t i = first; i < end; i++) {
		const struct mention *y = &ms->mention[m->mention[i]];
		const struct check_line *c = &m->list.line[y->line];

		if (!c->has_size || c->size == x->signature.size)
			continue;
		str_clear(&d->rule);
		str_addf(&d->rule,
			"it has %" PRIu64 " bytes, the manifest says %" PRIu64,
			x->signature.size, c->size);
		return false;
	}
	return true;
}

/*
 * Are the bytes that landed before those that the manifest has? False: the
 * catalog cannot tell, they must be read.
 */
static bool
tell_landed(const struct decision *d, bool *ret)
{
	*ret = d->claims.records_from == NULL ||
		d->claims.records == d->name.version.records;
	for (size_t i = 0; i < d->claims.n; i++) {
		const struct claim *c = &d->claims.claim[i];

		if (c->kind != DIGEST_SHA256)
			return false;
		*ret &= memcmp(c->sum, d->name.version.bytes_sha256,
				HASH_LEN) == 0;
	}
	return true;
}

static enum verdict
waits(struct decision *d, const char *why)
{
	str_clear(&d->rule);
	str_add(&d->rule, why);
	return VERDICT_WAITS;
}

/* What its state, and what is said of it, make of it. */
static enum verdict
judge(struct decision *d, const struct member *x)
{
	bool is_so;

	if (x->state == MEMBER_OVER && tell_landed(d, &is_so))
		return is_so ? VERDICT_OVER
			     : waits(d,
				       "it has landed as something else "
				       "than the manifest has");
	if (x->state == MEMBER_QUARANTINED &&
		!claims_are_news(&d->claims, d->name.reason)) {
		str_clear(&d->rule);
		str_addf(&d->rule, "it is quarantined: %s", d->name.reason);
		return VERDICT_WAITS;
	}
	return d->disposition == DISPOSITION_PENDING ? waits(d, d->evidence.s)
						     : VERDICT_READ;
}

enum rc
weigh_name(struct decision *d, const struct manifests *ms,
	const struct manifest *m, size_t first, const char *evidence,
	enum verdict *ret, struct err *e)
{
	const struct member *x = weigh_member(ms, m, first);
	struct item it = weigh_item(x);
	struct err ignored = ERR_INIT;
	const char *matched;

	weigh_begin(d);
	(void)source_rule(d->config, &it, &d->rule, &matched);
	str_clear(&d->rule);
	d->manifest = evidence;
	d->skip = evidence == NULL ? 1u << READY_MANIFEST : 0;
	if (weigh_know(d, &it, e) != OK ||
		decide_ready(d, &it, matched, clock_wall(), e) != OK)
		return e->code;
	if (!add_claims(d, ms, m, first)) {
		*ret = waits(d, "the manifest has too many digests of it");
		return OK;
	}
	if (!has_size(d, ms, m, first)) {
		*ret = VERDICT_WAITS;
		return OK;
	}
	*ret = judge(d, x);
	if (evidence == NULL && *ret == VERDICT_READ &&
		d->ops->closed != NULL &&
		d->ops->closed(d->source, x->name, x->name_len, &ignored) ==
			AGAIN) {
		*ret = waits(d, "somebody has it open for writing");
		d->wait = WEIGH_AGAIN;
	}
	return OK;
}

enum rc
weigh_manifest(struct decision *d, struct manifest *m, struct err *e)
{
	const struct item it = {
		.name = m->name,
		.name_len = m->name_len,
		.type = ITEM_FILE,
		.signature = m->signature,
	};

	weigh_begin(d);
	d->skip = 1u << READY_MANIFEST | 1u << READY_SENTINEL |
		1u << READY_CHECKSUM;
	if (weigh_know(d, &it, e) != OK ||
		decide_ready(d, &it, NULL, clock_wall(), e) != OK)
		return e->code;
	if (d->disposition == DISPOSITION_PENDING) {
		m->trouble = mem_strdup(d->evidence.s);
		m->wait = d->wait;
	}
	return OK;
}

/* ---- a set ---- */

static void
sooner(int64_t *wait, int64_t other)
{
	if (other > 0 && (*wait == 0 || other < *wait))
		*wait = other;
}

/* What only takes time is told if nothing else is wrong. */
static void
hinder(struct weight *w, const struct member *x, const char *why, bool lasting)
{
	if (w->obstacle.len > 0 && (w->lasting || !lasting))
		return;
	str_clear(&w->obstacle);
	str_add_quoted(&w->obstacle, x->name, x->name_len);
	str_addf(&w->obstacle, ": %s", why);
	w->lasting = lasting;
}

/* It is there, and has no disposition yet. */
static enum rc
weigh_one(struct decision *d, const struct manifests *ms,
	const struct manifest *m, size_t first, struct weight *w, struct err *e)
{
	struct member *x = weigh_member(ms, m, first);
	enum verdict v;

	if (weigh_name(d, ms, m, first, NULL, &v, e) != OK)
		return e->code;
	x->failed = d->known && d->name.disposition == DISPOSITION_PENDING &&
		strncmp(d->name.reason, "manifest ", 9) != 0;
	if (v == VERDICT_WAITS) {
		hinder(w, x, d->rule.s, x->state != MEMBER_THERE);
		sooner(&w->wait, d->wait);
	} else if (v == VERDICT_READ) {
		w->to_read++;
		w->bytes += x->signature.size;
	}
	return OK;
}

/*
 * It is not there: did it land, and leave? Only its SHA-256 can say so, for
 * another file may be on its way under the same name.
 */
static enum rc
has_left(struct decision *d, const struct manifests *ms,
	const struct manifest *m, size_t first, bool *ret, struct err *e)
{
	const struct member *x = weigh_member(ms, m, first);
	const struct item it = weigh_item(x);
	bool is_so;

	*ret = false;
	if (!x->claimed)
		return OK;
	weigh_begin(d);
	if (weigh_know(d, &it, e) != OK)
		return e->code;
	*ret = d->known && d->name.version.id != 0 &&
		d->name.disposition != DISPOSITION_QUARANTINED &&
		add_claims(d, ms, m, first) && d->claims.n > 0 &&
		tell_landed(d, &is_so) && is_so;
	return OK;
}

enum rc
weigh_set(struct decision *d, const struct manifests *ms,
	const struct manifest *m, struct weight *w, struct err *e)
{
	for (size_t i = 0; i < m->n; i += weigh_lines(ms, m, i)) {
		struct member *x = weigh_member(ms, m, i);
		bool left = false;

		if (x->state == MEMBER_MISSING &&
			has_left(d, ms, m, i, &left, e) != OK)
			return e->code;
		w->there += x->state != MEMBER_MISSING || left;
		if (left)
			continue;
		if (x->state == MEMBER_MISSING) {
			if (w->missing < WEIGH_SHOWN)
				w->shown[w->missing] = x;
			w->missing++;
		} else if (x->state == MEMBER_NOT_FILE) {
			hinder(w, x, "it is not a regular file", true);
		} else if (x->told && x->state == MEMBER_THERE) {
			hinder(w, x, "it lands with another manifest first",
				false);
			sooner(&w->wait, WEIGH_AGAIN);
		} else if (!x->told && weigh_one(d, ms, m, i, w, e) != OK) {
			return e->code;
		}
	}
	return OK;
}

/*
 * It is recorded for each name of the set whenever it changes: of a large one
 * only at each hundredth part.
 */
static void
add_count(struct str *s, const struct manifest *m, const struct weight *w)
{
	if (w->missing == 0)
		str_addf(s, "all %zu name%s there", m->names,
			m->names == 1 ? " is" : "s are");
	else if (m->names > COUNTED && w->missing > WEIGH_SHOWN)
		str_addf(s, "%zu %% of %zu names are there",
			w->there * 100 / m->names, m->names);
	else
		str_addf(s, "%zu of %zu names %s there", w->there, m->names,
			w->there == 1 ? "is" : "are");
}

void
weigh_add_lack(struct str *s, const struct manifest *m, const struct weight *w)
{
	size_t shown = w->missing < WEIGH_SHOWN ? w->missing : WEIGH_SHOWN;

	add_count(s, m, w);
	if (m->names > COUNTED && w->missing > shown)
		shown = 0;
	for (size_t i = 0; i < shown; i++) {
		str_add(s, i == 0 ? "; missing: " : ", ");
		str_add_quoted(s, w->shown[i]->name, w->shown[i]->name_len);
	}
	if (shown > 0 && w->missing > shown)
		str_addf(s, " and %zu more", w->missing - shown);
	if (w->obstacle.len > 0 && (w->lasting || w->missing == 0))
		str_addf(s, "; %s", w->obstacle.s);
}
