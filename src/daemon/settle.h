/*
 * settle.h - is this delivery complete? The rules of `ready:`, on one name.
 */
#ifndef DAEMON_SETTLE_H
#define DAEMON_SETTLE_H

#include "daemon/claim.h"
#include "daemon/sums.h"
#include "landfall/catalog.h"

struct settle {
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	const struct item *item;
	/* Since when it has looked like this, by our own looks; now if new. */
	int64_t unchanged_since;
	int64_t now; /* wall */
	/* The clock was set then: no time before it is believed. 0: never. */
	int64_t steady_since;
	/* What to say of the manifest that names it, all of which is there;
	   NULL: none does. */
	const char *manifest;
	unsigned skip;	       /* rules that are not the question: 1 << kind */
	struct sums *sums;     /* kept from one name to the next */
	struct claims *claims; /* OK: the digests that it must have */
};

/*
 * OK: `evidence` says which rules held, for the provenance. AGAIN: not yet;
 * `evidence` says what is missing, *ret_wait how many ns until time alone may
 * change that (0: it cannot). Otherwise the source failed.
 */
enum rc settle_check(const struct settle *s, struct str *evidence,
	int64_t *ret_wait, struct err *e) MUST_USE;

#endif
