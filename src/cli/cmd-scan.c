/*
 * landfall scan: the scanner on any file, without configuration, zone or
 * trace; on each member of an archive.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/scan-feed.h"
#include "daemon/container.h"
#include "daemon/member.h"

enum {
	SHOWN = 1000,	/* exceptions with --json */
	SHOWN_TEXT = 5, /* and for humans */
};

struct request {
	const char *source, *format, *limit;
	const char **set;
	size_t n_set;
	bool spans, sniff;
	uint64_t shown; /* exceptions, joined ones */
};

/* ---- which dialect ---- */

static enum status
add_setting(void *arg, const char *value)
{
	struct request *q = arg;

	q->set = mem_resize(q->set, q->n_set + 1, sizeof(*q->set));
	q->set[q->n_set++] = value;
	return STATUS_DONE;
}

/* The source, if one is asked for, and the dialect. */
static enum status
choose_dialect(struct cli *c, const struct request *q, struct dialect *d,
	const struct source_config **ret_source)
{
	CLEANUP(str_release) struct str report = STR_INIT;
	const struct source_config *source;
	struct err e = ERR_INIT;
	enum status st;

	if (q->source == NULL) {
		if (config_dialect(q->format != NULL ? q->format : "csv",
			    q->set, q->n_set, d, &report, &e) == OK)
			return STATUS_DONE;
		fputs(report.s, stderr);
		fprintf(stderr, "landfall: error: %s\n", e.text);
		return STATUS_USAGE;
	}
	st = cli_config(c);
	if (st != STATUS_DONE)
		return st;
	source = cli_source(c, q->source);
	if (source == NULL)
		return STATUS_USAGE;
	*d = source->dialect;
	*ret_source = source;
	return STATUS_DONE;
}

/* ---- an archive, member by member ---- */

struct scan {
	struct cli *cli;
	struct scan_request request;
	const struct source_config *source; /* or NULL */
	const char *file;
	enum status worst;
};

static void
complain(struct scan *s, const struct str *member, const char *why)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);

	s->worst = STATUS_ATTENTION;
	if (s->cli->json) {
		jsonw_object(&j);
		if (member != NULL) {
			jsonw_key(&j, "member");
			jsonw_percent(&j, member->s, member->len);
		}
		jsonw_key(&j, "error"), jsonw_text(&j, why);
		jsonw_end(&j);
		cli_line(&line);
		return;
	}
	fprintf(stderr, "landfall: error: %s: %s\n", s->file, why);
}

/* What has no bytes to scan: it is named, and why. */
static void
tell_other(struct scan *s, const struct str *member, const char *key,
	const char *what)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);

	if (s->cli->json) {
		jsonw_object(&j);
		jsonw_key(&j, "member");
		jsonw_percent(&j, member->s, member->len);
		jsonw_key(&j, key), jsonw_text(&j, what);
		jsonw_end(&j);
	} else {
		str_add_quoted(&line, member->s, member->len);
		str_addf(&line, ": %s", what);
	}
	cli_line(&line);
}

/* "in.tar.gz!/a.csv", as it would be named below the archive. */
static void
name_member(struct str *s, const struct unpack_member *m)
{
	str_clear(s);
	for (unsigned i = 0; i < m->n_in; i++) {
		str_addn(s, m->in[i].name, m->in[i].name_len);
		str_add(s, FORMAT_MEMBER);
	}
	str_addn(s, m->name, m->name_len);
	if (m->nth > 1)
		str_addf(s, "~%llu", (unsigned long long)m->nth);
}

static enum rc
scan_bytes(
	struct scan *s, struct unpack *u, const struct str *name, struct err *e)
{
	const struct signature none = {0};
	struct source *member = member_new(&none, NULL, 0);
	struct signature ignored;
	struct feed *f = NULL;
	enum rc rc;

	member_follow(member, u, UINT64_MAX, NULL);
	rc = member_ops.fetch(member, NULL, 0, &f, &ignored, e);
	if (s->request.spans) {
		tell_other(s, name, "spans", "records:");
		fflush(stdout);
	}
	if (rc == OK)
		rc = scan_feed(s->cli, &s->request, f, name->s, name, e);
	feed_free(f);
	member_free(member);
	return rc;
}

static enum rc
scan_member(struct scan *s, struct unpack *u, const struct unpack_member *m,
	struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	enum rc rc = OK;

	name_member(&name, m);
	if (m->type == UNPACK_FINDING)
		tell_other(s, &name, "finding", m->finding);
	else if (m->type == UNPACK_FILE && s->source != NULL &&
		container_leaves_out(&s->source->unpack, m))
		tell_other(s, &name, "ignored",
			"no pattern of unpack.members fits");
	else if (m->type == UNPACK_FILE)
		rc = scan_bytes(s, u, &name, e);
	if (rc == BAD_ITEM) {
		complain(s, &name, e->text);
		*e = (struct err)ERR_INIT;
		rc = OK;
	}
	return rc;
}

static enum rc
scan_archive(struct scan *s, struct unpack *u, struct err *e)
{
	enum rc rc;

	do {
		struct unpack_member m;

		rc = unpack_next(u, &m, e);
		if (rc == OK)
			rc = scan_member(s, u, &m, e);
		if (rc == BAD_ITEM) {
			complain(s, NULL, e->text);
			*e = (struct err)ERR_INIT;
			rc = unpack_over(u) ? END : OK;
		}
	} while (rc == OK);
	return rc == END ? OK : rc;
}

