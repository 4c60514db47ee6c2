/*
 * What only the blocks of formats have.
 */
#include "config/field-read.h"

#include <string.h>

#include "config/value.h"

bool
field_read_byte(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint8_t *at = field, v;

	if (!value_byte(n->text, &v))
		return field_expected(o, c, n);
	if (v == '\n' || v == '\r')
		return field_wrong(o, c, n, "ends a record already");
	*at = v;
	return true;
}

bool
field_read_maybe_byte(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	int *at = field;
	uint8_t v;

	if (strcmp(n->text, "none") == 0) {
		*at = SCAN_NONE;
		return true;
	}
	if (!field_read_byte(o, c, n, &v))
		return false;
	*at = v;
	return true;
}

bool
field_read_columns(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	int32_t *at = field;

	if (strcmp(n->text, "header") == 0)
		*at = SCAN_COLUMNS_HEADER;
	else if (strcmp(n->text, "any") == 0)
		*at = SCAN_COLUMNS_ANY;
	else
		return field_read_count(o, c, n, field);
	return true;
}

bool
field_read_trailer(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	const struct yaml_node *prefix = yaml_get(n, "prefix");
	struct dialect *d = field;

	if (n->kind == YAML_SCALAR)
		return field_read_count(o, c, n, &d->trailer);
	if (prefix == NULL || n->n != 1)
		return field_expected(o, c, n);
	if (prefix->kind == YAML_WRONG)
		return false;
	if (prefix->kind != YAML_SCALAR || prefix->len == 0)
		return field_expected(o, c, prefix);
	if (prefix->len > SCAN_PREFIX_MAX)
		return field_wrong(o, c, prefix, "has more than 64 bytes");
	memcpy(d->trailer_prefix, prefix->text, prefix->len);
	d->trailer_prefix_len = (uint32_t)prefix->len;
	return true;
}
