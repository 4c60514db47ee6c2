/*
 * sums.h - checklists at a source: the file read whole, as it stands still.
 *
 * The list read last is kept, so that a list for a folder of many deliveries
 * is not read for each of them.
 */
#ifndef DAEMON_SUMS_H
#define DAEMON_SUMS_H

#include "base/hash.h"
#include "landfall/checklist.h"
#include "landfall/source.h"

/*
 * sha256 (may be NULL) gets that of its bytes. END: no such file; AGAIN: it
 * changed meanwhile; BAD_ITEM: it cannot be read, is no regular file, or is too
 * large; otherwise the source failed.
 */
enum rc sums_load(const struct source_ops *ops, struct source *s,
	const uint8_t *name, size_t len, enum checklist_kind kind,
	const struct checklist_table *table, struct checklist *ret,
	struct signature *ret_signature, uint8_t sha256[HASH_LEN],
	struct err *e) MUST_USE;

struct sums {
	struct str name;
	struct signature signature;
	struct checklist list;
};
#define SUMS_INIT \
	{ \
		.name = STR_INIT \
	}

void sums_release(struct sums *s);

/* The same, for checksums; the list stays that of `s`. */
enum rc
sums_get(struct sums *s, const struct source_ops *ops, struct source *source,
	const struct str *name, struct checklist **ret, struct err *e) MUST_USE;

#endif
