/*
 * children.h - the kinds of sandboxed child this program can be. A new one is
 * a row in children.c and a child_kind in its stage's contract.
 */
#ifndef CLI_CHILDREN_H
#define CLI_CHILDREN_H

#include "landfall/proc.h"

extern const struct child_kind child_kinds[]; /* ends with a NULL name */

#endif
