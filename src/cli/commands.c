/*
 * The table of commands, in the order `landfall help` shows them. A new
 * command is one file cmd-NAME.c, one line here and one in commands.h.
 */
#include "cli/commands.h"

const struct command commands[] = {
	{"init", "[DIR] [--origin NAME]",
		"make a zone, a state directory and a configuration",
		"DIR gets zone/, state/ with the ledger key, inbox/ and a "
		"commented landfall.yaml.\nNothing that exists is changed.",
		cmd_init},
	{"check", "[--connect]", "validate the configuration and its sources",
		NULL, cmd_check},
	{"plan", "[SOURCE...]",
		"say what a pass would do with each name, and why", NULL,
		cmd_plan},
	{"run", "[--once] [SOURCE...]",
		"watch the sources and land what they offer", NULL, cmd_run},
	{"land", "FILE... --source S [--name NAME]", "land files by hand",
		"The name a file lands under is its path below the source's "
		"directory when it\nlies there, else its last component.",
		cmd_land},
	{"release", "ID [--why TEXT] [--over]",
		"land what was quarantined after all",
		"ID is the ledger entry of the quarantine; `landfall ls "
		"--quarantined` lists them. The bytes\nland as they are, under "
		"the dialect the "
		"source has now; control totals and drift\nno longer stop "
		"them. The ledger keeps who decided, and why.\nWhat is older "
		"than other bytes that have landed under its name is released "
		"only with\n--over: it is the newest version then.",
		cmd_release},
	{"reject", "ID [--why TEXT]", "decide that it will not land",
		"The bytes stay in quarantine; the ledger keeps who decided, "
		"and why.",
		cmd_reject},
	{"backfill", "SOURCE STREAM --from T --to T",
		"ask a polled API for a time again",
		"Records that have landed are known again, and land no second "
		"time. Where the\nstream stands does not change. Where a "
		"daemon runs, it does this, between its\npolls; without "
		"`window:` the stream has one window, and polls of its source "
		"wait\nuntil all of it is through.",
		cmd_backfill},
	{"reset", "SOURCE STREAM [--to T | --wait]",
		"say where polling a stream goes on",
		"Records from there on that are older than the look back land "
		"again, as new: to\nask for a time again without that, use "
		"`landfall backfill`.\n\nWhere a daemon runs, it goes on there "
		"with its next poll. With --wait it goes on\nwhere it stands: "
		"what its API has told to wait, of all its partitions, is "
		"asked\nagain by the next run, and by a daemon at once.",
		cmd_reset},
	{"scan", "FILE [--source S | --format F [-o KEY=VALUE]...]",
		"show what the scanner sees; land nothing", NULL, cmd_scan},
	{"status", "[--watch[=SECONDS]] [--check] [SOURCE...]",
		"what is going on",
		"One line for each source: its last look, the next one, and "
		"what became of the\nnames of the last. '!' marks what needs "
		"somebody. What a running daemon is at\nstands above, the "
		"ledger below.",
		cmd_status},
	{"ls", "[--quarantined] [SOURCE...]", "what is in the zone",
		"--quarantined: only what waits for `landfall release` or "
		"`landfall reject`, with\nits ledger entry, since when, and "
		"why.",
		cmd_ls},
	{"why", "NAME [--source S] | SOURCE.STREAM --key KEY|--at T",
		"the story of one name, or record",
		"--key: each time that a record of a polled API came; the "
		"fields of a key have\ncommas in between. All that the stream "
		"has landed is read. --at: what was\nasked for of that moment, "
		"and what came.",
		cmd_why},
	{"cat", "ID|FILE|NAME [--records]",
		"the delivered bytes, or their records", NULL, cmd_cat},
	{"receipt", "ID", "what a partner can show for one delivery",
		"ID is the ledger entry of the delivery; `landfall why NAME` "
		"tells it. One JSON\nobject with the entry, and a proof that "
		"the signed ledger has it.",
		cmd_receipt},
	{"verify", "[--deep] [PATH...]",
		"prove the zone: files, sums, ledger, catalog", NULL,
		cmd_verify},
	{"catalog", "rebuild", "make the catalog again from the zone alone",
		NULL, cmd_catalog},
	{"help", "[COMMAND | config | profile | KEY]",
		"explain a command or the options",
		"KEY is one of the configuration or of a profile, such as "
		"schedule,\nsources.NAME.ready or incremental.window.",
		cmd_help},
	{0},
};
