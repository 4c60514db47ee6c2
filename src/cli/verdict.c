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

/* The account that decides; names can be lent, numbers too. */
static void
add_user(struct str *s, uid_t uid)
{
	char room[4096];
	struct passwd entry, *who = NULL;

	if (getpwuid_r(uid, &entry, room, sizeof(room), &who) == 0 &&
		who != NULL && is_one_line(who->pw_name))
		str_add(s, who->pw_name);
	else
		str_addf(s, "uid %lu", (unsigned long)uid);
}

enum status
verdict_check(struct cli *c, const struct order_request *q)
{
	const char *entry = q->arg[0];
	uint64_t ignored;

	if (!str_parse_u64(entry, strlen(entry), &ignored))
		return cli_usage(c,
			"give the number of one quarantined ledger entry; "
			"`landfall why NAME` tells it");
	if (!is_one_line(q->arg[1]))
		return cli_usage(c,
			"--why is one line of text, at most %d bytes", WHY_MAX);
	return STATUS_DONE;
}

enum status
verdict_give(struct cli *c, int argc, char **argv, enum order_verb verb)
{
	const char *why = "";
	bool over = false;
	/* One for each argument of the order after the entry. */
	const struct cli_option options[] = {
		{.name = "why",
			.text = &why,
			.value = "TEXT",
			.help = "the reason, for the ledger"},
		{.name = "over",
			.flag = &over,
			.help = "though newer bytes have landed under the "
				"name"},
	};
	struct order_request q = {.verb = verb};
	int parsed =
		cli_parse(c, argc, argv, options, order_verb_args(verb) - 1);
	enum status st;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	q.json = c->json;
	q.quiet = c->quiet;
	/* One that is too long is no number; and no line that may be. */
	if (c->n_args != 1 || !order_wire_arg(&q, 0, c->arg[0]))
		q.arg[0][0] = '\0';
	if (!order_wire_arg(&q, 1, why))
		(void)!order_wire_arg(&q, 1, "\n");
	(void)!order_wire_arg(&q, 2, over ? "over" : "");
	st = verdict_check(c, &q);
	if (st == STATUS_DONE)
		st = cli_config(c);
	return st == STATUS_DONE ? order_give(c, &q) : st;
}

static void
one_done(void *arg, const struct delivery *d)
{
	struct verdict *s = arg;

	show_delivery(s->cli, d);
	if (s->work->order != NULL)
		order_landed(s->work->order, d);
	if (d->members.missing > 0)
		s->worst = STATUS_ATTENTION;
	if (!d->settles && !d->member) {
		cli_error(s->cli, "%s",
			d->reason != NULL ? d->reason : "nothing was done");
		s->worst = STATUS_ATTENTION;
	}
}

enum status
verdict_refuse(const struct verdict *s, const char *why)
{
	cli_error(s->cli, "ledger entry %" PRIu64 " %s", s->entry, why);
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
		return verdict_refuse(s, "is no delivery");
	if (rc != OK)
		return cli_fail_to(s->cli, &e);
	if (s->name.version.disposition != DISPOSITION_QUARANTINED) {
		str_addf(&why, "is not quarantined but %s",
			disposition_name(s->name.version.disposition));
		return verdict_refuse(s, why.s);
	}
	rc = catalog_settled(c, s->entry, &by, &e);
	if (rc == OK) {
		str_addf(&why, "has been settled by entry %" PRIu64, by);
		return verdict_refuse(s, why.s);
	}
	if (rc != END)
		return cli_fail_to(s->cli, &e);
	s->config = cli_source(s->cli, s->name.source);
	return s->config != NULL ? STATUS_DONE : STATUS_USAGE;
}

enum status
verdict_open(struct verdict *s, struct order_work *w, const char *how)
{
	const struct order_request *q = w->request;
	const uid_t uid = w->order != NULL ? order_uid(w->order) : getuid();
	struct err e = ERR_INIT;
	enum status st;

	*s = (struct verdict){.work = w, .cli = w->cli, .why = STR_INIT};
	(void)!str_parse_u64(q->arg[0], strlen(q->arg[0]), &s->entry);
	str_addf(&s->why, "%s entry %" PRIu64 " by ", how, s->entry);
	add_user(&s->why, uid);
	if (*q->arg[1] != '\0')
		str_addf(&s->why, ": %s", q->arg[1]);
	if (lane_open(w->engine,
		    &(struct lane_options){.done = one_done, .arg = s},
		    &s->lane, &e) != OK)
		return cli_fail_to(s->cli, &e);
	st = find(s);
	if (st == STATUS_DONE)
		st = order_wait(w, s->config);
	/* Somebody else may have had the turn before. */
	return st == STATUS_DONE ? find(s) : st;
}

enum status
verdict_close(struct verdict *s, enum status st, enum rc rc, struct err *e)
{
	struct err ours = ERR_INIT;

	if (s->lane != NULL && lane_wait(s->lane, &ours) != OK) {
		rc = BROKEN;
		*e = ours;
	}
	lane_close(s->lane);
	/* A daemon has somebody for that. */
	if (rc == OK && st == STATUS_DONE && s->work->order == NULL)
		st = handout_receipts(s->work->engine, s->cli, s->config);
	str_release(&s->why);
	if (rc != OK)
		return cli_fail_to(s->cli, e);
	return st > s->worst ? st : s->worst;
}
