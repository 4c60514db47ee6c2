#include "source/sftp/algorithms.h"

#include <string.h>

#include "base/bytes.h"
#include "landfall/config.h"

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

/* libssh2 leaves out what it does not have. 0 or its error. */
static int
prefer(LIBSSH2_SESSION *session, const struct offer *o, unsigned old)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add(&s, o->list);
	if (o->old & old)
		str_addf(&s, ",%s", o->more);
	return libssh2_session_method_pref(session, o->method, s.s);
}

bool
algorithms_offer(LIBSSH2_SESSION *session, unsigned old, const char *key_types,
	struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		const struct offer *o = &offers[i];

		if (prefer(session, o, old) != 0) {
			err_set(e, BAD_SOURCE, "this libssh2 has no %s of %s",
				o->name, o->list);
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

#if LIBSSH2_VERSION_NUM >= 0x010b00
static const struct offer *
signatures(void)
{
	const struct offer *o = offers;

	while (o->method != LIBSSH2_METHOD_SIGN_ALGO)
		o++;
	return o;
}

int
algorithms_sign(LIBSSH2_SESSION *session, unsigned old)
{
	return prefer(session, signatures(), old);
}

int
algorithms_sign_no_rsa(LIBSSH2_SESSION *session)
{
	return libssh2_session_method_pref(
		session, LIBSSH2_METHOD_SIGN_ALGO, "ssh-ed25519");
}
#else
int
algorithms_sign(LIBSSH2_SESSION *session UNUSED, unsigned old UNUSED)
{
	return 0;
}

int
algorithms_sign_no_rsa(LIBSSH2_SESSION *session UNUSED)
{
	return 0;
}
#endif

bool
algorithms_rsa_sha2(unsigned version)
{
	return version >= 0x010b00;
}

/* ---- why nothing was agreed on ---- */

enum { KEXINIT = 20, COOKIE = 16, LISTS = 6, WORDS_MAX = 300 };

struct list {
	const char *s;
	size_t n;
};

/* Is one of the names, separated by commas, in both? */
static bool
in_common(struct list a, struct list b)
{
	while (a.n > 0) {
		const char *end = memchr(a.s, ',', a.n);
		size_t n = end != NULL ? (size_t)(end - a.s) : a.n;

		for (size_t at = 0; n > 0 && at + n <= b.n; at++)
			if ((at == 0 || b.s[at - 1] == ',') &&
				(at + n == b.n || b.s[at + n] == ',') &&
				memcmp(a.s, b.s + at, n) == 0)
				return true;
		a.s += n + (end != NULL);
		a.n -= n + (end != NULL);
	}
	return false;
}

/* The server's KEXINIT, behind its own line and those in front of that. */
static bool
find_lists(const uint8_t *p, size_t len, struct list ret[LISTS])
{
	bool own = false;
	size_t at;

	while (!own) {
		const uint8_t *end = memchr(p, '\n', len);

		if (end == NULL)
			return false;
		own = len >= 4 && memcmp(p, "SSH-", 4) == 0;
		len -= (size_t)(end - p) + 1;
		p = end + 1;
	}
	/* Length, padding, type, cookie. */
	at = 4 + 1 + 1 + COOKIE;
	if (len < at || p[5] != KEXINIT)
		return false;
	for (unsigned i = 0; i < LISTS; i++) {
		if (len - at < 4)
			return false;
		ret[i].n = get_be32(p + at);
		ret[i].s = (const char *)p + at + 4;
		at += 4;
		if (ret[i].n > len - at)
			return false;
		at += ret[i].n;
	}
	return true;
}

static void
advise(unsigned widen, bool hopeless, struct str *ret)
{
	unsigned n = 0;

	if (hopeless) {
		str_add(ret,
			"this program has nothing that this server takes: ask "
			"the partner for a newer one");
		return;
	}
	str_add(ret,
		"ask the partner for a newer server, or, if there is none, "
		"write algorithms: [");
	for (unsigned i = 0; sftp_widening_names[i] != NULL; i++)
		if ((widen & 1u << i) != 0)
			str_addf(ret, "%s%s", n++ > 0 ? ", " : "",
				sftp_widening_names[i]);
	str_addc(ret, ']');
}

bool
algorithms_explain(
	unsigned old, const uint8_t *greeting, size_t len, struct str *ret)
{
	CLEANUP(str_release) struct str ours = STR_INIT;
	static const struct offer host_key = {.name = "host key",
		.old = SFTP_OLD_SHA1_KEYS,
		.more = "ssh-rsa"};
	const struct offer *o, *told = NULL;
	struct list theirs[LISTS];
	unsigned widen = old;
	bool hopeless = false;

	if (!find_lists(greeting, len, theirs))
		return false;
	for (unsigned i = 0; i < LISTS; i++) {
		o = i == 0 ? &offers[0] : i == 1 ? &host_key : &offers[i - 1];
		str_clear(&ours);
		if (i == 1)
			algorithms_host_keys(old, "", &ours);
		else
			str_add(&ours, o->list);
		if (i != 1 && (o->old & old))
			str_addf(&ours, ",%s", o->more);
		/* Both directions of a cipher are one trouble. */
		if (in_common((struct list){ours.s, ours.len}, theirs[i]) ||
			(told != NULL && strcmp(told->name, o->name) == 0))
			continue;
		told = o;
		if (in_common(
			    (struct list){o->more, strlen(o->more)}, theirs[i]))
			widen |= o->old;
		else
			hopeless = true;
		str_addf(ret, "no %s in common: the server has ", o->name);
		str_add_quoted(ret, theirs[i].s,
			theirs[i].n < WORDS_MAX ? theirs[i].n : WORDS_MAX);
		str_addf(ret, ", offered is %s; ", ours.s);
	}
	if (told == NULL)
		return false;
	advise(widen, hopeless, ret);
	return true;
}
