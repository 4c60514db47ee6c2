/*
 * digest.h - the digests partners send beside their files: FIPS 180-4 and
 * RFC 1321, through libcrypto. Ours are SHA-256 alone: hash.h.
 *
 *	if (!digest_init(&d, DIGEST_MD5)) ...	this libcrypto has none
 *	digest_add(&d, p, n);
 *	digest_end(&d, sum);			digest_len(kind) bytes
 *	digest_release(&d);			fine at any time
 *
 * One struct digest belongs to one thread at a time.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>

#include "base/attr.h"

enum digest_kind {
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA512,
	DIGESTS,
};

#define DIGEST_MAX 64 /* bytes */

size_t digest_len(enum digest_kind k);
const char *digest_name(enum digest_kind k); /* "sha256" */

/* The kind whose digests have so many bytes; false: there is none. */
bool digest_of_len(size_t len, enum digest_kind *ret);

struct digest {
	void *ctx; /* EVP_MD_CTX; NULL: none */
};

bool digest_init(struct digest *d, enum digest_kind k) MUST_USE;
void digest_add(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d, uint8_t sum[DIGEST_MAX]);
void digest_release(struct digest *d);

#endif
