/*
 * progress.h - how far a long command is, on stderr.
 *
 * On a terminal one line that is drawn again (done, of total, rate, time
 * left), otherwise a plain line every ten seconds; nothing with --quiet.
 *
 *	p = progress_start(c, "landing", total, sample, arg);
 *	... work; sample(arg) is called from another thread ...
 *	progress_stop(p);
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"

struct progress;

/*
 * total: bytes in all, 0 when not known. sample returns the bytes done so
 * far; it must be safe to call from another thread until progress_stop.
 */
struct progress *progress_start(const struct cli *c, const char *what,
	uint64_t total, uint64_t (*sample)(void *arg), void *arg) MUST_USE;
void progress_stop(struct progress *p);

/* And, once it is not 0, a number of others, "members"; NULL is fine. */
void progress_count(struct progress *p, const char *what,
	uint64_t (*count)(void *arg), void *arg);

#endif
