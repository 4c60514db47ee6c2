/*
 * transfer-state.h - one file on its way, and all of them: transfer.c has the
 * one, transfers.c the list and the shares of the spool.
 */
#ifndef SOURCE_SFTP_TRANSFER_STATE_H
#define SOURCE_SFTP_TRANSFER_STATE_H

#include <pthread.h>

#include "source/sftp/transfer.h"

/* A file whose size the server does not tell, where nothing is kept. */
#define TRANSFER_SIDE_MAX (UINT64_C(64) << 20)

enum transfer_state {
	TRANSFER_WANTED,
	TRANSFER_RUNNING,
	TRANSFER_OVER, /* well, when err.code is OK */
};

struct transfer {
	struct feed feed;
	struct transfers *all;
	struct transfer *next;
	uint8_t *name;
	size_t len;
	struct str path;
	struct signature sig;
	struct spooled file; /* fd -1: not begun */
	struct trunk_request request;
	uint64_t pos; /* of who reads */
	/* All below: under lock. */
	enum transfer_state state;
	bool wanted_now; /* there is a feed */
	bool begun_again;
	uint64_t *charge; /* what it is counted in; NULL: nothing */
	uint64_t have;	  /* bytes that can be read */
	uint64_t marked;
	int64_t marked_at;
	struct signature seen;
	struct err err;
};

struct transfers {
	struct transfers_options options;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* All below: under lock. */
	struct transfer *list, **last;
	size_t ahead_files; /* small, begun and not being read */
	uint64_t ahead_bytes;
	uint64_t ahead, reading; /* of the spool: large files */
};

static inline bool
transfers_cancelled(const struct transfers *all)
{
	const struct source_place *p = all->options.place;

	return p != NULL && p->cancel != NULL && *p->cancel;
}

static inline bool
transfer_is_large(const struct transfer *t)
{
	return t->sig.size >= SPOOL_NAMED_MIN;
}

/* ---- transfer.c ---- */

/* It is asked for; or it is over, because there is no room. Under lock. */
void transfer_begin(struct transfer *t);

/* Until it is over; at once, if it was not begun. Under lock. */
void transfer_wait(struct transfer *t);

extern const struct feed_ops transfer_ops;

/* ---- transfers.c ---- */

/* Nobody reads it any more: it is freed. */
void transfers_leave(struct transfer *t);

#endif
