/*
 * option-part.h - the parts of the option table, a file each.
 *
 * A part is a block of the language with its rows. Order within the parts,
 * and of them in option.c, is the order of `landfall help config`.
 */
#ifndef CONFIG_OPTION_PART_H
#define CONFIG_OPTION_PART_H

#include <stddef.h>

#include "base/attr.h"
#include "config/option.h"

struct option_part {
	const struct option *row;
	size_t n;
};

extern const struct option_part option_top;
extern const struct option_part option_drop;
extern const struct option_part option_sftp;
extern const struct option_part option_api;
extern const struct option_part option_delivery;
extern const struct option_part option_unpack;
extern const struct option_part option_when;
extern const struct option_part option_content;
extern const struct option_part option_format;

/* The field of a row: in the configuration, a source, its dialect. */
#define TOP(field) .offset = offsetof(struct config, field)
#define SOURCE(field) .offset = offsetof(struct source_config, field)
#define DIALECT(field) \
	.offset = offsetof(struct source_config, dialect.field), \
	.source = FALLBACK_DIALECT

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

#define SECONDS UINT64_C(1000000000)
#define DAYS (86400 * SECONDS)

#endif
