/*
 * How a delivery divides into records, and the dialect of each format.
 */
#include "config/option-part.h"

static const struct option rows[] = {
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

const struct option_part option_format = {rows, ARRAY_LEN(rows)};
