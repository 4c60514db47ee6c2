/*
 * container.h - an archive on a worker: recognised, hashed, known again or
 * taken apart; then all of it lands, members first, or it is quarantined, or
 * it waits.
 */
#ifndef DAEMON_CONTAINER_H
#define DAEMON_CONTAINER_H

#include "daemon/fetch.h"
#include "landfall/unpack.h"

/*
 * Is this delivery to be taken apart? END: no, it is landed as it is;
 * otherwise as feed_head.
 */
enum rc container_look(const struct job *j, struct feed *f,
	struct unpack_look *ret, struct err *e) MUST_USE;

/* What a source's configuration says of limits, into those of the child. */
void container_limits(const struct unpack_config *u, struct unpack_limits *l);

/* Does no pattern of unpack.members take this file? */
bool container_leaves_out(
	const struct unpack_config *u, const struct unpack_member *m);

/*
 * d is the archive. *ret: d, or its members and then d; the caller has all of
 * them. BROKEN: d alone.
 */
enum rc container_run(const struct fetch_context *c, const struct job *j,
	struct feed *f, const struct unpack_look *look, struct delivery *d,
	struct delivery **ret, struct err *e) MUST_USE;

#endif
