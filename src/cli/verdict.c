#include "cli/verdict.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/handout.h"
#include "cli/show.h"

#define WHY_MAX 1000 /* bytes: it becomes part of a ledger entry */

static bool
is_one_line(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((uint8_t)*p < ' ' || *p == 0x7f)
			return false;
	return strlen(text) <= WHY_MAX && str_is_utf8(text, strlen(text));
}

/* The account that runs this; names can be lent, numbers too. */
static void
add_user(struct str *s)
{
	const struct passwd *who = getpwuid(getuid());

	if (who != NULL && is_one_line(who->pw_name))
		str_add(s, who->pw_name);
	else
		str_addf(s, "uid %lu", (unsigned long)getuid());
}

int
verdict_parse(struct verdict *s, struct cli *c, int argc, char **argv,
	const char *how)
{
	const char *why = NULL;
	const struct cli_option options[] = {
		{.name = "why",
			.text = &why,
			.value = "TEXT",
			.help = "the reason, for the ledger"},
	};
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	*s = (struct verdict){.cli = c, .why = STR_INIT};
	if (st != STATUS_DONE)
		return st;
	if (c->n_args != 1 ||
		!str_parse_u64(c->arg[0], strlen(c->arg[0]), &s->entry))
		return cli_usage(c,
			"give the number of one quarantined ledger entry; "
			"`landfall why NAME` tells it");
	if (why != NULL && !is_one_line(why))
		return cli_usage(c,
			"--why is one line of text, at most %d bytes", WHY_MAX);
	str_addf(&s->why, "%s entry %" PRIu64 " by ", how, s->entry);
	add_user(&s->why);
	if (why != NULL && *why != '\0')
		str_addf(&s->why, ": %s", why);
	return (int)cli_config(c);
}

static void
one_done(void *arg, const struct delivery *d)
{
	struct verdict *s = arg;

	show_delivery(s->cli, d);
	if (d->members.missing > 0)
		s->worst = STATUS_ATTENTION;
	if (!d->settles && !d->member) {
		fprintf(stderr, "landfall: error: %s\n",
			d->reason != NULL ? d->reason : "nothing was done");
		s->worst = STATUS_ATTENTION;
	}
}

static enum status
refuse(const struct verdict *s, const char *why)
{
	fprintf(stderr, "landfall: error: ledger entry %" PRIu64 " %s\n",
		s->entry, why);
	return STATUS_USAGE;
}

static enum status
find(struct verdict *s)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct catalog *c = lane_catalog(s->lane);
	struct err e = ERR_INIT;
	uint64_t by;
	enum rc rc = catalog_find_index(c, s->entry, &s->name, &e);

	if (rc == END)
		return refuse(s, "is no delivery");
	if (rc != OK)
		return cli_fail(&e);
	if (s->name.version.disposition != DISPOSITION_QUARANTINED) {
		str_addf(&why, "is not quarantined but %s",
			disposition_name(s->name.version.disposition));
		return refuse(s, why.s);
	}
	rc = catalog_settled(c, s->entry, &by, &e);
	if (rc == OK) {
		str_addf(&why, "has been settled by entry %" PRIu64, by);
		return refuse(s, why.s);
	}
	if (rc != END)
		return cli_fail(&e);
	s->config = cli_source(s->cli, s->name.source);
	return s->config != NULL ? STATUS_DONE : STATUS_USAGE;
}

enum status
verdict_open(struct verdict *s)
{
	const struct engine_options options = {
		.config = s->cli->config,
	};
	struct err e = ERR_INIT;

	if (engine_open(&options, &s->engine, &e) != OK ||
		lane_open(s->engine,
			&(struct lane_options){.done = one_done, .arg = s},
			&s->lane, &e) != OK)
		return cli_fail(&e);
	return find(s);
}

enum status
verdict_close(struct verdict *s, enum rc rc, struct err *e)
{
	struct err ours = ERR_INIT;
	enum status st = STATUS_DONE;

	if (s->lane != NULL && lane_wait(s->lane, &ours) != OK) {
		rc = BROKEN;
		*e = ours;
	}
	lane_close(s->lane);
	if (rc == OK && s->config != NULL)
		st = handout_receipts(s->engine, s->cli, s->config);
	engine_close(s->engine);
	str_release(&s->why);
	if (rc != OK)
		return cli_fail(e);
	return st > s->worst ? st : s->worst;
}
