/*
 * field.h - from a value in the file to a field of the configuration.
 */
#ifndef CONFIG_FIELD_H
#define CONFIG_FIELD_H

#include "config/option.h"

struct field_context {
	const char *dir; /* absolute; relative paths start from it */
	struct report *report;
};

/* One type: reads a value into the field, as field_read() does. */
typedef bool field_reader(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field);

/*
 * Reads the value of an option into its field at base + offset, freeing
 * what was there; or reports what is wrong and leaves the field alone. Not
 * for blocks and sources.
 */
bool field_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *base);

/* "a size such as 64MiB, from 1KiB to 1GiB": range and choices with it. */
void field_add_expected(struct str *s, const struct option *o);

/*
 * For readers: "NAME: expected WHAT, this is THAT", and "NAME: THAT why".
 * Always false.
 */
bool field_expected(const struct option *o, const struct field_context *c,
	const struct yaml_node *n);
bool field_wrong(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, const char *why);

void field_release_patterns(struct patterns *p);
void field_release_words(struct words *w);

#endif
