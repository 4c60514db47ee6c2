/*
 * weigh.h - a set that a manifest names: is all of it there, and complete?
 *
 * One look at one name fills in the decision, whether the question is what it
 * lacks or what is to become of it.
 */
#ifndef DAEMON_WEIGH_H
#define DAEMON_WEIGH_H

#include "daemon/decide.h"
#include "daemon/manifest.h"

#define WEIGH_SHOWN 3 /* names that are missing */

/* When something changed under our eyes. */
#define WEIGH_AGAIN INT64_C(1000000000)

/* A set as it was found. */
struct weight {
	size_t there, missing;
	const struct member *shown[WEIGH_SHOWN]; /* of those that are missing */
	struct str obstacle; /* "b.csv: why", the one that matters most */
	bool lasting;	     /* it does not go away by itself */
	size_t to_read;
	uint64_t bytes; /* of these */
	int64_t wait;	/* ns until another look may help; 0: unknown */
};
#define WEIGHT_INIT \
	{ \
		.obstacle = STR_INIT \
	}

enum verdict {
	VERDICT_READ,  /* as d says */
	VERDICT_OVER,  /* it has landed before */
	VERDICT_WAITS, /* d->rule says why */
};

/* Nothing is said of any name. */
void weigh_begin(struct decision *d);

/* What the catalog knows of it: d->known, d->name. */
enum rc
weigh_know(struct decision *d, const struct item *it, struct err *e) MUST_USE;

/* The name of which line `first` of the manifest speaks; how many lines do. */
struct member *weigh_member(
	const struct manifests *ms, const struct manifest *m, size_t first);
size_t
weigh_lines(const struct manifests *ms, const struct manifest *m, size_t first);
struct item weigh_item(const struct member *x);

/*
 * Looks at it. evidence: what to say of the manifest in its provenance; NULL
 * while the question is only whether all of the set is there. BAD_SOURCE: a
 * side file could not be looked at; BROKEN: the catalog.
 */
enum rc weigh_name(struct decision *d, const struct manifests *ms,
	const struct manifest *m, size_t first, const char *evidence,
	enum verdict *ret, struct err *e) MUST_USE;

/* The manifest itself: nobody is to add to it any more. */
enum rc
weigh_manifest(struct decision *d, struct manifest *m, struct err *e) MUST_USE;

/* All of it; the caller releases w->obstacle. */
enum rc weigh_set(struct decision *d, const struct manifests *ms,
	const struct manifest *m, struct weight *w, struct err *e) MUST_USE;

/* What it lacks, for a human. */
void
weigh_add_lack(struct str *s, const struct manifest *m, const struct weight *w);

#endif
