/*
 * engine.h - the pipeline that wires the stages.
 *
 *	          jobs               staged
 *	pass ──► [queue] ──► workers [queue] ──► committer ──► done()
 *	(main)               fetch, scan,        one thread,
 *	                     stage               groups
 *
 * Both queues are bounded: a fast listing waits for slow reading, fast
 * reading waits for a slow disk. Memory depends on the number of workers,
 * never on what is delivered.
 *
 *	engine_open(&options, &g, &e);		lock, recover, threads
 *	engine_submit(g, job, &e);		any number of times
 *	engine_drain(g, &e);			until all of it is durable
 *	engine_close(g);
 *
 * BROKEN anywhere stops the engine: later calls return the first error.
 */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include "landfall/commit.h"
#include "landfall/source.h"

struct engine;

struct engine_options {
	const struct config *config;
	/*
	 * Called by the committer for each delivery once it is durable, and
	 * for each note; deliveries of one group in order of submission to
	 * the committer. The delivery is freed afterwards.
	 */
	void (*done)(void *arg, const struct delivery *d);
	void *arg;
};

/* One name to be read. The engine owns it once submitted. */
struct job {
	struct job *next;
	const struct source_config *config;
	struct source *source; /* outlives the drain */
	const struct source_ops *ops;
	uint8_t *name; /* owned */
	size_t name_len;
	/* How it looked when it was decided to take it. */
	struct signature signature;
	bool by_hand; /* no listing: whatever is there is meant */
	int64_t seen_at;
	char *evidence; /* owned */
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

/* Waits for what is under way, then releases everything. */
void engine_close(struct engine *g);

enum rc engine_submit(struct engine *g, struct job *j, struct err *e) MUST_USE;

/* A note instead of a landing: d->disposition and d->reason are set. */
enum rc
engine_note(struct engine *g, struct delivery *d, struct err *e) MUST_USE;

/* Until everything submitted is durable; after it no worker uses a source. */
enum rc engine_drain(struct engine *g, struct err *e) MUST_USE;

/* A reading connection for the thread that submits. */
struct catalog *engine_catalog(struct engine *g);

/* Records a finished pass. While nothing is under way. */
enum rc engine_pass(
	struct engine *g, const struct catalog_pass *p, struct err *e) MUST_USE;

struct engine_progress {
	uint64_t bytes; /* raw, read so far */
	uint64_t done;	/* deliveries, notes included */
};
void engine_progress(struct engine *g, struct engine_progress *ret);

/* What recovery found at start. */
const struct recovery *engine_recovery(const struct engine *g);

/* The checkpoint as it is now; while nothing is under way. */
const struct ledger *engine_ledger(const struct engine *g);

#endif
