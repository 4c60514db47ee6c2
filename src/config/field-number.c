/*
 * Numbers in their ranges: counts, sizes, durations.
 */
#include "config/field-read.h"

#include <string.h>

#include "config/value.h"

bool
field_read_count(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint64_t v;
	uint32_t narrow;

	if (!str_parse_u64(n->text, n->len, &v))
		return field_expected(o, c, n);
	if (!field_in_range(o, c, n, v))
		return false;
	narrow = (uint32_t)v;
	memcpy(field, &narrow, sizeof(narrow));
	return true;
}

bool
field_read_workers(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	unsigned *at = field;

	if (strcmp(n->text, "auto") != 0)
		return field_read_count(o, c, n, field);
	*at = 0;
	return true;
}

bool
field_read_size(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint64_t v, *at = field;

	if (!value_size(n->text, &v))
		return field_expected(o, c, n);
	if (!field_in_range(o, c, n, v))
		return false;
	*at = v;
	return true;
}

bool
field_read_free_space(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint64_t *at = field;

	if (strcmp(n->text, "auto") != 0)
		return field_read_size(o, c, n, field);
	*at = CONFIG_FREE_SPACE_AUTO;
	return true;
}

bool
field_read_duration(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	int64_t v, *at = field;

	if (!value_duration(n->text, &v))
		return field_expected(o, c, n);
	if (!field_in_range(o, c, n, (uint64_t)v))
		return false;
	*at = v;
	return true;
}
