/*
 * fuzz-hide.c - secrets in what an API answers: whatever stands around them,
 * none is left, and in pieces the text becomes what it becomes as a whole.
 *
 * Input: two bytes, how many bytes each secret has; a byte, how many bytes come
 * first; the secrets; the text.
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

/* Puts what is settled behind shown; the rest stays. */
static void
show(struct vars *v, struct str *s, struct hide_piece *piece, struct str *shown)
{
	size_t settled = hide_secrets(&nowhere, v, s, piece);

	if (settled > s->len || (!piece->more && settled < s->len))
		abort();
	str_addn(shown, s->s, settled);
	memmove(s->s, s->s + settled, s->len - settled);
	str_cut(s, s->len - settled);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	CLEANUP(vars_release) struct vars v = VARS_INIT;
	CLEANUP(str_release) struct str whole = STR_INIT;
	CLEANUP(str_release) struct str rest = STR_INIT;
	CLEANUP(str_release) struct str shown = STR_INIT;
	struct hide_piece piece = {.more = true};
	size_t one, other, first;
	const uint8_t *text;

	if (n < 3)
		return 0;
	one = p[0] % 64, other = p[1] % 64, first = p[2];
	p += 3, n -= 3;
	if (one + other > n || !is_plain(p, one))
		return 0;
	vars_set(&v, API_SECRET, "k", p, one);
	if (is_plain(p + one, other))
		vars_set(&v, API_SECRET, "l", p + one, other);
	text = p + one + other, n -= one + other;
	str_addn(&whole, text, n);
	if (hide_secrets(&nowhere, &v, &whole, NULL) != whole.len ||
		has(&whole, p, one) || (v.n > 1 && has(&whole, p + one, other)))
		abort();
	if (first > n)
		first = n;
	str_addn(&rest, text, first);
	show(&v, &rest, &piece, &shown);
	str_addn(&rest, text + first, n - first);
	piece.more = false;
	show(&v, &rest, &piece, &shown);
	if (shown.len != whole.len || memcmp(shown.s, whole.s, whole.len) != 0)
		abort();
	return 0;
}
