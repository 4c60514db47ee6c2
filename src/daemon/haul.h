/*
 * haul.h - what is taken out of one archive: its members, read and staged,
 * and what was wrong with it.
 *
 *	haul_take(&plan, &h, &e);
 *	... h.first: members that are there, and notes of the others ...
 *	haul_drop(&plan, &h);		if it is not to land
 *
 * Runs on the worker that has the archive; small members are errands of its
 * crew, large ones are read where they are.
 */
#ifndef DAEMON_HAUL_H
#define DAEMON_HAUL_H

#include "daemon/fetch.h"
#include "landfall/unpack.h"

struct haul_plan {
	const struct fetch_context *fetch;
	const struct job *job; /* of the archive */
	/* The archive as it came, and then what a filter made of it. */
	const struct container *outer;
	size_t n_outer;
	struct unpack *unpack;
	struct catalog *catalog; /* a reading connection */
	const char *evidence;	 /* for the members */
	bool partial;		 /* what is bad is left out */
};

struct haul {
	struct delivery *first, **last; /* in the order of the archive */
	size_t n;
	size_t landing;	  /* of these: staged to land, not quarantined */
	uint64_t records; /* in those */
	uint64_t findings;
	uint64_t missing;   /* could not be had */
	uint64_t bad;	    /* missing, or staged for quarantine */
	struct str trouble; /* the first of the bad, in words */
	/* Nothing is wrong with it, but not now. */
	char *wait;
	enum condition needs;
	bool no_room;
};

/*
 * Until its end, or until it is known that nothing will come of it. BROKEN:
 * our disk failed, and there is nothing to release.
 */
enum rc
haul_take(const struct haul_plan *p, struct haul *ret, struct err *e) MUST_USE;

/*
 * The same of what is no archive but one file, which came out of a filter; fd
 * is its from now on.
 */
enum rc haul_take_file(const struct haul_plan *p, const struct unpack_member *m,
	int fd, struct haul *ret, struct err *e) MUST_USE;

/* Gives up what is staged. */
void haul_drop(const struct haul_plan *p, struct haul *h);

/* Releases the words; deliveries are whoever's they are by now. */
void haul_release(struct haul *h);

#endif
