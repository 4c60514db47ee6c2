/*
 * algorithms.h - which algorithms are offered to a server: today's, unless
 * the source says that its partner is older (enum sftp_old).
 */
#ifndef SOURCE_SFTP_ALGORITHMS_H
#define SOURCE_SFTP_ALGORITHMS_H

#include <libssh2.h>

#include "base/str.h"
#include "landfall/sftp.h"

/* False: this libssh2 has not one of a kind. */
bool algorithms_offer(LIBSSH2_SESSION *session, unsigned old,
	const char *key_types, struct err *e) MUST_USE;

/* Signatures of host keys, best first: those of key_types, then the rest. */
void algorithms_host_keys(unsigned old, const char *key_types, struct str *ret);

/* What was agreed on, in words. */
void algorithms_agreed(LIBSSH2_SESSION *session, struct str *ret);

/*
 * Nothing was agreed on: the kinds of which both have none in common, what each
 * has, and what the source may say about it. greeting: the first bytes that
 * came from the server, hostile. False: it was not that.
 */
bool algorithms_explain(unsigned old, const uint8_t *greeting, size_t len,
	struct str *ret) MUST_USE;

/*
 * Signatures by our own keys, as algorithms_offer set them; and none that an
 * RSA key could make. 0 or libssh2's error.
 */
int algorithms_sign(LIBSSH2_SESSION *session, unsigned old) MUST_USE;
int algorithms_sign_no_rsa(LIBSSH2_SESSION *session) MUST_USE;

/* Does this libssh2 (LIBSSH2_VERSION_NUM) sign RSA keys as servers want? */
bool algorithms_rsa_sha2(unsigned version) MUST_USE;

#endif
