/*
 * What must hold of the contents of a delivery, and who is told.
 */
#include "config/option-part.h"

static const char *const drift_names[] = {
	[DRIFT_LAND] = "land",
	[DRIFT_HOLD] = "hold",
	[DRIFT_QUARANTINE] = "quarantine",
	NULL,
};

static const struct option rows[] = {
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
};

const struct option_part option_content = {rows, ARRAY_LEN(rows)};
