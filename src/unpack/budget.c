#include "unpack/budget.h"

#include <inttypes.h>

#include "base/str.h"

enum rc
budget_member(struct budget *b, size_t name_len, unsigned depth, struct err *e)
{
	const struct unpack_limits *l = b->limits;

	b->member = 0;
	if (depth > l->depth)
		return err_set(e, BAD_ITEM,
			"archives inside archives, more than %u deep "
			"(max_depth)",
			l->depth);
	if (name_len > l->name_len)
		return err_set(e, BAD_ITEM,
			"a name of %zu bytes, and the limit is %u", name_len,
			l->name_len);
	if (b->members >= l->members)
		return err_set(e, BAD_ITEM,
			"more than %" PRIu64 " members (max_members)",
			l->members);
	b->members++;
	return OK;
}

static enum rc
too_large(const struct budget *b, const char *what, uint64_t limit,
	const char *key, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_size(&s, limit);
	return err_set(e, BAD_ITEM,
		"%s unpacks to more than %s (%s), after %" PRIu64 " members",
		what, s.s, key, b->members);
}

enum rc
budget_bytes(struct budget *b, uint64_t n, struct err *e)
{
	const struct unpack_limits *l = b->limits;

	if (n > l->member_bytes || b->member > l->member_bytes - n)
		return too_large(
			b, "one member", l->member_bytes, "max_member", e);
	if (n > l->total_bytes || b->total > l->total_bytes - n)
		return too_large(
			b, "the archive", l->total_bytes, "max_bytes", e);
	b->member += n;
	b->total += n;
	if (b->total > UNPACK_GRACE && b->total / l->ratio >= b->object)
		return err_set(e, BAD_ITEM,
			"%" PRIu64 " bytes came out of an archive of %" PRIu64
			", more than %" PRIu64 " times as many (max_ratio)",
			b->total, b->object, l->ratio);
	return OK;
}
