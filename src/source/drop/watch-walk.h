/*
 * watch-walk.h - set watches on a directory and those below it, and say what
 * files they hold. The watch stands before the directory is read, so that
 * nothing falls between the two.
 *
 * No link is followed: one component at a time, and a watch is set through
 * the descriptor that was opened, not through a path.
 */
#ifndef DROP_WATCH_WALK_H
#define DROP_WATCH_WALK_H

#include "base/err.h"
#include "source/drop/watch-dirs.h"

struct watch_walk {
	int inotify;
	int root;	 /* directory */
	uint64_t device; /* the root's */
	struct watch_dirs *dirs;
	unsigned round;
	bool recursive;
	bool again; /* into directories watched under the same path too */
	/* Files found; NULL: nobody asks. */
	void (*found)(void *arg, const char *name, size_t len);
	void *arg;
};

/*
 * Walks the directory at path below the root ("": the root itself). What
 * cannot be opened or is gone is passed over: the listing tells it. END: a
 * filesystem that tells nothing is mounted there. BAD_SOURCE: it cannot be
 * watched; the text says which limit to raise.
 */
enum rc watch_walk(const struct watch_walk *w, const char *path, size_t len,
	struct err *e) MUST_USE;

#endif
