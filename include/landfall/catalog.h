/*
 * catalog.h - what we know about every name: a cache of the truth in the
 * zone, kept in SQLite (WAL, synchronous=FULL) at <state>/catalog.db.
 *
 * A name is (source, bytes of the path below its root). It has versions,
 * numbered by generation from 1: each is a delivery of other bytes than the
 * version before. The catalog also keeps the outbox (ledger entries recorded
 * but not yet known to be in the ledger), the story of each name, and the
 * passes over each source.
 *
 * A struct catalog is one connection and belongs to one thread at a time;
 * open several for several threads. Only one process and one thread writes;
 * readers never block it.
 *
 * A catalog that cannot be read or written is BROKEN. Text and byte pointers
 * in returned structs live in the struct catalog until the next call of the
 * same function.
 */
#ifndef LANDFALL_CATALOG_H
#define LANDFALL_CATALOG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "landfall/schedule.h"

/* How a name stands. Numbers are on disk: add, never change. */
enum disposition {
	DISPOSITION_LANDED = 1,
	DISPOSITION_DUPLICATE = 2,
	DISPOSITION_NEW_VERSION = 3,
	DISPOSITION_PENDING = 4,
	DISPOSITION_QUARANTINED = 5,
	DISPOSITION_IGNORED = 6,
	DISPOSITION_UNPACKED = 7, /* an archive, and its members landed */
};
#define DISPOSITIONS 8 /* array size; 0 is not a disposition */

/* "landed", "duplicate", "new-version", ...; NULL for another number. */
const char *disposition_name(unsigned d);

/* A version against the one before it. */
enum relation {
	RELATION_FIRST = 0, /* there is none before */
	RELATION_IDENTICAL = 1,
	RELATION_APPENDED = 2,	/* the old bytes are a prefix of the new */
	RELATION_TRUNCATED = 3, /* the new bytes are a prefix of the old */
	RELATION_REPLACED = 4,
};
const char *relation_name(unsigned r); /* "first", "identical", ... */

/*
 * What stat said when the name was last dealt with. Any difference means
 * look again and hash; equality means the bytes were already dealt with.
 * Times are ns since 1970. Never compared by order, only for equality.
 */
struct signature {
	uint64_t size;
	int64_t mtime;
	int64_t ctime;
	uint64_t inode;
	uint64_t device;
};

static inline bool
signature_equal(const struct signature *a, const struct signature *b)
{
	return a->size == b->size && a->mtime == b->mtime &&
		a->ctime == b->ctime && a->inode == b->inode &&
		a->device == b->device;
}

struct catalog_version {
	int64_t id; /* 0: none */
	uint32_t generation;
	enum disposition disposition; /* landed, new-version, duplicate,
					 quarantined or unpacked */
	enum relation relation;
	uint8_t bytes_sha256[HASH_LEN];
	uint8_t file_sha256[HASH_LEN];
	const char *file; /* below the zone; of a duplicate: where the same
			     bytes lie; "": of an archive, not kept */
	uint64_t size;
	uint64_t records;
	uint64_t malformed;
	int64_t landed_at; /* wall, ns; whole seconds */
	uint64_t index;	   /* in the ledger */
};

struct catalog_name {
	int64_t id;
	const char *source;
	const uint8_t *name;
	size_t name_len;
	enum disposition disposition;
	const char *reason; /* why pending, quarantined or ignored; else "" */
	struct signature signature;
	int64_t first_seen; /* wall, ns */
	int64_t changed;    /* since when signature has been like this */
	struct catalog_version version; /* the newest; id 0 when none */
};

struct catalog;

/*
 * Opens <state>/catalog.db (path is the state directory). create: make it
 * when missing and migrate it forward; without create a missing file is END
 * and an older one is read as it is if possible. BROKEN: damaged, newer than
 * this program, or not ours to write; the text names `landfall catalog
 * rebuild` where that helps.
 */
enum rc catalog_open(const char *state, bool create, struct catalog **ret,
	struct err *e) MUST_USE;
void catalog_close(struct catalog *c);

/* A transaction; commit returns when it is durable. */
enum rc catalog_begin(struct catalog *c, struct err *e) MUST_USE;
enum rc catalog_commit(struct catalog *c, struct err *e) MUST_USE;
void catalog_abort(struct catalog *c);

