/*
 * watch-dirs.h - which directory an event is about: the paths below the root
 * by watch descriptor. Memory: one path for each directory.
 *
 * A descriptor stands for the directory itself, not for its path: watching
 * it again under another name gives the same one, and the path moves.
 */
#ifndef DROP_WATCH_DIRS_H
#define DROP_WATCH_DIRS_H

#include <stdbool.h>

#include "base/str.h"

struct watch_dir {
	struct watch_dir *next;
	int wd;
	unsigned round; /* of the last watch_dirs_put */
	size_t len;
	char path[]; /* below the root, no slash at its ends; "": the root */
};

struct watch_dirs {
	struct watch_dir **bucket;
	size_t n_buckets; /* a power of two, or 0 */
	size_t n;
};

void watch_dirs_release(struct watch_dirs *d);

/* NULL: not ours, or forgotten. */
const struct watch_dir *watch_dirs_find(const struct watch_dirs *d, int wd);

/* The descriptor of a path, or -1; looks at all of them. */
int watch_dirs_at(const struct watch_dirs *d, const char *path);

/* False when it was known under this very path. */
bool watch_dirs_put(struct watch_dirs *d, int wd, const char *path, size_t len,
	unsigned round);

void watch_dirs_drop(struct watch_dirs *d, int wd);

/*
 * Stop watching path and all below it; or what no put of this round has
 * named. inotify: the instance.
 */
void watch_dirs_forget(
	struct watch_dirs *d, int inotify, const char *path, size_t len);
void watch_dirs_forget_older(struct watch_dirs *d, int inotify, unsigned round);

#endif
