/*
 * How archives are taken apart.
 */
#include "config/option-part.h"

#define UNPACK(field) SOURCE(unpack.field)

static const char *const same_names[] = {
	[SAME_NAME_REFUSE] = "refuse",
	[SAME_NAME_NUMBER] = "number",
	NULL,
};

static const char *const partial_names[] = {
	[PARTIAL_REFUSE] = "refuse",
	[PARTIAL_ALLOW] = "allow",
	NULL,
};

static const struct option rows[] = {
	{
		.path = "sources.*.unpack",
		.type = OPTION_BLOCK,
		.help = "Archives (zip, tar, and what gzip, bzip2, xz or zstd "
			"has packed) are taken apart, and each member lands "
			"as a delivery of its own, such as "
			"orders.zip!/a.csv: all of them together, or none. "
			"What is no archive lands as it is. An empty block, "
			"{}, has the defaults; without one archives land as "
			"they are. See ARCHIVES.",
	},
	{
		.path = "sources.*.unpack.members",
		.type = OPTION_PATTERNS,
		UNPACK(members),
		.min = 1,
		.fallback = "everything",
		.source = FALLBACK_WORDS,
		.help = "Only members that match one of these globs land; the "
			"others are noted as ignored. A glob without a slash "
			"matches the name in any folder of the archive, one "
			"with a slash the path in the archive.",
	},
	{
		.path = "sources.*.unpack.max_bytes",
		.type = OPTION_SIZE,
		UNPACK(max_bytes),
		.min = KIB,
		.max = 1024 * TIB,
		.fallback = "20GiB",
		.help = "All members of an archive together, unpacked. An "
			"archive that is over one of these limits is "
			"quarantined.",
	},
	{
		.path = "sources.*.unpack.max_member",
		.type = OPTION_SIZE,
		UNPACK(max_member),
		.min = KIB,
		.max = 1024 * TIB,
		.fallback = "20GiB",
		.help = "One member, or an archive inside the archive.",
	},
	{
		.path = "sources.*.unpack.max_members",
		.type = OPTION_COUNT,
		UNPACK(max_members),
		.min = 1,
		.max = 100000,
		.fallback = "20000",
		.help = "Members, folders among them. They are kept in mind "
			"until all are there, about 1.5 KiB for each.",
	},
	{
		.path = "sources.*.unpack.max_ratio",
		.type = OPTION_COUNT,
		UNPACK(max_ratio),
		.min = 1,
		.max = 1000000,
		.fallback = "200",
		.help = "Bytes unpacked for each byte of the archive, once "
			"there are more than 10 MiB.",
	},
	{
		.path = "sources.*.unpack.max_depth",
		.type = OPTION_COUNT,
		UNPACK(max_depth),
		.min = 1,
		.max = 8,
		.fallback = "3",
		.help = "Archives inside each other; 1: none inside another.",
	},
	{
		.path = "sources.*.unpack.max_memory",
		.type = OPTION_SIZE,
		UNPACK(max_memory),
		.min = 32 * MIB,
		.max = GIB,
		.fallback = "80MiB",
		.help = "Memory of the process that takes an archive apart. "
			"32 MiB do for nearly all; one archive at a time may "
			"have more, for large windows: xz -9 wants 64 MiB, "
			"zstd --long and --ultra 128 MiB and more, for which "
			"this must be 144MiB.",
	},
	{
		.path = "sources.*.unpack.max_time",
		.type = OPTION_DURATION,
		UNPACK(max_time),
		.min = SECONDS,
		.max = 7 * DAYS,
		.fallback = "30m",
		.help = "How long one archive may take, on the clock and of "
			"the processor.",
	},
	{
		.path = "sources.*.unpack.same_name",
		.type = OPTION_CHOICE,
		UNPACK(same_name),
		.names = same_names,
		.fallback = "refuse",
		.help = "What of a name that comes again in one archive: "
			"quarantine the archive, or number it (a.csv~2).",
	},
	{
		.path = "sources.*.unpack.partial",
		.type = OPTION_CHOICE,
		UNPACK(partial),
		.names = partial_names,
		.fallback = "refuse",
		.help = "A member that is damaged, encrypted, over a limit or "
			"at odds with its control totals: quarantine the "
			"whole archive, or let the good ones land, say which "
			"are missing, and keep the archive too.",
	},
	{
		.path = "sources.*.unpack.keep_container",
		.type = OPTION_BOOL,
		UNPACK(keep_container),
		.fallback = "false",
		.help = "Land the archive's own bytes as well.",
	},
	{
		.path = "sources.*.unpack.password",
		.type = OPTION_SECRET,
		UNPACK(password),
		.help = "Opens encrypted members of zip archives, as a "
			"secret: where it is, never itself. With filter it "
			"is for the filter, at its descriptor 3.",
	},
	{
		.path = "sources.*.unpack.filter",
		.type = OPTION_BLOCK,
		.help = "A program through which each delivery goes first, "
			"for partners who encrypt: see FILTERS.",
	},
	{
		.path = "sources.*.unpack.filter.command",
		.type = OPTION_COMMAND,
		UNPACK(filter.command),
		.help = "The program, its absolute path first, and its "
			"arguments; no shell. It reads the delivery from "
			"standard input and writes what is in it to standard "
			"output; only if it ends with status 0 that counts. "
			"Required in filter.",
	},
	{
		.path = "sources.*.unpack.filter.home",
		.type = OPTION_PATH,
		UNPACK(filter.home),
		.help = "The one directory it may write to, which is its HOME "
			"and GNUPGHOME. For gpg shorter than 80 bytes.",
	},
	{
		.path = "sources.*.unpack.filter.read",
		.type = OPTION_PATHS,
		UNPACK(filter.read),
		.fallback = "[]",
		.source = FALLBACK_WORDS,
		.help = "Files and folders it may read, beside the system's "
			"programs and libraries: a key.",
	},
};

const struct option_part option_unpack = {rows, ARRAY_LEN(rows)};
