/*
 * filter.h - a program of somebody else's that turns one file into another:
 * gpg or age, for partners who encrypt. No shell; stdin to stdout; nothing of
 * its output counts unless it ends with status 0.
 *
 *	struct filter_options o = {.argv = words, .home = "/etc/acme-gnupg",
 *		.in = fd, .out = spool, .limits = FILTER_LIMITS_DEFAULT};
 *	filter_run(&o, &size, &weak, &e);
 *
 * It runs in a sandbox: no network, no file but the system's programs and
 * libraries, `read` and, to be written, `home`; limits on time, memory and
 * output. Its environment is PATH, HOME and GNUPGHOME (both `home`) and
 * LANG=C.UTF-8. Whatever it starts ends with it: gpg leaves an agent behind.
 *
 * Runs in one home come one after another: gpg's agent is shared, and ends
 * with the run that started it.
 *
 * gpg itself may make unix sockets: it cannot decrypt without its agent.
 * Which is also why its home's path must be shorter than about 80 bytes.
 *
 * A password, should it need one, is what it reads from descriptor 3:
 *
 *	gpg --batch --pinentry-mode loopback --passphrase-fd 3 --decrypt
 */
#ifndef LANDFALL_FILTER_H
#define LANDFALL_FILTER_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/str.h"

struct child;

struct filter_limits {
	uint64_t bytes;	     /* of output */
	int64_t wall;	     /* ns */
	uint64_t cpu;	     /* seconds of each of its processes */
	uint64_t memory;     /* bytes of each */
	uint64_t free_space; /* bytes that stay free where the output is */
};

#define FILTER_LIMITS_DEFAULT \
	{ \
		.bytes = UINT64_C(50) << 30, \
		.wall = INT64_C(3600) * 1000000000, .cpu = 3600, \
		.memory = UINT64_C(512) << 20, \
		.free_space = UINT64_C(1) << 30, \
	}

struct filter_options {
	const char *const *argv; /* ends with NULL; sought on PATH */
	const char *home;	 /* NULL: none; it may write there */
	const char *const *read; /* ends with NULL; or NULL. Files, folders */
	const uint8_t *password; /* NULL: none */
	size_t password_len;
	int in;	 /* the complete file; its position does not matter or move */
	int out; /* empty, for writing; what is in it afterwards */
	struct filter_limits limits;
	const atomic_bool *cancel; /* looked at now and then; may be NULL */
};

/*
 * OK: it ended well; *ret_size bytes are in out. BAD_ITEM: it ended badly, or
 * over a limit; the text has its last words. BAD_SOURCE: it cannot be started
 * (no such program, no home). AGAIN: cancelled, no processes, or no room on
 * the disk. weak gets what the sandbox lacks here, or nothing; to be logged.
 */
enum rc filter_run(const struct filter_options *o, uint64_t *ret_size,
	struct str *weak, struct err *e) MUST_USE;

/* ---- the child's side: a row in the table of children, CHILD_RUN ---- */

#define FILTER_CHILD "filter"
int filter_child(const struct child *c);

#endif
