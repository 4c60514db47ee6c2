#include "source/sftp/auth.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "source/sftp/agent.h"
#include "source/sftp/algorithms.h"
#include "source/sftp/own-key.h"
#include "source/sftp/rsa.h"
#include "source/sftp/wire.h"

/* What an attempt came to; AGAIN as everywhere. */
enum attempt { IN, WAIT, REFUSED, LOST };

void
auth_init(struct auth *a, unsigned old)
{
	*a = (struct auth){.old = old,
		.user = STR_INIT,
		.methods = STR_INIT,
		.refused = STR_INIT,
		.agent = -1};
}

static void
wipe(struct str *s)
{
	if (s->cap > 0)
		explicit_bzero(s->s, s->cap);
	str_release(s);
}

void
auth_release(struct auth *a)
{
	for (unsigned i = 0; i < a->n; i++) {
		str_release(&a->credential[i].name);
		wipe(&a->credential[i].secret);
		wipe(&a->credential[i].passphrase);
	}
	a->n = 0;
	str_release(&a->user);
	str_release(&a->methods);
	str_release(&a->refused);
	io_drop(&a->agent);
}

/* A growing string would leave pieces of a secret behind: one allocation. */
static void
take_secret(struct message *m, struct str *ret)
{
	size_t n;
	const uint8_t *p = message_take_bytes(m, &n);

	*ret = (struct str)STR_INIT;
	str_addn(ret, p, n);
}

bool
auth_take(struct auth *a, struct message *m)
{
	size_t len;
	const uint8_t *p;
	uint64_t n;

	a->agent = m->fd;
	m->fd = -1;
	p = message_take_bytes(m, &len);
	str_addn(&a->user, p, len);
	n = message_take_u64(m);
	if (n > SFTP_CREDENTIALS_MAX)
		return false;
	for (; a->n < n; a->n++) {
		struct auth_credential *c = &a->credential[a->n];
		uint64_t kind = message_take_u64(m);

		if (kind > SFTP_AGENT)
			m->bad = true;
		c->kind = (enum sftp_credential_kind)kind;
		p = message_take_bytes(m, &len);
		c->name = (struct str)STR_INIT;
		str_add_quoted(&c->name, p, len);
		take_secret(m, &c->secret);
		take_secret(m, &c->passphrase);
	}
	return message_end(m);
}

/* ---- attempts ---- */

static void
refuse(struct auth *a, const char *why)
{
	str_addf(&a->refused, "%s%s: %s", a->refused.len > 0 ? "; " : "",
		a->credential[a->at].name.s, why);
}

/* Of a public key method; why is for a refusal of the usual kind. */
static enum attempt
attempt_of(struct auth *a, int rc, const char *why)
{
	switch (rc) {
	case 0:
		return IN;
	case LIBSSH2_ERROR_EAGAIN:
		return WAIT;
	case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
	case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
	case LIBSSH2_ERROR_REQUEST_DENIED:
		refuse(a, why);
		return REFUSED;
	case LIBSSH2_ERROR_PASSWORD_EXPIRED:
		refuse(a, "the password has expired");
		return REFUSED;
	case LIBSSH2_ERROR_METHOD_NONE:
		refuse(a, rsa_no_match);
		return REFUSED;
	case LIBSSH2_ERROR_FILE:
	case LIBSSH2_ERROR_KEYFILE_AUTH_FAILED:
	case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
	case LIBSSH2_ERROR_PROTO:
	case LIBSSH2_ERROR_ALGO_UNSUPPORTED:
		return REFUSED;
	}
	return LOST;
}

/* The seam to rsa.h: REFUSED is said, IN is a key that may be tried. */
static enum attempt
may_use_rsa(struct auth *a, LIBSSH2_SESSION *session)
{
	enum rsa_list list;

	if (rsa_why_not(LIBSSH2_VERSION_NUM) != NULL) {
		refuse(a, rsa_why_not(LIBSSH2_VERSION_NUM));
		return REFUSED;
	}
	a->asking = true;
	list = rsa_ask(session, a->user.s);
	if (list == RSA_WAIT)
		return WAIT;
	a->asking = false;
	switch (list) {
	case RSA_LISTED:
		return algorithms_sign(session, a->old) == 0 ? IN : LOST;
	case RSA_NOT_LISTED:
		refuse(a, rsa_no_list);
		return REFUSED;
	default:
		return LOST;
	}
}

