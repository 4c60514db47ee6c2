/*
 * fuzz-hide.c - secrets in what an API answers: whatever stands around them,
 * none is left, and none is told by halves when the text comes in pieces.
 *
 * Input: a byte, how many bytes the secret has; a byte, how many bytes come
 * first; the secret; the text.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "source/http/hide.h"

static const struct api nowhere = {.profile = NULL};

static bool
has(const struct str *s, const uint8_t *secret, size_t n)
{
	return memmem(s->s, s->len, secret, n) != NULL;
}

/* One of the text's own, for what is put in its place could make it anew. */
static bool
is_plain(const uint8_t *secret, size_t n)
{
	return n >= HIDE_MIN && memchr(secret, '*', n) == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	CLEANUP(vars_release) struct vars v = VARS_INIT;
	CLEANUP(str_release) struct str whole = STR_INIT;
	CLEANUP(str_release) struct str piece = STR_INIT;
	CLEANUP(str_release) struct str shown = STR_INIT;
	size_t secret, first, settled;

	if (n < 2)
		return 0;
	secret = p[0] % 64, first = p[1];
	p += 2, n -= 2;
	if (secret > n || !is_plain(p, secret))
		return 0;
	vars_set(&v, API_SECRET, "k", p, secret);
	str_addn(&whole, p + secret, n - secret);
	settled = hide_secrets(&nowhere, &v, &whole);
	if (settled > whole.len || has(&whole, p, secret))
		abort();
	if (first > n - secret)
		first = n - secret;
	str_addn(&piece, p + secret, first);
	settled = hide_secrets(&nowhere, &v, &piece);
	if (settled > piece.len)
		abort();
	str_addn(&shown, piece.s, settled);
	memmove(piece.s, piece.s + settled, piece.len - settled);
	str_cut(&piece, piece.len - settled);
	str_addn(&piece, p + secret + first, n - secret - first);
	(void)hide_secrets(&nowhere, &v, &piece);
	str_addn(&shown, piece.s, piece.len);
	if (has(&shown, p, secret))
		abort();
	return 0;
}
