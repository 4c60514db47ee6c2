/*
 * line-state.h - what the parts of a line share: line.c has the requests and
 * listens to the child, line-up.c brings connections up.
 */
#ifndef SOURCE_SFTP_LINE_STATE_H
#define SOURCE_SFTP_LINE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "source/sftp/line.h"
#include "source/sftp/trust.h"

#define LINE_SENT_MAX 192 /* unfinished at the child: below its own bound */

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

struct line {
	struct line_options options;
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
	struct line_request *queue, **last; /* not sent yet */
	size_t queued;
	struct line_request *sent[LINE_SENT_MAX];
	size_t n_sent;
	uint64_t next_id;
	struct slot slot[SFTP_CONNECTIONS_MAX];
	unsigned failures; /* in a row */
	bool dialing;	   /* the dialer is outside the lock */
	bool child_gone;   /* the listener is to start another */
	bool dead, quit;
	struct err why; /* dead */
	struct str address, key, algorithms;
	const char *weak;
};

/* ---- line-up.c; all under lock ---- */

/* Connections that work, or may soon. */
unsigned line_up(const struct line *l, enum slot_state s);

/* How many connections there should be; calls the dialer. */
void line_want(struct line *l);

/* When to look again, ns from now; INT64_MAX: nothing is planned. */
int64_t line_next(const struct line *l);

/* HOST_KEY, UP, DOWN. */
void line_slot_event(struct line *l, const struct sftp_event *ev);

/* All connections are gone: the child is. */
void line_slots_lost(struct line *l, const struct err *why);

/* The line has come to its end. */
void line_kill(struct line *l, const struct err *why);

void *line_dialer(void *line);

/* Wakes the listener. */
void line_ring(struct line *l);

#endif
