/*
 * landfall scan: the scanner on any file, without configuration, zone or
 * trace. Memory is one window, whatever the file's size.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/progress.h"

enum {
	STEP = 256 << 10, /* read at once: stays in the second-level cache */
	SNIFFED = 64 << 10,
	SHOWN = 1000,	/* exceptions with --json */
	SHOWN_TEXT = 5, /* and for humans */
	KINDS = 32,
};

struct request {
	const char *source, *format, *limit;
	const char **set;
	size_t n_set;
	bool spans, sniff;
	uint64_t shown; /* exceptions, joined ones */
};

struct run {
	struct scan_totals totals;
	/* Exceptions as they are joined; the first `shown` go to the spool. */
	struct scan_exception joined;
	uint64_t total;
	uint64_t shown;
	FILE *spool;
	uint64_t kind[KINDS]; /* spans of each, not joined */
	/* --spans */
	bool spans;
	struct out out;
	uint64_t at; /* where the next span starts */
};

static void
keep_joined(struct run *r)
{
	if (r->joined.count == 0)
		return;
	r->total++;
	if (r->total > r->shown)
		return;
	if (r->spool == NULL)
		r->spool = tmpfile();
	if (r->spool != NULL)
		fwrite(&r->joined, sizeof(r->joined), 1, r->spool);
}

static void
sink_records(void *arg, const uint64_t *ends, size_t n)
{
	struct run *r = arg;

	if (!r->spans)
		return;
	for (size_t i = 0; i < n; i++) {
		out_u64(&r->out, r->at);
		out_add(&r->out, " ", 1);
		out_u64(&r->out, ends[i] - r->at);
		out_add(&r->out, "\n", 1);
		r->at = ends[i];
	}
}

static void
sink_exception(void *arg, const struct scan_exception *x)
{
	struct run *r = arg;

	r->at = x->offset + x->length;
	if (x->kind < KINDS)
		r->kind[x->kind]++;
	if (r->joined.count > 0 && scan_exception_join(&r->joined, x))
		return;
	keep_joined(r);
	r->joined = *x;
}

static const struct scan_sink sink = {sink_records, sink_exception};

/* ---- which dialect ---- */

static enum status
add_setting(void *arg, const char *value)
{
	struct request *q = arg;

	q->set = mem_resize(q->set, q->n_set + 1, sizeof(*q->set));
	q->set[q->n_set++] = value;
	return STATUS_DONE;
}

static void
say_sniffed(const struct cli *c, const struct sniff *s)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);

	if (!c->json) {
		printf("sniffed: %s (%u %% sure)\n", s->why.s, s->confidence);
		return;
	}
	jsonw_object(&j);
	jsonw_key(&j, "dialect"), dialect_write(&s->dialect, &j);
	jsonw_key(&j, "confidence"), jsonw_u64(&j, s->confidence);
	jsonw_key(&j, "why"), jsonw_text(&j, s->why.s);
	jsonw_end(&j);
	cli_line(&line);
}

static enum status
choose_dialect(struct cli *c, const struct request *q, struct dialect *d)
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
	return STATUS_DONE;
}

/* ---- the bytes ---- */

/*
 * One pass over the window. What a step leaves is at most max_record and a
 * step; the buffer starts small and grows only as far as it must.
 */
static enum rc
scan_window(int fd, struct buf *w, bool at_end, const struct dialect *d,
	struct run *r, struct err *e)
{
	struct scan *s = scan_new(d, &sink, r);
	enum rc rc = OK;

	for (;;) {
		size_t got = 0;

		buf_drop(w, scan_step(s, w->data, w->len, at_end));
		if (at_end)
			break;
		rc = buf_reserve(w, STEP, e);
		if (rc == OK)
			rc = io_read(
				fd, w->data + w->len, STEP, &got, BROKEN, e);
		if (rc != OK)
			break;
		w->len += got;
		at_end = got < STEP;
	}
	scan_totals(s, &r->totals);
	scan_free(s);
	keep_joined(r);
	return rc;
}

/* The front of the file into the window, for sniffing. */
static enum rc
read_front(int fd, struct buf *w, bool *ret_whole, struct err *e)
{
	size_t got;

	if (buf_reserve(w, SNIFFED, e) != OK ||
		io_read(fd, w->data, SNIFFED, &got, BROKEN, e) != OK)
		return e->code;
	w->len = got;
	*ret_whole = got < SNIFFED;
	return OK;
}

/* ---- what is said about it ---- */

static bool
next_shown(struct run *r, struct scan_exception *x)
{
	return r->spool != NULL && fread(x, sizeof(*x), 1, r->spool) == 1;
}

