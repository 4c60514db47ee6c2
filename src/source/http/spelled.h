/*
 * spelled.h - a text as it is meant: what a writer of answers had to spell in
 * another way, and where in the text each byte of it stands.
 *
 *	JSON	\" \\ \/ \n, \u0026 and the like of any character (RFC 8259
 *		section 7), in hexadecimal digits of either case
 *	URLs	%26 and the like of any byte (RFC 3986 section 2.1), in
 *		either case, and + for a space: what is meant has spaces for
 *		both
 *
 * What is no such spelling means itself.
 */
#ifndef SOURCE_HTTP_SPELLED_H
#define SOURCE_HTTP_SPELLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spelling {
	SPELLED_PLAIN,
	SPELLED_JSON,
	SPELLED_URL,
	SPELLINGS,
};

struct spelled {
	uint8_t *byte; /* meant */
	size_t n;
	size_t *at; /* where the spelling of each begins; at[n]: read so far */
};

/*
 * more: what the text ends within is not read, for the rest is to come; else
 * it means itself.
 */
void spelled_read(struct spelled *t, enum spelling how, const void *text,
	size_t len, bool more);
void spelled_release(struct spelled *t); /* overwrites */

/* Where the spelling ends that byte number i belongs to. */
size_t spelled_end(const struct spelled *t, size_t i);

/* Where the one begins that `at` stands in. */
size_t spelled_start(const struct spelled *t, size_t at);

#endif
