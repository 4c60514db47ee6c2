/*
 * intent.h - <zone>/_staging/intent: the paths a group is about to take.
 *
 * Durable, like the staged files, before the first of them is published, so
 * that after a crash recovery knows where to look for files that no catalog
 * row names, and what else belongs to their group. One line a file, "PATH ID":
 * the staged file ID takes PATH; without an ID it was there before. A torn
 * last line names no file and is passed over.
 */
#ifndef LAND_INTENT_H
#define LAND_INTENT_H

#include "landfall/commit.h"

#define INTENT_NAME "intent"

/* Writes the paths of the group's new files; the caller syncs and closes. */
enum rc intent_write(struct zone *z, struct delivery **d, size_t n, int *ret_fd,
	struct err *e) MUST_USE;

struct intent_file {
	const char *path;
	bool has_id;
	uint64_t id;
};

struct intent {
	struct str text;
	struct intent_file *file;
	size_t n;
};

/*
 * That of the last group; no files when there is none. To be released also
 * when it fails.
 */
enum rc intent_read(struct zone *z, struct intent *t, struct err *e) MUST_USE;
void intent_release(struct intent *t);

#endif
