#include "land/tell.h"

#include <string.h>

#include "base/mem.h"

/* What is told of an archive: of its members, then why it is as it is. */
static char *
unpacked_words(const struct delivery *d)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	members_add(&s, &d->members);
	if (d->reason != NULL)
		str_addf(&s, "; %s", d->reason);
	return str_take(&s);
}

static enum rc
tell(struct catalog *c, struct delivery *d, int64_t now, struct err *e)
{
	CLEANUP(mem_release)
	char *words = d->unpacked ? unpacked_words(d) : NULL;
	const char *reason = words != NULL ? words
		: d->reason != NULL	   ? d->reason
					   : d->drift;

	if (reason != NULL &&
		catalog_note(c, d->source, d->name, d->name_len, &d->signature,
			now, d->disposition, reason, e) != OK)
		return e->code;
	if (d->settles && catalog_settle(c, d->settled, d->index, e) != OK)
		return e->code;
	if (!d->has_shape ||
		(d->disposition != DISPOSITION_LANDED &&
			d->disposition != DISPOSITION_NEW_VERSION))
		return OK;
	d->shape.index = d->index;
	return catalog_shape_put(c, d->source, &d->shape, e);
}

enum rc
tell_version(struct catalog *c, struct delivery *d, struct err *e)
{
	struct catalog_version v = {
		.generation = d->generation,
		.disposition = d->disposition,
		.relation = d->relation,
		.size = d->landed.size,
		.records = d->landed.totals.records,
		.malformed = d->landed.totals.malformed,
		.landed_at = d->landed_at,
		.index = d->index,
		.file = d->file.s,
	};

	memcpy(v.bytes_sha256, d->landed.bytes_sha256, HASH_LEN);
	memcpy(v.file_sha256, d->file_sha256, HASH_LEN);
	if (catalog_put(c, d->source, d->name, d->name_len, &d->signature,
		    d->landed_at, &v, e) != OK)
		return e->code;
	return tell(c, d, d->landed_at, e);
}

enum rc
tell_rejection(struct catalog *c, const struct delivery *d, const char *entry,
	size_t len, struct err *e)
{
	struct catalog_name n;
	enum rc rc = catalog_find(c, d->source, d->name, d->name_len, &n, e);

	if (rc == END)
		return err_set(e, BROKEN,
			"rejected entry %llu is of a name the catalog does "
			"not know: run `landfall catalog rebuild`",
			(unsigned long long)d->settled);
	if (rc != OK ||
		catalog_note(c, d->source, d->name, d->name_len, &n.signature,
			d->landed_at, n.disposition, d->reason, e) != OK ||
		catalog_settle(c, d->settled, d->index, e) != OK)
		return e->code;
	return catalog_outbox_put(c, d->index, entry, len, NULL, e);
}
