/*
 * What the file says of landfall as a whole.
 */
#include "config/option-part.h"

static const struct option rows[] = {
	{
		.path = "zone",
		.type = OPTION_PATH,
		TOP(zone),
		.required = true,
		.help = "The landing zone: the directory that receives what "
			"was delivered, the ledger and the quarantine.",
	},
	{
		.path = "state",
		.type = OPTION_PATH,
		TOP(state),
		.required = true,
		.help = "Private state: the catalog, the spool and the "
			"ledger's secret key. Outside the zone.",
	},
	{
		.path = "origin",
		.type = OPTION_ORIGIN,
		TOP(origin),
		.max = 255,
		.fallback = "HOSTNAME/landing",
		.source = FALLBACK_WORDS,
		.help = "The ledger's name, which every checkpoint carries. "
			"It cannot change once the ledger exists.",
	},
	{
		.path = "level",
		.type = OPTION_COUNT,
		TOP(level),
		.min = 1,
		.max = 19,
		.fallback = "3",
		.help = "Compression level of zstd.",
	},
	{
		.path = "limits",
		.type = OPTION_BLOCK,
		.help = "What landfall may take of the machine.",
	},
	{
		.path = "limits.workers",
		.type = OPTION_WORKERS,
		TOP(limits.workers),
		.min = 1,
		.max = 256,
		.fallback = "auto",
		.help = "Threads that hash, scan and compress; auto is one "
			"for each processor.",
	},
	{
		.path = "limits.memory",
		.type = OPTION_SIZE,
		TOP(limits.memory),
		.min = 64 * MIB,
		.max = TIB,
		.fallback = "256MiB",
		.help = "Bound on what one record may take in memory: no "
			"max_record may exceed it.",
	},
	{
		.path = "limits.free_space",
		.type = OPTION_FREE_SPACE,
		TOP(limits.free_space),
		.max = 1024 * TIB,
		.fallback = "auto",
		.help = "A delivery that would leave less than this free on "
			"the filesystem of the zone, or any when the state's "
			"has less, stays pending; the daemon says so once and "
			"takes it when there is room again. auto is 5 % of "
			"each filesystem, at most 1 GiB; 0 is no limit.",
	},
	{
		.path = "limits.spool",
		.type = OPTION_SIZE,
		TOP(limits.spool),
		.min = 64 * MIB,
		.max = 1024 * TIB,
		.fallback = "50GiB",
		.help = "What each source may have on disk of files that are "
			"fetched and have not landed. A larger file stays "
			"pending.",
	},
	{
		.path = "alert",
		.type = OPTION_ALERT,
		TOP(alert),
		.fallback = "none",
		.source = FALLBACK_WORDS,
		.help = "Whom to tell what needs a human, for every source "
			"without an alert of its own. command is a list, the "
			"program's absolute path first; it runs without a "
			"shell and reads one JSON object. url receives the "
			"same by POST, with the headers of header, each a "
			"text or a secret such as {credential: NAME}; the "
			"URL itself may be a secret too. timeout, 30s by "
			"default, ends one attempt. on is a list of events, "
			"by default all of them: late, short, missing, "
			"could-not-look, quarantined, drift, failing, "
			"no-space, receipts, waiting, recovered. See ALERTS.",
	},
	{
		.path = "sources",
		.type = OPTION_SOURCES,
		.help = "The streams of deliveries, by name: lower-case "
			"letters, digits, dots, underscores and hyphens, a "
			"letter or digit first, at most 64.",
	},
};

const struct option_part option_top = {rows, ARRAY_LEN(rows)};
