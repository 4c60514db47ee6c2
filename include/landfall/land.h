/*
 * land.h - the landing file: written from a stream of bytes, read back with
 * random access, verified. format.h draws it; what is not said there is here.
 *
 * Writing one object:
 *
 *	l = land_new(pool, &dialect, fd, spool, prefix);
 *	while (... the source has bytes ...) {
 *		p = land_room(l, &n);		read straight into p
 *		land_add(l, got, &e);		hash, scan, index, compress
 *	}
 *	land_settle(l, &facts, &e);		the last data frame is out
 *	... decide; fill in a struct provenance ...
 *	land_finish(l, &provenance, &facts, &e);
 *	land_free(l);				also abandons, at any point
 *
 * The bytes of the file depend on the delivered bytes, the dialect, the
 * level and the provenance alone: not on threads, nor on how reads fell.
 */
#ifndef LANDFALL_LAND_H
#define LANDFALL_LAND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "landfall/catalog.h"
#include "landfall/scan.h"

/* Bytes of the object; length 0: there is no such span. */
struct landed_span {
	uint64_t offset;
	uint64_t length;
};

/* ---- provenance: where the bytes came from, one canonical JSON object ---- */

/* An archive that a delivery came out of. */
struct container {
	uint8_t *name; /* exact bytes; inside the one before */
	size_t name_len;
	uint64_t size;
	uint8_t bytes_sha256[HASH_LEN];
};

#define CONTAINERS_MAX 16 /* one inside the other */

struct provenance {
	const char *source;
	const uint8_t *name; /* exact bytes */
	size_t name_len;
	uint64_t size;
	uint8_t bytes_sha256[HASH_LEN];
	int64_t mtime;	       /* as listed; wall, ns */
	int64_t seen_at;       /* wall, ns: first sight, */
	int64_t staged_at;     /* last byte read, checked and written */
	const char *transport; /* "drop", "by-hand" */
	const char *evidence;  /* why we held it for complete */
	const struct container *lineage; /* outermost first; NULL: none */
	size_t n_lineage;
	bool unpacked;	      /* an archive, kept beside its members */
	const char *reason;   /* why quarantined; NULL otherwise */
	const char *released; /* from which quarantine, by whom; or NULL */
	uint64_t settles;     /* the ledger entry of that quarantine */
	const char *drift;    /* how its shape differs; or NULL */
	bool has_header;
	uint8_t header_sha256[HASH_LEN]; /* first header, without a BOM */
	const char *compared; /* control totals that matched; or NULL */
	struct provenance_api {
		const char *stream;    /* NULL: it is no answer of an API */
		const char *partition; /* or NULL */
		const char *window;    /* a JSON object */
		const char *parts;     /* a JSON array; written, not read */
		/* Read, not written: where the parts lie. */
		struct landed_span *part;
		size_t n_parts;
		uint64_t
			seen; /* records landed before, beside totals.records */
	} api;
	struct dialect dialect;
	const char *dialect_origin; /* "declared" */
	struct scan_totals totals;
	uint32_t generation;
	enum relation relation;
	uint8_t previous_sha256[HASH_LEN]; /* when generation > 1 */
};

/* False: such a delivery has none. Without the index. */
bool provenance_shape(const struct provenance *p, struct catalog_shape *ret);

void provenance_write(const struct provenance *p, struct str *s);

/*
 * Reads what provenance_write wrote. Names, texts and lineage belong to
 * `keep`, which the caller releases with provenance_release. BAD_ITEM: not a
 * provenance.
 */
struct provenance_keep {
	void *json; /* json_t */
	uint8_t *name;
	struct container *lineage;
	size_t n_lineage;
	char *window;
	struct landed_span *part;
};
enum rc provenance_read(struct provenance *p, struct provenance_keep *keep,
	const char *text, size_t len, struct err *e) MUST_USE;
void provenance_release(struct provenance_keep *keep);

/* ---- writing ---- */

/* Compressing threads and their buffers, shared by all objects. */
struct land_pool;

struct land_pool *land_pool_new(unsigned threads, int level) MUST_USE;
void land_pool_free(struct land_pool *p);

/* What landing found out. */
struct landed {
	uint64_t size;
	struct landed_span header;  /* the first header record */
	struct landed_span trailer; /* the last trailer record */
	uint8_t bytes_sha256[HASH_LEN];
	struct scan_totals totals; /* records: without those seen before */
	uint64_t seen;
	/* SHA-256 of the first `prefix` bytes, when there were as many. */
	bool has_prefix;
	uint8_t prefix_sha256[HASH_LEN];
	/* After land_finish: of the landing file. */
	uint64_t file_size;
	uint8_t file_sha256[HASH_LEN];
};

