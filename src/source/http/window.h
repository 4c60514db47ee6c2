/*
 * window.h - which windows of time (or numbers) a run asks for.
 *
 *	struct windows it;
 *	windows_begin(&it, &stream->incremental, cursor_or_NULL, now);
 *	if (it.gap) ...			what lies before it.next is gone
 *	while (windows_next(&it, &w)) {
 *		window_vars(&stream->incremental, &w, &vars);
 *		... all pages of all partitions land ...
 *		... the cursor is w.end, in the same transaction ...
 *	}
 *
 * Windows are half-open, [start, end), in ns of wall time, or plain numbers
 * where kind is int. What follows from the rules of an API is worked out
 * here and nowhere else:
 *
 *	windows begin at	max(start, cursor - lookback), on an align
 *	windows end at		now - lag, on an align before it
 *	window.start		w.start, for >=
 *	window.after		w.start - granularity, for >
 *	window.end		w.end, for <
 *	window.last		w.end - granularity, for <=
 *
 * All of it is UTC, where no hour is skipped or comes twice.
 */
#ifndef SOURCE_HTTP_WINDOW_H
#define SOURCE_HTTP_WINDOW_H

#include "source/http/vars.h"

struct api_window {
	int64_t start, end; /* kind int: end is INT64_MAX, not known */
};

struct windows {
	const struct api_incremental *rule;
	int64_t next;  /* where the next window begins */
	int64_t bound; /* where the last one ends */
	bool gap;      /* retention: the cursor is older than what is kept */
	int64_t gap_from, gap_to;
};

/* cursor NULL: there was no window yet. */
void windows_begin(struct windows *it, const struct api_incremental *rule,
	const int64_t *cursor, int64_t now);

/* The windows of a backfill, whatever the cursor is. */
void windows_between(struct windows *it, const struct api_incremental *rule,
	int64_t from, int64_t to);

/* False: there is none, or not yet. */
bool windows_next(struct windows *it, struct api_window *ret);

/*
 * split_window: the first half in w, the rest comes next. False: it is one
 * step already.
 */
bool windows_split(struct windows *it, struct api_window *w);

/*
 * window.*, in the format of the stream. Kind token: window.start alone, and
 * only as long as there is no token.
 */
void window_vars(const struct api_incremental *rule, const struct api_window *w,
	struct vars *v);

/* A record's cursor as it stands there. False: it is not of the format. */
bool window_parse(const struct api_incremental *rule, const void *p, size_t len,
	int64_t *ret) MUST_USE;

/* As window_add_point() writes it. */
bool window_position(const struct api_incremental *rule, const char *text,
	int64_t *ret) MUST_USE;

/* For messages and names: 2026-01-01T00:00:00Z, or the number. */
void window_add_point(
	struct str *s, const struct api_incremental *rule, int64_t point);

#endif
