#include "source/sftp/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/str.h"
#include "source/sftp/algorithms.h"

#define ADVICE \
	"use an Ed25519 or ECDSA key, or, if the partner has nothing newer, " \
	"algorithms: [sha1-keys]"

const char rsa_no_list[] =
	"the server does not say that it takes RSA signatures with more than "
	"SHA-1, and this program makes no others unasked: " ADVICE;
const char rsa_no_match[] =
	"the server takes no RSA signature with more than SHA-1: " ADVICE;

/* ---- keys ---- */

/* In front: magic, cipher, kdf with its salt, then the public key. */
static bool
openssh_is_rsa(const uint8_t *text, size_t len)
{
	uint8_t raw[192];
	char head[256];
	size_t n = 0, raw_len;

	for (size_t i = 0; i < len && n < sizeof(head); i++)
		if (text[i] != '\n' && text[i] != '\r')
			head[n++] = (char)text[i];
	return str_parse_base64(head, n / 4 * 4, raw, sizeof(raw), &raw_len) &&
		memmem(raw, raw_len, "\0\0\0\7ssh-rsa", 11) != NULL;
}

static int
give_passphrase(char *p, int size, int writing, void *arg)
{
	const char *const *passphrase = arg;
	size_t n = strlen(*passphrase);

	(void)writing;
	if (n > (size_t)size)
		return -1;
	memcpy(p, *passphrase, n);
	return (int)n;
}

static bool
pem_is_rsa(const uint8_t *key, size_t len, const char *passphrase)
{
	BIO *b = BIO_new_mem_buf(key, (int)len);
	EVP_PKEY *k = b != NULL
		? PEM_read_bio_PrivateKey(b, NULL, give_passphrase, &passphrase)
		: NULL;
	bool is = k != NULL && EVP_PKEY_get_base_id(k) == EVP_PKEY_RSA;

	EVP_PKEY_free(k);
	BIO_free(b);
	ERR_clear_error();
	return is;
}

bool
rsa_is_key(const uint8_t *key, size_t len, const char *passphrase)
{
	static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	size_t n = sizeof(openssh) - 1;

	if (len > n && memcmp(key, openssh, n) == 0)
		return openssh_is_rsa(key + n, len - n);
	return len <= INT32_MAX && pem_is_rsa(key, len, passphrase);
}

bool
rsa_is_blob(const uint8_t *blob, size_t len)
{
	return len >= 11 && memcmp(blob, "\0\0\0\7ssh-rsa", 11) == 0;
}

const char *
rsa_why_not(unsigned version)
{
	if (algorithms_rsa_sha2(version))
		return NULL;
	return "this program was built with a libssh2 before 1.11, which signs "
	       "RSA keys with SHA-1 only: use an Ed25519 key, or build with "
	       "the libssh2 that contrib/deps/libssh2 makes";
}

/* ---- the server ---- */

/* It is never asked to: nobody has the key. */
static int
sign_nothing(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
	const unsigned char *data, size_t len, void **abstract)
{
	(void)session, (void)sig, (void)sig_len;
	(void)data, (void)len, (void)abstract;
	return -1;
}

enum rsa_list
rsa_ask(LIBSSH2_SESSION *session, const char *user)
{
	/* ssh-rsa, e = 65537, n of 2048 bits. */
	static const uint8_t head[] = "\0\0\0\7ssh-rsa\0\0\0\3\1\0\1\0\0\1\1";
	uint8_t blob[sizeof(head) + 256];
	void *none = NULL;
	int rc;

	/* The last byte of head is a zero, which a positive number needs. */
	memcpy(blob, head, sizeof(head));
	memset(blob + sizeof(head), 0xc5, 256);
	if (algorithms_sign_no_rsa(session) != 0)
		return RSA_LOST;
	rc = libssh2_userauth_publickey(
		session, user, blob, sizeof(blob), sign_nothing, &none);
	switch (rc) {
	case LIBSSH2_ERROR_EAGAIN:
		return RSA_WAIT;
	case LIBSSH2_ERROR_METHOD_NONE:
		return RSA_LISTED;
	case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
	case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
		return RSA_NOT_LISTED;
	}
	return RSA_LOST;
}
