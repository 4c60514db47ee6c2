#include <stddef.h>

#include "base/attr.h"
#include "landfall/format.h"

static const char *const names[] = {
	[KIND_HEADER] = "header",
	[KIND_TRAILER] = "trailer",
	[KIND_COMMENT] = "comment",
	[KIND_BLANK] = "blank",
	[KIND_SEPARATOR] = "separator",
	[KIND_ENVELOPE] = "envelope",
	[KIND_RELATED] = "related",
	[KIND_SEEN] = "seen",
	[KIND_UNTERMINATED_QUOTE] = "unterminated-quote",
	[KIND_JUNK_AFTER_QUOTE] = "junk-after-quote",
	[KIND_WRONG_FIELD_COUNT] = "wrong-field-count",
	[KIND_RECORD_TOO_LONG] = "record-too-long",
	[KIND_SHORT_RECORD] = "short-record",
	[KIND_INVALID_JSON] = "invalid-json",
	[KIND_STRAY_QUOTE] = "stray-quote",
};

const char *
format_kind_name(unsigned kind)
{
	return kind < ARRAY_LEN(names) ? names[kind] : NULL;
}
