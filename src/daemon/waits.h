/*
 * waits.h - which streams of a polled API have been told to wait, by the
 * catalog: it is as true after a restart, and whoever looks.
 */
#ifndef DAEMON_WAITS_H
#define DAEMON_WAITS_H

#include "landfall/catalog.h"
#include "landfall/config.h"

struct waits {
	bool *over;    /* of each stream: a wait is over, and nobody asked */
	bool any_over; /* of one of them */
	uint64_t n;    /* streams, or partitions of them, that wait */
	int64_t first; /* wall: when the first wait of these ends; 0: none */
	int64_t last;  /* and when the last does */
	struct str stream; /* that waits until then, and in words: which */
	struct str text;   /* partition, until when, and why */
};

/* At that moment, of the streams that are polled. */
enum rc waits_read(struct catalog *c, const struct source_config *s,
	int64_t now, struct waits *ret, struct err *e) MUST_USE;
void waits_release(struct waits *w);

#endif
