/*
 * watch-fs.h - does the kernel see every change on a filesystem? On those
 * whose files other machines or a user's process change, it does not.
 */
#ifndef DROP_WATCH_FS_H
#define DROP_WATCH_FS_H

#include <stdbool.h>

#include "base/attr.h"

/* f_type of statfs(2). */
bool watch_fs_tells(uint32_t type);

#endif