static const char *
why_unreadable(const struct auth_credential *c)
{
	if (own_key_is_public((const uint8_t *)c->secret.s, c->secret.len))
		return "this is the public half; the private one is in the "
		       "file without .pub";
	if (c->passphrase.len > 0)
		return "the key cannot be read: a wrong passphrase, or a "
		       "format that is not supported";
	return "the key cannot be read: it has a passphrase, or a format that "
	       "is not supported";
}

static enum attempt
try_key(struct auth *a, LIBSSH2_SESSION *session)
{
	struct auth_credential *c = &a->credential[a->at];
	CLEANUP(str_release) struct str why = STR_INIT;
	size_t before = a->refused.len;
	enum attempt r;

	if (a->stage == 0 && !(a->old & SFTP_OLD_SHA1_KEYS) &&
		rsa_is_key((const uint8_t *)c->secret.s, c->secret.len,
			c->passphrase.s)) {
		r = may_use_rsa(a, session);
		if (r != IN)
			return r;
	}
	a->stage = 1;
	str_add(&why, "refused; the partner must know ");
	own_key_add_name(&why, (const uint8_t *)c->secret.s, c->secret.len);
	if (why.s[why.len - 1] == ' ')
		str_add(&why, "its public half");
	r = attempt_of(a,
		libssh2_userauth_publickey_frommemory(session, a->user.s,
			a->user.len, NULL, 0, c->secret.s, c->secret.len,
			c->passphrase.s),
		why.s);
	/* It never came to the server. */
	if (r == REFUSED && a->refused.len == before)
		refuse(a, why_unreadable(c));
	return r;
}

/*
 * What it asks for without showing it is the password; a second question (a
 * one-time code) has no answer here.
 */
static void
answer(const char *name, int name_len, const char *instruction,
	int instruction_len, int n, const LIBSSH2_USERAUTH_KBDINT_PROMPT *p,
	LIBSSH2_USERAUTH_KBDINT_RESPONSE *r, void **abstract)
{
	struct auth *a = *abstract;
	const struct str *secret = &a->credential[a->at].secret;
	bool given = false;

	(void)name, (void)name_len, (void)instruction, (void)instruction_len;
	for (int i = 0; i < n; i++) {
		bool ask = !given && (!p[i].echo || n == 1);

		r[i].text = NULL;
		r[i].length = 0;
		if (!ask)
			continue;
		/* libssh2 frees it. */
		r[i].text = malloc(secret->len + 1);
		if (r[i].text == NULL)
			abort();
		memcpy(r[i].text, secret->s, secret->len + 1);
		r[i].length = (unsigned)secret->len;
		given = true;
	}
}