/* END: never seen. One index search each, whatever the catalog's size. */
enum rc catalog_find(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, struct catalog_name *ret, struct err *e) MUST_USE;

/* What a listing asks of a name: is it known, and does it look the same? */
struct catalog_stand {
	const uint8_t *name; /* asked for */
	size_t name_len;
	enum disposition disposition; /* 0: never seen */
	struct signature signature;
};

/*
 * Fills in how n names stand, all at one moment. Several times as quick as
 * catalog_find for each, most of all in the order of their bytes. Outside of
 * a transaction.
 */
enum rc catalog_stands(struct catalog *c, const char *source,
	struct catalog_stand *s, size_t n, struct err *e) MUST_USE;

/*
 * The oldest landing file of this source with these bytes, whatever its
 * name; what was only quarantined does not count. END: these bytes are new.
 */
enum rc catalog_find_bytes(struct catalog *c, const char *source,
	const uint8_t sha256[HASH_LEN], uint64_t size,
	struct catalog_version *ret, struct err *e) MUST_USE;

/*
 * The oldest archive of this source with these bytes that was unpacked,
 * whatever its name. END: none.
 */
enum rc catalog_find_unpacked(struct catalog *c, const char *source,
	const uint8_t sha256[HASH_LEN], uint64_t size,
	struct catalog_version *ret, struct err *e) MUST_USE;

/* The version with this ledger index, or this file. END: none. */
enum rc catalog_find_index(struct catalog *c, uint64_t index,
	struct catalog_name *ret, struct err *e) MUST_USE;
enum rc catalog_find_file(struct catalog *c, const char *file,
	struct catalog_name *ret, struct err *e) MUST_USE;

/* The ledger index of the version of a name before this one. END: none. */
enum rc catalog_find_before(struct catalog *c, int64_t name, uint64_t index,
	uint64_t *ret, struct err *e) MUST_USE;

/*
 * The version of a source that has landed with a file and came last, what is
 * only quarantined left out. END: none. As slow as its silence is long: the
 * ledger is searched from the end.
 */
enum rc catalog_find_newest(struct catalog *c, const char *source,
	struct catalog_name *ret, struct err *e) MUST_USE;

/*
 * Records a delivery: the name (new or known) takes this disposition and
 * signature, and the version is added with generation, file, sums and index
 * as given. Inside a transaction.
 */
enum rc catalog_put(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, const struct signature *sig, int64_t now,
	const struct catalog_version *v, struct err *e) MUST_USE;

/*
 * Records how a name stands without a new version: pending, ignored, or the
 * same bytes again under the same name. The story grows only when
 * disposition or reason differ from what is recorded. `changed` moves to now
 * only when the signature differs, or when it lies in the future. Inside a
 * transaction.
 */
enum rc catalog_note(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, const struct signature *sig, int64_t now,
	enum disposition d, const char *reason, struct err *e) MUST_USE;

/*
 * Adds a line to a name's story, how it stands unchanged: what was done with
 * the file at its source. END: no such name. Inside a transaction.
 */
enum rc catalog_tell(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, int64_t at, const char *text, struct err *e) MUST_USE;

/* ---- the outbox: entries recorded, perhaps not yet in the ledger ---- */

/* How many entries the ledger must have once the outbox is empty. */
enum rc
catalog_ledger_size(struct catalog *c, uint64_t *ret, struct err *e) MUST_USE;

/* file: the landing file the entry adds to SHA256SUMS, or NULL. */
enum rc catalog_outbox_put(struct catalog *c, uint64_t index, const char *entry,
	size_t len, const char *file, struct err *e) MUST_USE;

