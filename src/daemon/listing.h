/*
 * listing.h - every name of a source and how it stands in the catalog.
 *
 * Names in the order of a directory lie anywhere in the catalog. Some ten
 * thousand of them, sorted, lie side by side, and are looked up at once: they
 * come in the order of their bytes within such a batch. Memory does not grow
 * with their number.
 */
#ifndef DAEMON_LISTING_H
#define DAEMON_LISTING_H

#include "landfall/source.h"

struct listing {
	struct catalog *catalog;
	const char *name; /* of the source */
	const struct source_ops *ops;
	struct source *source;
	/* now: wall, when the name was listed. */
	enum rc (*each)(void *arg, const struct item *it,
		const struct catalog_stand *s, int64_t now, struct err *e);
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why);
	/* Of each name of a batch, before the first is told; may be NULL. */
	void (*ahead)(void *arg, const struct item *it,
		const struct catalog_stand *s);
	void *arg;
	/* The largest of a batch first; then it may wait for the others. */
	bool large_first;
};

/*
 * Otherwise as ops->list; what was listed before the listing failed is told
 * to each too.
 */
enum rc listing_run(const struct listing *l, struct err *e) MUST_USE;

#endif
