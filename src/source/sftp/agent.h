/*
 * agent.h - an ssh-agent on a connected socket (draft-miller-ssh-agent-04):
 * its keys, and signatures. The calls wait, but not for ever: agents may ask
 * their user.
 */
#ifndef SOURCE_SFTP_AGENT_H
#define SOURCE_SFTP_AGENT_H

#include <libssh2.h>
#include <stdbool.h>

#include "base/err.h"

#define AGENT_KEY_MAX 4096

struct agent_key {
	int fd;
	uint8_t blob[AGENT_KEY_MAX]; /* RFC 4253 section 6.6 */
	size_t blob_len;
	bool sha1;     /* an RSA key may sign with it */
	bool declined; /* by agent_sign: it would have to */
};

/* The i-th one; sha1 stays as it is. END: there are not so many. BAD_ITEM: no
 * such agent. */
enum rc
agent_key(int fd, unsigned i, struct agent_key *ret, struct err *e) MUST_USE;

/* For libssh2_userauth_publickey; *abstract is a struct agent_key. */
int agent_sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
	const unsigned char *data, size_t data_len, void **abstract);

#endif
