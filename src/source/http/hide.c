#include "source/http/hide.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/http/spelled.h"
#include "source/http/template.h"

/* Where secrets stand in a text. */
struct found {
	size_t len;  /* of the text */
	size_t *to;  /* of one that begins there, the end; NULL: none does */
	size_t open; /* where one begins that the text ends within */
};

static void
add(struct found *f, size_t from, size_t to)
{
	if (f->to == NULL)
		f->to = mem_array(f->len + 1, sizeof(*f->to));
	if (f->to[from] < to)
		f->to[from] = to;
}

/* fail[k]: how much of its head the first k bytes of it end with. */
static size_t *
borders(const uint8_t *secret, size_t len)
{
	size_t *fail = mem_array(len + 1, sizeof(*fail)), k = 0;

	for (size_t i = 1; i < len; i++) {
		while (k > 0 && secret[i] != secret[k])
			k = fail[k];
		if (secret[i] == secret[k])
			k++;
		fail[i + 1] = k;
	}
	return fail;
}

/*
 * Each place, by Knuth, Morris and Pratt: a hostile login may give a token,
 * and send a text, that other searches compare over and over.
 */
static void
find(struct found *f, const struct spelled *t, const uint8_t *secret,
	size_t len)
{
	CLEANUP(mem_release) size_t *fail = borders(secret, len);
	size_t k = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (k == 0) {
			const uint8_t *hit =
				memchr(t->byte + i, *secret, t->n - i);

			if (hit == NULL)
				break;
			i = (size_t)(hit - t->byte);
		}
		while (k > 0 && t->byte[i] != secret[k])
			k = fail[k];
		if (t->byte[i] == secret[k])
			k++;
		if (k == len) {
			add(f, t->at[i + 1 - len], spelled_end(t, i));
			k = fail[k];
		}
	}
	if (f->open > t->at[t->n - k])
		f->open = t->at[t->n - k];
}

/* An auth's own are "NAME of STREAM" (token.c). */
static bool
is_hidden(const struct api *a, const struct var *x)
{
	CLEANUP(str_release) struct str name = STR_INIT;

	if (x->space != API_AUTH)
		return x->space == API_SECRET;
	str_addn(&name, x->name, strcspn(x->name, " "));
	return !api_template_has(&a->base_url, API_AUTH, name.s);
}

static void
find_all(struct found *f, const struct api *a, const struct vars *v,
	const struct spelled *t, bool url)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct var *x = &v->row[i];

		if (!is_hidden(a, x))
			continue;
		for (size_t k = 0; k < x->n; k++) {
			size_t len = x->text[k].len;
			uint8_t *secret;

			if (len < HIDE_MIN)
				continue;
			secret = mem_dup(x->text[k].p, len);
			for (size_t c = 0; c < len && url; c++)
				if (secret[c] == '+')
					secret[c] = ' ';
			find(f, t, secret, len);
			explicit_bzero(secret, len);
			free(secret);
		}
	}
}

/* Secrets that overlap are hidden as one. Returns how much is settled. */
static size_t
replace(struct str *s, const struct found *f, struct hide_piece *piece)
{
	struct str made = STR_INIT;
	size_t reach = piece->hidden, settled;

	if (f->to == NULL && reach == 0)
		return f->open;
	for (size_t at = 0; at < f->open && f->to != NULL; at++) {
		if (f->to[at] != 0 && at >= reach) {
			str_addn(&made, s->s + reach, at - reach);
			str_add(&made, "***");
			reach = f->to[at];
		} else if (f->to[at] > reach) {
			reach = f->to[at];
		}
	}
	if (reach < f->open)
		str_addn(&made, s->s + reach, f->open - reach);
	piece->hidden = reach > f->open ? reach - f->open : 0;
	settled = made.len;
	str_addn(&made, s->s + f->open, s->len - f->open);
	template_forget(s);
	*s = made;
	return settled;
}

size_t
hide_secrets(const struct api *a, const struct vars *v, struct str *s,
	struct hide_piece *piece)
{
	struct hide_piece whole = {.more = false};
	struct spelled t[SPELLINGS];
	struct found f = {.len = s->len, .open = s->len};
	size_t before, settled;

	if (piece == NULL)
		piece = &whole;
	for (size_t i = 0; i < SPELLINGS; i++) {
		spelled_read(&t[i], i, s->s, s->len, piece->more);
		find_all(&f, a, v, &t[i], i == SPELLED_URL);
	}
	if (!piece->more)
		f.open = s->len;
	/* Who goes on there is to read as it is read here. */
	do {
		before = f.open;
		for (size_t i = 0; i < SPELLINGS; i++)
			f.open = spelled_start(&t[i], f.open);
	} while (f.open < before);
	settled = replace(s, &f, piece);
	for (size_t i = 0; i < SPELLINGS; i++)
		spelled_release(&t[i]);
	free(f.to);
	return settled;
}
