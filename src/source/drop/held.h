/*
 * held.h - files that are on their way out of a drop.
 *
 * To remove or move a file that may be replaced at any moment, it is first
 * taken out of everybody's way by one rename, then looked at:
 *
 *	ROOT/sub/a.csv  ->  ROOT/.landfall-held/<16 hex>/sub/a.csv
 *
 * The path below the hex folder is the path it came from, whatever bytes its
 * name is made of: after a crash held_recover() knows where each file
 * belongs. One hex folder belongs to one open source.
 */
#ifndef DROP_HELD_H
#define DROP_HELD_H

#include <stdbool.h>

#include "base/err.h"

#define HELD_FOLDER ".landfall-held"

/* The path below a drop's root is that folder, which holds no deliveries. */
bool held_is_folder(const char *path);

#endif
