#include "source/sftp/algorithms.h"

#include <string.h>

#define RSA "rsa-sha2-512,rsa-sha2-256"

/*
 * Best first; all are good. GCM spares both sides a MAC. But a libssh2 that
 * decrypts block by block (contrib/deps/libssh2-runs.patch) takes half as much
 * time again for GCM as for CTR.
 */
#define CTR "aes128-ctr,aes192-ctr,aes256-ctr"
#define GCM "aes128-gcm@openssh.com,aes256-gcm@openssh.com"
#ifdef LIBSSH2_DECRYPTS_RUNS
#define CIPHERS GCM "," CTR
#else
#define CIPHERS CTR "," GCM
#endif

static const struct offer {
	int method;
	const char *name;
	const char *list;
	unsigned old; /* then also: */
	const char *more;
} offers[] = {
	{LIBSSH2_METHOD_KEX, "key exchange",
		"curve25519-sha256,curve25519-sha256@libssh.org,"
		"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
		"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
		"diffie-hellman-group-exchange-sha256,"
		"diffie-hellman-group14-sha256",
		SFTP_OLD_SHA1_KEX,
		"diffie-hellman-group-exchange-sha1,"
		"diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"},
	{LIBSSH2_METHOD_CRYPT_CS, "cipher", CIPHERS, SFTP_OLD_CBC,
		"aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc"},
	{LIBSSH2_METHOD_CRYPT_SC, "cipher", CIPHERS, SFTP_OLD_CBC,
		"aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc"},
	{LIBSSH2_METHOD_MAC_CS, "MAC",
		"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
		"hmac-sha2-256,hmac-sha2-512",
		SFTP_OLD_SHA1_MACS, "hmac-sha1-etm@openssh.com,hmac-sha1"},
	{LIBSSH2_METHOD_MAC_SC, "MAC",
		"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
		"hmac-sha2-256,hmac-sha2-512",
		SFTP_OLD_SHA1_MACS, "hmac-sha1-etm@openssh.com,hmac-sha1"},
	{LIBSSH2_METHOD_COMP_CS, "compression", "none", 0, NULL},
	{LIBSSH2_METHOD_COMP_SC, "compression", "none", 0, NULL},
#if LIBSSH2_VERSION_NUM >= 0x010b00
	{LIBSSH2_METHOD_SIGN_ALGO, "signature",
		"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
		"ecdsa-sha2-nistp521," RSA,
		SFTP_OLD_SHA1_KEYS, "ssh-rsa"},
#endif
};

/* A type of key and how its owner may sign. */
static const struct {
	const char *type, *signatures;
} host_keys[] = {
	{"ssh-ed25519", "ssh-ed25519"},
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
	{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
	{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
	{"ssh-rsa", RSA},
};

/* The one of this name, unless it is there already. */
static void
add_host_key(struct str *s, size_t i, unsigned old)
{
	if (strstr(s->s, host_keys[i].signatures) != NULL)
		return;
	if (s->len > 0)
		str_addc(s, ',');
	str_add(s, host_keys[i].signatures);
	if ((old & SFTP_OLD_SHA1_KEYS) &&
		strcmp(host_keys[i].type, "ssh-rsa") == 0)
		str_add(s, ",ssh-rsa");
}

void
algorithms_host_keys(unsigned old, const char *key_types, struct str *ret)
{
	const char *at = key_types;

	str_clear(ret);
	while (*at != '\0') {
		size_t n = strcspn(at, ",");

		for (size_t i = 0; i < ARRAY_LEN(host_keys); i++)
			if (strlen(host_keys[i].type) == n &&
				memcmp(host_keys[i].type, at, n) == 0)
				add_host_key(ret, i, old);
		at += n + (at[n] == ',');
	}
	for (size_t i = 0; i < ARRAY_LEN(host_keys); i++)
		add_host_key(ret, i, old);
}

bool
algorithms_offer(LIBSSH2_SESSION *session, unsigned old, const char *key_types,
	struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		const struct offer *o = &offers[i];

		str_clear(&s);
		str_add(&s, o->list);
		if (o->old & old)
			str_addf(&s, ",%s", o->more);
		/* libssh2 leaves out what it does not have. */
		if (libssh2_session_method_pref(session, o->method, s.s) != 0) {
			err_set(e, BAD_SOURCE, "this libssh2 has no %s of %s",
				o->name, s.s);
			return false;
		}
	}
	algorithms_host_keys(old, key_types, &s);
	if (libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, s.s) !=
		0) {
		err_set(e, BAD_SOURCE, "this libssh2 has no host key of %s",
			s.s);
		return false;
	}
	return true;
}

void
algorithms_agreed(LIBSSH2_SESSION *session, struct str *ret)
{
	static const int methods[] = {LIBSSH2_METHOD_KEX,
		LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_CRYPT_SC,
		LIBSSH2_METHOD_MAC_SC};

	str_clear(ret);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const char *m = libssh2_session_methods(session, methods[i]);

		if (m != NULL)
			str_addf(ret, "%s%s", ret->len > 0 ? " " : "", m);
	}
}

bool
algorithms_rsa_sha2(unsigned version)
{
	return version >= 0x010b00;
}
