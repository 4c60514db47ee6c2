/*
 * watch.h - hints that something moved in a local directory tree (inotify).
 *
 * Events are hints, never the truth: they say where to look. Whatever is
 * lost, overflowed, unmounted or raced makes one hint, WATCH_RESCAN, and the
 * caller's full look finds the truth. Watches are set before a directory is
 * read, so that nothing falls between the two.
 *
 *	watch_open(path, recursive, &w, &e);
 *	... epoll on watch_fd(w) ...
 *	watch_read(w, hint, arg, &e);	never blocks
 *	watch_close(w);
 */
#ifndef LANDFALL_WATCH_H
#define LANDFALL_WATCH_H

#include <stdbool.h>

#include "base/err.h"

struct watch;

enum watch_hint {
	WATCH_NAME,   /* look at this name: written, moved in, changed, gone */
	WATCH_RESCAN, /* look at everything */
	WATCH_LOST,   /* the root is gone or unmounted: open again later */
};

/*
 * END: this filesystem tells nothing (network, FUSE: by statfs) and must be
 * polled. BAD_SOURCE: the root cannot be watched; the text says why (limits
 * of inotify included, with the sysctl to raise).
 */
enum rc watch_open(const char *path, bool recursive, struct watch **ret,
	struct err *e) MUST_USE;
void watch_close(struct watch *w);

int watch_fd(const struct watch *w);

/*
 * Handles what is queued. hint gets names below the root (bytes, with '/');
 * name is NULL for the other hints. New directories are watched at once, and
 * what they already hold is hinted. Equal names within one call come once.
 */
enum rc watch_read(struct watch *w,
	void (*hint)(
		void *arg, enum watch_hint h, const uint8_t *name, size_t len),
	void *arg, struct err *e) MUST_USE;

#endif
