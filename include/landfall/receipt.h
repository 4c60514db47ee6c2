/*
 * receipt.h - what a partner can show later: that one delivery was taken, as
 * these bytes, at this place in the ledger.
 *
 * A receipt is one line: a canonical JSON object and a newline. It holds the
 * ledger's entry as it was hashed and a C2SP tlog-proof that the signed
 * checkpoint covers it: whoever knows the ledger's key needs neither us nor
 * the zone to check it. landfall.yaml(5) documents its keys.
 *
 * Nothing here writes a file: an outbox or a partner's folder gets the same.
 */
#ifndef LANDFALL_RECEIPT_H
#define LANDFALL_RECEIPT_H

#include "landfall/catalog.h"
#include "landfall/scan.h"

#define RECEIPT_VERSION 1
#define RECEIPT_MALFORMED 20 /* spans told, at most */

struct receipt {
	const char *origin; /* the ledger's */
	const char *source;
	const uint8_t *name;
	size_t name_len;
	const struct catalog_version *version;
	const char *reason; /* why quarantined, or of a release; or NULL */
	const char *entry;  /* the ledger's, as it is */
	size_t entry_len;
	uint64_t tree_size; /* of the checkpoint, */
	const char *proof;  /* which it is a proof for */
	/* The first malformed spans; told false: they could not be read. */
	bool told;
	struct scan_exception malformed[RECEIPT_MALFORMED];
	size_t n_malformed;
};

void receipt_write(const struct receipt *r, struct str *s);

/*
 * The file of a name's newest receipt, "orders.csv.receipt.json", and that of
 * the entry `index` of the same name, "orders.csv.receipt-17.json". Names are
 * made safe as in the zone, folders included: one component, which leaves
 * room for ".tmp" at its end. No two deliveries' names meet.
 */
void receipt_file(struct str *s, const uint8_t *name, size_t len);
void
receipt_file_of(struct str *s, const uint8_t *name, size_t len, uint64_t index);

#endif
