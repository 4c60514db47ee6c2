#include "config/option.h"

#include <string.h>

#include "config/value.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

#define SECONDS UINT64_C(1000000000)
#define DAYS (86400 * SECONDS)

static const char *const duplicate_names[] = {
	[DUPLICATE_NOTE] = "note",
	[DUPLICATE_LAND] = "land",
	NULL,
};

static const char *const drift_names[] = {
	[DRIFT_LAND] = "land",
	[DRIFT_HOLD] = "hold",
	[DRIFT_QUARANTINE] = "quarantine",
	NULL,
};

#define TOP(field) .offset = offsetof(struct config, field)
#define SOURCE(field) .offset = offsetof(struct source_config, field)
#define DIALECT(field) \
	.offset = offsetof(struct source_config, dialect.field), \
	.source = FALLBACK_DIALECT

const struct option option_table[] = {
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
			"no-space, receipts, recovered. See ALERTS.",
	},
	{
		.path = "sources",
		.type = OPTION_SOURCES,
		.help = "The streams of deliveries, by name: lower-case "
			"letters, digits, dots, underscores and hyphens, a "
			"letter or digit first, at most 64.",
	},
	{
		.path = "sources.*.drop",
		.type = OPTION_BLOCK,
		.help = "Deliveries are files in a local directory.",
	},
	{
		.path = "sources.*.drop.path",
		.type = OPTION_PATH,
		SOURCE(drop.path),
		.help = "The directory. Required in drop; no other source "
			"may have it, and it may not hold or lie in the zone "
			"or the state.",
	},
	{
		.path = "sources.*.drop.recursive",
		.type = OPTION_BOOL,
		SOURCE(drop.recursive),
		.fallback = "true",
		.help = "Look into subdirectories too.",
	},
	{
		.path = "sources.*.match",
		.type = OPTION_PATTERNS,
		SOURCE(match),
		.min = 1,
		.fallback = "everything",
		.source = FALLBACK_WORDS,
		.help = "Only names that match one of these globs are "
			"deliveries. A glob without a slash matches the name "
			"in any directory, one with a slash the path below "
			"the source's root.",
	},
	{
		.path = "sources.*.ignore",
		.type = OPTION_PATTERNS,
		SOURCE(ignore),
		.fallback = "[\"*.filepart\", \"*.part\", \"*.tmp\", \".*\"]",
		.help = "Names that match one of these globs are left alone, "
			"even when match has them. A list given here replaces "
			"the default.",
	},
	{
		.path = "sources.*.ready",
		.type = OPTION_READY,
		SOURCE(ready),
		.max = UINT64_C(30) * 86400 * 1000000000,
		.fallback = "{stable: 2s}",
		.help = "What shows that a delivery is complete. stable: size "
			"and times of change stood still for so long (0s: one "
			"look is enough); age: the last change lies so far "
			"back; sentinel: a side file in the same folder is "
			"there ({name} is the delivery's name, {stem} the "
			"same without its last extension); checksum: a side "
			"file, or one such as SHA256SUMS for all of the "
			"folder, has the delivery's MD5, SHA-1, SHA-256 or "
			"SHA-512, and one whose bytes add up to something "
			"else is quarantined; closed: nobody on "
			"this machine has it open for writing (asked by a "
			"read lease, so for files of our own or with "
			"CAP_LEASE). any or all of a list of rules combines "
			"them. What held is in the "
			"provenance; side files are ignored as deliveries.",
	},
	{
		.path = "sources.*.duplicates",
		.type = OPTION_CHOICE,
		SOURCE(duplicates),
		.names = duplicate_names,
		.fallback = "note",
		.help = "Bytes that this source has landed before, under a "
			"new name: note them in the ledger, or land them in a "
			"file of their own.",
	},
	{
		.path = "sources.*.after",
		.type = OPTION_AFTER,
		SOURCE(after),
		.fallback = "keep",
		.help = "What becomes of a file in the drop once the ledger "
			"holds it, if it is still exactly the one that "
			"landed. A folder to move to is relative to the "
			"source's root; what lies in it is ignored, and a "
			"name that is taken there gets a suffix.",
	},
	{
		.path = "sources.*.receipt",
		.type = OPTION_BLOCK,
		.help = "A receipt for each delivery that the ledger holds, "
			"for the partner to keep. See RECEIPTS.",
	},
	{
		.path = "sources.*.receipt.path",
		.type = OPTION_PATH,
		SOURCE(receipt.path),
		.help = "The outbox: a local directory, which must be there, "
			"for this source alone. Not in the zone or the state, "
			"nor where a drop would take receipts for deliveries: "
			"there its ignore must have *.receipt*.json and "
			"*.tmp. Required in receipt.",
	},
	{
		.path = "sources.*.schedule",
		.type = OPTION_BLOCK,
		.help = "When to look at the source. Needs every, cron or "
			"both.",
	},
	{
		.path = "sources.*.schedule.every",
		.type = OPTION_DURATION,
		SOURCE(schedule.every),
		.min = SECONDS,
		.max = 366 * DAYS,
		.help = "So long after the last look began comes the next "
			"one.",
	},
	{
		.path = "sources.*.schedule.cron",
		.type = OPTION_CRON,
		SOURCE(schedule.cron),
		.help = "Minute, hour, day of month, month and weekday of "
			"each look, in local time. One that was missed is "
			"made up for while the window is open. A time that "
			"a change of clocks skips comes at the change, one "
			"that comes twice counts once.",
	},
	{
		.path = "sources.*.schedule.window",
		.type = OPTION_WINDOW,
		SOURCE(schedule.window),
		.fallback = "all day",
		.source = FALLBACK_WORDS,
		.help = "Looks happen only between these two local times. "
			"A window across midnight belongs to the day on "
			"which it begins.",
	},
	{
		.path = "sources.*.schedule.zone",
		.type = OPTION_ZONE,
		SOURCE(schedule.zone),
		.fallback = "UTC",
		.source = FALLBACK_WORDS,
		.help = "Where local times of the schedule are local.",
	},
	{
		.path = "sources.*.schedule.days",
		.type = OPTION_DAYS,
		SOURCE(schedule.days),
		.fallback = "every day",
		.source = FALLBACK_WORDS,
		.help = "Looks happen only on these days; month-end is the "
			"last day of a month, and with weekdays only where "
			"it is one of them.",
	},
	{
		.path = "sources.*.schedule.jitter",
		.type = OPTION_DURATION,
		SOURCE(schedule.jitter),
		.max = DAYS,
		.fallback = "0s",
		.help = "Each look comes up to so much later, the same each "
			"time for one source, so that many do not begin at "
			"once.",
	},
	{
		.path = "sources.*.schedule.blackout",
		.type = OPTION_DATES,
		SOURCE(schedule.days),
		.fallback = "[]",
		.source = FALLBACK_WORDS,
		.help = "No window opens on these dates.",
	},
	{
		.path = "sources.*.expect",
		.type = OPTION_BLOCK,
		.help = "What must have landed by when. Each delivery counts "
			"for the deadline it is nearest to.",
	},
	{
		.path = "sources.*.expect.by",
		.type = OPTION_TIME,
		SOURCE(expect.by),
		.help = "The deadline, in local time. Required in expect.",
	},
	{
		.path = "sources.*.expect.zone",
		.type = OPTION_ZONE,
		SOURCE(expect.zone),
		.fallback = "UTC",
		.source = FALLBACK_WORDS,
		.help = "Where the deadline is local.",
	},
	{
		.path = "sources.*.expect.days",
		.type = OPTION_DAYS,
		SOURCE(expect.days),
		.fallback = "every day",
		.source = FALLBACK_WORDS,
		.help = "The days that have a deadline, as in schedule.",
	},
	{
		.path = "sources.*.expect.files",
		.type = OPTION_BAND,
		SOURCE(expect.files),
		.fallback = "\"1..\"",
		.help = "Files that must have landed: exactly three (3), one "
			"to "
			"five (1..5), one or more (1..), at most five "
			"(..5). Duplicates and what is quarantined do not "
			"count. learned: as many as usual; see LEARNED BANDS.",
	},
	{
		.path = "sources.*.expect.bytes",
		.type = OPTION_SIZE_BAND,
		SOURCE(expect.bytes),
		.fallback = "\"0..\"",
		.help = "Their size together.",
	},
	{
		.path = "sources.*.expect.records",
		.type = OPTION_BAND,
		SOURCE(expect.records),
		.fallback = "\"0..\"",
		.help = "Their records together.",
	},
	{
		.path = "sources.*.expect.grace",
		.type = OPTION_DURATION,
		SOURCE(expect.grace),
		.max = 14 * DAYS,
		.fallback = "0s",
		.help = "So long after the deadline nothing is late or "
			"missing yet. At most half the time between two "
			"deadlines.",
	},
	{
		.path = "sources.*.expect.holidays",
		.type = OPTION_DATES,
		SOURCE(expect.days),
		.fallback = "[]",
		.source = FALLBACK_WORDS,
		.help = "These dates have no deadline.",
	},
	{
		.path = "sources.*.totals",
		.type = OPTION_BLOCK,
		.help = "Control totals: what the partner says is in a "
			"delivery. One that does not match is quarantined, "
			"with both numbers.",
	},
	{
		.path = "sources.*.totals.records",
		.type = OPTION_TOTAL_RECORDS,
		SOURCE(totals),
		.help = "The number of ordinary records. It stands in a "
			"field of the last trailer record or of the first "
			"header record, counted from 1; as the first number "
			"in a side file, whose name is made of the "
			"delivery's; or in the name, where the pattern has "
			"'#' for its digits. A delivery stays pending until "
			"its side file is there; side files are ignored as "
			"deliveries.",
	},
	{
		.path = "sources.*.totals.sum",
		.type = OPTION_TOTAL_SUM,
		SOURCE(totals),
		.help = "The exact sum of a field over all ordinary records, "
			"with decimal as the decimal mark, \".\" by default. "
			"A list of mappings checks several fields.",
	},
	{
		.path = "sources.*.drift",
		.type = OPTION_CHOICE,
		SOURCE(drift),
		.names = drift_names,
		.fallback = "land",
		.help = "What becomes of a delivery whose header, number of "
			"columns, byte order mark or delimiter is not that "
			"of the newest one landed: land it and tell, hold it "
			"as pending until this is changed or it is landed by "
			"hand, or quarantine it.",
	},
	{
		.path = "sources.*.alert",
		.type = OPTION_ALERT,
		SOURCE(own_alert),
		.fallback = "the alert of all sources",
		.source = FALLBACK_WORDS,
		.help = "Whom to tell what is wrong with this source, "
			"instead of the alert of all sources; none tells "
			"nobody.",
	},
	{
		.path = "sources.*.format",
		.type = OPTION_CHOICE,
		SOURCE(dialect.format),
		.names = scan_format_names,
		.fallback = "opaque",
		.help = "How a delivery divides into records. opaque: it is "
			"one record.",
	},
	{
		.path = "sources.*.csv",
		.type = OPTION_BLOCK,
		.format = SCAN_CSV,
		.help = "The dialect, when format is csv.",
	},
	{
		.path = "sources.*.csv.delimiter",
		.type = OPTION_BYTE,
		DIALECT(delimiter),
		.fallback = "\",\"",
		.help = "Stands between two fields.",
	},
	{
		.path = "sources.*.csv.quote",
		.type = OPTION_MAYBE_BYTE,
		DIALECT(quote),
		.fallback = "'\"'",
		.help = "Encloses a field that holds delimiters or line ends.",
	},
	{
		.path = "sources.*.csv.escape",
		.type = OPTION_CHOICE,
		DIALECT(escape),
		.names = scan_escape_names,
		.fallback = "double",
		.help = "How a quote stands inside quotes: doubled, or after "
			"a backslash.",
	},
	{
		.path = "sources.*.csv.terminator",
		.type = OPTION_CHOICE,
		DIALECT(terminator),
		.names = scan_terminator_names,
		.fallback = "auto",
		.help = "What ends a record. auto: CRLF, LF or a lone CR, "
			"mixed if need be.",
	},
	{
		.path = "sources.*.csv.header",
		.type = OPTION_COUNT,
		DIALECT(header),
		.max = 1000,
		.fallback = "1",
		.help = "Leading records that are a header.",
	},
	{
		.path = "sources.*.csv.trailer",
		.type = OPTION_TRAILER,
		.offset = offsetof(struct source_config, dialect),
		.source = FALLBACK_DIALECT,
		.max = SCAN_TRAILER_MAX,
		.fallback = "0",
		.help = "Trailing records that are no data: how many, or "
			"those that begin with a prefix.",
	},
	{
		.path = "sources.*.csv.comment",
		.type = OPTION_MAYBE_BYTE,
		DIALECT(comment),
		.fallback = "none",
		.help = "A line that begins with it is a comment.",
	},
	{
		.path = "sources.*.csv.columns",
		.type = OPTION_COLUMNS,
		DIALECT(columns),
		.min = 1,
		.max = 65534,
		.fallback = "header",
		.help = "Fields each record must have: as many as the "
			"header, any number, or this many. Without a header "
			"the default is any.",
	},
	{
		.path = "sources.*.csv.encoding",
		.type = OPTION_CHOICE,
		DIALECT(encoding),
		.names = scan_encoding_names,
		.fallback = "utf-8",
		.help = "How characters are written as bytes. A byte order "
			"mark in the file wins.",
	},
	{
		.path = "sources.*.csv.max_record",
		.type = OPTION_SIZE,
		DIALECT(max_record),
		.min = KIB,
		.max = GIB,
		.fallback = "16MiB",
		.help = "A longer record is malformed.",
	},
	{
		.path = "sources.*.csv.resync",
		.type = OPTION_BOOL,
		DIALECT(resync),
		.fallback = "true",
		.help = "A quote that never closes costs its own line, not "
			"the rest of the file.",
	},
	{
		.path = "sources.*.csv.strict",
		.type = OPTION_BOOL,
		DIALECT(strict),
		.fallback = "false",
		.help = "A quote inside an unquoted field makes the record "
			"malformed.",
	},
	{
		.path = "sources.*.fixed",
		.type = OPTION_BLOCK,
		.format = SCAN_FIXED,
		.help = "Records of one length, when format is fixed.",
	},
	{
		.path = "sources.*.fixed.length",
		.type = OPTION_COUNT,
		DIALECT(length),
		.min = 1,
		.max = 16 * MIB,
		.help = "Bytes in a record, with its line end if it has one. "
			"Required when format is fixed.",
	},
	{
		.path = "sources.*.lines",
		.type = OPTION_BLOCK,
		.format = SCAN_LINES,
		.help = "The dialect, when format is lines.",
	},
	{
		.path = "sources.*.lines.terminator",
		.type = OPTION_CHOICE,
		DIALECT(terminator),
		.names = scan_terminator_names,
		.fallback = "auto",
		.help = "As in csv.",
	},
	{
		.path = "sources.*.lines.encoding",
		.type = OPTION_CHOICE,
		DIALECT(encoding),
		.names = scan_encoding_names,
		.fallback = "utf-8",
		.help = "As in csv.",
	},
	{
		.path = "sources.*.lines.max_record",
		.type = OPTION_SIZE,
		DIALECT(max_record),
		.min = KIB,
		.max = GIB,
		.fallback = "16MiB",
		.help = "As in csv.",
	},
	{
		.path = "sources.*.ndjson",
		.type = OPTION_BLOCK,
		.format = SCAN_NDJSON,
		.help = "The dialect, when format is ndjson.",
	},
	{
		.path = "sources.*.ndjson.max_record",
		.type = OPTION_SIZE,
		DIALECT(max_record),
		.min = KIB,
		.max = GIB,
		.fallback = "16MiB",
		.help = "As in csv.",
	},
};

const size_t option_count = ARRAY_LEN(option_table);

const char *
option_name(const struct option *o)
{
	static const char source[] = "sources.*.";
	size_t n = sizeof(source) - 1;

	return strncmp(o->path, source, n) == 0 ? o->path + n : o->path;
}

const char *
option_key_in(const struct option *o, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *key = o->path;

	if (n > 0) {
		if (strncmp(key, prefix, n) != 0 || key[n] != '.')
			return NULL;
		key += n + 1;
	}
	return strchr(key, '.') == NULL ? key : NULL;
}

const struct option *
option_find(const char *prefix, const char *key, size_t len)
{
	for (size_t i = 0; i < option_count; i++) {
		const char *k = option_key_in(&option_table[i], prefix);

		if (k != NULL && strlen(k) == len && memcmp(k, key, len) == 0)
			return &option_table[i];
	}
	return NULL;
}
