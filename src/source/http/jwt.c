#include "source/http/jwt.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "source/http/template.h"

#define SIGNATURE_MAX 1024 /* RSA of 8192 bits */
#define ES256_HALF 32

/* RFC 4648 section 5, without padding. */
static void
add_base64url(struct str *s, const uint8_t *p, size_t n)
{
	size_t from = s->len;

	str_add_base64(s, p, n);
	while (s->len > from && s->s[s->len - 1] == '=')
		str_cut(s, s->len - 1);
	for (size_t i = from; i < s->len; i++)
		s->s[i] = s->s[i] == '+' ? '-' : s->s[i] == '/' ? '_' : s->s[i];
}

static enum rc
add_members(struct jsonw *j, const struct api_fields *f, const struct vars *v,
	struct err *e)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct api_field *field = &f->row[i];
		CLEANUP(template_forget) struct str value = STR_INIT;
		enum rc rc = template_one(
			&field->value, v, TEMPLATE_PLAIN, false, &value, e);

		if (rc == END)
			continue;
		if (rc != OK)
			return err_add(e, "jwt %s", field->name);
		jsonw_key(j, field->name);
		jsonw_textn(j, value.s, value.len);
	}
	return OK;
}

static enum rc
add_header(const struct api_auth *auth, const struct vars *v, struct str *ret,
	struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct jsonw j = jsonw_to(&text);

	jsonw_object(&j);
	jsonw_key(&j, "alg");
	jsonw_text(&j, auth->jwt.alg);
	jsonw_key(&j, "typ");
	jsonw_text(&j, "JWT");
	if (add_members(&j, &auth->jwt.header, v, e) != OK)
		return e->code;
	jsonw_end(&j);
	add_base64url(ret, (const uint8_t *)text.s, text.len);
	return OK;
}

static enum rc
add_claims(const struct api_auth *auth, const struct vars *v, int64_t now,
	struct str *ret, struct err *e)
{
	CLEANUP(template_forget) struct str text = STR_INIT;
	struct jsonw j = jsonw_to(&text);

	jsonw_object(&j);
	if (add_members(&j, &auth->jwt.claims, v, e) != OK)
		return e->code;
	jsonw_key(&j, "iat");
	jsonw_i64(&j, now / CLOCK_SECOND);
	jsonw_key(&j, "exp");
	jsonw_i64(&j, (now + auth->jwt.lifetime) / CLOCK_SECOND);
	jsonw_end(&j);
	add_base64url(ret, (const uint8_t *)text.s, text.len);
	return OK;
}

/* Nobody is asked for a passphrase. */
static int
no_password(char *buf UNUSED, int size UNUSED, int rw UNUSED, void *u UNUSED)
{
	return -1;
}

static EVP_PKEY *
read_key(const struct str *pem, int type)
{
	BIO *bio = BIO_new_mem_buf(pem->s, (int)pem->len);
	EVP_PKEY *key;

	if (bio == NULL)
		abort();
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (key != NULL && EVP_PKEY_get_base_id(key) != type) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* RFC 7518 section 3.4: r and s one after the other, not DER. */
static bool
to_plain(const uint8_t *der, size_t len, uint8_t out[2 * ES256_HALF])
{
	const uint8_t *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	bool right;

	if (sig == NULL)
		return false;
	right = BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, ES256_HALF) ==
			ES256_HALF &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + ES256_HALF,
			ES256_HALF) == ES256_HALF;
	ECDSA_SIG_free(sig);
	return right;
}

static bool
sign_with(EVP_PKEY *key, const struct str *text, uint8_t *out, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool right;

	if (ctx == NULL)
		abort();
	right = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestSign(ctx, out, len, (const uint8_t *)text->s,
			text->len) == 1;
	EVP_MD_CTX_free(ctx);
	return right;
}

static enum rc
sign_by_key(const struct api_auth *auth, const struct str *pem,
	const struct str *text, struct str *ret, struct err *e)
{
	bool ec = strcmp(auth->jwt.alg, "ES256") == 0;
	EVP_PKEY *key = read_key(pem, ec ? EVP_PKEY_EC : EVP_PKEY_RSA);
	uint8_t out[SIGNATURE_MAX], plain[2 * ES256_HALF];
	size_t len = sizeof(out);
	bool right;

	if (key == NULL)
		return err_set(e, BAD_SOURCE,
			"jwt: the key is not an unencrypted %s key in PEM",
			ec ? "EC P-256" : "RSA");
	right = sign_with(key, text, out, &len);
	EVP_PKEY_free(key);
	if (right && ec)
		right = to_plain(out, len, plain);
	if (!right)
		return err_set(e, BAD_SOURCE,
			"jwt: the key cannot sign with %s", auth->jwt.alg);
	add_base64url(ret, ec ? plain : out, ec ? sizeof(plain) : len);
	return OK;
}

static void
sign_by_secret(
	const struct str *secret, const struct str *text, struct str *ret)
{
	uint8_t mac[HASH_LEN];
	unsigned len = sizeof(mac);

	if (HMAC(EVP_sha256(), secret->s, (int)secret->len,
		    (const uint8_t *)text->s, text->len, mac, &len) == NULL)
		abort();
	add_base64url(ret, mac, len);
}

enum rc
jwt_sign(const struct api_auth *auth, const struct vars *v, int64_t now,
	struct str *ret, struct err *e)
{
	CLEANUP(template_forget) struct str key = STR_INIT;
	CLEANUP(template_forget) struct str text = STR_INIT;
	CLEANUP(str_release) struct str signature = STR_INIT;

	if (add_header(auth, v, &text, e) != OK)
		return e->code;
	str_addc(&text, '.');
	if (add_claims(auth, v, now, &text, e) != OK)
		return e->code;
	switch (template_one(
		&auth->jwt.key, v, TEMPLATE_PLAIN, false, &key, e)) {
	case OK:
		break;
	case END:
		return err_set(e, BAD_SOURCE, "jwt: there is no key");
	default:
		return err_add(e, "jwt key");
	}
	if (strcmp(auth->jwt.alg, "HS256") == 0)
		sign_by_secret(&key, &text, &signature);
	else if (sign_by_key(auth, &key, &text, &signature, e) != OK)
		return e->code;
	str_addf(ret, "%s.%s", text.s, signature.s);
	return OK;
}
