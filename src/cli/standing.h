/*
 * standing.h - how things stand: each source from the catalog, and what the
 * daemon says of itself while it holds the lock.
 */
#ifndef CLI_STANDING_H
#define CLI_STANDING_H

#include "cli/place.h"
#include "daemon/arrival.h"
#include "daemon/live.h"
#include "daemon/receipts.h"

/* Who is at work on the state directory. */
struct standing_daemon {
	bool at_work; /* somebody has the lock */
	bool watches; /* and it is a daemon, which says how it goes: */
	struct live live;
	long pid; /* of whoever has the lock; 0: it does not say */
};

/* Release whatever this returned. */
enum rc standing_daemon(const struct cli *c, struct standing_daemon *ret,
	struct err *e) MUST_USE;
void standing_daemon_release(struct standing_daemon *d);

/* What is quarantined and waits for a decision, in all streams of an API. */
struct standing_undecided {
	uint64_t n;
	uint64_t entry;	 /* of the oldest, in the ledger; of that one also: */
	int64_t since;	 /* wall */
	struct str name; /* its bytes */
	struct str reason;
};

struct standing {
	const struct source_config *source;
	struct catalog_pass pass; /* texts are the catalog's */
	bool looked;		  /* there was a pass */
	bool looking;		  /* the daemon looks right now */
	int64_t until;		  /* wall: the look waits; 0: it does not */
	const char *why;	  /* and for what */
	const char *order;	  /* what it does beside that; NULL: nothing */
	uint64_t failures;	  /* looks in a row, as the daemon counts */
	int64_t next;	/* wall: the next look; 0: none without a daemon */
	int64_t newest; /* when something was landed last; 0: never */
	struct catalog_waiting waiting; /* names 0: none */
	uint64_t count[DISPOSITIONS];	/* of all known names */
	struct standing_undecided undecided;
	struct arrival_report arrival;
	struct receipts_owed owed;
	struct err outbox; /* why it takes none now; OK: it does */
};

/*
 * How one source stands; texts are valid until the next call for the same
 * catalog. Release what this returned.
 * counted: fill in count, which reads every known name.
 */
enum rc standing_take(struct place *p, const struct source_config *source,
	const struct standing_daemon *d, bool counted, struct standing *ret,
	struct err *e) MUST_USE;
void standing_release(struct standing *s);

/* "complete", "could-not-look", ... */
const char *standing_outcome(const struct catalog_pass *p);

/* Does it need somebody, and for what; STATUS_DONE: it does not. */
enum status standing_status(const struct standing *s);

#endif
