/*
 * trunk-state.h - what the parts of a trunk share: trunk.c opens and closes it,
 * trunk-request.c has what is asked, trunk-listen.c the child and the thread
 * that hears it, trunk-up.c the connections and the thread that dials.
 */
#ifndef SOURCE_SFTP_TRUNK_STATE_H
#define SOURCE_SFTP_TRUNK_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "source/sftp/trunk.h"
#include "source/sftp/trust.h"

#define TRUNK_SENT_MAX 192 /* unfinished at the child: below its own bound */

enum slot_state {
	SLOT_DOWN,
	SLOT_WANTED,  /* the dialer's next */
	SLOT_DIALING, /* the dialer has it */
	SLOT_COMING,  /* the child has it */
	SLOT_TRUSTED, /* the dialer is to log in */
	SLOT_UP,
	SLOT_BARRED, /* the partner does not want another one */
};

struct slot {
	enum slot_state state;
	int64_t not_before; /* monotonic */
};

struct trunk {
	struct trunk_options options;
	const struct sftp_config *config;
	int ring;	    /* eventfd: the listener is to look */
	atomic_bool cancel; /* of what blocks */
	pthread_t listener, dialer;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a request is done, a slot is up, dead */
	pthread_cond_t call;	/* the dialer has something to do */
	/* All below: under lock. */
	struct sftp *sftp; /* replaced by the listener alone */
	struct trust *trust;
	struct trunk_request *queue, **last; /* not sent yet */
	size_t queued;
	struct trunk_request *sent[TRUNK_SENT_MAX];
	size_t n_sent;
	uint64_t next_id;
	struct slot slot[SFTP_CONNECTIONS_MAX];
	unsigned failures; /* in a row */
	bool dialing;	   /* the dialer is outside the lock */
	bool child_gone;   /* the listener is to start another */
	bool stopped; /* by *options.cancel, or to quit: there is no child */
	bool dead, quit;
	struct err why; /* dead */
	struct str address, key, algorithms;
	const char *weak;
};

/* ---- trunk-up.c; all under lock ---- */

/* Connections that work, or may soon. */
unsigned trunk_up(const struct trunk *l, enum slot_state s);

/* How many connections there should be; calls the dialer. */
void trunk_want(struct trunk *l);

/* When to look again, ns from now; INT64_MAX: nothing is planned. */
int64_t trunk_next(const struct trunk *l);

/* HOST_KEY, UP, DOWN. */
void trunk_slot_event(struct trunk *l, const struct sftp_event *ev);

/* All connections are gone: the child is. */
void trunk_slots_lost(struct trunk *l, const struct err *why);

/* The trunk has come to its end. */
void trunk_kill(struct trunk *l, const struct err *why);

void *trunk_dialer(void *trunk);

/* ---- trunk-listen.c ---- */

void *trunk_listener(void *trunk);

/* ---- trunk-request.c; the listener calls these ---- */

/* Under lock: what is queued goes to the child, and what was given up. */
void trunk_send(struct trunk *l);
void trunk_send_cancels(struct trunk *l);

/* Under lock: what is sent is not asked again if its connection is lost. */
void trunk_ask_no_more(struct trunk *l);

/* All below not under lock: they tell whoever asked. */

/* ITEM, TROUBLE, PROGRESS. Returns how many bytes of content are new. */
uint64_t trunk_told(struct trunk *l, const struct sftp_event *ev);

/* DONE. */
void trunk_done(struct trunk *l, const struct sftp_event *ev);

/* The child is gone: all that was sent is lost with it. */
void
trunk_lose_sent(struct trunk *l, enum sftp_fault fault, const struct err *why);

/* Those that somebody gave up, and all of them once the trunk is dead. */
void trunk_drop_hopeless(struct trunk *l);

/* ---- trunk.c ---- */

/* Wakes the listener. */
void trunk_ring(struct trunk *l);

#endif
