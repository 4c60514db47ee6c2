/*
 * yaml.h - a YAML text as a small tree in which every node knows its place.
 *
 * Built from libfyaml's events, not its documents: nothing is resolved, so
 * nothing can expand. What a configuration has no use for is a mistake with
 * a position: anchors, aliases, tags, a second document, keys that are not
 * plain text, a key given twice (YAML 1.2.2 section 3.2.1.3). Size, depth
 * and number of nodes are bounded.
 *
 *	struct yaml y;
 *	if (yaml_parse(&y, text, len, &report))
 *		... y.root, NULL when the text is empty ...
 *	yaml_release(&y);
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>

#include "base/attr.h"
#include "config/report.h"

#define YAML_SIZE_MAX (1u << 20)
#define YAML_DEPTH_MAX 16
#define YAML_NODES_MAX 100000

enum yaml_kind {
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAPPING,
	YAML_WRONG, /* reported already; read nothing into it */
};

struct yaml_node {
	enum yaml_kind kind;
	const char *file;	/* as the report had it; outlives the tree */
	unsigned line, column;	/* from 1; columns in characters */
	bool plain;		/* a scalar without quotes */
	char *text;		/* a scalar's; may hold NUL bytes */
	size_t len;		/* of text */
	struct yaml_node *key;	/* in a mapping; a YAML_SCALAR or WRONG */
	struct yaml_node *next; /* sibling, in order of the text */
	struct yaml_node *first;
	size_t n; /* children */

	struct yaml_node *last, *older; /* yaml.c's own */
};

struct yaml {
	struct yaml_node *root;
	struct yaml_node *newest;
	size_t nodes;
};

/* False when the tree is not whole; what was wrong is in r. */
bool yaml_parse(struct yaml *y, const char *text, size_t len,
	struct report *r) MUST_USE;
void yaml_release(struct yaml *y);

/* The value of a key, or NULL. A node that is no mapping has no keys. */
const struct yaml_node *yaml_get(const struct yaml_node *n, const char *key);

/* Nothing written where a value could stand, or a YAML null. */
bool yaml_is_null(const struct yaml_node *n);

/*
 * A tree with what both say: mappings merge, everything else is taken from
 * `over` where it says something. A mapping that is another kind of thing
 * than the one below it (both have `type`, or both are one of the keys in
 * `alternatives`) is taken whole. The result belongs to y, whose root it
 * becomes; over NULL: a copy.
 */
void yaml_merge(struct yaml *y, const struct yaml_node *base,
	const struct yaml_node *over, const char *const *alternatives);

/* A scalar as a message shows it: quoted if need be, cut when long. */
void yaml_add_shown(struct str *s, const struct yaml_node *n);

/* "a list", "a mapping", "nothing", "text": for messages. */
const char *yaml_what(const struct yaml_node *n);

#endif
