/*
 * commit.h - from staged to landed: the one place where things become true.
 *
 *	stage    the caller wrote <zone>/_staging/<id>, closed or not
 *	intent   the paths about to be taken, in _staging/intent
 *	sync     staged files and intent, all together
 *	publish  rename without replacing; sync the directories
 *	record   one catalog transaction: dispositions, versions, outbox
 *	sums     one append to each SHA256SUMS; sync
 *	ledger   leaves, tiles, signature, checkpoint
 *	after    what the caller does next: only now is it landed
 *
 * A group pays for its syncs together, which is what makes ten thousand
 * small files cheap. A crash between any two steps is brought forward by
 * commit_recover; every step is idempotent by content.
 *
 * One thread commits.
 */
#ifndef LANDFALL_COMMIT_H
#define LANDFALL_COMMIT_H

#include "landfall/catalog.h"
#include "landfall/config.h"
#include "landfall/land.h"
#include "landfall/ledger.h"
#include "landfall/zone.h"

/* What became of the members of an archive. */
struct members {
	bool known; /* false: brought forward after a crash */
	uint64_t count[DISPOSITIONS];
	uint64_t findings; /* of those ignored: links, devices, bad names */
	uint64_t missing;  /* could not be had; the archive is kept */
};

/* "members: 2 landed, 1 ignored", for a human. */
void members_add(struct str *s, const struct members *m);

/* One name and what became of it. */
struct delivery {
	/* The caller's: a queue, whose it is; and what to do in the catalog
	 * instead, in a transaction ... */
	struct delivery *next;
	void *owner;
	size_t together; /* of a set's first: how many stand in the queue that
			    must be in one group; 0: one */
	enum rc (*write)(struct catalog *c, void *arg, struct err *e);
	void *write_arg;
	bool write_owned; /* free(3) ends it */
	char *line;	  /* or a line of the name's story; owned */
	/* What is true together with it; after its disposition is known, and
	 * perhaps again, when the group must be recorded anew. */
	enum rc (*with)(struct catalog *c, const struct delivery *d, void *arg,
		struct err *e);
	void *with_arg;

	const char *source; /* outlives the delivery */
	uint8_t *name;
	size_t name_len;
	struct signature signature;

	/*
	 * Either a staged landing file, whose disposition commit decides ...
	 */
	bool staged;
	uint64_t stage; /* zone_stage's id */
	int fd;		/* its descriptor: commit syncs and closes it; -1: it
			   was closed, without an error, and not synced */
	struct landed landed;
	uint32_t generation; /* as written in its provenance */
	enum relation relation;
	enum duplicate_policy duplicates;
	bool has_shape;
	struct catalog_shape shape; /* commit fills in its index */
	char *drift;	  /* owned; how the shape differs; NULL: as before */
	bool settles;	  /* a quarantined entry, by landing or rejecting it */
	uint64_t settled; /* which */
	bool rejected;	  /* no landing: a ledger entry that names the file */
	bool quarantine;  /* lands below _quarantine, with reason */

	/*
	 * An archive that was unpacked stands behind its members in one
	 * group; commit counts for it what becomes of them. It is staged when
	 * its own bytes are kept too.
	 */
	bool unpacked;
	bool member;
	struct members members;
	struct delivery *container; /* of a member that counts, or NULL */
	bool is_again;	/* the same archive under another name: no landing, */
	uint64_t again; /* a ledger entry that names that of the first */
	/*
	 * ... or a name that only gets a note: pending, ignored, or the same
	 * bytes again, decided by the caller.
	 */
	enum disposition disposition;
	char *reason; /* owned; NULL for none */
	int64_t wait; /* ns until another look may help; 0: unknown */
	bool tried;   /* it was held for complete, and reading was tried */
	bool known;   /* it stands like that already, or another tells it */
	bool no_room; /* it waits for free space */
	enum condition needs; /* a human, and for what; pending */

	/* What commit_group fills in for staged ones. */
	struct str file; /* below the zone; of a duplicate: the earlier one */
	uint8_t file_sha256[HASH_LEN];
	uint64_t index;
	int64_t landed_at;
	bool recorded; /* has a ledger entry of its own */

	/* commit's own */
	unsigned sha_chars;
	bool synced;
	bool published;
};

struct delivery *
delivery_new(const char *source, const uint8_t *name, size_t name_len) MUST_USE;
void delivery_free(struct delivery *d); /* and its descriptor */

/*
 * Its ledger entry: one canonical JSON object. Public because readers of the
 * ledger compare with it.
 */
void delivery_entry(struct str *s, const struct delivery *d);

struct commit {
	struct zone *zone;
	struct catalog *catalog; /* the writing connection */
	struct ledger *ledger;
};

/*
 * Lands a group: when it returns OK every delivery has its disposition and
 * all of it is durable. BROKEN: stop the process; commit_recover sorts out
 * what happened: all of the group's files will stand in the zone, or none.
 * Staged files that were not needed (duplicates) are gone.
 */
enum rc commit_group(struct commit *c, struct delivery **d, size_t n,
	struct err *e) MUST_USE;

/* What recovery found, for one line in the log. */
struct recovery {
	uint64_t brought_forward; /* files of a group that was interrupted */
	uint64_t entries;	  /* recorded but not in the ledger */
};

/* "2 files and 1 ledger entry were brought forward" */
void recovery_add(struct str *s, const struct recovery *r);

/*
 * At every start, before anything else: staging, zone, catalog and ledger
 * are compared and brought forward. BROKEN when they contradict each other;
 * the text says which and what to do.
 */
enum rc
commit_recover(struct commit *c, struct recovery *ret, struct err *e) MUST_USE;

/*
 * Fills an empty catalog from the zone alone: the ledger's entries in order,
 * then landing files no entry names (a crash came between). Facts an entry
 * does not hold are read from the landing file's provenance.
 */
enum rc commit_rebuild(struct zone *z, struct catalog *empty,
	uint64_t *ret_versions, struct err *e) MUST_USE;

#endif
