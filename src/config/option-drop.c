/*
 * `drop:`, a local directory that partners write to.
 */
#include "config/option-part.h"

static const struct option rows[] = {
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
};

const struct option_part option_drop = {rows, ARRAY_LEN(rows)};