/* Calls each for every entry with index >= from, in order. */
enum rc catalog_outbox_each(struct catalog *c, uint64_t from,
	enum rc (*each)(void *arg, uint64_t index, const char *entry,
		size_t len, const char *file, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* Forgets entries below `size`; they are in the ledger. */
enum rc
catalog_outbox_drop(struct catalog *c, uint64_t size, struct err *e) MUST_USE;

/* The newest landed_at recorded, 0 when none: time never runs backwards. */
enum rc
catalog_last_landed(struct catalog *c, int64_t *ret, struct err *e) MUST_USE;

/* ---- passes: one look at one source ---- */

enum pass_outcome {
	PASS_COMPLETE = 1,
	PASS_COULD_NOT_LOOK = 2, /* the listing, or part of it, failed */
	PASS_STOPPED = 3,	 /* by us: broken, or asked to stop */
};

struct catalog_pass {
	const char *source;
	int64_t started; /* wall, ns */
	int64_t ended;	 /* 0: under way, or the process died */
	enum pass_outcome outcome;
	uint64_t listed;
	uint64_t unchanged;	      /* dealt with before, same signature */
	uint64_t count[DISPOSITIONS]; /* of those listed, all of them */
	const char *trouble; /* why it could not look, or go on, or what it saw
				has no room; else "" */
};

enum rc catalog_pass_put(struct catalog *c, const struct catalog_pass *p,
	struct err *e) MUST_USE;

/* The newest pass over a source. END: none yet. */
enum rc catalog_pass_last(struct catalog *c, const char *source,
	struct catalog_pass *ret, struct err *e) MUST_USE;

/*
 * What of a source landed in [from, to), duplicates and quarantined
 * deliveries left out, and when files, bytes and records had all reached
 * those of `least`; and when its newest complete pass began. Reads as many
 * rows as landed then. A source never seen has nothing.
 */
enum rc catalog_arrived(struct catalog *c, const char *source, int64_t from,
	int64_t to, const struct arrived *least, struct arrived *ret,
	struct err *e) MUST_USE;

/* When the newest complete pass began; 0: none yet. */
enum rc catalog_pass_looked(struct catalog *c, const char *source, int64_t *ret,
	struct err *e) MUST_USE;

/* Names that wait. */
struct catalog_waiting {
	uint64_t names;
	int64_t since; /* wall: first sight of the one that waits longest */
	const uint8_t *name; /* that one */
	size_t name_len;
	const char *reason;
};

/* END: none. One index search; the pointers are the catalog's. */
enum rc catalog_waiting(struct catalog *c, const char *source,
	struct catalog_waiting *ret, struct err *e) MUST_USE;

/* Each name that waits, in no order; stops when each returns not OK, and
 * returns that; END is OK. */
enum rc catalog_each_waiting(struct catalog *c, const char *source,
	enum rc (*each)(void *arg, const uint8_t *name, size_t len,
		const struct signature *s, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* How many known names of a source stand at each disposition. */
enum rc catalog_count(struct catalog *c, const char *source,
	uint64_t count[DISPOSITIONS], struct err *e) MUST_USE;

/*
 * The newest version of a name that is not merely quarantined: the one the
 * next delivery follows. END: none.
 */
enum rc
catalog_find_landed(struct catalog *c, const char *source, const uint8_t *name,
	size_t len, struct catalog_version *ret, struct err *e) MUST_USE;

/* ---- quarantined entries somebody has released or rejected ---- */

/* Entry `entry` is settled by entry `by`. Inside a transaction. */
enum rc catalog_settle(
	struct catalog *c, uint64_t entry, uint64_t by, struct err *e) MUST_USE;

/* END: nobody has settled it. */
enum rc catalog_settled(struct catalog *c, uint64_t entry, uint64_t *ret_by,
	struct err *e) MUST_USE;

/*
 * What of a source is quarantined and waits for a decision: nobody has settled
 * it, and the name has not come again.
 */
struct catalog_undecided {
	uint64_t n;
	struct catalog_name oldest; /* reason: of that quarantine */
};

/* END: nothing. One index search; as slow as much was ever quarantined. */
enum rc catalog_undecided(struct catalog *c, const char *source,
	struct catalog_undecided *ret, struct err *e) MUST_USE;

/* Each of a source, in the order of the ledger; stops when each returns not
 * OK, and returns that; END is OK. */
enum rc catalog_each_undecided(struct catalog *c, const char *source,
	enum rc (*each)(void *arg, const struct catalog_name *n, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* The source whose name follows `name` (""; the first). END: none does. */
enum rc catalog_next_source(
	struct catalog *c, struct str *name, struct err *e) MUST_USE;

/* ---- shapes: what the deliveries of a source look like ---- */

/* Of the newest delivery landed. */
struct catalog_shape {
	uint64_t index; /* in the ledger */
	bool has_header;
	uint8_t header_sha256[HASH_LEN]; /* without the byte order mark */
	uint32_t columns;		 /* 0: any number */
	bool bom;
};

/* Takes the place of the one before. Inside a transaction. */
enum rc catalog_shape_put(struct catalog *c, const char *source,
	const struct catalog_shape *s, struct err *e) MUST_USE;

/* END: nothing with a shape has landed yet. */
enum rc catalog_shape_find(struct catalog *c, const char *source,
	struct catalog_shape *ret, struct err *e) MUST_USE;

/* ---- side files of deliveries, for as long as they may have to go ---- */

struct catalog_side {
	const uint8_t *name; /* of the delivery */
	size_t name_len;
	const uint8_t *side; /* of its side file */
	size_t side_len;
	struct signature signature; /* it looked like this, when it was read */
};

/* Both inside a transaction; what is not there can be dropped. */
enum rc catalog_side_put(struct catalog *c, const char *source,
	const struct catalog_side *s, struct err *e) MUST_USE;
enum rc catalog_side_drop(struct catalog *c, const char *source,
	const struct catalog_side *s, struct err *e) MUST_USE;

/*
 * Each of a source behind `behind` (NULL: from the first), in order of names.
 * Stops when each returns not OK, and returns that; END is OK.
 */
enum rc catalog_side_each(struct catalog *c, const char *source,
	const struct catalog_side *behind,
	enum rc (*each)(void *arg, const struct catalog_side *s, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* The same for known names in [from, to), in the order of their bytes. */
enum rc catalog_each_name(struct catalog *c, const char *source,
	const uint8_t *from, size_t from_len, const uint8_t *to, size_t to_len,
	enum rc (*each)(
		void *arg, const uint8_t *name, size_t len, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* ---- marks: what of a source has been dealt with ---- */

/* Numbers are on disk: add, never change. */
enum catalog_mark {
	MARK_ALERTS = 1,   /* is told, if it was quarantined */
	MARK_RECEIPTS = 2, /* has its receipt */
};

/* Entries of the ledger below `upto` are. Inside a transaction. */
enum rc catalog_mark_put(struct catalog *c, const char *source,
	enum catalog_mark m, uint64_t upto, struct err *e) MUST_USE;

/* END: there is no mark yet. */
enum rc catalog_mark_find(struct catalog *c, const char *source,
	enum catalog_mark m, uint64_t *ret_upto, struct err *e) MUST_USE;

/*
 * The versions of a source with ledger indices in [from, to), in order, each
 * with its name as it stands. As slow as the ledger grew meanwhile. Stops
 * when each returns not OK, and returns that; END is OK.
 */
enum rc catalog_each_since(struct catalog *c, const char *source, uint64_t from,
	uint64_t to,
	enum rc (*each)(void *arg, const struct catalog_name *n, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * OK: an entry in [from, to) is still quarantined: nobody has settled it,
 * and the name has not come again. END: none is.
 */
enum rc catalog_unsettled(struct catalog *c, const char *source, uint64_t from,
	uint64_t to, struct err *e) MUST_USE;

/* ---- alerts: what is wrong, and who has not been told yet ---- */

/* Numbers are on disk: add, never change. */
enum condition {
	CONDITION_NONE = 0,
	CONDITION_ARRIVAL = 1,
	CONDITION_FAILING = 2,
	CONDITION_QUARANTINED = 3,
	CONDITION_DRIFT = 4,
	CONDITION_SPACE = 5,
	CONDITION_RECEIPTS = 6,
	CONDITION_WAITING = 7,
};
#define CONDITIONS 8 /* array size */

struct catalog_condition {
	const char *state; /* the event told last; "": nothing is wrong */
	uint64_t key;	   /* what it was about: a deadline, an entry, ... */
	int64_t at;	   /* wall, ns: when it came to be so */
};

/* Inside a transaction. */
enum rc
catalog_condition_put(struct catalog *c, const char *source, enum condition k,
	const struct catalog_condition *x, struct err *e) MUST_USE;

/* A source without one has an empty state. */
enum rc
catalog_condition_find(struct catalog *c, const char *source, enum condition k,
	struct catalog_condition *ret, struct err *e) MUST_USE;

/* When looks began to fail, since the last complete one. END: they do not. */
enum rc catalog_failing(struct catalog *c, const char *source, int64_t *ret,
	struct err *e) MUST_USE;

struct catalog_alert {
	int64_t id; /* in the catalog; the body has a lasting one */
	const char *source;
	const char *event;
	int64_t at;  /* wall, ns */
	int64_t due; /* the next attempt; of one given up: the last */
	uint64_t attempts;
	bool given_up;
	const char *trouble; /* of the last attempt, or "" */
	const char *body;    /* JSON, as it is sent */
};

/* Source, event, at, due and body are used. Inside a transaction. */
enum rc catalog_alert_put(struct catalog *c, const struct catalog_alert *a,
	struct err *e) MUST_USE;

/* One more attempt has failed. Inside a transaction. */
enum rc catalog_alert_tried(struct catalog *c, int64_t id, int64_t due,
	bool given_up, const char *trouble, struct err *e) MUST_USE;

/* It was delivered. Inside a transaction. */
enum rc
catalog_alert_drop(struct catalog *c, int64_t id, struct err *e) MUST_USE;

/* Forgets those that were given up before then. Inside a transaction. */
enum rc
catalog_alert_forget(struct catalog *c, int64_t before, struct err *e) MUST_USE;

/* Those to be delivered, or those given up, by due; stops as above. */
enum rc catalog_alert_each(struct catalog *c, bool given_up,
	enum rc (*each)(
		void *arg, const struct catalog_alert *a, struct err *e),
	void *arg, struct err *e) MUST_USE;

/* ---- streams of polled APIs ---- */

/*
 * Where a stream stands, or one of its partitions. Texts are never NULL; ""
 * is none.
 */
struct catalog_stream {
	int64_t id; /* in the catalog, for what it remembers */
	const char *stream;
	const char *partition;
	const char *position; /* up to there all of it has landed */
	const char *job;      /* under way at the server, as JSON */
	uint64_t upto;	/* entries of the ledger below it are remembered */
	int64_t parked; /* wall, ns: it waits until then; 0: it does not */
	const char *why;
	int64_t looked;		 /* wall: when it was asked last, */
	int64_t whole;		 /* and when last with success */
	uint64_t files, records; /* that have landed, ever */
	/* Of how many requests its API said last that they are left. */
	bool has_left;
	uint64_t left, allowed; /* allowed 0: it did not say of how many */
};

/* source: of the API, without the stream. END: not yet. */
enum rc catalog_stream_find(struct catalog *c, const char *source,
	const char *stream, const char *partition, struct catalog_stream *ret,
	struct err *e) MUST_USE;

/* Takes the place of what was known; the id stays. Inside a transaction. */
enum rc catalog_stream_put(struct catalog *c, const char *source,
	const struct catalog_stream *s, int64_t *ret_id,
	struct err *e) MUST_USE;

/* In order of stream and partition; stops when each returns not OK. */
enum rc catalog_stream_each(struct catalog *c, const char *source,
	enum rc (*each)(
		void *arg, const struct catalog_stream *s, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * Records that a stream remembers, as the beginning of a SHA-256; `until` is
 * a place in its order (a window's end), after which none is asked for.
 */
#define CATALOG_SEEN 16

/* OK: it was landed before. END: it is new. */
enum rc catalog_seen_find(struct catalog *c, int64_t stream,
	const uint8_t digest[CATALOG_SEEN], struct err *e) MUST_USE;

/* Inside a transaction. A later `until` takes the place of an earlier one. */
enum rc catalog_seen_put(struct catalog *c, int64_t stream,
	const uint8_t digest[CATALOG_SEEN], int64_t until,
	struct err *e) MUST_USE;

/* Forgets those that are remembered until before then. In a transaction. */
enum rc catalog_seen_forget(struct catalog *c, int64_t stream, int64_t before,
	struct err *e) MUST_USE;

/* ---- stories ---- */

struct catalog_event {
	int64_t at;
	const char *source;
	const uint8_t *name;
	size_t name_len;
	enum disposition disposition;
	const char *reason;		       /* or "" */
	const struct catalog_version *version; /* NULL: no delivery */
};

/*
 * The whole story of every name that equals `name` (source NULL: in any
 * source), oldest first. END: no such name. A name that matches no path
 * exactly is tried as the last component of a path.
 */
enum rc catalog_story(struct catalog *c, const char *source,
	const uint8_t *name, size_t len,
	enum rc (*each)(
		void *arg, const struct catalog_event *ev, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * Every version that has a landing file, in ledger order; source NULL: of
 * all sources.
 */
enum rc catalog_each_landed(struct catalog *c, const char *source,
	enum rc (*each)(void *arg, const struct catalog_name *n, struct err *e),
	void *arg, struct err *e) MUST_USE;

#endif
