/*
 * own-key.h - a private key of ours, before anybody can read it: what its
 * public half is called, and whether it is only that half.
 */
#ifndef SOURCE_SFTP_OWN_KEY_H
#define SOURCE_SFTP_OWN_KEY_H

#include "base/str.h"

/* Text of a public key, as in a file .pub. */
bool own_key_is_public(const uint8_t *key, size_t len) MUST_USE;

/*
 * "SHA256:... (ssh-ed25519)", as ssh-keygen -l prints it for the public half.
 * OpenSSH's own format has that in front and open, whatever the passphrase;
 * of others nothing is added.
 */
void own_key_add_name(struct str *s, const uint8_t *key, size_t len);

#endif
