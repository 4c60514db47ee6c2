#include "source/sftp/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "source/sftp/host-key.h"
#include "source/sftp/known-hosts.h"

/* What servers have, best first. */
static const char *const all_types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"};

struct trust {
	const struct sftp_config *config;
	struct str text; /* of known_hosts */
	struct known_hosts known;
	struct str types;
	struct str shown;   /* the key shown last */
	struct str refused; /* "SHA256:... (ssh-rsa), ..." of all of them */
	bool asked[ARRAY_LEN(all_types)];
};

enum rc
trust_open(const struct sftp_config *cfg, struct trust **ret, struct err *e)
{
	struct trust *t = mem_alloc(sizeof(*t));
	enum rc rc = OK;

	*t = (struct trust){.config = cfg,
		.text = STR_INIT,
		.types = STR_INIT,
		.shown = STR_INIT,
		.refused = STR_INIT};
	if (cfg->known_hosts != NULL)
		rc = io_read_file(AT_FDCWD, cfg->known_hosts,
			KNOWN_HOSTS_FILE_MAX, &t->text, BAD_SOURCE, e);
	if (rc != OK) {
		trust_close(t);
		if (rc == END)
			return err_set(e, BAD_SOURCE,
				"known_hosts %s: there is no such file",
				cfg->known_hosts);
		err_raise(e, BAD_SOURCE);
		return err_add(e, "known_hosts");
	}
	t->known = (struct known_hosts){.text = t->text.s,
		.len = t->text.len,
		.host = cfg->host,
		.port = (uint16_t)cfg->port};
	if (cfg->known_hosts != NULL)
		known_hosts_types(&t->known, &t->types);
	*ret = t;
	return OK;
}

void
trust_close(struct trust *t)
{
	if (t == NULL)
		return;
	str_release(&t->text);
	str_release(&t->types);
	str_release(&t->shown);
	str_release(&t->refused);
	free(t);
}

const char *
trust_types(const struct trust *t)
{
	return t->types.s;
}

const char *
trust_shown(const struct trust *t)
{
	return t->shown.s;
}

bool
trust_has_refused(const struct trust *t)
{
	return t->refused.len > 0;
}

/* ---- fingerprints ---- */

static void
note_refused(struct trust *t, const uint8_t *blob, size_t len)
{
	const char *type;
	size_t n;

	if (strstr(t->refused.s, t->shown.s) != NULL)
		return;
	if (t->refused.len > 0)
		str_add(&t->refused, ", ");
	str_add(&t->refused, t->shown.s);
	if (host_key_type(blob, len, &type, &n))
		str_addf(&t->refused, " (%.*s)", (int)n, type);
}

/* Ask for what was not shown yet; false: nothing is left. */
static bool
ask_for_others(struct trust *t, const uint8_t *blob, size_t len)
{
	const char *type;
	size_t n;
	bool known = false;

	if (!host_key_type(blob, len, &type, &n))
		return false;
	str_clear(&t->types);
	for (size_t i = 0; i < ARRAY_LEN(all_types); i++) {
		if (strlen(all_types[i]) == n &&
			memcmp(all_types[i], type, n) == 0) {
			/* Shown though it was not asked for: enough. */
			known = !t->asked[i];
			t->asked[i] = true;
		}
		if (t->asked[i])
			continue;
		if (t->types.len > 0)
			str_addc(&t->types, ',');
		str_add(&t->types, all_types[i]);
	}
	return known && t->types.len > 0;
}

enum rc
trust_refuse(struct trust *t, struct err *e)
{
	const struct patterns *pins = &t->config->host_key;
	CLEANUP(str_release) struct str expected = STR_INIT;

	for (size_t i = 0; i < pins->n; i++)
		str_addf(&expected, "%s%s", i > 0 ? " or " : "", pins->glob[i]);
	err_set(e, BAD_SOURCE,
		"%s port %u shows another key than host_key says: shown %s, "
		"expected %s. Nothing was said to it. Either somebody stands "
		"between, or the partner has a new key: ask them before you "
		"change host_key",
		t->config->host, t->config->port, t->refused.s, expected.s);
	e->cause = EKEYREJECTED;
	return BAD_SOURCE;
}

static enum rc
judge_pinned(struct trust *t, const uint8_t *blob, size_t len, struct err *e)
{
	const struct patterns *pins = &t->config->host_key;

	for (size_t i = 0; i < pins->n; i++)
		if (strcmp(pins->glob[i], t->shown.s) == 0)
			return OK;
	note_refused(t, blob, len);
	if (ask_for_others(t, blob, len))
		return AGAIN;
	return trust_refuse(t, e);
}

/* ---- known_hosts ---- */

static enum rc
refuse_known(struct trust *t, const struct known_answer *a, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	const struct sftp_config *c = t->config;

	str_addf(&why, "%s port %u: ", c->host, c->port);
	switch (a->verdict) {
	case KNOWN_REVOKED:
		str_addf(&why, "the key it shows, %s, is revoked (line %u)",
			t->shown.s, a->line);
		break;
	case KNOWN_OTHER:
		str_addf(&why,
			"its key has changed: shown %s, known %s. Nothing was "
			"said to it. Either somebody stands between, or the "
			"partner has a new key: ask them before you change "
			"the file",
			t->shown.s, a->others.s);
		break;
	default:
		str_addf(&why,
			"the server is not known; it shows %s: ask the "
			"partner whether that is right",
			t->shown.s);
		break;
	}
	if (a->authorities > 0)
		str_add(&why, "; @cert-authority lines are not supported");
	if (a->malformed > 0)
		str_addf(&why, "; %u lines could not be read, the first is %u",
			a->malformed, a->malformed_at);
	err_set(e, BAD_SOURCE, "known_hosts %s: %s", c->known_hosts, why.s);
	e->cause = EKEYREJECTED;
	return BAD_SOURCE;
}

static enum rc
judge_known(struct trust *t, const uint8_t *blob, size_t len, struct err *e)
{
	struct known_answer a = KNOWN_ANSWER_INIT;
	enum rc rc = OK;

	known_hosts_ask(&t->known, blob, len, &a);
	if (a.verdict != KNOWN_MATCH)
		rc = refuse_known(t, &a, e);
	str_release(&a.others);
	return rc;
}

enum rc
trust_judge(struct trust *t, const uint8_t *blob, size_t len, struct err *e)
{
	str_clear(&t->shown);
	host_key_add_fingerprint(&t->shown, blob, len);
	return t->config->known_hosts != NULL ? judge_known(t, blob, len, e)
					      : judge_pinned(t, blob, len, e);
}
