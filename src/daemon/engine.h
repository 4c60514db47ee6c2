/*
 * engine.h - the pipeline that wires the stages.
 *
 *	lane of source a ──► jobs ─┐
 *	lane of source b ──► jobs ─┼─► workers ──► [staged] ──► committer ──►
 *done() lane of source c ──► jobs ─┘   in turn     fetch, scan,    one thread,
 *	                                           stage           groups
 *
 * A lane is one pass's share: its own bounded queue, served in turn with the
 * others, so that a partner with a million files does not starve one with
 * two. Where reading means waiting for somebody far away, a lane has workers
 * of its own. All queues are bounded: a fast listing waits for slow reading,
 *fast reading waits for a slow disk. Memory depends on the number of workers
 *and lanes, never on what is delivered, but for sets: members of a set are kept
 * back (a few hundred bytes for each) until all of them are there.
 *
 *	engine_open(&options, &g, &e);		lock, recover, threads
 *	lane_open(g, &options, &l, &e);		one thread has it
 *	lane_submit(l, job, &e);		any number of times
 *	lane_wait(l, &e);			until all of it is durable
 *	lane_close(l);
 *	engine_close(g);
 *
 * BROKEN anywhere stops the engine: later calls return the first error.
 */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include "daemon/claim.h"
#include "landfall/commit.h"
#include "landfall/source.h"

struct engine;
struct lane;
struct room;
struct set;

struct engine_options {
	const struct config *config;
};

/* One name to be read. The engine owns it once submitted. */
struct job {
	struct job *next;
	struct lane *lane; /* the engine's */
	struct set *set;   /* lands with these or not at all; NULL: alone */
	const struct source_config *config;
	struct source *source; /* outlives the wait */
	const struct source_ops *ops;
	uint8_t *name; /* owned */
	size_t name_len;
	/* How it looked when it was decided to take it. */
	struct signature signature;
	const atomic_bool *cancel; /* it may be given up; or NULL */
	bool by_hand;		   /* no listing: whatever is there is meant */
	bool lenient; /* somebody has decided: checks do not hold it up */
	bool member;  /* of an archive */
	struct container *lineage; /* then: what it came out of; owned */
	size_t n_lineage;
	int64_t seen_at;
	char *evidence; /* owned */
	struct claims claims;
	const char *transport;
	/* Of the newest delivery landed, from the catalog. */
	bool has_shape;
	struct catalog_shape shape;
	/* Out of quarantine; why NULL: it is an ordinary delivery. */
	struct {
		const char *why; /* "released from ... by ..."; outlives it */
		uint64_t entry;
		enum disposition stands; /* of the name, should it fail */
	} release;
	/* The newest version, from the catalog. */
	uint32_t generation; /* 0: none */
	uint64_t previous_size;
	uint8_t previous_sha256[HASH_LEN];
	char *previous_file; /* owned; NULL: none */
};

struct job *job_new(const struct source_config *cfg, const uint8_t *name,
	size_t name_len) MUST_USE;
void job_free(struct job *j);

/* A copy of these containers, outermost first. */
void job_descend(struct job *j, const struct container *c, size_t n);

/*
 * What came before: the shape its source landed last, and the version that
 * this one follows. newest: of the name, as catalog_find has it.
 */
enum rc job_know(struct job *j, struct catalog *c,
	const struct catalog_version *newest, struct err *e) MUST_USE;

/*
 * BROKEN: another landfall has the state directory, or recovery found a
 * contradiction, or our disk fails.
 */
enum rc engine_open(const struct engine_options *o, struct engine **ret,
	struct err *e) MUST_USE;

/* No lane is open: from now on another configuration of the same zone. */
void engine_configure(struct engine *g, const struct config *c);

/* All lanes are closed. Releases everything. */
void engine_close(struct engine *g);

struct lane_options {
	/*
	 * Called by the committer for each delivery and note of this lane
	 * once it is durable; the delivery is freed afterwards. It must not
	 * wait for anything. May be NULL.
	 */
	void (*done)(void *arg, const struct delivery *d);
	void *arg;
	/*
	 * Threads that read for this lane alone, because they may have to
	 * wait for its source; 0: the engine's read for it too.
	 */
	unsigned workers;
};

/* o NULL: none of these. BROKEN: the catalog cannot be read. */
enum rc lane_open(struct engine *g, const struct lane_options *o,
	struct lane **ret, struct err *e) MUST_USE;

/* Waits as lane_wait does, whatever became of the engine. */
void lane_close(struct lane *l);

/* Waits while the lane is full. */
enum rc lane_submit(struct lane *l, struct job *j, struct err *e) MUST_USE;

/* A note instead of a landing: d->disposition and d->reason are set. */
enum rc lane_note(struct lane *l, struct delivery *d, struct err *e) MUST_USE;

/* Until everything submitted is durable; after it no worker uses a source. */
enum rc lane_wait(struct lane *l, struct err *e) MUST_USE;

/*
 * Has the committer, who alone writes to the catalog, call write inside a
 * transaction, and waits until that is durable. What write returns but OK
 * stops the engine.
 */
enum rc lane_write(struct lane *l,
	enum rc (*write)(struct catalog *c, void *arg, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* The same without waiting; arg is one block of malloc(3), now the lane's. */
enum rc lane_write_later(struct lane *l,
	enum rc (*write)(struct catalog *c, void *arg, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* Adds a line to the story of a known name. */
enum rc lane_tell(struct lane *l, const char *source, const uint8_t *name,
	size_t len, const char *line, struct err *e) MUST_USE;

/* A reading connection for the thread that has the lane. */
struct catalog *lane_catalog(struct lane *l);

struct engine_progress {
	uint64_t bytes;	  /* raw, read so far; of an archive: as it is */
	uint64_t done;	  /* deliveries, notes included */
	uint64_t members; /* of archives, taken out so far */
	/* Right now: */
	uint64_t queued, reading; /* jobs */
	uint64_t reading_bytes;	  /* sizes of those being read, as listed */
	uint64_t staged;	  /* to be made durable */
};
void engine_progress(struct engine *g, struct engine_progress *ret);

/* One file that is being read. */
struct engine_file {
	char *source;
	struct str name;      /* percent-encoded */
	uint64_t size, bytes; /* as listed; read so far */
};

/*
 * Up to max of those that are being read for longer than `longer` (ns); the
 * strings are the caller's.
 */
size_t engine_files(struct engine *g, int64_t longer, struct engine_file *ret,
	size_t max) MUST_USE;

/* The state directory, open as long as the engine is. */
int engine_state_dir(const struct engine *g);

/* Where the zone is; the same as long as the engine is open. */
const char *engine_zone_path(const struct engine *g);

/* What each source may have in the spool. */
uint64_t engine_spool_limit(struct engine *g);

/* Whether there is room to take work; see room.h. */
struct room *engine_room(struct engine *g);

/* A reading connection for a worker; the caller closes it. */
enum rc
engine_catalog(struct engine *g, struct catalog **ret, struct err *e) MUST_USE;

/* What recovery found at start. */
const struct recovery *engine_recovery(const struct engine *g);

#endif
