/*
 * land-state.h - an object on its way into a landing file, shared by the
 * parts that work on it: land.c writes, again.c reads back.
 */
#ifndef LAND_LAND_STATE_H
#define LAND_LAND_STATE_H

#include <pthread.h>

#include "land/index.h"
#include "land/pool.h"

/* Small pieces gathered for one write: all of a small landing file. */
#define LAND_GATHER (8u << 10)

struct again;

struct land_entry {
	uint32_t compressed;
	uint32_t raw;
};

struct land {
	struct land_pool *pool;
	struct scan *scan;
	struct index index;
	struct hash hash;
	uint64_t prefix;
	struct landed facts;
	struct dialect dialect;

	/* The window: object bytes [base, base + len) at fill->raw + head. */
	struct task *fill;
	size_t head;
	size_t len;
	size_t settled; /* of len; the scanner is done with these */
	uint64_t base;
	uint64_t sent; /* frames handed on */

	/* The file. Frames are put by whichever thread holds `writing`. */
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	/* All below: under lock, or by the one who writes. */
	struct task *ready; /* compressed, not yet put, in no order */
	unsigned in_flight;
	bool writing;
	uint64_t put;	 /* data frames */
	uint64_t offset; /* bytes written */
	uint64_t hinted; /* bytes */
	size_t gathered; /* bytes that follow them */
	uint8_t gather[LAND_GATHER];
	struct hash file_hash;
	struct land_entry *entry; /* the seek table */
	size_t n_entries;
	size_t cap_entries;
	struct err err; /* the first failure of the file */

	struct again *again; /* NULL: nobody has read back yet */
};

/* What was gathered goes to the file. */
enum rc land_flush(struct land *l, struct err *e) MUST_USE;

#endif
