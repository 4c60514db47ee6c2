/*
 * entry.h - one entry of the ledger, read.
 *
 * The ledger may be anybody's: an entry is believed only as far as it is
 * well-formed, and the file it names lies below the zone.
 *
 *	struct entry x;
 *	if (entry_read(&x, text.s, text.len, &e) == OK) {
 *		...
 *		entry_release(&x);
 *	}
 */
#ifndef CLI_ENTRY_H
#define CLI_ENTRY_H

#include <stdbool.h>

#include "landfall/catalog.h"
#include "landfall/ledger.h"

struct entry {
	uint64_t index;
	bool rejected;	  /* says of a quarantined file that it will not land */
	bool settles;	  /* a quarantined entry, by landing or rejecting it */
	uint64_t settled; /* which */
	enum disposition disposition; /* 0: of a kind we do not know */
	/* The rest only when the disposition is known. */
	const char *source;
	uint8_t *name;
	size_t name_len;
	const char *file; /* below the zone; "": there is none, of an archive
			     whose own bytes were not kept */
	bool is_again;	  /* the same archive as that of an earlier entry */
	uint64_t again;	  /* which */
	uint8_t bytes_sha256[HASH_LEN];
	uint8_t file_sha256[HASH_LEN];
	uint32_t generation;
	uint64_t size;
	uint64_t records;
	int64_t landed_at;
	void *json; /* json_t; holds the texts */
};

/* BAD_ITEM: not an entry; the text says which key is wrong. */
enum rc entry_read(
	struct entry *x, const char *text, size_t len, struct err *e) MUST_USE;
void entry_release(struct entry *x);

/* Entry `index` of a view. */
enum rc entry_at(struct entry *x, struct ledger_view *v, uint64_t index,
	struct err *e) MUST_USE;

/* Did this delivery make a landing file of its own? */
bool entry_has_file(const struct entry *x);

/* A relative path without empty, "." and ".." components. */
bool entry_is_path(const char *path) MUST_USE;

#endif
