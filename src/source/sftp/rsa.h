/*
 * rsa.h - RSA keys of ours, which are not to sign with SHA-1 unless the source
 * says that its partner is that old (sha1-keys).
 *
 * A server lists the signatures it takes (server-sig-algs, RFC 8308), or does
 * not, being old. To one that does not libssh2 signs with SHA-1, and asks
 * nobody. So it is found out before the key is used.
 */
#ifndef SOURCE_SFTP_RSA_H
#define SOURCE_SFTP_RSA_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* What is told where nothing but SHA-1 is left. */
extern const char rsa_no_list[];  /* the server does not list signatures */
extern const char rsa_no_match[]; /* it does, and has none of ours */

/* Is this a private RSA key? What cannot be read is none. */
bool
rsa_is_key(const uint8_t *key, size_t len, const char *passphrase) MUST_USE;

/* A public key: "ssh-rsa" and what follows (RFC 4253 section 6.6). */
bool rsa_is_blob(const uint8_t *blob, size_t len) MUST_USE;

/* Why an RSA key will not do with such a libssh2; NULL when it will. */
const char *rsa_why_not(unsigned version);

enum rsa_list {
	RSA_WAIT,   /* again, once there is something on the socket */
	RSA_LISTED, /* nothing was sent */
	RSA_NOT_LISTED,
	RSA_LOST, /* the connection is */
};

/*
 * Does the server list signatures? libssh2 does not tell; but it refuses to
 * begin with a key for which the list has nothing. Where there is no list,
 * the server is asked about a key that nobody has, which it refuses. Sets
 * which signatures libssh2 prefers: algorithms_sign() sets them back.
 */
enum rsa_list rsa_ask(LIBSSH2_SESSION *session, const char *user) MUST_USE;

#endif
