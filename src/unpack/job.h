/*
 * job.h - what a child is to do: the body of UNPACK_START.
 */
#ifndef UNPACK_JOB_H
#define UNPACK_JOB_H

#include "unpack/protocol.h"

struct job {
	uint64_t size;
	struct str name;
	struct str password; /* empty: none */
	bool number;
	bool keep_deeper;
	bool spool; /* archives inside can be had */
	struct unpack_limits limits;
};

void job_put(struct message *m, const struct unpack_options *o);
bool job_take(struct message *m, struct job *ret) MUST_USE;
void job_release(struct job *j);

#endif
