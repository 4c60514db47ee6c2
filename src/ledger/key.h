/*
 * key.h - Ed25519 keys (RFC 8032) with a name, as C2SP signed-note has them,
 * through libcrypto.
 *
 * The key ID is the first four bytes of
 * SHA-256(name || 0x0A || 0x01 || public key); the text form of a public key
 * ("vkey") is <name>+<key ID in hex>+<base64(0x01 || public key)>.
 *
 * A struct key that any function here filled is released by key_release;
 * one that failed to fill needs none, and one that is zeroed takes it.
 */
#ifndef LEDGER_KEY_H
#define LEDGER_KEY_H

#include "landfall/ledger.h"

#define KEY_ID_LEN 4
#define KEY_PUBLIC_LEN 32
#define KEY_SIGNATURE_LEN 64
#define KEY_VKEY_MAX 512

struct key {
	char name[LEDGER_ORIGIN_MAX + 1];
	uint8_t id[KEY_ID_LEN];
	uint8_t public_key[KEY_PUBLIC_LEN];
	void *pkey; /* EVP_PKEY */
};

/* A name without spaces, '+' and control characters, UTF-8, not too long. */
bool key_is_name(const char *name, size_t n) MUST_USE;

/* Key functions that make a key want a name for which key_is_name holds. */
enum rc key_generate(struct key *k, const char *name, struct err *e) MUST_USE;

/* From PEM with PKCS#8; BAD_ITEM: not an unencrypted Ed25519 key. */
enum rc key_parse_pem(struct key *k, const char *name, const char *pem,
	size_t n, struct err *e) MUST_USE;

/* From a vkey, final newline allowed; BAD_ITEM: what is wrong with it. */
enum rc key_parse_vkey(
	struct key *k, const char *text, size_t n, struct err *e) MUST_USE;

void key_release(struct key *k);

/* The caller wipes a string that held the private key. */
void key_add_private_pem(const struct key *k, struct str *s);
void key_add_public_pem(const struct key *k, struct str *s);
void key_add_vkey(const struct key *k, struct str *s);

void key_sign(const struct key *k, const void *p, size_t n,
	uint8_t ret[KEY_SIGNATURE_LEN]);

/* False when sig does not verify; sig_len is whatever was found. */
bool key_verify(const struct key *k, const void *p, size_t n,
	const uint8_t *sig, size_t sig_len) MUST_USE;

#endif