/* With the limits and the password of the source, if there is one. */
static enum rc
open_archive(const struct scan *s, int fd, uint64_t size, int spool,
	struct unpack **ret, struct err *e)
{
	CLEANUP(secret_forget) struct buf password;
	struct unpack_options o = {
		.fd = fd,
		.size = size,
		.name = (const uint8_t *)s->file,
		.name_len = strlen(s->file),
		.number = true,
		.spool = spool,
		.limits = UNPACK_LIMITS_DEFAULT,
	};

	buf_init(&password, SECRET_MAX);
	o.limits.free_space = 0;
	if (s->source != NULL && s->source->unpack.set) {
		const struct unpack_config *u = &s->source->unpack;

		container_limits(u, &o.limits);
		if (u->password.n > 0 &&
			secret_resolve(&u->password, &password, e) != OK)
			return e->code;
		o.password = password.len > 0 ? password.data : NULL;
		o.password_len = password.len;
	}
	return unpack_open(&o, ret, e);
}

/* END: it is no archive, or its source lands archives as they are. */
static enum rc
try_archive(struct scan *s, int fd, struct feed *f, struct err *e)
{
	struct unpack_look look;
	struct unpack *u = NULL;
	const uint8_t *head;
	int spool = -1, whole = -1;
	struct stat st;
	size_t got;
	enum rc rc;

	if ((s->source != NULL && !s->source->unpack.set) ||
		fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return END;
	rc = feed_head(f, UNPACK_HEAD, &head, &got, e);
	if (rc != OK)
		return rc;
	unpack_look(
		head, got, (const uint8_t *)s->file, strlen(s->file), &look);
	if (look.content == UNPACK_NOTHING || look.document)
		return END;
	rc = feed_whole(f, &whole, e);
	if (rc == OK)
		rc = io_open(AT_FDCWD,
			getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp",
			O_RDONLY | O_DIRECTORY, 0, &spool, BROKEN, e);
	if (rc == OK)
		rc = open_archive(s, whole, (uint64_t)st.st_size, spool, &u, e);
	if (rc == OK)
		rc = scan_archive(s, u, e);
	unpack_free(u);
	io_drop(&spool);
	return rc;
}

static enum status
scan_file(struct cli *c, const struct request *q, int fd, const char *file)
{
	struct scan s = {
		.cli = c,
		.request = {.sniff = q->sniff,
			.spans = q->spans,
			.shown = q->shown},
		.file = file,
	};
	struct feed *f;
	struct err e = ERR_INIT;
	enum status st = choose_dialect(c, q, &s.request.dialect, &s.source);
	enum rc rc;

	if (st != STATUS_DONE) {
		io_drop(&fd);
		return st;
	}
	f = feed_file(fd);
	rc = try_archive(&s, fd, f, &e);
	if (rc == END)
		rc = scan_feed(c, &s.request, f, file, NULL, &e);
	feed_free(f);
	if (rc == OK)
		return s.worst;
	err_add(&e, "%s", file);
	return cli_fail(&e);
}

/* ---- the command ---- */

static enum status
check_request(struct cli *c, struct request *q)
{
	if (c->n_args != 1)
		return cli_usage(c, "name one file, or - for standard input");
	if ((q->source != NULL) + (q->format != NULL || q->n_set > 0) +
			q->sniff >
		1)
		return cli_usage(c,
			"--source, --sniff and --format with -o exclude each "
			"other");
	q->shown = c->json ? SHOWN : SHOWN_TEXT;
	if (q->limit != NULL &&
		!str_parse_u64(q->limit, strlen(q->limit), &q->shown))
		return cli_usage(c, "--limit %s: expected a number, 0 for all",
			q->limit);
	if (q->limit != NULL && q->shown == 0)
		q->shown = UINT64_MAX;
	return STATUS_DONE;
}

enum status
cmd_scan(struct cli *c, int argc, char **argv)
{
	struct request q = {0};
	const struct cli_option options[] = {
		{"source", .text = &q.source, .value = "S",
			.help = "read as this source of the configuration"},
		{"format", .text = &q.format, .value = "F",
			.help = "csv (default), lines, ndjson, json, fixed, "
				"opaque"},
		{"option", .letter = 'o', .value = "KEY=VALUE",
			.help = "of the format, as in its configuration block",
			.each = add_setting, .arg = &q},
		{"sniff", .flag = &q.sniff,
			.help = "propose a dialect and scan with it"},
		{"spans", .flag = &q.spans,
			.help = "OFFSET LENGTH of each ordinary record"},
		{"limit", .text = &q.limit, .value = "N",
			.help = "show the first N exceptions, 0: all"},
	};
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	struct err e = ERR_INIT;
	int fd = STDIN_FILENO;

	if (st == STATUS_DONE)
		st = (int)check_request(c, &q);
	if (st == STATUS_DONE && strcmp(c->arg[0], "-") != 0 &&
		io_open(AT_FDCWD, c->arg[0], O_RDONLY, 0, &fd, BAD_ITEM, &e) !=
			OK) {
		fprintf(stderr, "landfall: error: %s\n", e.text);
		st = STATUS_USAGE;
	}
	if (st == STATUS_DONE)
		st = (int)scan_file(c, &q, fd, c->arg[0]);
	free(q.set);
	return st == CLI_STOP ? STATUS_DONE : (enum status)st;
}
