/*
 * answer.h - what the answer to one request says. Each takes the answer to
 * what asked for its kind; when another one came, a STATUS says why.
 *
 * What breaks the protocol ends the connection, soon, and is SFTP_GARBAGE. So
 * is a STATUS that says fine where something was to come; that ends nothing.
 */
#ifndef SOURCE_SFTP_ANSWER_H
#define SOURCE_SFTP_ANSWER_H

#include "source/sftp/server.h"

/* A file or folder that is open at the server. */
struct handle {
	bool open;
	uint8_t p[PACKET_HANDLE_MAX];
	size_t len;
};

/*
 * "no such file (status 2: 'No such file')". PACKET_EOF is SFTP_FINE, as is
 * PACKET_OK.
 */
enum sftp_fault
answer_status(struct server *s, struct packet *k, struct str *why) MUST_USE;

/* SFTP_FINE: it is open. */
enum sftp_fault answer_handle(struct server *s, struct packet *k,
	struct handle *ret, struct str *why) MUST_USE;

enum sftp_fault answer_attrs(struct server *s, struct packet *k,
	struct sftp_attrs *ret, struct str *why) MUST_USE;

/* CLOSE, if it is open, and nobody waits for the answer. */
void answer_close(struct server *s, struct handle *h);

#endif
