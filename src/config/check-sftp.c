/*
 * What `sftp:` lacks, and what in it contradicts the rest of its source.
 */
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/report.h"

struct block {
	const struct source_config *config;
	const struct yaml_node *source, *sftp;
	struct report *report;
};

static bool
has(const struct block *b, const char *key)
{
	return yaml_get(b->sftp, key) != NULL;
}

/* At the key's value, or at the block where there is none. */
static void
wrong(const struct block *b, const char *key, const char *text)
{
	const struct yaml_node *n = yaml_get(b->sftp, key);

	if (n == NULL)
		n = b->sftp->key;
	report_add(b->report, n->line, n->column, "sftp.%s%s", key, text);
}

/* The commonest slip with keys: told before others may read the file. */
static void
check_key(const struct block *b)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	const struct yaml_node *file =
		yaml_get(yaml_get(b->sftp, "key"), "file");

	if (file == NULL || file->kind != YAML_SCALAR || file->len < 4 ||
		memcmp(file->text + file->len - 4, ".pub", 4) != 0)
		return;
	str_add(&text, ": ");
	yaml_add_shown(&text, file);
	str_add(&text,
		" is the public half of a key, which is for the partner; here "
		"goes the private one, in the file without .pub");
	wrong(b, "key", text.s);
}

static void
check_identity(const struct block *b)
{
	if (!has(b, "host"))
		wrong(b, "host", " is missing");
	if (!has(b, "user"))
		wrong(b, "user", " is missing");
	if (!has(b, "key") && !has(b, "agent") && !has(b, "password"))
		wrong(b, "key",
			" is missing: add key, agent or password, each "
			"saying where the secret is");
	if (has(b, "passphrase") && !has(b, "key"))
		wrong(b, "passphrase", ": there is no key that it opens");
	check_key(b);
	if (!has(b, "host_key") && !has(b, "known_hosts"))
		wrong(b, "host_key",
			" is missing: without it or known_hosts nobody "
			"vouches for the server; ask the partner for its "
			"fingerprint, SHA256:...");
	if (has(b, "host_key") && has(b, "known_hosts"))
		wrong(b, "known_hosts",
			": host_key says already which keys are right; "
			"leave one of them out");
}

static void
check_use(const struct block *b)
{
	const struct source_config *s = b->config;

	if (!s->sftp.recursive && has(b, "depth"))
		wrong(b, "depth", ": recursive is false");
	if (s->sftp.retry.base > s->sftp.retry.ceiling)
		wrong(b, "retry", ": base is more than ceiling");
	for (size_t i = 0; i < s->ready.n; i++) {
		const struct yaml_node *n = yaml_get(b->source, "ready");

		if (s->ready.rule[i].kind != READY_CLOSED || n == NULL)
			continue;
		report_add(b->report, n->line, n->column,
			"ready: closed cannot be asked over SFTP; use stable, "
			"sentinel or checksum");
	}
}

void
check_sftp(const struct source_config *s, const struct yaml_node *n,
	struct report *r)
{
	const struct block b = {.config = s,
		.source = n,
		.sftp = yaml_get(n, "sftp"),
		.report = r};

	check_identity(&b);
	check_use(&b);
}
