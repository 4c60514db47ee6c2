/*
 * set.h - deliveries that land together or not at all.
 *
 *	s = set_new("manifest orders.mf");
 *	j->set = s;				for each member
 *	lane_submit(l, j, &e);
 *	set_spoil(l, s, "b.csv is gone");	or whatever else is wrong
 *	set_close(l, s);			that was all; s is the engine's
 *
 * Members are read like other jobs, in turn with those of other lanes, and
 * what comes of them is kept back, without a descriptor, until the set is
 * closed and all of them are there. If all are good they are queued as one
 * unit, which becomes part of one commit. If one is not, those that are good
 * are left pending with a reason that names the set and that one; what goes
 * to quarantine goes there alone.
 *
 * A set may be closed long after its first members came (who unpacks an
 * archive does not know how many there are), but its lane must not be waited
 * for before. It is not bounded by the engine: whoever makes one keeps to
 * SET_MEMBERS_MAX.
 */
#ifndef DAEMON_SET_H
#define DAEMON_SET_H

#include "daemon/engine.h"

#define SET_MEMBERS_MAX 100000

struct set;

/* what: for reasons, e.g. "manifest orders.mf". */
struct set *set_new(const char *what) MUST_USE;

/* None of it will land, and this is why; the first reason stays. */
void set_spoil(struct lane *l, struct set *s, const char *why);

/*
 * No more members, and a note that is recorded with them: as it is once all of
 * them have landed, else as pending with the reason of the others. Both are
 * the engine's, also when it failed.
 */
enum rc set_conclude(struct lane *l, struct set *s, struct delivery *note,
	struct err *e) MUST_USE;

/* No more members. The caller has it no longer. NULL is fine. */
void set_close(struct lane *l, struct set *s);

/* ---- for the engine alone; under its lock ---- */

/*
 * Nothing of it will land: who has not been read yet need not be. What is only
 * quarantined does not count, so that all that is wrong is told at once.
 */
bool set_is_lost(const struct set *s);

/* A member was submitted. */
void set_expect(struct set *s);

/*
 * A member was read: d is the set's. NULL: nothing will come of it, for the
 * engine failed. May give up the lock for a while.
 */
void set_put(struct engine *g, struct set *s, struct delivery *d);

#endif
