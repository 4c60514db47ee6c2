/*
 * side.h - side files: what lies beside a delivery and says something of it.
 *
 * A pattern names them: "{name}.done" is a.csv.done for a.csv, "{stem}.done"
 * is a.done, and a name without a word in braces, such as SHA256SUMS, is one
 * file for all of its folder. They lie in the folder of the delivery. The
 * stem is the name without its last extension; ".csv" has none.
 */
#ifndef LANDFALL_SIDE_H
#define LANDFALL_SIDE_H

#include <stdbool.h>

#include "landfall/config.h"

/*
 * May it stand in a configuration? One word and more than it, no folder.
 * shared: one file for a folder is fine too.
 */
bool side_is_pattern(const char *text, bool shared) MUST_USE;

/* Is it one file for many deliveries? */
bool side_is_shared(const char *pattern);

/* The side file of a delivery. */
void
side_name(struct str *s, const char *pattern, const uint8_t *name, size_t len);

/*
 * The patterns of a source's side files, from 0 on; NULL: there are no more.
 */
const char *side_pattern(const struct source_config *cfg, size_t i);

enum side {
	SIDE_NONE,  /* not one of them */
	SIDE_OF,    /* of the delivery `base` */
	SIDE_OF_ANY /* of those that fit `base`, for a human */
};

/* Is `name` made of that pattern, and of what delivery? */
enum side side_base(
	const char *pattern, const uint8_t *name, size_t len, struct str *base);

/* What says that deliveries come in sets, and how manifests are called; or
 * NULL. */
const struct ready_rule *side_manifest(const struct source_config *cfg);

/*
 * Is `name` a side file of this source's deliveries? `what` (may be NULL) gets
 * it in words: "sentinel of a.csv".
 */
enum side side_of(const struct source_config *cfg, const uint8_t *name,
	size_t len, struct str *base, struct str *what);

#endif
