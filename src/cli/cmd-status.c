/*
 * landfall status: how things stand, at a glance.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/place.h"
#include "cli/show.h"

struct standing {
	const struct source_config *source;
	struct catalog_pass pass;
	bool looked;	/* there was a pass */
	int64_t newest; /* when something was landed last; 0: never */
	uint64_t count[DISPOSITIONS];
	struct arrival_report arrival;
};

static const char *const outcomes[] = {
	[PASS_COMPLETE] = "complete",
	[PASS_COULD_NOT_LOOK] = "could-not-look",
	[PASS_STOPPED] = "stopped",
};

static const char *
outcome_of(const struct catalog_pass *p)
{
	if (p->ended == 0)
		return "under-way";
	return p->outcome < ARRAY_LEN(outcomes) && p->outcome > 0
		? outcomes[p->outcome]
		: "unknown";
}

static enum rc
stand(struct place *p, const struct source_config *source, struct standing *s,
	struct err *e)
{
	struct catalog_name newest;
	enum rc rc;

	*s = (struct standing){.source = source};
	rc = catalog_pass_last(p->catalog, source->name, &s->pass, e);
	if (rc != OK && rc != END)
		return rc;
	s->looked = rc == OK;
	rc = catalog_find_newest(p->catalog, source->name, &newest, e);
	if (rc != OK && rc != END)
		return rc;
	s->newest = rc == OK ? newest.version.landed_at : 0;
	if (arrival_judge(p->catalog, source, clock_wall(), &s->arrival, e) !=
		OK)
		return e->code;
	return catalog_count(p->catalog, source->name, s->count, e);
}

/* ---- JSON ---- */

static void
write_run(struct jsonw *j, const struct standing *s)
{
	if (!s->looked) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	jsonw_key(j, "started"), jsonw_time(j, s->pass.started);
	jsonw_key(j, "ended");
	if (s->pass.ended != 0)
		jsonw_time(j, s->pass.ended);
	else
		jsonw_null(j);
	jsonw_key(j, "outcome"), jsonw_text(j, outcome_of(&s->pass));
	jsonw_key(j, "listed"), jsonw_u64(j, s->pass.listed);
	jsonw_key(j, "unchanged"), jsonw_u64(j, s->pass.unchanged);
	jsonw_key(j, "trouble"), jsonw_text(j, s->pass.trouble);
	jsonw_end(j);
}

static void
write_source(struct jsonw *j, const struct standing *s)
{
	jsonw_key(j, s->source->name), jsonw_object(j);
	jsonw_key(j, "last_run"), write_run(j, s);
	jsonw_key(j, "next_run"), jsonw_null(j);
	jsonw_key(j, "counts"), jsonw_object(j);
	for (unsigned d = 1; d < DISPOSITIONS; d++) {
		jsonw_key(j, disposition_name(d));
		jsonw_u64(j, s->count[d]);
	}
	jsonw_end(j);
	jsonw_key(j, "newest");
	if (s->newest != 0)
		jsonw_time(j, s->newest);
	else
		jsonw_null(j);
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
print_header(size_t width)
{
	printf("%-*s  %-20s  %-14s  %-20s", (int)width, "source", "last pass",
		"outcome", "newest landing");
	for (unsigned d = 1; d < DISPOSITIONS; d++)
		printf("  %s", disposition_name(d));
	putchar('\n');
}

static void
print_source(const struct standing *s, size_t width)
{
	CLEANUP(str_release) struct str when = STR_INIT;
	CLEANUP(str_release) struct str newest = STR_INIT;

	if (s->looked)
		clock_add_time(&when, s->pass.started);
	else
		str_add(&when, "never");
	if (s->newest != 0)
		clock_add_time(&newest, s->newest);
	else
		str_add(&newest, "-");
	printf("%-*s  %-20s  %-14s  %-20s", (int)width, s->source->name, when.s,
		s->looked ? outcome_of(&s->pass) : "-", newest.s);
	for (unsigned d = 1; d < DISPOSITIONS; d++)
		printf("  %*" PRIu64, (int)strlen(disposition_name(d)),
			s->count[d]);
	putchar('\n');
	if (s->looked && *s->pass.trouble != '\0')
		printf("%-*s  trouble: %s\n", (int)width, "", s->pass.trouble);
	if (s->source->expect.set) {
		CLEANUP(str_release) struct str arrival = STR_INIT;

		show_arrival_words(&arrival, &s->arrival);
		printf("%-*s  arrival: %s\n", (int)width, "", arrival.s);
	}
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

static bool is_wanted(const struct cli *c, const char *source);

static enum rc
each_alert(void *arg, const struct catalog_alert *a, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	const struct telling *t = arg;

	if (!is_wanted(t->cli, a->source))
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

static bool
is_wanted(const struct cli *c, const char *source)
{
	for (int i = 0; i < c->n_args; i++)
		if (strcmp(c->arg[i], source) == 0)
			return true;
	return c->n_args == 0;
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
show(struct cli *c, struct place *p)
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
	if (!c->json)
		print_header(width);
	for (size_t i = 0; i < c->config->n_sources; i++) {
		struct standing s;

		if (!is_wanted(c, c->config->source[i].name))
			continue;
		if (stand(p, &c->config->source[i], &s, &e) != OK)
			return cli_fail(&e);
		if (c->json)
			write_source(&j, &s);
		else
			print_source(&s, width);
	}
	jsonw_end(&j);
	if (show_telling(c, p->catalog, c->json ? &j : NULL, &e) != OK)
		return cli_fail(&e);
	if (c->json) {
		write_ledger(&j, p->ledger, recorded);
		jsonw_end(&j);
		cli_line(&line);
	} else {
		print_ledger(p->ledger);
	}
	return compare(p->ledger, recorded);
}

enum status
cmd_status(struct cli *c, int argc, char **argv)
{
	struct place p = PLACE_INIT;
	int st = cli_parse(c, argc, argv, NULL, 0);

	if (st != STATUS_DONE)
		return st == CLI_STOP ? STATUS_DONE : (enum status)st;
	st = (int)place_open(c, PLACE_CATALOG | PLACE_LEDGER, &p);
	for (int i = 0; i < c->n_args && st == STATUS_DONE; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			st = STATUS_USAGE;
	if (st == STATUS_DONE)
		st = (int)show(c, &p);
	place_close(&p);
	return (enum status)st;
}
