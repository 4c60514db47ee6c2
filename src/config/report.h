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
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>

#include "base/str.h"

#define REPORT_KEPT 1000 /* sorted among themselves */
#define REPORT_SHOWN 100

struct report {
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

/* One more would only be counted: a costly hint is not worth finding. */
bool report_is_full(const struct report *r);

/* One line for each by position, then how many more there are. */
void report_write(struct report *r, const char *file, struct str *s);

#endif
