/*
 * landfall status: how things stand, at a glance, once or again and again.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/place.h"
#include "cli/show.h"
#include "cli/standing.h"
#include "cli/status-stream.h"
#include "daemon/receipts.h"

#define EVERY_SECONDS 2 /* --watch without a number */
#define EVERY_MOST 86400

/* Word of the daemon that is older than this, while it works, is old news. */
#define WORD_OLD (10 * CLOCK_SECOND)

/* ---- JSON ---- */

static void
write_counts(struct jsonw *j, const uint64_t count[DISPOSITIONS])
{
	jsonw_object(j);
	for (unsigned d = 1; d < DISPOSITIONS; d++) {
		jsonw_key(j, disposition_name(d));
		jsonw_u64(j, count[d]);
	}
	jsonw_end(j);
}

static void
write_run(struct jsonw *j, const struct standing *s)
{
	if (!s->looked) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "started"), jsonw_time(j, s->pass.started);
	jsonw_key(j, "ended"), jsonw_time_or_null(j, s->pass.ended);
	jsonw_key(j, "outcome"), jsonw_text(j, standing_outcome(&s->pass));
	jsonw_key(j, "listed"), jsonw_u64(j, s->pass.listed);
	jsonw_key(j, "unchanged"), jsonw_u64(j, s->pass.unchanged);
	jsonw_key(j, "trouble"), jsonw_text(j, s->pass.trouble);
	jsonw_key(j, "counts"), write_counts(j, s->pass.count);
	jsonw_end(j);
}

static void
write_waiting(struct jsonw *j, const struct catalog_waiting *w)
{
	jsonw_object(j);
	jsonw_key(j, "names"), jsonw_u64(j, w->names);
	if (w->names > 0) {
		jsonw_key(j, "since"), jsonw_time(j, w->since);
		jsonw_key(j, "name"), jsonw_percent(j, w->name, w->name_len);
		jsonw_key(j, "reason"), jsonw_text(j, w->reason);
	}
	jsonw_end(j);
}

static void
write_receipts(struct jsonw *j, const struct standing *s)
{
	if (!receipts_wanted(s->source)) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "owed"), jsonw_u64(j, s->owed.n);
	jsonw_key(j, "since"), jsonw_time_or_null(j, s->owed.since);
	jsonw_key(j, "trouble");
	jsonw_text(j, s->outbox.code != OK ? s->outbox.text : "");
	jsonw_end(j);
}

static void
write_source(struct jsonw *j, const struct standing *s, struct catalog *c)
{
	jsonw_key(j, s->source->name), jsonw_object(j);
	jsonw_key(j, "last_run"), write_run(j, s);
	jsonw_key(j, "next_run"), jsonw_time_or_null(j, s->next);
	jsonw_key(j, "looking"), jsonw_bool(j, s->looking);
	jsonw_key(j, "order");
	if (s->order != NULL)
		jsonw_text(j, s->order);
	else
		jsonw_null(j);
	jsonw_key(j, "failures"), jsonw_u64(j, s->failures);
	jsonw_key(j, "counts"), write_counts(j, s->count);
	jsonw_key(j, "waiting"), write_waiting(j, &s->waiting);
	jsonw_key(j, "newest"), jsonw_time_or_null(j, s->newest);
	jsonw_key(j, "receipts"), write_receipts(j, s);
	if (s->source->kind == SOURCE_HTTP) {
		jsonw_key(j, "streams"), jsonw_array(j);
		status_streams_json(j, s->source, c);
		jsonw_end(j);
	}
	jsonw_key(j, "arrival");
	if (s->source->expect.set) {
		jsonw_object(j);
		show_arrival_json(j, &s->arrival);
		jsonw_end(j);
	} else {
		jsonw_null(j);
	}
	jsonw_end(j);
}

