/*
 * check.h - what no single value can get wrong alone: what is missing, and
 * values that contradict each other.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/yaml.h"
#include "landfall/config.h"

/*
 * node[i] is where c->source[i] stands below root; fields that could not be
 * read are at their defaults, or NULL. Settles defaults that depend on other
 * values (columns without a header).
 */
void check_config(struct config *c, const struct yaml_node *root,
	const struct yaml_node *const *node, struct report *r);

/* The block sftp of a source that has one. */
void check_sftp(const struct source_config *s, const struct yaml_node *n,
	struct report *r);

/*
 * The dialect whose block ("csv", ...) stands below n, by itself. memory is
 * what one record may take.
 */
void check_dialect(struct dialect *d, uint64_t memory,
	const struct yaml_node *n, struct report *r);

/* check-api.c: of a source that polls an API; and of one that does not. */
void check_api(const struct config *c, const struct source_config *s,
	const struct yaml_node *n, struct report *r);
void check_no_api(const struct yaml_node *n, struct report *r);

#endif
