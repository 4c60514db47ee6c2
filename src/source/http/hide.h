/*
 * hide.h - secrets taken out of a text that is logged, kept or shown.
 *
 * Replaced by *** are secrets, what Authorization: Basic made of them, and what
 * a login gave, but for what base_url is made of: that is seen in every URL.
 * They are found as they are and as writers of JSON and URLs spell them
 * (spelled.h). Of secrets that overlap, or one of which holds another, no byte
 * is left.
 *
 * Shorter ones than HIDE_MIN bytes stay: they would hide half of every URL.
 * The time it takes is that of the text, and that of the secrets, for each.
 */
#ifndef SOURCE_HTTP_HIDE_H
#define SOURCE_HTTP_HIDE_H

#include "source/http/vars.h"

#define HIDE_MIN 4

/* Of a text that comes in pieces. At first all-zero. */
struct hide_piece {
	bool more;     /* set by the caller: this is not the last one */
	size_t hidden; /* so much of what follows is hidden already */
};

/*
 * Returns how many bytes of what s is then are settled. What follows them may
 * be the head of a secret, or is spelled no further: it must not be shown
 * before, and is the head of the next piece. However it is cut, the whole is
 * the same. piece: NULL for a text that is whole; then all is settled.
 */
size_t hide_secrets(const struct api *a, const struct vars *v, struct str *s,
	struct hide_piece *piece);

#endif
