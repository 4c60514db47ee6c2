/*
 * landfall verify: the auditor's command. Needs the zone and, to be worth
 * anything, a public key from elsewhere; no configuration, no secrets.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/audit.h"
#include "cli/commands.h"
#include "cli/progress.h"

struct request {
	struct cli *cli;
	bool deep;
	bool catalog_lost; /* there is one, and it cannot be read */
	const char *vkey;
	struct str vkey_text;
	/* What the arguments mean: one zone, and paths below it. */
	char *zone;
	char **path;
	size_t n_paths;
	bool whole;	  /* an argument is the zone itself */
	const char *gone; /* of path: one that does not exist */
};

/* ---- which zone ---- */

static bool
is_zone(const char *dir)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_addf(&s, "%s/" FORMAT_LEDGER_DIR, dir);
	return access(s.s, F_OK) == 0;
}

/* The absolute path, also of a file that is gone; NULL: no such place. */
static char *
resolve(const char *arg)
{
	char *whole = realpath(arg, NULL);
	CLEANUP(mem_release) char *copy = NULL;
	CLEANUP(mem_release) char *dir = NULL;
	struct str s = STR_INIT;
	char *slash;

	if (whole != NULL || errno != ENOENT)
		return whole;
	copy = mem_strdup(arg);
	slash = strrchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	dir = realpath(slash == NULL ? "." : slash == copy ? "/" : copy, NULL);
	if (dir == NULL)
		return NULL;
	str_addf(&s, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
		slash != NULL ? slash + 1 : copy);
	return str_take(&s);
}

/* One argument: its zone, and its path below it. */
static enum status
add_path(struct request *q, const char *arg)
{
	bool gone = access(arg, F_OK) != 0;
	CLEANUP(mem_release) char *full = resolve(arg);
	CLEANUP(mem_release) char *dir = NULL;
	char *slash;

	if (full == NULL) {
		fprintf(stderr, "landfall: error: %s: %m\n", arg);
		return STATUS_BROKEN;
	}
	dir = mem_strdup(full);
	while (!is_zone(dir) && (slash = strrchr(dir, '/')) != NULL)
		*slash = '\0';
	if (!is_zone(dir)) {
		fprintf(stderr,
			"landfall: error: %s is neither a zone nor in one: no "
			"directory above it has " FORMAT_LEDGER_DIR "\n",
			arg);
		return STATUS_USAGE;
	}
	if (q->zone != NULL && strcmp(q->zone, dir) != 0)
		return cli_usage(q->cli,
			"%s and %s are different zones: verify one at a time",
			q->zone, dir);
	if (q->zone == NULL)
		q->zone = mem_strdup(dir);
	if (strlen(full) == strlen(dir))
		q->whole = true;
	else
		q->path[q->n_paths++] = mem_strdup(full + strlen(dir) + 1);
	if (gone && q->gone == NULL)
		q->gone = q->path[q->n_paths - 1];
	return STATUS_DONE;
}

static enum status
find_zone(struct request *q)
{
	struct cli *c = q->cli;
	enum status st = STATUS_DONE;

	q->path = mem_array((size_t)c->n_args, sizeof(*q->path));
	for (int i = 0; i < c->n_args && st == STATUS_DONE; i++)
		st = add_path(q, c->arg[i]);
	if (c->n_args > 0)
		return st;
	st = cli_config(c);
	if (st == STATUS_DONE)
		q->zone = mem_strdup(c->config->zone);
	return st;
}

/* --vkey: a file, or the text itself, name+id+base64. */
static enum status
read_vkey(struct request *q)
{
	struct err e = ERR_INIT;

	if (q->vkey == NULL)
		return STATUS_DONE;
	if (access(q->vkey, F_OK) != 0)
		return strchr(q->vkey, '+') != NULL
			? STATUS_DONE
			: cli_usage(q->cli,
				  "--vkey %s: neither a file nor a key, "
				  "NAME+ID+BASE64",
				  q->vkey);
	if (io_read_file(AT_FDCWD, q->vkey, 4096, &q->vkey_text, BAD_ITEM,
		    &e) != OK) {
		fprintf(stderr, "landfall: error: --vkey %s\n", e.text);
		return STATUS_USAGE;
	}
	q->vkey = q->vkey_text.s;
	return STATUS_DONE;
}

/* ---- what is said ---- */

static void
print_finding(void *arg, const struct finding *f)
{
	const struct cli *c = ((struct request *)arg)->cli;
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);
	const char *what = f->what;
	size_t n = strlen(f->file);

	/* Texts of errors begin with their file, and it is told already. */
	if (what != NULL && strncmp(what, f->file, n) == 0 &&
		strncmp(what + n, ": ", 2) == 0)
		what += n + 2;
	if (c->json) {
		jsonw_object(&j);
		jsonw_key(&j, "kind"), jsonw_text(&j, f->kind);
		jsonw_key(&j, "file"), jsonw_text(&j, f->file);
		if (f->expected != NULL)
			jsonw_key(&j, "expected"), jsonw_text(&j, f->expected);
		if (f->found != NULL)
			jsonw_key(&j, "found"), jsonw_text(&j, f->found);
		if (what != NULL)
			jsonw_key(&j, "what"), jsonw_text(&j, what);
		jsonw_end(&j);
		cli_line(&s);
		return;
	}
	str_addf(&s, "%s: ", f->kind);
	str_add_quoted(&s, f->file, strlen(f->file));
	if (what != NULL)
		str_addf(&s, ": %s", what);
	if (f->expected != NULL)
		str_addf(&s, "; the ledger says %s", f->expected);
	if (f->found != NULL)
		str_addf(&s, "; found %s", f->found);
	str_addf(&s, " -- %s", f->advice);
	cli_line(&s);
}

