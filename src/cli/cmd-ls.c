/*
 * landfall ls: what is in the zone, in the order of the ledger; or what of it
 * waits for a decision.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/place.h"

struct listing {
	struct cli *c;
	struct place *place;
	uint64_t rows;
	uint64_t beyond; /* versions the ledger does not have yet */
};

static bool
is_wanted(const struct cli *c, const char *source)
{
	for (int i = 0; i < c->n_args; i++)
		if (strcmp(c->arg[i], source) == 0)
			return true;
	return c->n_args == 0;
}

static void
print_header(void)
{
	printf("%7s  %-20s  %-16s  %10s  %10s  %9s  %3s  %s\n", "entry",
		"landed at", "source", "size", "records", "malformed", "gen",
		"name, file");
}

/* What became of what was quarantined: its file stays where it is. */
static enum rc
add_decision(struct str *s, struct catalog *c, uint64_t entry, struct err *e)
{
	struct catalog_name n;
	uint64_t by;
	enum rc rc = catalog_settled(c, entry, &by, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	/* A landing is a version, a rejection is none. */
	rc = catalog_find_index(c, by, &n, e);
	if (rc == OK || rc == END)
		str_addf(s, " (%s entry %" PRIu64 ")",
			rc == OK ? "released as" : "rejected by", by);
	return rc == END ? OK : rc;
}

static enum rc
print_row(struct catalog *c, const struct catalog_name *n, struct err *e)
{
	const struct catalog_version *v = &n->version;
	CLEANUP(str_release) struct str at = STR_INIT;
	CLEANUP(str_release) struct str size = STR_INIT;
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(str_release) struct str decision = STR_INIT;

	if (v->disposition == DISPOSITION_QUARANTINED &&
		add_decision(&decision, c, v->index, e) != OK)
		return e->code;
	clock_add_time(&at, v->landed_at);
	str_add_size(&size, v->size);
	str_add_quoted(&name, n->name, n->name_len);
	printf("%7" PRIu64 "  %-20s  %-16s  %10s  %10" PRIu64 "  %9" PRIu64
	       "  %3" PRIu32 "  %s  %s%s\n",
		v->index, at.s, n->source, size.s, v->records, v->malformed,
		v->generation, name.s, v->file, decision.s);
	return OK;
}

static enum rc
print_version(void *arg, const struct catalog_name *n, struct err *e)
{
	struct listing *l = arg;
	CLEANUP(str_release) struct str s = STR_INIT;

	if (!is_wanted(l->c, n->source))
		return OK;
	l->rows++;
	if (!l->c->json)
		return print_row(l->place->catalog, n, e);
	if (n->version.index >= ledger_view_size(l->place->ledger)) {
		l->beyond++;
		return OK;
	}
	if (ledger_view_entry(l->place->ledger, n->version.index, &s, e) != OK)
		return e->code;
	cli_line(&s);
	return OK;
}

static enum rc
list_landed(struct listing *l, struct err *e)
{
	struct cli *c = l->c;
	enum rc rc;

	if (!c->json)
		print_header();
	rc = catalog_each_landed(l->place->catalog,
		c->n_args == 1 ? c->arg[0] : NULL, print_version, l, e);
	if (l->beyond > 0)
		cli_say(c,
			"%" PRIu64 " more are recorded and not in the "
			"ledger yet",
			l->beyond);
	return rc;
}

/* ---- what waits for a decision ---- */

static void
add_undecided_json(struct str *s, const struct catalog_name *n)
{
	const struct catalog_version *v = &n->version;
	struct jsonw j = jsonw_to(s);

	jsonw_object(&j);
	jsonw_key(&j, "entry"), jsonw_u64(&j, v->index);
	jsonw_key(&j, "source"), jsonw_text(&j, n->source);
	jsonw_key(&j, "name"), jsonw_percent(&j, n->name, n->name_len);
	jsonw_key(&j, "since"), jsonw_time(&j, v->landed_at);
	jsonw_key(&j, "reason"), jsonw_text(&j, n->reason);
	jsonw_key(&j, "file"), jsonw_text(&j, v->file);
	jsonw_key(&j, "size"), jsonw_u64(&j, v->size);
	jsonw_key(&j, "records"), jsonw_u64(&j, v->records);
	jsonw_end(&j);
}

static enum rc
print_undecided(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct listing *l = arg;
	CLEANUP(str_release) struct str s = STR_INIT;

	l->rows++;
	if (l->c->json) {
		add_undecided_json(&s, n);
	} else {
		str_addf(&s, "%7" PRIu64 "  ", n->version.index);
		clock_add_time(&s, n->version.landed_at);
		str_addf(&s, "  %-16s  ", n->source);
		str_add_quoted(&s, n->name, n->name_len);
		str_addf(&s, ": %s", n->reason);
	}
	cli_line(&s);
	return OK;
}

static enum rc
list_undecided(struct listing *l, struct err *e)
{
	CLEANUP(str_release) struct str source = STR_INIT;
	struct catalog *c = l->place->catalog;
	enum rc rc;

	if (!l->c->json)
		printf("%7s  %-20s  %-16s  %s\n", "entry", "since", "source",
			"name: reason");
	while ((rc = catalog_next_source(c, &source, e)) == OK)
		if (is_wanted(l->c, source.s) &&
			catalog_each_undecided(
				c, source.s, print_undecided, l, e) != OK)
			return e->code;
	if (rc == END && l->rows > 0 && !l->c->json)
		cli_say(l->c,
			"each waits for `landfall release ENTRY`, "
			"`landfall reject ENTRY` or a new delivery");
	return rc;
}

enum status
cmd_ls(struct cli *c, int argc, char **argv)
{
	struct place p = PLACE_INIT;
	struct listing l = {.c = c, .place = &p};
	struct err e = ERR_INIT;
	bool undecided = false;
	const struct cli_option options[] = {
		{.name = "quarantined",
			.flag = &undecided,
			.help = "only what waits for a decision, and why"},
	};
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));
	enum rc rc;

	if (st != STATUS_DONE)
		return st == CLI_STOP ? STATUS_DONE : (enum status)st;
	st = (int)place_open(c,
		PLACE_CATALOG | (c->json && !undecided ? PLACE_LEDGER : 0), &p);
	if (st == STATUS_DONE) {
		rc = (undecided ? list_undecided : list_landed)(&l, &e);
		if (rc != OK && rc != END)
			st = (int)cli_fail(&e);
	}
	/* A source may be gone from the configuration and still have files. */
	for (int i = 0; i < c->n_args && l.rows == 0 && st == STATUS_DONE; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			st = STATUS_USAGE;
	place_close(&p);
	return (enum status)st;
}