struct land;

/*
 * Begins an object. fd: the empty staged file; it stays the caller's, and
 * nobody else writes to it meanwhile. spool: a directory for an unlinked
 * temporary file, should exceptions be too many for memory. prefix: see
 * struct landed; 0 when not wanted.
 */
struct land *land_new(struct land_pool *p, const struct dialect *d, int fd,
	int spool, uint64_t prefix) MUST_USE;
void land_free(struct land *l);

/* Where the next bytes go: room for *ret_n > 0 of them. */
uint8_t *land_room(struct land *l, size_t *ret_n);

/* n bytes were put there. BROKEN: our disk failed. */
enum rc land_add(struct land *l, size_t n, struct err *e) MUST_USE;

/*
 * An object of several parts. Between two of them land_part() puts one line
 * feed that belongs to neither, and scanning begins anew behind it.
 */
enum rc land_part(struct land *l, struct err *e) MUST_USE;

/* Asked for each ordinary record, in order: was it landed before? */
void land_seen(struct land *l,
	bool (*seen)(void *arg, uint64_t offset, uint64_t length), void *arg);

/* No more bytes: everything but the file's trailer is written. */
enum rc land_settle(struct land *l, struct landed *ret, struct err *e) MUST_USE;

/*
 * The delivered bytes once more, by offset, from what was landed of them;
 * after land_settle. *ret_got < n only at their end. BROKEN: our disk failed.
 */
enum rc land_again(struct land *l, void *p, size_t n, uint64_t offset,
	size_t *ret_got, struct err *e) MUST_USE;

/* Index, provenance and seek table. The caller syncs fd. */
enum rc land_finish(struct land *l, const struct provenance *p,
	struct landed *ret, struct err *e) MUST_USE;

/* ---- reading: every number in the file is checked before it is used ---- */

struct landing;

/*
 * Opens a landing file; fd is the landing's from now on, also on failure.
 * BAD_ITEM: not a landing file, or damaged; the text says where.
 */
enum rc landing_open(int fd, struct landing **ret, struct err *e) MUST_USE;
void landing_close(struct landing *l);

const struct provenance *landing_provenance(const struct landing *l);
const char *landing_provenance_text(const struct landing *l);

/* The delivered bytes, in pieces of at most a frame, in order. */
enum rc landing_bytes(struct landing *l,
	enum rc (*each)(void *arg, const uint8_t *p, size_t n, struct err *e),
	void *arg, struct err *e) MUST_USE;

struct landing_record {
	uint64_t number; /* of ordinary records, from 0 */
	uint16_t kind;	 /* 0: ordinary; or KIND_SEEN, KIND_RELATED */
	uint16_t detail;
	uint64_t offset;
	const uint8_t *bytes;
	size_t length;
};

/* Beside ordinary records, which have no bit. */
#define LANDING_SEEN 1u
#define LANDING_RELATED 2u

/*
 * Ordinary records from number `first` on, and records of the kinds in
 * `also` among them: only the frames needed are read. Stops when each does
 * not return OK and returns that. END: there are not so many. BAD_ITEM:
 * damaged, or a record too large for memory.
 */
enum rc landing_records(struct landing *l, uint64_t first, unsigned also,
	enum rc (*each)(
		void *arg, const struct landing_record *r, struct err *e),
	void *arg, struct err *e) MUST_USE;

/*
 * The first malformed spans, `most` at most, neighbours of one kind in one.
 * Where very many exceptions of other kinds come before them, fewer.
 */
enum rc landing_malformed(struct landing *l, struct scan_exception *ret,
	size_t most, size_t *ret_n, struct err *e) MUST_USE;

/*
 * Reads the whole file once and checks it: each frame's checksum and size,
 * the SHA-256 of the delivered bytes, and by scanning them again that the
 * index tells the truth. ret_file_sha256: of the file as it is. BAD_ITEM:
 * the text says what is wrong. progress may be NULL; it is called with the
 * raw bytes done since the last call.
 */
enum rc landing_check(struct landing *l, uint8_t ret_file_sha256[HASH_LEN],
	void (*progress)(void *arg, uint64_t bytes), void *arg,
	struct err *e) MUST_USE;

#endif
