/*
 * One name and what became of it, and how the ledger says it.
 */
#include <stdlib.h>

#include "base/io.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "landfall/commit.h"

struct delivery *
delivery_new(const char *source, const uint8_t *name, size_t name_len)
{
	struct delivery *d = mem_alloc(sizeof(*d));

	d->source = source;
	d->name = mem_dup(name, name_len);
	d->name_len = name_len;
	d->fd = -1;
	d->file = (struct str)STR_INIT;
	d->sha_chars = 12;
	return d;
}

void
delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	io_drop(&d->fd);
	str_release(&d->file);
	free(d->drift);
	free(d->reason);
	free(d->line);
	if (d->write_owned)
		free(d->write_arg);
	free(d->name);
	free(d);
}

void
members_add(struct str *s, const struct members *m)
{
	const char *before = "members: ";

	for (unsigned i = 1; i < DISPOSITIONS; i++) {
		if (m->count[i] == 0)
			continue;
		str_addf(s, "%s%llu %s", before,
			(unsigned long long)m->count[i], disposition_name(i));
		before = ", ";
	}
	if (m->findings > 0)
		str_addf(s, " (%llu unfit to be a file)",
			(unsigned long long)m->findings);
	if (m->missing > 0)
		str_addf(s, ", %llu missing", (unsigned long long)m->missing);
	if (*before == 'm')
		str_add(s, m->known ? "no members" : "unpacked");
}

/* ---- its ledger entry ---- */

static void
write_count(struct jsonw *j, const struct members *m, enum disposition d)
{
	jsonw_key(j, disposition_name(d)), jsonw_u64(j, m->count[d]);
}

static void
write_members(struct jsonw *j, const struct members *m)
{
	jsonw_object(j);
	write_count(j, m, DISPOSITION_DUPLICATE);
	jsonw_key(j, "findings"), jsonw_u64(j, m->findings);
	write_count(j, m, DISPOSITION_IGNORED);
	write_count(j, m, DISPOSITION_LANDED);
	jsonw_key(j, "missing"), jsonw_u64(j, m->missing);
	write_count(j, m, DISPOSITION_NEW_VERSION);
	write_count(j, m, DISPOSITION_QUARANTINED);
	jsonw_end(j);
}

void
delivery_entry(struct str *s, const struct delivery *d)
{
	struct jsonw j = jsonw_canonical(s);
	bool has_file = d->file.len > 0;

	jsonw_object(&j);
	if (d->is_again)
		jsonw_key(&j, "again"), jsonw_u64(&j, d->again);
	jsonw_key(&j, "bytes_sha256");
	jsonw_hex(&j, d->landed.bytes_sha256, HASH_LEN);
	jsonw_key(&j, "disposition");
	jsonw_text(&j,
		d->rejected ? "rejected" : disposition_name(d->disposition));
	if (has_file) {
		jsonw_key(&j, "file"), jsonw_text(&j, d->file.s);
		jsonw_key(&j, "file_sha256");
		jsonw_hex(&j, d->file_sha256, HASH_LEN);
	}
	jsonw_key(&j, "generation"), jsonw_u64(&j, d->generation);
	jsonw_key(&j, "index"), jsonw_u64(&j, d->index);
	jsonw_key(&j, "landed_at"), jsonw_time(&j, d->landed_at);
	if (d->unpacked && d->members.known)
		jsonw_key(&j, "members"), write_members(&j, &d->members);
	jsonw_key(&j, "name"), jsonw_percent(&j, d->name, d->name_len);
	if (d->reason != NULL)
		jsonw_key(&j, "reason"), jsonw_text(&j, d->reason);
	if (has_file) {
		jsonw_key(&j, "records");
		jsonw_u64(&j, d->landed.totals.records);
	}
	if (d->settles)
		jsonw_key(&j, "settles"), jsonw_u64(&j, d->settled);
	jsonw_key(&j, "size"), jsonw_u64(&j, d->landed.size);
	jsonw_key(&j, "source"), jsonw_text(&j, d->source);
	jsonw_end(&j);
}
