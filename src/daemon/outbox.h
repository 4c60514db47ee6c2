/*
 * outbox.h - where receipts go: a place in which a partner finds them, and
 * the place that is a local directory.
 *
 * A place holds its file whole or not at all. What a function says of itself:
 * BAD_ITEM this file cannot be there, whatever is tried; BAD_SOURCE the place
 * fails, now. Nothing else.
 */
#ifndef DAEMON_OUTBOX_H
#define DAEMON_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct outbox {
	void *arg;
	/* Is there such a file? END: no. */
	enum rc (*has)(void *arg, const char *file, struct err *e);
	/*
	 * Under another name first, then over what is there. together: many
	 * come, and are durable after sync; else this one at once.
	 */
	enum rc (*put)(void *arg, const char *file, const char *text,
		size_t len, bool together, struct err *e);
	enum rc (*sync)(void *arg, struct err *e);
};

/* A directory, which must be there and ours to write to. */
struct outbox_folder {
	const char *path;
	int fd;
};

enum rc outbox_open(const char *path, struct outbox_folder *f,
	struct outbox *ret, struct err *e) MUST_USE;
void outbox_close(struct outbox_folder *f);

#endif
