#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/show.h"
#include "cli/status-stream.h"
#include "cli/status.h"

/* Word of the daemon that is older than this, while it works, is old news. */
#define WORD_OLD (10 * CLOCK_SECOND)

/* How long it has been so. */
static void
add_for(struct str *s, int64_t since, int64_t now)
{
	str_add_duration(s, now > since ? (uint64_t)(now - since) : 0);
}

static void
add_ago(struct str *s, int64_t at, int64_t now)
{
	if (at == 0) {
		str_add(s, "never");
		return;
	}
	if (now - at < CLOCK_SECOND) {
		str_add(s, "now");
		return;
	}
	str_add_duration(
		s, (uint64_t)((now - at) / CLOCK_SECOND * CLOCK_SECOND));
	str_add(s, " ago");
}

static void
add_next(struct str *s, const struct standing *x, int64_t now)
{
	if (x->order != NULL) {
		str_addf(s, "%s now", x->order);
		return;
	}
	if (x->looking) {
		str_add(s, x->why != NULL ? "waiting" : "looking now");
		return;
	}
	if (x->next == 0) {
		str_add(s, "-");
		return;
	}
	if (x->next <= now) {
		str_add(s, "due");
		return;
	}
	if (x->next - now < CLOCK_SECOND) {
		str_add(s, "now");
		return;
	}
	str_add(s, "in ");
	str_add_duration(
		s, (uint64_t)((x->next - now) / CLOCK_SECOND * CLOCK_SECOND));
}

void
status_words_header(size_t width)
{
	printf("  %-*s  %-14s  %-14s  %-14s  %-14s  %s\n", (int)width, "source",
		"last look", "outcome", "next look", "last landed",
		"names of the last look");
}

/* "1203 names: 1200 landed, 3 pending". */
static void
add_counts(struct str *s, const struct catalog_pass *p)
{
	const char *between = ": ";

	str_addf(s, "%" PRIu64, p->listed);
	for (unsigned d = 1; d < DISPOSITIONS; d++) {
		if (p->count[d] == 0)
			continue;
		str_addf(s, "%s%" PRIu64 " %s", between, p->count[d],
			disposition_name(d));
		between = ", ";
	}
}

/* What a partner waits for, and why it does not come. */
static void
print_receipts(const struct standing *s, size_t width, int64_t now)
{
	CLEANUP(str_release) struct str line = STR_INIT;

	if (s->owed.n > 0) {
		str_add_count(&line, s->owed.n, "receipt");
		str_add(&line, " owed, the oldest for ");
		add_for(&line, s->owed.since, now);
	}
	if (s->outbox.code != OK)
		str_addf(&line, "%s%s", line.len > 0 ? ": " : "",
			s->outbox.text);
	if (line.len > 0)
		printf("  %-*s  %s\n", (int)width, "", line.s);
}

/* What somebody has to decide, and how. */
static void
print_undecided(const struct standing_undecided *u, size_t width, int64_t now)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (u->n == 0)
		return;
	str_addf(&s, "%" PRIu64 " quarantined, the oldest for ", u->n);
	add_for(&s, u->since, now);
	str_add(&s, ": ");
	str_add_quoted(&s, u->name.s, u->name.len);
	str_addf(&s, " (entry %" PRIu64 ")%s%s", u->entry,
		u->reason.len > 0 ? ": " : "", u->reason.s);
	str_add(&s, "; ");
	show_decision(&s, u->entry);
	printf("  %-*s  %s\n", (int)width, "", s.s);
}

struct echo {
	const char *trouble;
	bool said;
};

static enum rc
compare_row(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct echo *x = arg;

	if (*s->partition != '\0' || *s->why == '\0')
		return OK;
	str_addf(&text, "%s: %s", s->stream, s->why);
	x->said = x->said || strcmp(text.s, x->trouble) == 0;
	return OK;
}

/* Does the line of a stream say the same? One in partitions may have none. */
static bool
is_said_below(const struct standing *s, struct catalog *c)
{
	struct echo x = {.trouble = s->pass.trouble};
	struct err ignored = ERR_INIT;

	return s->source->kind == SOURCE_HTTP &&
		catalog_stream_each(
			c, s->source->name, compare_row, &x, &ignored) == OK &&
		x.said;
}

