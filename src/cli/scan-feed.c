/*
 * One feed through the scanner. Memory is one window, whatever comes.
 */
#include "cli/scan-feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/out.h"

enum {
	STEP = 256 << 10, /* read at once: stays in the second-level cache */
	SNIFFED = 64 << 10,
	KINDS = 32,
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

/* ---- the bytes ---- */

/*
 * One pass over the window. What a step leaves is at most max_record and a
 * step; the buffer starts small and grows only as far as it must.
 */
static enum rc
scan_window(struct feed *f, struct buf *w, const struct dialect *d,
	struct run *r, struct err *e)
{
	struct scan *s = scan_new(d, &sink, r);
	bool at_end = false;
	enum rc rc = OK;

	for (;;) {
		size_t got = 0;

		buf_drop(w, scan_step(s, w->data, w->len, at_end));
		if (at_end)
			break;
		rc = buf_reserve(w, STEP, e);
		if (rc == OK)
			rc = feed_read(f, w->data + w->len, STEP, &got, e);
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

/* ---- what is said about it ---- */

static bool
next_shown(struct run *r, struct scan_exception *x)
{
	return r->spool != NULL && fread(x, sizeof(*x), 1, r->spool) == 1;
}

static void
print_json(struct run *r, const struct dialect *d, const struct str *member)
{
	const struct scan_totals *t = &r->totals;
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);
	struct scan_exception x;

	jsonw_object(&j);
	if (member != NULL) {
		jsonw_key(&j, "member");
		jsonw_percent(&j, member->s, member->len);
	}
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

static void
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
		return;
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
}

/* BROKEN: stdout, or the temporary directory. */
static enum rc
print_result(struct cli *c, struct run *r, const struct dialect *d,
	const char *file, const struct str *member, struct err *e)
{
	if (r->spans)
		return out_end(&r->out, e);
	if (r->total > 0 && (r->spool == NULL || fflush(r->spool) != 0))
		return err_set(e, BROKEN,
			"no room for the exceptions in the temporary "
			"directory: set TMPDIR or a smaller --limit");
	if (r->spool != NULL)
		rewind(r->spool);
	if (c->json)
		print_json(r, d, member);
	else
		print_text(r, d, file);
	return OK;
}

static enum rc
sniff(struct cli *c, struct feed *f, bool quiet, struct dialect *ret,
	struct err *e)
{
	struct sniff s = {.why = STR_INIT};
	const uint8_t *front;
	size_t got;
	enum rc rc = feed_head(f, SNIFFED, &front, &got, e);

	if (rc == OK) {
		scan_sniff(front, got, got < SNIFFED, &s);
		if (!quiet)
			say_sniffed(c, &s);
		*ret = s.dialect;
	}
	str_release(&s.why);
	return rc;
}

enum rc
scan_feed(struct cli *c, const struct scan_request *q, struct feed *f,
	const char *file, const struct str *member, struct err *e)
{
	struct run *r = mem_alloc(sizeof(*r));
	struct dialect d = q->dialect;
	struct buf w;
	enum rc rc = OK;

	r->spans = q->spans;
	r->shown = q->shown;
	if (q->sniff)
		rc = sniff(c, f, q->spans, &d, e);
	if (r->spans)
		out_init(&r->out);
	buf_init(&w, (size_t)d.max_record + 3 * STEP);
	if (rc == OK)
		rc = scan_window(f, &w, &d, r, e);
	if (rc == OK)
		rc = print_result(c, r, &d, file, member, e);
	if (r->spool != NULL)
		fclose(r->spool);
	buf_release(&w);
	free(r);
	return rc;
}
