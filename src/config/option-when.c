/*
 * `schedule:` and `expect:`, when to look and what must have come by then.
 */
#include "config/option-part.h"

static const struct option rows[] = {
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
			"that comes twice counts once. Without every or window "
			"nothing is taken in between, and what comes later "
			"waits for the next of them; within a window names are "
			"taken as they come.",
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
};

const struct option_part option_when = {rows, ARRAY_LEN(rows)};
