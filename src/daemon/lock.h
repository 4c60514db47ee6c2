/*
 * lock.h - one landfall at work on one state directory. The lock dies with
 * its process, so a crash leaves nothing to clean up; the number inside is
 * for humans.
 */
#ifndef DAEMON_LOCK_H
#define DAEMON_LOCK_H

#include "base/err.h"

/* path: of the directory `state`, for messages. BROKEN: it cannot be had;
 * with e->cause EWOULDBLOCK because somebody has it. */
enum rc
lock_take(int state, const char *path, int *ret_fd, struct err *e) MUST_USE;

/* The process at work, 0 when it does not say. END: nobody is. */
enum rc lock_holder(int state, long *ret_pid, struct err *e) MUST_USE;

#endif