static void
write_daemon(struct jsonw *j, const struct standing_daemon *d)
{
	const struct live_work *w = &d->live.work;

	jsonw_key(j, "daemon"), jsonw_object(j);
	jsonw_key(j, "running"), jsonw_bool(j, d->watches);
	jsonw_key(j, "at_work"), jsonw_bool(j, d->at_work);
	jsonw_key(j, "pid");
	if (d->pid > 0)
		jsonw_i64(j, d->pid);
	else
		jsonw_null(j);
	if (d->watches) {
		jsonw_key(j, "started"), jsonw_time(j, d->live.started);
		jsonw_key(j, "written"), jsonw_time(j, d->live.written);
		jsonw_key(j, "saying"), jsonw_text(j, d->live.saying);
		jsonw_key(j, "queued"), jsonw_u64(j, w->queued);
		jsonw_key(j, "reading"), jsonw_u64(j, w->reading);
		jsonw_key(j, "reading_bytes"), jsonw_u64(j, w->reading_bytes);
		jsonw_key(j, "staged"), jsonw_u64(j, w->staged);
		jsonw_key(j, "members"), jsonw_u64(j, w->members);
		jsonw_key(j, "rate"), jsonw_u64(j, w->rate);
		live_write_files(&d->live, j);
	}
	jsonw_end(j);
}

static void
write_ledger(struct jsonw *j, const struct ledger_view *v, uint64_t recorded)
{
	uint8_t root[HASH_LEN];

	ledger_view_root(v, root);
	jsonw_key(j, "ledger"), jsonw_object(j);
	jsonw_key(j, "origin"), jsonw_text(j, ledger_view_origin(v));
	jsonw_key(j, "size"), jsonw_u64(j, ledger_view_size(v));
	jsonw_key(j, "root"), jsonw_base64(j, root, HASH_LEN);
	jsonw_key(j, "recorded"), jsonw_u64(j, recorded);
	jsonw_end(j);
}

/* ---- text ---- */

static void
add_ago(struct str *s, int64_t at, int64_t now)
{
	if (at == 0) {
		str_add(s, "never");
		return;
	}
	str_add_duration(s,
		now > at ? (uint64_t)((now - at) / CLOCK_SECOND * CLOCK_SECOND)
			 : 0);
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
		str_add(s, "looking now");
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
	str_add(s, "in ");
	str_add_duration(
		s, (uint64_t)((x->next - now) / CLOCK_SECOND * CLOCK_SECOND));
}

static void
print_header(size_t width)
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
		str_addf(&line, "%" PRIu64 " receipts owed, the oldest for ",
			s->owed.n);
		str_add_duration(&line,
			now > s->owed.since ? (uint64_t)(now - s->owed.since)
					    : 0);
	}
	if (s->outbox.code != OK)
		str_addf(&line, "%s%s", line.len > 0 ? ": " : "",
			s->outbox.text);
	if (line.len > 0)
		printf("  %-*s  %s\n", (int)width, "", line.s);
}

static void
print_source(const struct standing *s, size_t width, struct catalog *c)
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
		standing_is_bad(s) ? '!' : ' ', (int)width, s->source->name,
		looked.s, s->looked ? standing_outcome(&s->pass) : "-", next.s,
		newest.s, names.s);
	if (s->looked && *s->pass.trouble != '\0')
		printf("  %-*s  trouble: %s\n", (int)width, "",
			s->pass.trouble);
	if (s->failures > 0)
		printf("  %-*s  %" PRIu64 " looks in a row failed\n",
			(int)width, "", s->failures);
	if (s->waiting.names > 0) {
		str_addf(&more, "%" PRIu64 " pending, the oldest for ",
			s->waiting.names);
		str_add_duration(&more,
			now > s->waiting.since
				? (uint64_t)(now - s->waiting.since)
				: 0);
		str_add(&more, ": ");
		str_add_quoted(&more, s->waiting.name, s->waiting.name_len);
		str_addf(&more, ": %s", s->waiting.reason);
		printf("  %-*s  %s\n", (int)width, "", more.s);
	}
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

