/*
 * attempts.h - what somebody who took over a child would try.
 */
#ifndef TESTS_ATTEMPTS_H
#define TESTS_ATTEMPTS_H

#include <stdbool.h>
#include <sys/types.h>

struct attempt {
	const char *name;
	int (*run)(pid_t victim); /* 0: it worked; else errno */
	bool otherwise;		  /* outside of a sandbox it does work */
};

extern const struct attempt attempts[]; /* ends with a NULL name */

#endif
