/*
 * audit.h - the proof of a zone: what the ledger says against what lies
 * there.
 *
 *	audit_open(&a, &options, &e);
 *	audit_ledger(a, &e);		the ledger by itself
 *	audit_files(a, &e);		each file an entry names
 *	audit_zone(a, &e);		what lies there: strangers, SHA256SUMS
 *	audit_catalog(a, catalog, &e);	where there is one
 *	audit_close(a);
 *
 * Nothing is believed but the key: the checkpoint must be signed with it,
 * the entries must hash to the checkpoint, each file must be the one its
 * entry names, each line of a SHA256SUMS must say what the entry says, and
 * no file may lie there that no entry names.
 *
 * Works beside a landfall that lands: the checkpoint read first is what is
 * proved, and what came after it is no finding.
 *
 * OK also when there are findings; BROKEN: it could not go on.
 *
 * Memory: 24 bytes for each landing file, and a window for each thread.
 */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include <stdbool.h>

#include "landfall/catalog.h"

struct audit;

/* expected, found and what may be NULL. */
struct finding {
	const char *kind; /* "file-changed"; the table is in audit.c */
	const char *file; /* below the zone */
	const char *expected, *found;
	const char *what;   /* for a human: more about it */
	const char *advice; /* what to do */
};

struct audit_options {
	const char *zone; /* a directory */
	const char *vkey; /* the key to trust; NULL: the zone's own */
	bool deep;	  /* decode, hash and scan the delivered bytes too */
	unsigned threads; /* 0: one for each processor */
	/* Only these paths below the zone, and what lies below them. */
	char *const *path;
	size_t n_paths; /* 0: everything */
	/* Called by any thread, one at a time. */
	void (*finding)(void *arg, const struct finding *f);
	void *arg;
};

struct audit_result {
	uint64_t ledger_size;
	uint8_t root[HASH_LEN];
	uint64_t files;	   /* verified, whatever came of it */
	uint64_t bytes;	   /* as delivered, of those files */
	uint64_t expected; /* the same before audit_files began */
	uint64_t findings;
	uint64_t unreadable; /* of them: nobody knows what is there */
	uint64_t unknown;    /* entries of a kind we do not know */
};

/*
 * Opens zone and checkpoint; the options stay the caller's. END: no zone
 * there. BAD_ITEM: the checkpoint does not verify.
 */
enum rc audit_open(struct audit **ret, const struct audit_options *o,
	struct err *e) MUST_USE;
void audit_close(struct audit *a);

enum rc audit_ledger(struct audit *a, struct err *e) MUST_USE;
enum rc audit_files(struct audit *a, struct err *e) MUST_USE;
enum rc audit_zone(struct audit *a, struct err *e) MUST_USE;
enum rc
audit_catalog(struct audit *a, struct catalog *c, struct err *e) MUST_USE;

void audit_result(const struct audit *a, struct audit_result *ret);

/* Delivered bytes done so far; from any thread, beside audit_files. */
uint64_t audit_done(const struct audit *a);

#endif
