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

/* The lines of the last group; none when there is no intent. */
enum rc intent_read(struct zone *z, struct str *s, struct err *e) MUST_USE;

/* Takes one line apart; false: it names no staged file. Cuts it in place. */
bool intent_line(char *line, uint64_t *ret_id);

#endif
