/*
 * field-read.h - the readers of the simple types, for the table in field.c.
 * What has rules of its own has a header of its own: when.h, ready.h, ...
 */
#ifndef CONFIG_FIELD_READ_H
#define CONFIG_FIELD_READ_H

#include "config/field.h"

field_reader field_read_path;
field_reader field_read_origin;
field_reader field_read_after; /* the whole of `after`, its action first */
field_reader field_read_command;
field_reader field_read_paths;

field_reader field_read_count;
field_reader field_read_workers;
field_reader field_read_size;
field_reader field_read_free_space;
field_reader field_read_duration;

field_reader field_read_bool;
field_reader field_read_choice;
field_reader field_read_flags;
field_reader field_read_patterns;

field_reader field_read_byte;
field_reader field_read_maybe_byte;
field_reader field_read_columns;
field_reader field_read_trailer; /* into the dialect */

/* Whether v is in the range of the row; or reports that it is not. */
bool field_in_range(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, uint64_t v);

#endif