static void
print_daemon(const struct standing_daemon *d)
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
		str_add_duration(&s,
			now > d->live.started
				? (uint64_t)(now - d->live.started)
				: 0);
		str_addf(&s, ": %s", d->live.saying);
	}
	cli_line(&s);
	if (!d->watches || w->reading + w->queued + w->staged == 0)
		return;
	str_addf(&s, "  reading %" PRIu64 " files of ", w->reading);
	str_add_size(&s, w->reading_bytes);
	str_add(&s, " at ");
	str_add_size(&s, w->rate);
	str_addf(&s,
		"/s; %" PRIu64 " wait to be read, %" PRIu64 " to be made "
		"durable",
		w->queued, w->staged);
	if (w->members > 0)
		str_addf(&s, "; %" PRIu64 " members of archives so far",
			w->members);
	if (old > WORD_OLD) {
		str_add(&s, " (so it said ");
		str_add_duration(&s, (uint64_t)old);
		str_add(&s, " ago)");
	}
	cli_line(&s);
	print_files(&d->live);
}

static void
print_ledger(const struct ledger_view *v)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	uint8_t root[HASH_LEN];

	ledger_view_root(v, root);
	str_addf(&s, "ledger %s: %" PRIu64 " entries, root ",
		ledger_view_origin(v), ledger_view_size(v));
	str_add_base64(&s, root, HASH_LEN);
	cli_line(&s);
}

/* ---- what has not been told yet ---- */

struct telling {
	const struct cli *cli;
	struct jsonw *json; /* NULL: words */
};

static enum rc
each_alert(void *arg, const struct catalog_alert *a, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const struct telling *t = arg;

	if (!cli_chosen(t->cli, a->source))
		return OK;
	if (t->json != NULL) {
		struct jsonw *j = t->json;

		jsonw_object(j);
		jsonw_key(j, "source"), jsonw_text(j, a->source);
		jsonw_key(j, "event"), jsonw_text(j, a->event);
		jsonw_key(j, "at"), jsonw_time(j, a->at);
		jsonw_key(j, "state");
		jsonw_text(j, a->given_up ? "given-up" : "undelivered");
		jsonw_key(j, "attempts"), jsonw_u64(j, a->attempts);
		jsonw_key(j, a->given_up ? "given_up_at" : "next_attempt");
		jsonw_time(j, a->due);
		jsonw_key(j, "trouble"), jsonw_text(j, a->trouble);
		jsonw_end(j);
		return OK;
	}
	str_addf(&s, "alert: %s of %s at ", a->event, a->source);
	clock_add_time(&s, a->at);
	str_addf(&s, ": %s after %" PRIu64 " attempt%s%s%s",
		a->given_up ? "given up" : "not delivered", a->attempts,
		a->attempts == 1 ? "" : "s", *a->trouble != '\0' ? ": " : "",
		a->trouble);
	cli_line(&s);
	return OK;
}

static enum rc
show_telling(struct cli *c, struct catalog *cat, struct jsonw *j, struct err *e)
{
	struct telling t = {.cli = c, .json = j};

	if (j != NULL)
		jsonw_key(j, "alerts"), jsonw_array(j);
	if (catalog_alert_each(cat, false, each_alert, &t, e) != OK ||
		catalog_alert_each(cat, true, each_alert, &t, e) != OK)
		return e->code;
	if (j != NULL)
		jsonw_end(j);
	return OK;
}

/*
 * The catalog may be a little ahead while a commit is under way or after a
 * crash; behind it can only be when one of the two was replaced.
 */
static enum status
compare(const struct ledger_view *v, uint64_t recorded)
{
	uint64_t size = ledger_view_size(v);

	if (recorded > size)
		fprintf(stderr,
			"landfall: %" PRIu64 " entries are recorded and not "
			"in the ledger yet; the landfall that runs now, or "
			"the next one, completes them\n",
			recorded - size);
	if (recorded >= size)
		return STATUS_DONE;
	fprintf(stderr,
		"landfall: error: the catalog knows %" PRIu64 " ledger "
		"entries, the ledger has %" PRIu64 ": the catalog was "
		"restored from an old copy; run `landfall catalog rebuild`\n",
		recorded, size);
	return STATUS_BROKEN;
}

