/*
 * death.h - how a child ended, in words.
 */
#ifndef PROC_DEATH_H
#define PROC_DEATH_H

#include <sys/wait.h>

#include "base/str.h"
#include "landfall/proc.h"

/*
 * From what waitid said: "ended with status 4", "killed by SIGSYS: the
 * sandbox refused a system call". ours: we killed it, and why; or NULL.
 */
void death_describe(struct str *s, const siginfo_t *info,
	const struct proc_limits *l, const char *ours);

#endif
