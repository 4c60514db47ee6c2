/*
 * server.h - one connection's SFTP conversation: numbered requests, the
 * answers to them in whatever order, and the jobs that asked.
 *
 * A job belongs to one connection from start to end. It asks when there is
 * room (server_room), takes each answer in its reply(), and ends by
 * server_done(). What it still had asked for by then is answered into the
 * void, but for handles, which are closed.
 *
 * Bounds: SERVER_PENDING requests, whose bytes fit into any socket's buffer,
 * so that two sides that both send cannot wait for each other; `flight` bytes
 * of content that were asked for and have not come.
 */
#ifndef SOURCE_SFTP_SERVER_H
#define SOURCE_SFTP_SERVER_H

#include "source/sftp/link.h"
#include "source/sftp/pace.h"
#include "source/sftp/packet.h"
#include "source/sftp/say.h"
#include "source/sftp/wire.h"

#define SERVER_PENDING 256
#define SERVER_IN (1u << 20)
#define SERVER_READ 32768u /* bytes of one READ, unless it tells more */

struct server;
struct job;

/* A request that has no answer yet. */
struct pending {
	bool used;
	uint32_t id;
	uint8_t type;	 /* what was asked */
	struct job *job; /* NULL: nobody cares any more */
	uint64_t tag;	 /* the job's */
	uint32_t cost;	 /* bytes of content it may bring */
};

struct job_ops {
	/* May ask. Called when there may be room again. */
	void (*step)(struct job *j);
	/* p.job == j. May ask, and end. */
	void (*reply)(struct job *j, const struct pending *p, struct packet *k);
	/* Fills in what a job of this kind tells when it ends. */
	void (*told)(struct job *j, struct sftp_event *ev);
	void (*release)(struct job *j);
};

struct job {
	const struct job_ops *ops;
	struct server *server; /* NULL: not dealt out yet */
	struct job *next;
	uint64_t id;
	bool is_fetch;
	bool busy; /* it has work that waits for nobody */
	bool over; /* it is freed when it is safe */
};

/* What all connections share. */
struct shared {
	struct say *say;
	struct pace pace;
	struct wire_options options;
	uint64_t flight, flight_max; /* content asked for and not here yet */
	uint64_t share;		     /* ... of one connection that fetches */
	int64_t now;		     /* of this turn */
};

struct server {
	struct link link;
	struct shared *shared;
	unsigned slot;
	bool up;   /* VERSION has come */
	bool held; /* it has more to say than the supervisor takes */
	struct job *jobs, *jobs_end;
	unsigned n_jobs, n_fetches;
	unsigned n_open;    /* files, or asked to be */
	unsigned most_open; /* that it seems to allow; 0: no limit known */
	struct pending pending[SERVER_PENDING];
	unsigned n_pending;
	uint32_t next_id;
	uint64_t flight;
	uint32_t read_max;
	int64_t heard; /* when the last answer came */
	uint8_t *in;   /* SERVER_IN */
	size_t in_len;
	struct packet_out out;
};

void server_init(struct server *s, struct shared *shared, unsigned slot);

/* The socket is taken over; nothing is there before. */
void server_open(struct server *s, int fd, const struct wire_connect *c);

/* All that can be done now. Tells what happens. */
void server_step(struct server *s);

/* Sends what was asked for since, before anybody waits for the answer. */
void server_flush(struct server *s);

/* Tells that it is down and why, ends all its jobs, closes. */
void server_close(struct server *s, enum sftp_fault f, const char *why);

/* When it must be stepped although nothing comes; INT64_MAX: never. */
int64_t server_deadline(const struct server *s);

/* Has it work that waits for nobody? */
bool server_busy(const struct server *s) MUST_USE;

void server_add(struct server *s, struct job *j);

/* ---- for jobs ---- */

/* One more request? With so many bytes of content to come? */
bool server_room(struct server *s, uint32_t cost) MUST_USE;

/* Then: the packet to complete with packet_put_..., then server_ask. */
struct packet_out *server_begin(struct server *s, uint8_t type);
void server_ask(struct server *s, struct job *j, uint64_t tag, uint32_t cost);

/* CLOSE, and nobody waits for the answer. */
void server_release(struct server *s, const uint8_t *handle, size_t len);

/*
 * One more file? Servers that let somebody have few files open say just
 * "failure" to one more. So it is tried again once others are closed, and
 * with fewer at a time from then on (server_open_fewer); unless it fails then
 * too: it was not for the others.
 */
bool server_may_open(const struct server *s) MUST_USE;
bool server_open_fewer(struct server *s, bool tried) MUST_USE;

/* Ends the job and tells it; the text is "doing PATH: why". */
void server_done(struct job *j, enum sftp_fault f, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* It breaks the protocol: the connection ends, soon. */
void server_garbage(struct server *s, const char *what);

#endif
