/*
 * hide.h - secrets taken out of a text that is logged, kept or shown.
 *
 * Replaced by *** are secrets, and what a login gave, but for what base_url is
 * made of: that is seen in every URL. They are found as they are and as
 * writers of answers spell them, with the freedom that each of them has:
 *
 *	JSON	\" \\ \/ \n, \u0026 and the like of any character (RFC 8259
 *		section 7), in hexadecimal digits of either case
 *	URLs	%26 and the like of any byte (RFC 3986 section 2.1), in
 *		either case, and + for a space
 *
 * Shorter ones than HIDE_MIN bytes stay: they would hide half of every URL.
 */
#ifndef SOURCE_HTTP_HIDE_H
#define SOURCE_HTTP_HIDE_H

#include "source/http/vars.h"

#define HIDE_MIN 4

/*
 * Returns how many bytes of what s is then are settled. What follows them may
 * be the head of a secret: if more of the text is to come, it is looked at
 * again with that behind it, and must not be shown before.
 */
size_t hide_secrets(const struct api *a, const struct vars *v, struct str *s);

#endif
