/*
 * room.h - is there room to take work? What limits.free_space wants free on
 * the filesystems of zone and state, told before a disk is full.
 *
 *	room_take(r, size, &why, &e);	a worker, before it reads
 *	...
 *	room_give(r, size);
 *
 * Once a size was refused, room_refuses says the same of others without
 * asking the kernel, until room_again finds that the smallest would fit: a
 * full disk costs nothing for each name and each look.
 *
 * Sizes are raw: what compression saves is not known before.
 */
#ifndef DAEMON_ROOM_H
#define DAEMON_ROOM_H

#include <pthread.h>

#include "landfall/config.h"
#include "landfall/zone.h"

struct room {
	struct zone *zone;
	int state; /* directory */
	pthread_mutex_t lock;
	pthread_cond_t given;
	/* Under lock. */
	uint64_t floor;	   /* of the configuration */
	uint64_t reserved; /* being read */
	bool wanting;	   /* something was refused since there last was room */
	uint64_t least;	   /* the smallest of it */
};

void room_init(struct room *r, struct zone *z, int state, uint64_t floor);
void room_release(struct room *r);
void room_configure(struct room *r, uint64_t floor);

/*
 * Waits while others who read leave too little, and then takes. END: no room,
 * and `why` is the same text for every item until there is room again.
 */
enum rc room_take(
	struct room *r, uint64_t size, struct str *why, struct err *e) MUST_USE;
void room_give(struct room *r, uint64_t size);

/*
 * Would so much more in the spool leave the state's filesystem above its
 * floor? END: no, as room_take says it; nothing is taken.
 */
enum rc room_spool(
	struct room *r, uint64_t size, struct str *why, struct err *e) MUST_USE;

/* Would it be refused, by what is known already? */
bool room_refuses(struct room *r, uint64_t size, struct str *why);

/* Was anything refused that has no room yet? why: with today's numbers. */
bool room_wanted(struct room *r, struct str *why);

/* What is to stay free where the state is. */
enum rc room_floor(struct room *r, uint64_t *ret, struct err *e) MUST_USE;

/* Looks: OK when the least that was refused fits by now; END: still not. */
enum rc room_again(struct room *r, struct err *e) MUST_USE;

#endif
