/*
 * audit-state.h - an audit under way, shared by its parts: audit.c (ledger,
 * catalog, findings), audit-file.c (one landing file) and audit-zone.c (what
 * lies in the zone).
 */
#ifndef CLI_AUDIT_STATE_H
#define CLI_AUDIT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/audit.h"
#include "cli/entry.h"
#include "cli/known.h"

enum finding_kind {
	LEDGER_DAMAGED,
	FILE_MISSING,
	FILE_UNREADABLE,
	FILE_CHANGED,
	BYTES_CHANGED,
	INDEX_WRONG,
	PROVENANCE_WRONG,
	FILE_UNLISTED,
	DUPLICATE_WRONG,
	SETTLED_WRONG,
	SUMS_MISSING,
	SUMS_WRONG,
	SUMS_UNLISTED,
	CATALOG_BEHIND,
	CATALOG_WRONG,
};

struct audit {
	const struct audit_options *o;
	int zone;
	struct ledger_view *view;
	uint64_t size; /* entries under proof */
	struct known known;
	unsigned bad_entries;	    /* that cannot be read */
	atomic_uint_fast64_t next;  /* entry for the next free thread */
	atomic_uint_fast64_t done;  /* delivered bytes */
	atomic_uint_fast64_t files; /* verified */
	atomic_bool stop;
	pthread_mutex_t lock; /* of the rest */
	struct audit_result result;
	struct err err; /* the first that was BROKEN */
};

/* Is the path, or the directory it lies in, asked for? */
bool audit_wants(const struct audit *a, const char *path);

/* Does something asked for lie at or below this directory? */
bool audit_wants_below(const struct audit *a, const char *dir);

/* Counts and tells a finding. what: a format, or NULL. */
void audit_find(struct audit *a, enum finding_kind kind, const char *file,
	const char *expected, const char *found, const char *what, ...)
	PRINTF_LIKE(6, 7);

/* The same with two sums; NULL where there is none. */
void audit_find_sums(struct audit *a, enum finding_kind kind, const char *file,
	const uint8_t *expected, const uint8_t *found, const char *what);

/* The landing file of one entry. */
void audit_file(struct audit *a, const struct entry *x);

#endif
