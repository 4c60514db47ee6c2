/*
 * zone.h - where landing files live: put-if-absent, read, list. A filesystem
 * now; the interface is small so that an object store can take its place.
 *
 *	<zone>/<source>/dt=YYYY-MM-DD/orders.3f9a1c2b44d0.csv.zst
 *	<zone>/<source>/dt=YYYY-MM-DD/SHA256SUMS
 *	<zone>/_staging/<id>		ours alone; swept at start
 *
 * Nothing in a zone is ever changed or removed by these functions but what
 * lies in _staging. All failures are BROKEN unless stated.
 */
#ifndef LANDFALL_ZONE_H
#define LANDFALL_ZONE_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "landfall/format.h"

struct zone;

/* Makes the directory, _staging and nothing else; existing is fine. */
enum rc zone_create(const char *path, struct err *e) MUST_USE;

enum rc zone_open(const char *path, struct zone **ret, struct err *e) MUST_USE;
void zone_close(struct zone *z);

/* The descriptor of the zone's root; lives as long as the zone. */
int zone_dir(const struct zone *z);

/*
 * The path below the zone for an object: the partner's name percent-encoded
 * into one safe component, the date of `landed_at`, the first sha_chars
 * (12, more after a collision) hex digits of the bytes' SHA-256 before the
 * last extension, and ".zst". A leading '_' or '.' is encoded too, so that no
 * reader skips the file; a component over 255 bytes is cut and made unique by
 * a digest of the name. root: "" or FORMAT_QUARANTINE_DIR.
 */
void zone_path(struct str *s, const char *root, const char *source,
	int64_t landed_at, const uint8_t *name, size_t name_len,
	const uint8_t sha256[HASH_LEN], unsigned sha_chars);

/*
 * The first `stem` bytes of a name as zone_path makes them safe: one
 * component of `most` bytes at most, with a digest where that cuts it.
 */
void zone_add_name(struct str *s, const uint8_t *name, size_t name_len,
	size_t stem, size_t most);

/* A new, empty, writable file _staging/<id>, mode 0440. Thread-safe. */
enum rc zone_stage(
	struct zone *z, uint64_t *ret_id, int *ret_fd, struct err *e) MUST_USE;

/* Removes a staged file; one that is gone is fine. */
void zone_unstage(struct zone *z, uint64_t id);

/* Removes everything in _staging but files named like `keep`. */
enum rc zone_sweep(struct zone *z, const char *keep, struct err *e) MUST_USE;

/*
 * Gives a staged file, already synced, its path; directories are made as
 * needed (and synced). BAD_ITEM with cause EEXIST: taken, nothing changed.
 * The directory entry is durable after zone_sync_parent(path).
 */
enum rc zone_publish(
	struct zone *z, uint64_t id, const char *path, struct err *e) MUST_USE;
enum rc
zone_sync_parent(struct zone *z, const char *path, struct err *e) MUST_USE;

/* Opens a landing file for reading. END: no such file. */
enum rc zone_read(
	struct zone *z, const char *path, int *ret_fd, struct err *e) MUST_USE;

/* Bytes free for us where the zone is, and how many there are in all. */
enum rc zone_space(struct zone *z, uint64_t *ret_free, uint64_t *ret_size,
	struct err *e) MUST_USE;

/*
 * Every landing file of the zone (or of one source), as paths below the
 * zone; sources and dates in byte order, files of a date in any order. Also
 * quarantined ones. Stops when each does not return OK and returns that.
 */
enum rc zone_list(struct zone *z, const char *source,
	enum rc (*each)(void *arg, const char *path, struct err *e), void *arg,
	struct err *e) MUST_USE;

/* ---- SHA256SUMS ---- */

/* Appends one line for a file to `lines`: hex, two spaces, last component. */
void zone_sums_line(struct str *lines, const char *path,
	const uint8_t file_sha256[HASH_LEN]);

/*
 * The SHA256SUMS of directory dir (e.g. "orders/dt=2026-11-23") ends with
 * exactly these lines, durably. What a crash left of the same lines in the
 * same order (any prefix of them) is completed, not repeated.
 */
enum rc zone_sums_append(struct zone *z, const char *dir, const char *lines,
	size_t len, struct err *e) MUST_USE;

#endif
