/*
 * hash.h - SHA-256 (FIPS 180-4) through libcrypto.
 *
 *	struct hash h;
 *	hash_init(&h);
 *	hash_add(&h, p, n);		any number of times
 *	hash_end(&h, sum);		ends and releases
 *	hash_release(&h);		only when hash_end was not reached
 *
 * A failure inside libcrypto means no memory or a broken library: abort.
 * One struct hash belongs to one thread at a time.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

#define HASH_LEN 32

struct hash {
	void *ctx; /* EVP_MD_CTX */
};

void hash_init(struct hash *h);
void hash_add(struct hash *h, const void *p, size_t n);
void hash_end(struct hash *h, uint8_t sum[HASH_LEN]);
void hash_release(struct hash *h);

/* What hash_end would say now; more bytes may follow. */
void hash_peek(const struct hash *h, uint8_t sum[HASH_LEN]);

/* All at once. */
void hash_bytes(const void *p, size_t n, uint8_t sum[HASH_LEN]);

#endif
