#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

/* Fetched once: EVP_sha256() would look the provider up for every init. */
static EVP_MD *sha256;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL)
		abort();
}

void
hash_init(struct hash *h)
{
	pthread_once(&fetched, fetch);
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, sha256, NULL) != 1)
		abort();
}

void
hash_add(struct hash *h, const void *p, size_t n)
{
	if (n > 0 && EVP_DigestUpdate(h->ctx, p, n) != 1)
		abort();
}

void
hash_end(struct hash *h, uint8_t sum[HASH_LEN])
{
	if (EVP_DigestFinal_ex(h->ctx, sum, NULL) != 1)
		abort();
	hash_release(h);
}

void
hash_release(struct hash *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

void
hash_peek(const struct hash *h, uint8_t sum[HASH_LEN])
{
	struct hash copy = {.ctx = EVP_MD_CTX_new()};

	if (copy.ctx == NULL || EVP_MD_CTX_copy_ex(copy.ctx, h->ctx) != 1)
		abort();
	hash_end(&copy, sum);
}

void
hash_bytes(const void *p, size_t n, uint8_t sum[HASH_LEN])
{
	struct hash h;

	hash_init(&h);
	hash_add(&h, p, n);
	hash_end(&h, sum);
}
