/*
 * report.h - the mistakes of one file, collected and then told in order.
 *
 *	struct report r = REPORT_INIT;
 *	report_add(&r, line, column, "zone: expected a path");
 *	report_write(&r, "landfall.yaml", &text);
 *	report_release(&r);
 *
 * gives "landfall.yaml:3:7: error: zone: expected a path". Positions count
 * from 1; line 0 is the file as a whole. Memory is bounded: past
 * REPORT_KEPT mistakes are only counted.
 *
 * What the file names (a profile) may have mistakes too: report_add_in()
 * says where. The same mistake of such a file, met twice, is told once.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>

#include "base/str.h"

#define REPORT_KEPT 1000 /* sorted among themselves */
#define REPORT_SHOWN 100

struct report {
	const char *file; /* of what report_add() adds; NULL: as above */
	struct mistake *mistake;
	size_t kept;
	size_t n; /* all of them */
};

#define REPORT_INIT \
	{ \
		.n = 0 \
	}

void report_release(struct report *r);

void report_add(struct report *r, unsigned line, unsigned column,
	const char *fmt, ...) PRINTF_LIKE(4, 5);

/* file NULL: the one that report_write() names. */
void report_add_in(struct report *r, const char *file, unsigned line,
	unsigned column, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* One more would only be counted: a costly hint is not worth finding. */
bool report_is_full(const struct report *r);

/* One line for each by position, then how many more there are. */
void report_write(struct report *r, const char *file, struct str *s);

#endif
