/*
 * container-state.h - one archive on its way, for container.c and the filter
 * before it.
 */
#ifndef DAEMON_CONTAINER_STATE_H
#define DAEMON_CONTAINER_STATE_H

#include "daemon/container.h"

struct container_run {
	const struct fetch_context *fetch;
	const struct job *job;
	struct feed *feed;
	const struct unpack_look *look;
	struct delivery *d; /* the archive */
	struct catalog *catalog;
	/* The delivery, and what a filter made of it. */
	struct container outer[2];
	size_t n_outer;
	struct str inner; /* the name of the second */
	int filtered;	  /* its bytes; -1: there is no filter */
	struct unpack_look filtered_look;
	/* Why there is no password; OK: there is, or none is configured. */
	struct err locked;
};

/* A part of the sandbox is missing: said once in the life of a process. */
void container_warn(const char *weak);

/* AGAIN: a secret that cannot be had is not this delivery's fault. */
enum rc container_password(
	const struct container_run *r, struct buf *ret, struct err *e) MUST_USE;

/*
 * The source's filter, over all bytes of `in`; what it made of them is the
 * second of r->outer. BAD_ITEM: it did not want them; otherwise as filter_run.
 */
enum rc
container_filter(struct container_run *r, int in, struct err *e) MUST_USE;

#endif
