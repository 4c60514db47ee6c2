/*
 * host-key.h - what a server's public key is called (RFC 4253 section 6.6,
 * RFC 4251 section 5: a blob begins with its type as a string).
 */
#ifndef SOURCE_SFTP_HOST_KEY_H
#define SOURCE_SFTP_HOST_KEY_H

#include "base/err.h"
#include "base/str.h"
#include "landfall/fingerprint.h"

/* The longest blob anybody has: RSA with 16384 bits is 2 KiB. */
#define HOST_KEY_MAX 8192

void host_key_add_fingerprint(struct str *s, const uint8_t *blob, size_t len);

/*
 * The type inside the blob: "ssh-ed25519"; false when there is none, or when
 * it is not printable ASCII of at most 64 bytes.
 */
bool host_key_type(const uint8_t *blob, size_t len, const char **ret,
	size_t *ret_len) MUST_USE;

#endif
