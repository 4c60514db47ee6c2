#include "land/recall.h"

#include <string.h>

#include "base/mem.h"

void
recall_release(struct recall *r)
{
	delivery_free(r->d);
	landing_close(r->landing);
}

enum rc
recall_read(struct recall *r, struct zone *z, const char *path, bool whole,
	struct err *e)
{
	const struct provenance *p;
	struct delivery *d;
	int fd = -1;
	enum rc rc;

	*r = (struct recall){0};
	rc = zone_read(z, path, &fd, e);
	if (rc != OK)
		return rc;
	if (landing_open(fd, &r->landing, e) != OK)
		return err_add(e, "zone: %s", path);
	p = landing_provenance(r->landing);
	d = r->d = delivery_new(p->source, p->name, p->name_len);
	/* ctime and inode are not kept: the next look hashes once more. */
	d->signature = (struct signature){.size = p->size, .mtime = p->mtime};
	d->landed.size = p->size;
	d->landed.totals = p->totals;
	memcpy(d->landed.bytes_sha256, p->bytes_sha256, HASH_LEN);
	d->generation = p->generation;
	d->relation = p->relation;
	d->quarantine = p->reason != NULL;
	d->unpacked = p->unpacked;
	d->disposition = d->quarantine ? DISPOSITION_QUARANTINED
		: p->unpacked	       ? DISPOSITION_UNPACKED
		: p->generation > 1    ? DISPOSITION_NEW_VERSION
				       : DISPOSITION_LANDED;
	if (p->reason != NULL)
		d->reason = mem_strdup(p->reason);
	if (p->released != NULL) {
		d->settles = true;
		d->settled = p->settles;
		d->reason = mem_strdup(p->released);
	}
	if (p->drift != NULL)
		d->drift = mem_strdup(p->drift);
	d->has_shape = provenance_shape(p, &d->shape);
	str_add(&d->file, path);
	d->recorded = true;
	if (whole &&
		landing_check(r->landing, d->file_sha256, NULL, NULL, e) != OK)
		return err_add(e, "zone: %s", path);
	return OK;
}
