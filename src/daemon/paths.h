/*
 * paths.h - whether the paths that a profile gives lead anywhere: those of a
 * record's key and cursor, and the one to the next page.
 *
 * A misspelt path finds nothing, and so does a right one in what has nothing
 * there. An answer with several records, none of which has a key or a cursor,
 * be it null, is the first; a single record proves nothing. Of the next page
 * only this is sure: an answer with as many records as were asked for may well
 * be followed by another.
 */
#ifndef DAEMON_PATHS_H
#define DAEMON_PATHS_H

#include "source/http/reply.h"

#define PATHS_MOST 17 /* fields of a key, and the cursor */

/*
 * The key's fields, then the cursor, as the first of a reply's spec. How many;
 * the cursor is the last of them, if there is one (*ret_cursor).
 */
size_t paths_fields(const struct api_stream *s,
	const struct api_place *field[PATHS_MOST], bool *ret_cursor);

/* BAD_SOURCE: no record of the answer read last has one of those. */
enum rc paths_check(const struct api_stream *s, const struct reply *r,
	struct err *e) MUST_USE;

/* url's query, the body's numbers or size (0: not known) ask for so many. */
bool paths_asked_for(const struct api_request *q, const char *url,
	uint64_t size, uint64_t records);

/* "stream orders: 5 records; key $.id in 5 of them; next link next is not
 * there": the answer read last. */
void paths_tell(
	const struct api_stream *s, const struct reply *r, struct str *facts);

/* "$.meta.nextcursor" or "header Sforce-Locator". */
void paths_write(const struct api_selector *s, struct str *text);

#endif
