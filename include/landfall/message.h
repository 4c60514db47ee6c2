/*
 * message.h - what a process says to its sandboxed child, and back.
 *
 * One message is one datagram on a SOCK_SEQPACKET socketpair, so no length on
 * the wire can lie and nobody can lose step:
 *
 *	type u32 | body, at most MESSAGE_MAX bytes
 *
 * The body is values in the order both sides know: u64 (8 bytes), bytes
 * (length u32, then as many). All little-endian. A side writes
 *
 *	message_begin(&m, TYPE);
 *	message_put_u64(&m, 17);
 *	message_put_bytes(&m, name, len);
 *	channel_send(fd, &m, deadline, &e);
 *
 * and the other reads, checking once at the end:
 *
 *	size = message_take_u64(&m);
 *	name = message_take_bytes(&m, &len);
 *	if (!message_end(&m))
 *		... hostile or broken: too short, too long, or a wrong length
 *
 * What does not fit makes the message bad, for good: every later value reads
 * as 0 and empty, and message_end is false. Bytes taken lie in the body and
 * are good until the next message.
 *
 * A stream of bytes travels as messages of one type whose body is nothing but
 * the bytes: channel_send_data, and channel_recv_data straight into place.
 *
 * Deadlines are monotonic time (clock.h) in ns; CHANNEL_FOREVER for none.
 * One side of a channel belongs to one thread at a time.
 */
#ifndef LANDFALL_MESSAGE_H
#define LANDFALL_MESSAGE_H

#include <stdbool.h>

#include "base/err.h"

#define MESSAGE_MAX (64u << 10)
#define CHANNEL_FOREVER INT64_MAX

struct message {
	uint32_t type;
	uint32_t len; /* of the body */
	uint32_t at;  /* taken so far */
	bool bad;
	int fd; /* a descriptor that travels along; -1: none */
	uint8_t body[MESSAGE_MAX];
};

void message_begin(struct message *m, uint32_t type);
void message_put_u64(struct message *m, uint64_t v);
void message_put_bytes(struct message *m, const void *p, size_t n);
void message_put_text(struct message *m, const char *text); /* as bytes */

uint64_t message_take_u64(struct message *m);
const uint8_t *message_take_bytes(struct message *m, size_t *ret_len);

/* Bytes without a NUL within, copied with one behind; "" when there is one. */
void message_take_text(struct message *m, char *buf, size_t size);

/* Everything was there and nothing is left over. */
bool message_end(const struct message *m) MUST_USE;

/*
 * Sends m, with the descriptor m->fd when that is not -1 (it stays open
 * here). END: the other side is gone. AGAIN: not by the deadline. BAD_ITEM:
 * the message is bad.
 */
enum rc channel_send(int fd, const struct message *m, int64_t deadline,
	struct err *e) MUST_USE;

/* n <= MESSAGE_MAX bytes as one message. */
enum rc channel_send_data(int fd, uint32_t type, const void *p, size_t n,
	int64_t deadline, struct err *e) MUST_USE;

/*
 * Receives one message. fds: also a descriptor, into m->fd, the caller's from
 * then on; otherwise the kernel drops what was sent. END: the other side is
 * gone. AGAIN: nothing by the deadline. BAD_ITEM: too large, or no message.
 */
enum rc channel_recv(int fd, struct message *m, bool fds, int64_t deadline,
	struct err *e) MUST_USE;

/*
 * The same, without descriptors; should it be of type `data`, the first of
 * its bytes go to p[0 .. n), *ret_n of them, and the rest is m's body.
 */
enum rc channel_recv_data(int fd, struct message *m, uint32_t data, void *p,
	size_t n, size_t *ret_n, int64_t deadline, struct err *e) MUST_USE;

#endif
