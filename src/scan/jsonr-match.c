/* jsonr-match.c - how far the queries got, and what they are told. */
#include <stdlib.h>
#include <string.h>

#include "scan/jsonr-state.h"

#define BIT(i) (UINT64_C(1) << (i))

/* Runs the body for each query of a set. */
#define EACH(i, set) \
	for (uint64_t left_ = (set); left_ != 0; left_ &= left_ - 1) \
		for (unsigned i = (unsigned)__builtin_ctzll(left_), once_ = 1; \
			once_ != 0; once_ = 0)

static const struct jsonpath_step *
step_of(const struct jsonr *j, unsigned query, unsigned at)
{
	return &j->asked[query].path.step[at];
}

uint64_t
jsonr_match_name(
	const struct jsonr *j, uint64_t set, const uint8_t *name, size_t n)
{
	unsigned at = j->depth - 1;
	uint64_t match = set & j->every[at];

	/* Nearly every name is of no interest by its length alone. */
	if ((j->lengths[at] >> (n < 63 ? n : 63) & 1) == 0)
		return match;
	EACH(i, set & j->named[at])
	{
		const struct jsonpath_step *step = step_of(j, i, at);

		if (step->len == n && memcmp(step->name, name, n) == 0)
			match |= BIT(i);
	}
	return match;
}

static void
drop_held(struct jsonr_asked *q)
{
	q->held = false;
	q->text.len = 0;
}

uint64_t
jsonr_match_element(struct jsonr *j, uint64_t set)
{
	unsigned at = j->depth - 1;
	uint64_t match = set & j->every[at], count = j->count[at]++;

	EACH(i, set & ~j->every[at] & ~j->named[at])
	{
		const struct jsonpath_step *step = step_of(j, i, at);

		if (step->kind == JSONPATH_LAST) {
			drop_held(&j->asked[i]);
			match |= BIT(i);
		} else if (step->element == count) {
			match |= BIT(i);
		}
	}
	return match;
}

void
jsonr_value_begin(struct jsonr *j, uint64_t match, uint64_t offset)
{
	uint64_t here;

	if (match == 0)
		return;
	here = match & j->ends[j->depth];
	j->reached |= here;
	if ((here & j->records) != 0) {
		j->record = 1 + (unsigned)__builtin_ctzll(here & j->records);
		j->record_depth = j->depth;
		j->record_start = offset;
	}
}

static void
tell(struct jsonr *j, unsigned query, enum jsonr_type type, const uint8_t *p,
	size_t n)
{
	j->sink.value(j->arg, query, type, p, n);
}

void
jsonr_value_text(struct jsonr *j, uint64_t match, enum jsonr_type type,
	const uint8_t *p, size_t n)
{
	EACH(i, match & j->ends[j->depth] & ~j->records)
	{
		struct jsonr_asked *q = &j->asked[i];
		struct err e = ERR_INIT;

		if (!q->last) {
			tell(j, i, type, p, n);
			continue;
		}
		drop_held(q);
		q->held = true;
		q->type = type;
		if (buf_add(&q->text, p, n, &e) != OK)
			abort(); /* no longer than what it was read into */
	}
}

void
jsonr_tell_held(struct jsonr *j, unsigned record)
{
	EACH(i, j->last)
	{
		struct jsonr_asked *q = &j->asked[i];

		if (!q->held || q->record != record)
			continue;
		tell(j, i, q->type, q->text.data, q->text.len);
		drop_held(q);
	}
}

void
jsonr_open(struct jsonr *j, uint64_t match, bool object)
{
	unsigned depth = j->depth++;

	j->object[depth] = object;
	j->now = 0;
	if (depth > JSONR_STEPS)
		return;
	j->reached |= match & j->first_every[depth];
	j->now = j->set[depth] = match & j->longer[depth];
	j->count[depth] = 0;
}

bool
jsonr_value_end(struct jsonr *j, uint64_t end)
{
	unsigned query = j->record - 1;
	uint64_t length = end - j->record_start;

	if (j->record == 0 || j->depth != j->record_depth)
		return true;
	if (length > j->max_record)
		return jsonr_refuse_long(j);
	jsonr_tell_held(j, j->record);
	j->record = 0;
	j->sink.record(j->arg, query, j->record_start, length);
	return true;
}
