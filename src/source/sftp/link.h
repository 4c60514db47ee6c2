/*
 * link.h - one SSH connection, from a connected socket to the two streams of
 * bytes of its SFTP subsystem; what libssh2 is used for. Nothing waits.
 *
 *	link_open(&l, socket, old, key_types, deadline)
 *	link_step(&l)			whenever the socket may have something
 *	    LINK_KEY:	link_key(), then link_login() or link_close()
 *	    LINK_UP:	link_read, link_write
 *	    LINK_DEAD:	fault and e say why
 *	link_close(&l)
 *
 * libssh2 keeps one packet that the socket did not take whole, and insists on
 * getting the same bytes again before any others. So there is one channel,
 * written from one buffer whose bytes do not move while they wait; window
 * adjustments, the only other packets, are tried again with every read.
 */
#ifndef SOURCE_SFTP_LINK_H
#define SOURCE_SFTP_LINK_H

#include <libssh2.h>

#include "landfall/sftp.h"
#include "source/sftp/auth.h"

#define LINK_OUT (256u << 10)
/* What is left for answers that must be followed up at once. */
#define LINK_SPARE (96u << 10)

enum link_state {
	LINK_NONE,
	LINK_HANDSHAKE,
	LINK_KEY, /* waits for the supervisor */
	LINK_AUTH,
	LINK_CHANNEL,
	LINK_SUBSYSTEM,
	LINK_UP,
	LINK_DEAD,
};

struct link {
	struct auth auth; /* first: see auth.h */
	enum link_state state;
	int fd;
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	uint32_t window; /* of the channel, bytes */
	int64_t deadline;
	size_t left;	   /* bytes it may still receive before others */
	size_t turn;	   /* ... before it is looked at what came */
	uint64_t came;	   /* bytes received */
	uint8_t *greeting; /* the first bytes, until there is a key */
	size_t greeted;
	uint8_t *out; /* LINK_OUT: [out_at, out_end) is to be sent */
	size_t out_at, out_end;
	enum sftp_fault fault; /* DEAD */
	struct err e;
};

/* The socket is taken over. DEAD when even that fails. */
void link_open(struct link *l, int fd, unsigned old, const char *key_types,
	uint32_t window, int64_t deadline);

/* A goodbye, if it can be said without waiting, and all is freed: NONE. */
void link_close(struct link *l);

/* KEY only. The blob belongs to libssh2. */
const uint8_t *link_key(const struct link *l, size_t *ret_len);

/* What was agreed on, and what the server calls itself; to be escaped. */
void link_agreed(const struct link *l, struct str *ret);
const char *link_banner(const struct link *l);

/* KEY only: goes on with what auth holds. */
void link_login(struct link *l, int64_t deadline);

void link_step(struct link *l);

/* Breaks it. */
void link_fail(struct link *l, enum sftp_fault f, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* UP only. The number of bytes; 0: none now, or DEAD. */
size_t link_read(struct link *l, uint8_t *p, size_t n) MUST_USE;

/* Room for so many bytes, and some to spare? */
bool link_room(struct link *l, size_t n) MUST_USE;
/* There is room. */
void link_write(struct link *l, const void *p, size_t n);

/* What to poll its socket for. */
short link_events(const struct link *l);

#endif
