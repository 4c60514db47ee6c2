#include "landfall/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "base/jsonw.h"
#include "landfall/zone.h"

/* NAME_MAX, less what the longest tail and a temporary name add. */
#define NAME_MOST (255 - (int)sizeof(".receipt-18446744073709551615.json.tmp"))

static void
write_malformed(struct jsonw *j, const struct receipt *r)
{
	if (!r->told) {
		jsonw_null(j);
		return;
	}
	jsonw_array(j);
	for (size_t i = 0; i < r->n_malformed; i++) {
		const struct scan_exception *x = &r->malformed[i];
		const char *kind = format_kind_name(x->kind);

		jsonw_object(j);
		jsonw_key(j, "count"), jsonw_u64(j, x->count);
		jsonw_key(j, "kind");
		jsonw_text(j, kind != NULL ? kind : "unknown");
		jsonw_key(j, "length"), jsonw_u64(j, x->length);
		jsonw_key(j, "offset"), jsonw_u64(j, x->offset);
		jsonw_end(j);
	}
	jsonw_end(j);
}

void
receipt_write(const struct receipt *r, struct str *s)
{
	const struct catalog_version *v = r->version;
	struct jsonw j = jsonw_canonical(s);
	bool has_file = *v->file != '\0'; /* an archive's members have */

	jsonw_object(&j);
	jsonw_key(&j, "bytes_sha256");
	jsonw_hex(&j, v->bytes_sha256, HASH_LEN);
	jsonw_key(&j, "disposition");
	jsonw_text(&j, disposition_name(v->disposition));
	jsonw_key(&j, "entry"), jsonw_textn(&j, r->entry, r->entry_len);
	if (has_file) {
		jsonw_key(&j, "file"), jsonw_text(&j, v->file);
		jsonw_key(&j, "file_sha256");
		jsonw_hex(&j, v->file_sha256, HASH_LEN);
	}
	jsonw_key(&j, "generation"), jsonw_u64(&j, v->generation);
	jsonw_key(&j, "index"), jsonw_u64(&j, v->index);
	jsonw_key(&j, "landed_at"), jsonw_time(&j, v->landed_at);
	if (has_file) {
		jsonw_key(&j, "malformed"), jsonw_u64(&j, v->malformed);
		jsonw_key(&j, "malformed_first"), write_malformed(&j, r);
	}
	jsonw_key(&j, "name"), jsonw_percent(&j, r->name, r->name_len);
	jsonw_key(&j, "origin"), jsonw_text(&j, r->origin);
	jsonw_key(&j, "proof"), jsonw_text(&j, r->proof);
	if (r->reason != NULL)
		jsonw_key(&j, "reason"), jsonw_text(&j, r->reason);
	jsonw_key(&j, "receipt"), jsonw_u64(&j, RECEIPT_VERSION);
	if (has_file)
		jsonw_key(&j, "records"), jsonw_u64(&j, v->records);
	jsonw_key(&j, "relation"), jsonw_text(&j, relation_name(v->relation));
	jsonw_key(&j, "size"), jsonw_u64(&j, v->size);
	jsonw_key(&j, "source"), jsonw_text(&j, r->source);
	jsonw_key(&j, "tree_size"), jsonw_u64(&j, r->tree_size);
	jsonw_end(&j);
	str_addc(s, '\n');
}

void
receipt_file(struct str *s, const uint8_t *name, size_t len)
{
	zone_add_name(s, name, len, len, NAME_MOST);
	str_add(s, ".receipt.json");
}

void
receipt_file_of(struct str *s, const uint8_t *name, size_t len, uint64_t index)
{
	zone_add_name(s, name, len, len, NAME_MOST);
	str_addf(s, ".receipt-%" PRIu64 ".json", index);
}