static enum status
print_json(struct run *r, const struct dialect *d)
{
	const struct scan_totals *t = &r->totals;
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);
	struct scan_exception x;

	jsonw_object(&j);
	jsonw_key(&j, "bytes"), jsonw_u64(&j, t->bytes);
	jsonw_key(&j, "records"), jsonw_u64(&j, t->records);
	jsonw_key(&j, "malformed"), jsonw_u64(&j, t->malformed);
	jsonw_key(&j, "exceptions"), jsonw_array(&j);
	while (next_shown(r, &x)) {
		jsonw_object(&j);
		jsonw_key(&j, "kind"), jsonw_text(&j, format_kind_name(x.kind));
		jsonw_key(&j, "offset"), jsonw_u64(&j, x.offset);
		jsonw_key(&j, "length"), jsonw_u64(&j, x.length);
		jsonw_key(&j, "count"), jsonw_u64(&j, x.count);
		jsonw_key(&j, "record"), jsonw_u64(&j, x.record);
		jsonw_end(&j);
		/* All of them may be many: what is written is let go. */
		fwrite(line.s, 1, line.len, stdout);
		str_clear(&line);
	}
	jsonw_end(&j);
	jsonw_key(&j, "exceptions_total"), jsonw_u64(&j, r->total);
	jsonw_key(&j, "format"), jsonw_text(&j, scan_format_names[d->format]);
	jsonw_key(&j, "dialect"), dialect_write(d, &j);
	jsonw_key(&j, "stray_quotes"), jsonw_u64(&j, t->stray_quotes);
	jsonw_key(&j, "nul_bytes"), jsonw_u64(&j, t->nul_bytes);
	jsonw_key(&j, "invalid_utf8"), jsonw_u64(&j, t->invalid_utf8);
	jsonw_end(&j);
	cli_line(&line);
	return STATUS_DONE;
}

static void
print_exception(const struct run *r, const struct scan_exception *x)
{
	printf("  %-20s offset %" PRIu64 ", %" PRIu64 " bytes, before record "
	       "%" PRIu64,
		format_kind_name(x->kind), x->offset, x->length, x->record);
	if (x->count > 1)
		printf(", %" PRIu32 " in a row", x->count);
	if (x->kind == KIND_WRONG_FIELD_COUNT)
		printf(", fields: %u, not %" PRIu32, x->detail,
			r->totals.columns);
	putchar('\n');
}

static void
print_count(uint64_t n, const char *what)
{
	if (n > 0)
		printf(", %" PRIu64 " %s", n, what);
}

static enum status
print_text(struct run *r, const struct dialect *d, const char *file)
{
	const struct scan_totals *t = &r->totals;
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);
	struct scan_exception x;

	str_add_quoted(&s, file, strlen(file));
	str_add(&s, ": ");
	str_add_size(&s, t->bytes);
	printf("%s, %" PRIu64 " record%s, %" PRIu64 " malformed", s.s,
		t->records, t->records == 1 ? "" : "s", t->malformed);
	print_count(t->stray_quotes, "with stray quotes");
	print_count(t->nul_bytes, "with NUL bytes");
	print_count(t->invalid_utf8, "with invalid UTF-8");
	str_clear(&s);
	dialect_write(d, &j);
	printf("\ndialect: %s\n", s.s);
	if (t->columns > 0)
		printf("columns: %" PRIu32 "\n", t->columns);
	if (t->bom)
		printf("byte order mark: %s\n",
			scan_encoding_names[t->encoding]);
	if (r->total == 0)
		return STATUS_DONE;
	printf("not records:");
	for (unsigned k = 0; k < KINDS; k++)
		if (r->kind[k] > 0)
			printf(" %" PRIu64 " %s;", r->kind[k],
				format_kind_name(k));
	putchar('\n');
	while (next_shown(r, &x))
		print_exception(r, &x);
	if (r->total > r->shown)
		printf("  ... and %" PRIu64 " more: --limit 0 shows all\n",
			r->total - r->shown);
	return STATUS_DONE;
}

static enum status
print_result(
	struct cli *c, struct run *r, const struct dialect *d, const char *file)
{
	struct err e = ERR_INIT;

	if (r->spans)
		return out_end(&r->out, &e) == OK ? STATUS_DONE : cli_fail(&e);
	if (r->total > 0 && (r->spool == NULL || fflush(r->spool) != 0)) {
		err_set(&e, BROKEN,
			"no room for the exceptions in the temporary "
			"directory: set TMPDIR or a smaller --limit");
		return cli_fail(&e);
	}
	if (r->spool != NULL)
		rewind(r->spool);
	return c->json ? print_json(r, d) : print_text(r, d, file);
}

/* ---- the command ---- */

static enum status
scan_file(struct cli *c, const struct request *q, int fd, const char *file)
{
	struct run *r = mem_alloc(sizeof(*r));
	struct dialect d;
	struct err e = ERR_INIT;
	struct buf w;
	bool at_end = false;
	enum status st = STATUS_DONE;
	enum rc rc = OK;

	r->spans = q->spans;
	r->shown = q->shown;
	buf_init(&w, SNIFFED);
	if (q->sniff) {
		struct sniff s = {.why = STR_INIT};

		rc = read_front(fd, &w, &at_end, &e);
		if (rc == OK) {
			scan_sniff(w.data, w.len, at_end, &s);
			if (!q->spans)
				say_sniffed(c, &s);
			d = s.dialect;
		}
		str_release(&s.why);
	} else {
		st = choose_dialect(c, q, &d);
	}
	if (r->spans)
		out_init(&r->out);
	if (st == STATUS_DONE && rc == OK) {
		w.max = (size_t)d.max_record + 3 * STEP;
		rc = scan_window(fd, &w, at_end, &d, r, &e);
	}
	if (rc != OK) {
		err_add(&e, "%s", file);
		st = cli_fail(&e);
	} else if (st == STATUS_DONE) {
		st = print_result(c, r, &d, file);
	}
	if (r->spool != NULL)
		fclose(r->spool);
	buf_release(&w);
	free(r);
	return st;
}

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
	if (st == STATUS_DONE) {
		st = (int)scan_file(c, &q, fd, c->arg[0]);
		if (fd != STDIN_FILENO)
			io_drop(&fd);
	}
	free(q.set);
	return st == CLI_STOP ? STATUS_DONE : (enum status)st;
}
