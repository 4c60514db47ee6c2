/*
 * source.h - where deliveries come from. Each kind of source is one table of
 * operations; adding one is a new directory and one row in source_ops().
 *
 *	ops->open(cfg, &place, &s, &e)
 *	ops->list(s, each, trouble, arg, &e)	every name, once
 *	ops->fetch(s, name, len, &feed, ...)	the bytes of one
 *	ops->look(s, name, len, &item, &e)	is it still the same?
 *	ops->remove / move			once it has landed
 *	ops->close(s)
 */
#ifndef LANDFALL_SOURCE_H
#define LANDFALL_SOURCE_H

#include <stdatomic.h>

#include "base/err.h"
#include "landfall/catalog.h"
#include "landfall/config.h"
#include "landfall/feed.h"

/* What a listing said of one name. */
enum item_type {
	ITEM_FILE,
	ITEM_SYMLINK,
	ITEM_OTHER, /* fifo, socket, device */
};

struct item {
	const uint8_t *name; /* bytes of the path below the source's root */
	size_t name_len;
	enum item_type type;
	struct signature signature;
};

#define SOURCE_DEPTH_MAX 64 /* nested directories */

struct source;

/* What we have for a source that keeps something here. */
struct source_place {
	int state;	/* directory, ours alone while the source is open */
	uint64_t spool; /* bytes it may have there */
	/*
	 * Is there room for so much more there? END: no, and `why` is the
	 * same text for every item until there is. Any thread.
	 */
	enum rc (*room)(
		void *arg, uint64_t size, struct str *why, struct err *e);
	void *arg;
	/*
	 * Once it is set, all that waits for somebody far away ends soon, as
	 * AGAIN, and nothing new is begun; what has come is kept. May be NULL.
	 */
	const atomic_bool *cancel;
};

struct source_ops {
	/*
	 * place NULL: to look, not to take. BAD_SOURCE: it cannot be reached
	 * at all; with cause EKEYREJECTED it refuses us, or is not who it
	 * should be, and a human has to see to it.
	 */
	enum rc (*open)(const struct source_config *cfg,
		const struct source_place *place, struct source **ret,
		struct err *e);
	void (*close)(struct source *s);

	/*
	 * How its bytes came here, for the provenance: "drop". And what is to
	 * be told at each look though it is no error; NULL where there never
	 * is such a thing.
	 */
	void (*facts)(struct source *s, struct str *ret);
	void (*remark)(struct source *s, struct str *ret);

	/*
	 * Calls each for every name, in no order, while listing (memory does
	 * not grow with the number of names). A directory below the root that
	 * cannot be listed is told to trouble, with its name, and the rest
	 * goes on; a root that cannot be listed is BAD_SOURCE. Directories
	 * themselves are not names. Stops when each returns not OK.
	 */
	enum rc (*list)(struct source *s,
		enum rc (*each)(
			void *arg, const struct item *it, struct err *e),
		void (*trouble)(void *arg, const uint8_t *name, size_t len,
			const struct err *why),
		void *arg, struct err *e);

	/*
	 * This name will be fetched, and looks like that (NULL: as it was
	 * listed, if it was): it may come beforehand. NULL where nothing is
	 * to be gained. Never waits.
	 */
	void (*want)(struct source *s, const uint8_t *name, size_t len,
		const struct signature *sig);

	/*
	 * It is durable, or of no use any more: what is kept of it here may
	 * go. NULL where nothing is. Never waits. Thread-safe.
	 */
	void (*forget)(struct source *s, const uint8_t *name, size_t len);

	/*
	 * The bytes of a regular file, and what it looks like now (feed.h).
	 * BAD_ITEM: this one cannot be read; END: it is gone; BAD_SOURCE or
	 * AGAIN: the source's fault or ours, not this one's; with cause
	 * ENOSPC there is no room for it here. Thread-safe.
	 */
	enum rc (*fetch)(struct source *s, const uint8_t *name, size_t len,
		struct feed **ret_feed, struct signature *ret, struct err *e);

	/*
	 * Stats a name again. END: gone, or a directory now. ret_type may be
	 * NULL. Thread-safe.
	 */
	enum rc (*look)(struct source *s, const uint8_t *name, size_t len,
		enum item_type *ret_type, struct signature *ret, struct err *e);

	/*
	 * Has nobody this file open for writing? AGAIN: somebody has; END: it
	 * is gone; BAD_ITEM: that cannot be told here, and e says why. NULL
	 * where it never can. Thread-safe.
	 */
	enum rc (*closed)(struct source *s, const uint8_t *name, size_t len,
		struct err *e);

	/*
	 * The four below: one thread at a time, in one process at a time; of a
	 * partner's source remove and move are thread-safe.
	 *
	 * Puts back under their names what a process that died had begun to
	 * remove or move. What cannot be put back (its name is taken by now)
	 * stays where it is and is told to trouble. Before a listing.
	 */
	enum rc (*recover)(struct source *s,
		void (*trouble)(void *arg, const uint8_t *name, size_t len,
			const struct err *why),
		void *arg, struct err *e);

	/*
	 * Removes a file, if it is still exactly the one with this signature.
	 * Whatever happens meanwhile, no other file is touched. END: it was
	 * gone before; AGAIN: it is another one now, or open for writing, and
	 * was left alone; BAD_ITEM: it cannot be; e says why.
	 */
	enum rc (*remove)(struct source *s, const uint8_t *name, size_t len,
		const struct signature *expected, struct err *e);

	/*
	 * The same, to folder/NAME below the root; folders are made as
	 * needed. Never over another file: a suffix .1, .2, ... is added
	 * then. *ret_to gets the path below the root.
	 */
	enum rc (*move)(struct source *s, const uint8_t *name, size_t len,
		const char *folder, const struct signature *expected,
		struct str *ret_to, struct err *e);

	/*
	 * For receipts, into a folder at the source: is there such a file
	 * (END: no), and here is one, under another name first, then over what
	 * is there. BAD_ITEM: this file cannot be there, whatever is tried;
	 * BAD_SOURCE: the folder fails, now. NULL where there is no folder but
	 * local ones.
	 */
	enum rc (*has)(struct source *s, const char *folder, const char *file,
		struct err *e);
	enum rc (*put)(struct source *s, const char *folder, const char *file,
		const void *p, size_t n, struct err *e);

	/* Makes what remove and move have done durable. */
	enum rc (*sync)(struct source *s, struct err *e);
};

const struct source_ops *source_ops(enum source_kind kind);

/* Does one of these globs take this path, as `match` would? */
bool source_matches(const struct patterns *p, const char *path);

/*
 * Which rule decides about a name before anything is opened: NULL when it is
 * to be taken, else why it is ignored ("not a regular file (symlink)",
 * "ignore *.tmp", "sentinel of a.csv", "manifest", "no match pattern fits",
 * "after: move processed/": it was moved there). The text is in s; matched (may
 * be NULL) gets the match pattern that took it.
 */
const char *source_rule(const struct source_config *cfg, const struct item *it,
	struct str *s, const char **ret_matched);

/* Is it a manifest, which names others that land together? */
bool source_is_manifest(const struct source_config *cfg, const struct item *it);

#endif
