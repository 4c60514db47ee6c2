/*
 * sandbox.h - the parts of the sandbox, each for the calling thread and what
 * it starts. None can be taken back. The order is that of the declarations:
 * the filter refuses what the others need.
 */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include "base/str.h"
#include "landfall/proc.h"

/*
 * All parts. What the kernel lacks is said in weak, empty when nothing is.
 * BROKEN: a part that is there failed.
 */
enum rc sandbox_enter(enum child_profile profile, const struct proc_limits *l,
	struct str *weak, struct err *e) MUST_USE;

/* Resources; no core, not traceable, no capabilities, no new privileges. */
enum rc sandbox_limit(enum child_profile profile, const struct proc_limits *l,
	struct err *e) MUST_USE;

/* END: this kernel has no Landlock. */
enum rc sandbox_has_landlock(struct err *e) MUST_USE;

/* The same with what c names. END: the kernel has none. */
enum rc
sandbox_landlock_but(const struct proc_confine *c, struct err *e) MUST_USE;

/* Landlock: no paths, no TCP, nobody outside. END: the kernel has none. */
enum rc sandbox_landlock(struct err *e) MUST_USE;

/* The system call filter of this profile. END: the kernel has none. */
enum rc sandbox_filter(enum child_profile profile, struct err *e) MUST_USE;

#endif