static void
print_summary(const struct request *q, const struct audit_result *r)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);

	if (q->cli->json) {
		jsonw_object(&j);
		jsonw_key(&j, "files"), jsonw_u64(&j, r->files);
		jsonw_key(&j, "bytes"), jsonw_u64(&j, r->bytes);
		jsonw_key(&j, "findings"), jsonw_u64(&j, r->findings);
		jsonw_key(&j, "ledger_size"), jsonw_u64(&j, r->ledger_size);
		jsonw_key(&j, "root"), jsonw_base64(&j, r->root, HASH_LEN);
		jsonw_end(&j);
		cli_line(&s);
		return;
	}
	str_add_count(&s, r->files, "file");
	str_add(&s, " (");
	str_add_size(&s, r->bytes);
	str_addf(&s, " as delivered) %s, ledger of ",
		q->deep ? "decoded and compared with the ledger"
			: "compared with the ledger");
	str_add_count(&s, r->ledger_size, "entry");
	str_add(&s, ", root ");
	str_add_base64(&s, r->root, HASH_LEN);
	if (r->findings == 0)
		str_add(&s, ": nothing is wrong");
	else
		str_add(&s, ": "), str_add_count(&s, r->findings, "finding");
	cli_line(&s);
	if (r->unknown > 0)
		cli_say(q->cli,
			"%" PRIu64 " entries are of a kind this version does "
			"not know",
			r->unknown);
	if (q->vkey == NULL)
		cli_say(q->cli,
			"the key was the one the zone publishes: it proves "
			"nothing against whoever can write there; give the "
			"one you kept with --vkey");
}

/* ---- the command ---- */

static uint64_t
bytes_done(void *arg)
{
	return audit_done(arg);
}

/* Only the configuration says where the catalog of a zone is. */
static enum rc
compare_catalog(struct request *q, struct audit *a, struct err *e)
{
	const struct cli *c = q->cli;
	struct catalog *cat;
	enum rc rc;

	if (c->config == NULL || q->n_paths > 0)
		return OK;
	rc = catalog_open(c->config->state, false, &cat, e);
	if (rc == OK) {
		rc = audit_catalog(a, cat, e);
		catalog_close(cat);
		return rc;
	}
	if (rc == END) {
		cli_say(c, "the catalog was not compared: there is none");
		return OK;
	}
	fprintf(stderr, "landfall: error: the catalog was not compared: %s\n",
		e->text);
	q->catalog_lost = true;
	return OK;
}

static enum rc
audit_all(struct request *q, struct audit *a, struct err *e)
{
	struct audit_result r;
	struct progress *p;
	enum rc rc = audit_ledger(a, e);

	if (rc != OK)
		return rc;
	audit_result(a, &r);
	p = progress_start(q->cli, "verifying", r.expected, bytes_done, a);
	rc = audit_files(a, e);
	progress_stop(p);
	if (rc == OK)
		rc = audit_zone(a, e);
	if (rc == OK)
		rc = compare_catalog(q, a, e);
	return rc;
}

static enum status
verify(struct request *q)
{
	const struct audit_options o = {
		.zone = q->zone,
		.vkey = q->vkey,
		.deep = q->deep,
		.path = q->path,
		.n_paths = q->whole ? 0 : q->n_paths,
		.finding = print_finding,
		.arg = q,
	};
	struct audit_result r = {0};
	struct audit *a = NULL;
	struct err e = ERR_INIT;
	enum rc rc = audit_open(&a, &o, &e);

	if (rc == END)
		rc = err_set(&e, BAD_ITEM,
			"no checkpoint: this is no zone, or its ledger is "
			"gone");
	if (rc == BAD_ITEM) {
		print_finding(q,
			&(struct finding){
				.kind = "ledger-damaged",
				.file = FORMAT_LEDGER_DIR,
				.what = e.text,
				.advice = "nothing below it can be proved: "
					  "put back a checkpoint that this key "
					  "signed, or give the right --vkey",
			});
		r.findings = 1;
		print_summary(q, &r);
		return STATUS_DAMAGE;
	}
	if (rc == OK)
		rc = audit_all(q, a, &e);
	if (rc == OK)
		audit_result(a, &r);
	if (rc == OK && r.findings == 0 && q->gone != NULL)
		rc = err_set(&e, BROKEN,
			"%s is not there, and the ledger does not name it",
			q->gone);
	if (rc == OK)
		print_summary(q, &r);
	audit_close(a);
	if (rc != OK) {
		fprintf(stderr, "landfall: error: %s: %s\n", q->zone, e.text);
		return STATUS_BROKEN;
	}
	if (r.findings > r.unreadable)
		return STATUS_DAMAGE;
	return r.unreadable > 0 || q->catalog_lost ? STATUS_BROKEN
						   : STATUS_DONE;
}

enum status
cmd_verify(struct cli *c, int argc, char **argv)
{
	struct request q = {.cli = c, .vkey_text = STR_INIT};
	const struct cli_option options[] = {
		{.name = "deep",
			.flag = &q.deep,
			.help = "decode, hash and scan what was delivered"},
		{.name = "vkey",
			.text = &q.vkey,
			.value = "FILE|TEXT",
			.help = "the public key to trust"},
	};
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	cli_live();
	if (st == STATUS_DONE)
		st = (int)read_vkey(&q);
	if (st == STATUS_DONE)
		st = (int)find_zone(&q);
	if (st == STATUS_DONE)
		st = (int)verify(&q);
	for (size_t i = 0; i < q.n_paths; i++)
		free(q.path[i]);
	free(q.path);
	free(q.zone);
	str_release(&q.vkey_text);
	return st == CLI_STOP ? STATUS_DONE : (enum status)st;
}
