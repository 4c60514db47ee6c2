/*
 * sftp-state.h - the supervisor's side of an SFTP child: sftp.c starts it and
 * brings connections up, sftp-order.c sends what is asked, sftp-event.c takes
 * what comes back.
 */
#ifndef SOURCE_SFTP_SFTP_STATE_H
#define SOURCE_SFTP_SFTP_STATE_H

#include <pthread.h>

#include "landfall/sftp.h"
#include "source/sftp/wire.h"

/* What a slot waits for. */
enum slot {
	SLOT_FREE,
	SLOT_SHAKING, /* the child: host key */
	SLOT_KEY,     /* the caller: sftp_trust */
	SLOT_LOGIN,   /* the child: up */
	SLOT_UP,
};

struct unfinished {
	uint64_t id;
	enum wire_kind kind;
};

struct sftp {
	pthread_mutex_t lock; /* all but what sftp_next has alone */
	struct proc *proc;
	struct message *out;
	enum slot slot[SFTP_CONNECTIONS_MAX];
	unsigned n_slots;
	struct unfinished unfinished[SFTP_REQUESTS_MAX];
	unsigned n_unfinished;
	struct err gone; /* code is not OK once the child is gone */

	struct message *in; /* sftp_next's, as all below */
	struct wire_texts texts;
	bool items; /* in holds more of them */
	uint64_t items_id;
};

/* ---- sftp.c; all locked ---- */

/* What is in s->out goes to the child. */
enum rc sftp_send(struct sftp *s, struct err *e) MUST_USE;

/* The child is gone, or has to be. */
enum rc sftp_lose(struct sftp *s, const char *why, struct err *e);

/* Why it is gone: s->gone.code is not OK. */
enum rc sftp_gone(const struct sftp *s, struct err *e);

/* ---- sftp-order.c; locked ---- */

/* NULL: nothing of this id is under way. */
struct unfinished *sftp_unfinished(struct sftp *s, uint64_t id);

#endif
