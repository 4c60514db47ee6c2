/*
 * hand.h - a file named on the command line, as a source of one item, so that
 * `landfall land` goes through the same pipeline as everything else.
 */
#ifndef DAEMON_HAND_H
#define DAEMON_HAND_H

#include "landfall/source.h"

/* fetch and look only; symbolic links are followed: a person typed the path. */
extern const struct source_ops hand_ops;

/*
 * The file at path is delivered as `name`; another name is looked for beside
 * it: a side file.
 */
struct source *hand_new(const char *path, const char *name) MUST_USE;
void hand_free(struct source *s);

#endif
