/*
 * landfall ls: what is in the zone, in the order of the ledger.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
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
	printf("%-20s  %-16s  %10s  %10s  %9s  %3s  %s\n", "landed at",
		"source", "size", "records", "malformed", "gen", "name, file");
}

static void
print_row(const struct catalog_name *n)
{
	const struct catalog_version *v = &n->version;
	CLEANUP(str_release) struct str at = STR_INIT;
	CLEANUP(str_release) struct str size = STR_INIT;
	CLEANUP(str_release) struct str name = STR_INIT;

	clock_add_time(&at, v->landed_at);
	str_add_size(&size, v->size);
	str_add_quoted(&name, n->name, n->name_len);
	printf("%-20s  %-16s  %10s  %10" PRIu64 "  %9" PRIu64 "  %3" PRIu32
	       "  %s  %s\n",
		at.s, n->source, size.s, v->records, v->malformed,
		v->generation, name.s, v->file);
}

static enum rc
print_version(void *arg, const struct catalog_name *n, struct err *e)
{
	struct listing *l = arg;
	CLEANUP(str_release) struct str s = STR_INIT;

	if (!is_wanted(l->c, n->source))
		return OK;
	l->rows++;
	if (!l->c->json) {
		print_row(n);
		return OK;
	}
	if (n->version.index >= ledger_view_size(l->place->ledger)) {
		l->beyond++;
		return OK;
	}
	if (ledger_view_entry(l->place->ledger, n->version.index, &s, e) != OK)
		return e->code;
	cli_line(&s);
	return OK;
}

enum status
cmd_ls(struct cli *c, int argc, char **argv)
{
	struct place p = PLACE_INIT;
	struct listing l = {.c = c, .place = &p};
	struct err e = ERR_INIT;
	int st = cli_parse(c, argc, argv, NULL, 0);
	enum rc rc;

	if (st != STATUS_DONE)
		return st == CLI_STOP ? STATUS_DONE : (enum status)st;
	st = (int)place_open(
		c, PLACE_CATALOG | (c->json ? PLACE_LEDGER : 0), &p);
	if (st == STATUS_DONE) {
		if (!c->json)
			print_header();
		rc = catalog_each_landed(p.catalog,
			c->n_args == 1 ? c->arg[0] : NULL, print_version, &l,
			&e);
		if (rc != OK && rc != END)
			st = (int)cli_fail(&e);
		if (l.beyond > 0)
			cli_say(c,
				"%" PRIu64 " more are recorded and not in the "
				"ledger yet",
				l.beyond);
	}
	/* A source may be gone from the configuration and still have files. */
	for (int i = 0; i < c->n_args && l.rows == 0 && st == STATUS_DONE; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			st = STATUS_USAGE;
	place_close(&p);
	return (enum status)st;
}
