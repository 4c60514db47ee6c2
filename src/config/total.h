/*
 * total.h - the rows of `totals:`: a mapping each, with a place of its own
 * for every mistake.
 */
#ifndef CONFIG_TOTAL_H
#define CONFIG_TOTAL_H

#include "config/field.h"

/*
 * Reads one mapping, or a list of them, and appends a row for each to
 * `field`, a struct total_list; or reports what is wrong.
 */
bool total_read_records(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field);
bool total_read_sum(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field);

void total_release(struct total_list *l);

#endif