static bool
offers(const struct auth *a, const char *method)
{
	const char *at = a->methods.s;
	size_t len = strlen(method);

	while (*at != '\0') {
		size_t n = strcspn(at, ",");

		if (n == len && memcmp(at, method, n) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

/* What the server says it takes: for texts, and for passwords. */
static enum attempt
ask_methods(struct auth *a, LIBSSH2_SESSION *session)
{
	const char *list = libssh2_userauth_list(
		session, a->user.s, (unsigned)a->user.len);

	if (list == NULL) {
		if (libssh2_session_last_errno(session) == LIBSSH2_ERROR_EAGAIN)
			return WAIT;
		if (libssh2_userauth_authenticated(session))
			return IN;
		return LOST;
	}
	str_add(&a->methods, list);
	a->asked = true;
	return REFUSED;
}

/* Again: what it takes now, as it may have taken the last one in part. */
static enum attempt
ask_again(struct auth *a, LIBSSH2_SESSION *session)
{
	str_clear(&a->methods);
	return ask_methods(a, session);
}

/*
 * The method itself, then by questions; the latter alone if only that is.
 */
static enum attempt
try_password(struct auth *a, LIBSSH2_SESSION *session)
{
	struct auth_credential *c = &a->credential[a->at];
	enum attempt r;
	int rc;

	if (a->stage == 0 && !offers(a, "password") &&
		offers(a, "keyboard-interactive"))
		a->stage = 1;
	if (a->stage == 0) {
		rc = libssh2_userauth_password_ex(session, a->user.s,
			(unsigned)a->user.len, c->secret.s,
			(unsigned)c->secret.len, NULL);
		r = attempt_of(a, rc, "password refused");
		if (r != REFUSED)
			return r;
		a->stage = offers(a, "keyboard-interactive") ? 1 : 2;
	}
	if (a->stage == 2) {
		r = ask_again(a, session);
		if (r != REFUSED || !offers(a, "keyboard-interactive"))
			return r;
		a->stage = 1;
	}
	rc = libssh2_userauth_keyboard_interactive_ex(
		session, a->user.s, (unsigned)a->user.len, answer);
	return attempt_of(a, rc, "answer refused (keyboard-interactive)");
}

/*
 * The next key of the agent; END: there are no more. RSA keys come last: with
 * one for which a server takes no signature libssh2 does not ask, and then
 * calls the next key by the name of that one.
 */
static enum rc
next_identity(struct auth *a, struct err *e)
{
	for (;; a->identity++) {
		enum rc rc = agent_key(a->agent, a->identity, &a->key, e);

		if (rc == END && a->identity > 0 && !a->rsa_turn) {
			a->rsa_turn = true;
			a->identity = 0;
			rc = agent_key(a->agent, 0, &a->key, e);
		}
		if (rc != OK ||
			rsa_is_blob(a->key.blob, a->key.blob_len) ==
				a->rsa_turn)
			return rc;
	}
}

/* What became of the agent's keys, in all. */
static void
refuse_agent(struct auth *a, enum rc rc, const struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (rc != END)
		str_add(&why, e->text);
	else if (a->identity == 0)
		str_add(&why, "it has no keys");
	else
		str_add(&why, "all its keys were refused");
	if (a->declined > 0)
		str_addf(&why, "; its RSA key was not used: %s", rsa_no_list);
	refuse(a, why.s);
}

/* Each key the agent has. */
static enum attempt
try_agent(struct auth *a, LIBSSH2_SESSION *session)
{
	struct err e = ERR_INIT;
	size_t before = a->refused.len;

	a->key.sha1 = (a->old & SFTP_OLD_SHA1_KEYS) != 0;
	for (;;) {
		enum rc rc = OK;
		void *sign = &a->key;
		enum attempt r;

		if (a->stage == 0)
			rc = next_identity(a, &e);
		if (rc != OK) {
			refuse_agent(a, rc, &e);
			return REFUSED;
		}
		a->stage = 1;
		r = attempt_of(a,
			libssh2_userauth_publickey(session, a->user.s,
				a->key.blob, a->key.blob_len, agent_sign,
				&sign),
			"");
		if (r != REFUSED)
			return r;
		a->declined += a->key.declined;
		str_cut(&a->refused, before);
		a->identity++;
		a->stage = 0;
	}
}

static enum attempt
try_one(struct auth *a, LIBSSH2_SESSION *session)
{
	switch (a->credential[a->at].kind) {
	case SFTP_KEY:
		return try_key(a, session);
	case SFTP_PASSWORD:
		return try_password(a, session);
	case SFTP_AGENT:
		return try_agent(a, session);
	}
	return REFUSED;
}

/* A key needs no list of methods in front: that is a round trip saved. */
static bool
key_first(const struct auth *a)
{
	return a->n > 0 && a->at == 0 && a->credential[0].kind == SFTP_KEY;
}

enum rc
auth_step(struct auth *a, LIBSSH2_SESSION *session, struct err *e)
{
	CLEANUP(str_release) struct str methods = STR_INIT;

	for (;;) {
		bool asked = a->asked || key_first(a);
		enum attempt r;

		if (asked && a->at == a->n)
			break;
		r = asked ? try_one(a, session) : ask_methods(a, session);
		if (r == IN)
			return OK;
		if (r == WAIT)
			return AGAIN;
		if (r == LOST)
			return BAD_SOURCE;
		if (asked) {
			a->at++;
			a->stage = 0;
		}
	}
	str_add_quoted(&methods, a->methods.s, a->methods.len);
	return err_set(e, BAD_ITEM, "%s (the server takes: %s)",
		a->refused.len > 0 ? a->refused.s : "no credentials to try",
		methods.s);
}
