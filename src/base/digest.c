#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

static const struct {
	const char *name;
	const char *fetched; /* what libcrypto calls it */
	size_t len;
} kinds[] = {
	[DIGEST_MD5] = {"md5", "MD5", 16},
	[DIGEST_SHA1] = {"sha1", "SHA1", 20},
	[DIGEST_SHA256] = {"sha256", "SHA256", 32},
	[DIGEST_SHA512] = {"sha512", "SHA512", 64},
};

size_t
digest_len(enum digest_kind k)
{
	return kinds[k].len;
}

const char *
digest_name(enum digest_kind k)
{
	return kinds[k].name;
}

bool
digest_of_len(size_t len, enum digest_kind *ret)
{
	for (unsigned k = 0; k < DIGESTS; k++) {
		if (kinds[k].len != len)
			continue;
		*ret = (enum digest_kind)k;
		return true;
	}
	return false;
}

bool
digest_init(struct digest *d, enum digest_kind k)
{
	EVP_MD *md = EVP_MD_fetch(NULL, kinds[k].fetched, NULL);

	d->ctx = NULL;
	/* Where only approved algorithms are allowed, MD5 is not. */
	if (md == NULL)
		return false;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL || EVP_DigestInit_ex2(d->ctx, md, NULL) != 1)
		abort();
	EVP_MD_free(md);
	return true;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	if (n > 0 && EVP_DigestUpdate(d->ctx, p, n) != 1)
		abort();
}

void
digest_end(struct digest *d, uint8_t sum[DIGEST_MAX])
{
	if (EVP_DigestFinal_ex(d->ctx, sum, NULL) != 1)
		abort();
	digest_release(d);
}

void
digest_release(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}
