/*
 * member.h - a member of an archive as a source of one item, so that it goes
 * through the same pipeline as everything else.
 *
 * What is small is in memory and may be read on any thread; the bytes of a
 * large one come out of the archive while it is landed, on the thread that has
 * the archive open.
 */
#ifndef DAEMON_MEMBER_H
#define DAEMON_MEMBER_H

#include "daemon/room.h"
#include "landfall/source.h"
#include "landfall/unpack.h"

extern const struct source_ops member_ops; /* fetch and look */

/* Its first bytes: a copy is made. */
struct source *member_new(
	const struct signature *sig, const uint8_t *first, size_t n) MUST_USE;
void member_free(struct source *s);

/* All of it lies in a file, from its beginning; fd is its from now on. */
struct source *member_new_file(const struct signature *sig, int fd) MUST_USE;

/*
 * The others come from u. told: of that many bytes was it said in advance
 * that they come; for more, room is asked for as they do.
 */
void member_follow(
	struct source *s, struct unpack *u, uint64_t told, struct room *r);

/*
 * Why its bytes could not be had, or NULL; *ret_later: they may be later, and
 * *ret_no_room: when there is room.
 */
const char *
member_lost(const struct source *s, bool *ret_later, bool *ret_no_room);

#endif
