/*
 * late.h - a library that is loaded when somebody needs it.
 *
 * Most commands, the supervisor and most children never do; libcurl and
 * libarchive bring 33 others with them, and to load them all takes three
 * quarters of the time in which a command starts.
 */
#ifndef LATE_LATE_H
#define LATE_LATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct late {
	const char *library; /* as the dynamic linker knows it */
	const char *const *names;
	size_t n;
	void *table; /* n pointers to functions, of these names */
	bool loaded;
};

/*
 * Fills the table; the library stays until the process ends. Again is cheap.
 * BROKEN: it is not installed, or lacks one of them.
 */
enum rc late_load(struct late *l, struct err *e);

#endif
