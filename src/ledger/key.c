#include "ledger/key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_ED25519 1 /* C2SP signed-note, signature types */

bool
key_is_name(const char *name, size_t n)
{
	if (n == 0 || n > LEDGER_ORIGIN_MAX || !str_is_utf8(name, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)name[i] <= ' ' || name[i] == '+' ||
			name[i] == 0x7f)
			return false;
	return true;
}

/* Name, public key and ID of a key whose pkey is set. */
static void
describe(struct key *k, const char *name, size_t n)
{
	static const uint8_t type = TYPE_ED25519;
	size_t len = sizeof(k->public_key);
	uint8_t sum[HASH_LEN];
	struct hash h;

	memcpy(k->name, name, n);
	k->name[n] = '\0';
	if (EVP_PKEY_get_raw_public_key(k->pkey, k->public_key, &len) != 1 ||
		len != sizeof(k->public_key))
		abort();
	hash_init(&h);
	hash_add(&h, name, n);
	hash_add(&h, "\n", 1);
	hash_add(&h, &type, 1);
	hash_add(&h, k->public_key, sizeof(k->public_key));
	hash_end(&h, sum);
	memcpy(k->id, sum, sizeof(k->id));
}

enum rc
key_generate(struct key *k, const char *name, struct err *e)
{
	k->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (k->pkey == NULL)
		return err_set(e, BROKEN,
			"generate key: libcrypto has no Ed25519 or no random "
			"numbers");
	describe(k, name, strlen(name));
	return OK;
}

/* Instead of asking the terminal for a pass phrase. */
static int
no_password(
	char *buf UNUSED, int size UNUSED, int rwflag UNUSED, void *arg UNUSED)
{
	return -1;
}

enum rc
key_parse_pem(struct key *k, const char *name, const char *pem, size_t n,
	struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	EVP_PKEY *pkey;

	if (bio == NULL)
		abort();
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (pkey == NULL || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(pkey);
		return err_set(e, BAD_ITEM,
			"not an unencrypted Ed25519 private key in PEM");
	}
	k->pkey = pkey;
	describe(k, name, strlen(name));
	return OK;
}

enum rc
key_parse_vkey(struct key *k, const char *text, size_t n, struct err *e)
{
	uint8_t raw[1 + KEY_PUBLIC_LEN], id[KEY_ID_LEN];
	const char *plus, *data;
	char hex[2 * KEY_ID_LEN + 1];
	size_t name_len, len = 0;

	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > KEY_VKEY_MAX)
		return err_set(e, BAD_ITEM, "vkey: longer than %d bytes",
			KEY_VKEY_MAX);
	plus = memchr(text, '+', n);
	name_len = plus != NULL ? (size_t)(plus - text) : n;
	if (plus == NULL || n - name_len < 1 + sizeof(hex) ||
		plus[sizeof(hex)] != '+')
		return err_set(e, BAD_ITEM,
			"vkey: not of the form name+12345678+base64");
	if (!key_is_name(text, name_len))
		return err_set(e, BAD_ITEM, "vkey: bad name");
	memcpy(hex, plus + 1, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	data = plus + 1 + sizeof(hex);
	if (!str_parse_hex(hex, id, sizeof(id)) ||
		!str_parse_base64(data, n - (size_t)(data - text), raw,
			sizeof(raw), &len))
		return err_set(e, BAD_ITEM, "vkey: bad hex or base64");
	if (len != sizeof(raw) || raw[0] != TYPE_ED25519)
		return err_set(e, BAD_ITEM, "vkey: not an Ed25519 key");
	k->pkey = EVP_PKEY_new_raw_public_key_ex(
		NULL, "ED25519", NULL, raw + 1, KEY_PUBLIC_LEN);
	if (k->pkey == NULL)
		return err_set(e, BAD_ITEM, "vkey: not an Ed25519 key");
	describe(k, text, name_len);
	if (memcmp(k->id, id, sizeof(id)) != 0) {
		key_release(k);
		return err_set(e, BAD_ITEM,
			"vkey: the key ID %s is not that of this name and key: "
			"mistyped?",
			hex);
	}
	return OK;
}

void
key_release(struct key *k)
{
	EVP_PKEY_free(k->pkey);
	k->pkey = NULL;
}

static void
add_pem(const struct key *k, bool private_key, struct str *s)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;

	if (bio == NULL ||
		(private_key ? PEM_write_bio_PKCS8PrivateKey(
				       bio, k->pkey, NULL, NULL, 0, NULL, NULL)
			     : PEM_write_bio_PUBKEY(bio, k->pkey)) != 1)
		abort();
	n = BIO_get_mem_data(bio, &p);
	str_addn(s, p, (size_t)n);
	BIO_free(bio);
}

void
key_add_private_pem(const struct key *k, struct str *s)
{
	add_pem(k, true, s);
}

void
key_add_public_pem(const struct key *k, struct str *s)
{
	add_pem(k, false, s);
}

void
key_add_vkey(const struct key *k, struct str *s)
{
	uint8_t raw[1 + KEY_PUBLIC_LEN];

	raw[0] = TYPE_ED25519;
	memcpy(raw + 1, k->public_key, KEY_PUBLIC_LEN);
	str_addf(s, "%s+", k->name);
	str_add_hex(s, k->id, sizeof(k->id));
	str_addc(s, '+');
	str_add_base64(s, raw, sizeof(raw));
}

void
key_sign(const struct key *k, const void *p, size_t n,
	uint8_t ret[KEY_SIGNATURE_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = KEY_SIGNATURE_LEN;

	/* Ed25519 needs no random numbers: only memory can fail. */
	if (ctx == NULL ||
		EVP_DigestSignInit_ex(
			ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1 ||
		EVP_DigestSign(ctx, ret, &len, p, n) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
}

bool
key_verify(const struct key *k, const void *p, size_t n, const uint8_t *sig,
	size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	if (ctx == NULL ||
		EVP_DigestVerifyInit_ex(
			ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) != 1)
		abort();
	good = sig_len == KEY_SIGNATURE_LEN &&
		EVP_DigestVerify(ctx, sig, sig_len, p, n) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}
