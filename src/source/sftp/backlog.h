/*
 * backlog.h - what a listing found, until somebody has time for it.
 *
 * The thread that talks to the server must never wait for whoever decides
 * about names; and a server may list millions of them. What does not fit into
 * a little memory lies in a file that nobody else sees.
 *
 * One thread adds, one takes.
 */
#ifndef SOURCE_SFTP_BACKLOG_H
#define SOURCE_SFTP_BACKLOG_H

#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"

struct backlog {
	int fd; /* the file */
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* Under lock. */
	uint64_t written; /* to the file */
	struct buf tail;  /* behind that */
	bool ended;
	struct err err;
	/* Of who takes. */
	uint64_t read; /* from the file */
	struct buf chunk;
	size_t at; /* in chunk */
};

/* fd: an empty file, the backlog's from now on. */
void backlog_init(struct backlog *b, int fd);
void backlog_release(struct backlog *b);

/* n bytes as one record, at most BACKLOG_MAX. Never waits but for the disk. */
#define BACKLOG_MAX 16384
void backlog_add(struct backlog *b, const void *p, size_t n);

/* Nothing more comes. */
void backlog_end(struct backlog *b);

/* Waits. END: that was all; BROKEN: our disk. p lasts until the next call. */
enum rc backlog_take(struct backlog *b, const uint8_t **ret, size_t *ret_n,
	struct err *e) MUST_USE;

/* Waits for the end, whatever still comes. */
void backlog_await_end(struct backlog *b);

#endif
