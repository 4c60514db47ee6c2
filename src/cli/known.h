/*
 * known.h - the landing files a ledger names, to be asked by path: a million
 * of them in 24 MiB, because a path is kept as 64 bits of its SHA-256. Two
 * of a million honest paths meet with a chance of one in thirty million, and
 * then there is a finding, not silence.
 *
 *	known_add(&k, path, sum, index);	any number of times
 *	known_seal(&k);
 *	i = known_find(&k, path);
 */
#ifndef CLI_KNOWN_H
#define CLI_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/hash.h"

#define KNOWN_NONE SIZE_MAX

struct known_file {
	uint64_t path;	  /* of the path */
	uint64_t content; /* of the path and the SHA-256 together */
	uint64_t index;	  /* in the ledger; the top bit: known_mark */
};

struct known {
	struct known_file *file; /* sorted by path once sealed */
	size_t n, cap;
};

#define KNOWN_INIT \
	{ \
		.file = NULL \
	}

void known_release(struct known *k);

void known_add(struct known *k, const char *path,
	const uint8_t file_sha256[HASH_LEN], uint64_t index);
void known_seal(struct known *k);

/* KNOWN_NONE: no entry names it. */
size_t known_find(const struct known *k, const char *path) MUST_USE;

/* Is this its sum? */
bool known_has_sum(const struct known *k, size_t i, const char *path,
	const uint8_t file_sha256[HASH_LEN]) MUST_USE;

uint64_t known_index(const struct known *k, size_t i);

/* True the first time. */
bool known_mark(struct known *k, size_t i);
bool known_is_marked(const struct known *k, size_t i);

#endif
