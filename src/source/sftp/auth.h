/*
 * auth.h - who we are: the credentials of one connection, tried in order.
 *
 *	auth_init(&a, old)
 *	auth_take(&a, m)		from a WIRE_TRUST, behind `yes`
 *	auth_step(&a, session, &e)	until it says something else than AGAIN
 *	auth_release(&a)		wipes them
 *
 * The session's abstract points to what begins with the struct auth.
 *
 * A server that wants several (AuthenticationMethods) gets several: what it
 * accepted in part counts when the next one is tried.
 */
#ifndef SOURCE_SFTP_AUTH_H
#define SOURCE_SFTP_AUTH_H

#include <libssh2.h>

#include "base/str.h"
#include "landfall/message.h"
#include "landfall/sftp.h"
#include "source/sftp/agent.h"

struct auth_credential {
	enum sftp_credential_kind kind;
	struct str name; /* escaped */
	struct str secret, passphrase;
};

struct auth {
	struct str user;
	struct auth_credential credential[SFTP_CREDENTIALS_MAX];
	unsigned n, at;
	unsigned stage;	    /* of the credential at `at` */
	bool asked;	    /* for the methods */
	struct str methods; /* that the server says it takes */
	struct str refused; /* what was tried, and what came of it */
	int agent;	    /* -1: none */
	unsigned identity;  /* of the agent, the next to try */
	bool asking;	    /* the server about RSA signatures */
	bool rsa_turn;	    /* of the agent: RSA keys come last */
	unsigned declined;  /* of its keys, since only SHA-1 was left */
	struct agent_key key;
	unsigned old; /* enum sftp_old */
};

void auth_init(struct auth *a, unsigned old);
void auth_release(struct auth *a);

/* m->fd is taken over, if there is one. False: nonsense. */
bool auth_take(struct auth *a, struct message *m) MUST_USE;

/*
 * OK: in. AGAIN: wait for the socket. BAD_ITEM: all were refused. BAD_SOURCE:
 * the connection failed, by libssh2's last error.
 */
enum rc
auth_step(struct auth *a, LIBSSH2_SESSION *session, struct err *e) MUST_USE;

#endif