void
status_words_source(const struct standing *s, size_t width, struct catalog *c)
{
	CLEANUP(str_release) struct str looked = STR_INIT, next = STR_INIT;
	CLEANUP(str_release) struct str newest = STR_INIT, names = STR_INIT;
	CLEANUP(str_release) struct str more = STR_INIT;
	int64_t now = clock_wall();

	add_ago(&looked, s->looked ? s->pass.started : 0, now);
	add_next(&next, s, now);
	add_ago(&newest, s->newest, now);
	if (s->looked)
		add_counts(&names, &s->pass);
	printf("%c %-*s  %-14s  %-14s  %-14s  %-14s  %s\n",
		standing_status(s) != STATUS_DONE ? '!' : ' ', (int)width,
		s->source->name, looked.s,
		s->looked ? standing_outcome(&s->pass) : "-", next.s, newest.s,
		names.s);
	if (s->looked && *s->pass.trouble != '\0' && !is_said_below(s, c))
		printf("  %-*s  trouble: %s\n", (int)width, "",
			s->pass.trouble);
	if (s->failures > 0) {
		str_add_count(&more, s->failures, "look");
		printf("  %-*s  %s in a row failed\n", (int)width, "", more.s);
		str_clear(&more);
	}
	if (s->why != NULL) {
		str_add(&more, "waits until ");
		clock_add_time(&more, s->until);
		printf("  %-*s  %s: %s\n", (int)width, "", more.s, s->why);
		str_clear(&more);
	}
	if (s->waiting.names > 0) {
		str_addf(&more, "%" PRIu64 " pending, the oldest for ",
			s->waiting.names);
		add_for(&more, s->waiting.since, now);
		str_add(&more, ": ");
		str_add_quoted(&more, s->waiting.name, s->waiting.name_len);
		str_addf(&more, ": %s", s->waiting.reason);
		printf("  %-*s  %s\n", (int)width, "", more.s);
	}
	print_undecided(&s->undecided, width, now);
	print_receipts(s, width, now);
	if (s->source->kind == SOURCE_HTTP)
		status_streams_words(s->source, c, width);
	if (s->source->expect.set) {
		str_clear(&more);
		show_arrival_words(&more, &s->arrival);
		printf("  %-*s  arrival: %s\n", (int)width, "", more.s);
	}
}

static void
print_files(const struct live *l)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	for (size_t i = 0; i < l->n_files; i++) {
		const struct live_file *f = &l->file[i];

		str_addf(&s, "    %s %s: ", f->source, f->name);
		str_add_size(&s, f->bytes);
		str_add(&s, " of ");
		str_add_size(&s, f->size);
		if (f->size > 0)
			str_addf(&s, ", %u %%",
				(unsigned)((double)f->bytes * 100 /
					(double)f->size));
		cli_line(&s);
	}
}

void
status_words_daemon(const struct standing_daemon *d)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const struct live_work *w = &d->live.work;
	int64_t now = clock_wall(), old = now - d->live.written;

	if (!d->at_work) {
		str_add(&s, "! no daemon is running");
	} else if (!d->watches) {
		str_addf(&s, "  another landfall is at work (process %ld)",
			d->pid);
	} else {
		str_addf(&s, "  daemon (process %ld) for ", d->pid);
		add_for(&s, d->live.started, now);
		str_addf(&s, ": %s", d->live.saying);
	}
	cli_line(&s);
	if (!d->watches || w->reading + w->queued + w->staged == 0)
		return;
	str_add(&s, "  reading ");
	str_add_count(&s, w->reading, "file");
	str_add(&s, " of ");
	str_add_size(&s, w->reading_bytes);
	str_add(&s, " at ");
	str_add_size(&s, w->rate);
	str_addf(&s,
		"/s; %" PRIu64 " wait to be read, %" PRIu64 " to be made "
		"durable",
		w->queued, w->staged);
	if (w->members > 0) {
		str_add(&s, "; ");
		str_add_count(&s, w->members, "member");
		str_add(&s, " of archives so far");
	}
	if (old > WORD_OLD) {
		str_add(&s, " (so it said ");
		str_add_duration(&s, (uint64_t)old);
		str_add(&s, " ago)");
	}
	cli_line(&s);
	print_files(&d->live);
}

void
status_words_ledger(const struct ledger_view *v)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	uint8_t root[HASH_LEN];

	ledger_view_root(v, root);
	str_addf(&s, "ledger %s: ", ledger_view_origin(v));
	str_add_count(&s, ledger_view_size(v), "entry");
	str_add(&s, ", root ");
	str_add_base64(&s, root, HASH_LEN);
	cli_line(&s);
}

void
status_words_alert(const struct catalog_alert *a)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_addf(&s, "alert: %s of %s at ", a->event, a->source);
	clock_add_time(&s, a->at);
	str_addf(&s, ": %s after ", a->given_up ? "given up" : "not delivered");
	str_add_count(&s, a->attempts, "attempt");
	str_addf(&s, "%s%s", *a->trouble != '\0' ? ": " : "", a->trouble);
	cli_line(&s);
}
