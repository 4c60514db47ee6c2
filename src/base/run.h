/*
 * run.h - one program, run to its end: no shell, bounded in time and output.
 *
 *	uint8_t out[4096];
 *	struct run r = {.argv = argv, .room = out, .size = sizeof(out),
 *		.timeout = 30 * CLOCK_SECOND};
 *	if (run_program(&r, &status, &e) != OK) ...
 *	... r.len bytes of output, status as waitpid(2) has it ...
 *
 * The program has a process group of its own, which is killed when it must
 * end: what it started ends with it. (What is left running by a program that
 * ends by itself goes on, unless `all` waits for it.) It inherits nothing but
 *its standard streams, and no signal is blocked or ignored in it. Its input is
 *a file in memory: whether it reads it or not, nobody waits and no pipe breaks.
 */
#ifndef BASE_RUN_H
#define BASE_RUN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct run {
	char *const *argv; /* ends with NULL; the program is sought on PATH */
	char *const *env;  /* the same; NULL: our own environment */
	const void *input; /* NULL: nothing */
	size_t input_len;
	uint8_t *room; /* for its output */
	size_t size;
	bool errors;	 /* its standard error is output too; else it is lost */
	bool cut;	 /* end it when the room is full; else lose the rest */
	bool all;	 /* it has ended when all who hold its output have */
	int64_t timeout; /* ns */
	const atomic_bool *cancel; /* may be NULL; looked at now and then */
	size_t len;		   /* of its output */
};

/*
 * OK: it ended, or was ended because the room is full. AGAIN: it was ended
 * because of the timeout or cancel; e is not set. BAD_SOURCE: it could not
 * be started.
 */
enum rc run_program(struct run *r, int *ret_status, struct err *e) MUST_USE;

#endif
