/*
 * walk.h - the way through an archive and those inside it, in the child.
 *
 *	walk(&w, fd);	tells everything to w->tell, and how it ended
 */
#ifndef UNPACK_WALK_H
#define UNPACK_WALK_H

#include "unpack/budget.h"
#include "unpack/job.h"
#include "unpack/stream.h"
#include "unpack/tell.h"

struct walk {
	struct tell *tell;
	const struct job *job;
	struct budget budget;
	uint64_t *done; /* bytes of the object read */
	/*
	 * A file that may hold so many bytes, for an archive inside that is
	 * `level` deep (from 0); fresh: what was in it is not needed.
	 */
	enum rc (*spool)(struct walk *w, unsigned level, uint64_t bytes,
		bool fresh, int *ret_fd, struct err *e);
	struct more *more; /* memory; may be NULL */
	bool over;	   /* nothing more, not even of what is around */
	struct err fault;  /* of a disk: says nothing about the archive */
	struct message m;
};

void walk(struct walk *w, int fd);

/* NULL, or why this name is a finding: "absolute name", "'..' in its name". */
const char *walk_name(const uint8_t *name, size_t len);

#endif