static size_t
name_width(const struct config *cfg)
{
	size_t width = strlen("source");

	for (size_t i = 0; i < cfg->n_sources; i++)
		if (strlen(cfg->source[i].name) > width)
			width = strlen(cfg->source[i].name);
	return width;
}

static enum status
show_all(struct cli *c, struct place *p, const struct standing_daemon *d)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct jsonw j = jsonw_to(&line);
	size_t width = name_width(c->config);
	struct err e = ERR_INIT;
	uint64_t recorded;

	/* First the catalog: the ledger may only grow between the two. */
	if (catalog_ledger_size(p->catalog, &recorded, &e) != OK)
		return cli_fail(&e);
	jsonw_object(&j);
	jsonw_key(&j, "sources"), jsonw_object(&j);
	if (!c->json) {
		print_daemon(d);
		print_header(width);
	}
	for (size_t i = 0; i < c->config->n_sources; i++) {
		struct standing s;

		if (!cli_chosen(c, c->config->source[i].name))
			continue;
		if (standing_take(
			    p, &c->config->source[i], d, c->json, &s, &e) != OK)
			return cli_fail(&e);
		if (c->json)
			write_source(&j, &s, p->catalog);
		else
			print_source(&s, width, p->catalog);
	}
	jsonw_end(&j);
	if (show_telling(c, p->catalog, c->json ? &j : NULL, &e) != OK)
		return cli_fail(&e);
	if (c->json) {
		write_daemon(&j, d);
		write_ledger(&j, p->ledger, recorded);
		jsonw_end(&j);
		cli_line(&line);
	} else {
		print_ledger(p->ledger);
	}
	return compare(p->ledger, recorded);
}

/* Everything is opened anew: another process may have replaced it. */
static enum status
show(struct cli *c)
{
	struct place p = PLACE_INIT;
	struct standing_daemon d;
	struct err e = ERR_INIT;
	enum status st = place_open(c, PLACE_CATALOG | PLACE_LEDGER, &p);

	if (st == STATUS_DONE && standing_daemon(c, &d, &e) != OK)
		st = cli_fail(&e);
	else if (st == STATUS_DONE) {
		st = show_all(c, &p, &d);
		standing_daemon_release(&d);
	}
	place_close(&p);
	return st;
}

/* Waits so long; false: somebody wants an end. */
static bool
wait_for(const sigset_t *ends, long seconds)
{
	const struct timespec t = {.tv_sec = seconds};

	return sigtimedwait(ends, NULL, &t) < 0;
}

/*
 * On a terminal the picture is drawn again in place, otherwise each is a
 * block of its own, with an empty line in between.
 */
static enum status
watch(struct cli *c, long seconds)
{
	bool terminal = isatty(STDOUT_FILENO) == 1 && !c->json;
	const char *between = "";
	enum status st;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		return STATUS_BROKEN;
	do {
		CLEANUP(str_release) struct str now = STR_INIT;

		fputs(terminal ? "\033[H\033[J" : between, stdout);
		if (!c->json) {
			clock_add_time(&now, clock_wall());
			printf("  %s, every %ld s\n", now.s, seconds);
			between = "\n";
		}
		st = show(c);
		/* Nobody reads any more: told by cli_end. */
		if (fflush(stdout) != 0)
			break;
	} while (st == STATUS_DONE && wait_for(&ends, seconds));
	return st;
}

enum status
cmd_status(struct cli *c, int argc, char **argv)
{
	const char *every = NULL;
	uint64_t seconds = EVERY_SECONDS;
	bool again = false;
	const struct cli_option options[] = {
		{.name = "watch",
			.flag = &again,
			.text = &every,
			.value = "SECONDS",
			.optional = true,
			.help = "again every so often (2 s), until ctrl-C"},
	};
	int parsed = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (every != NULL &&
		(!str_parse_u64(every, strlen(every), &seconds) ||
			seconds == 0 || seconds > EVERY_MOST))
		return cli_usage(
			c, "--watch takes 1 to %d seconds", EVERY_MOST);
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	for (int i = 0; i < c->n_args; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			return STATUS_USAGE;
	return again ? watch(c, (long)seconds) : show(c);
}
