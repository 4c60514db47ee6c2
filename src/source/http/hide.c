#include "source/http/hide.h"

#include <string.h>

#include "source/http/template.h"

/* What is left of the text, and of the secret that it may spell. */
struct pair {
	const uint8_t *text, *text_end;
	const uint8_t *secret, *secret_end;
};

enum step {
	STEP_NO,   /* it does not go on as the secret does */
	STEP_ON,   /* it does, for a character that is taken from both */
	STEP_ENDS, /* it did until it ended */
};

static enum step
take(struct pair *p, size_t text, size_t secret)
{
	p->text += text;
	p->secret += secret;
	return STEP_ON;
}

static enum step
step_plain(struct pair *p)
{
	return *p->text == *p->secret ? take(p, 1, 1) : STEP_NO;
}

/* n hexadecimal digits. */
static enum step
digits(const uint8_t *text, const uint8_t *end, size_t n, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		static const char hex[] = "0123456789abcdefABCDEF";
		const char *hit;

		if (text + i == end)
			return STEP_ENDS;
		hit = memchr(hex, text[i], sizeof(hex) - 1);
		if (hit == NULL)
			return STEP_NO;
		v = 16 * v +
			(unsigned)(hit - hex < 16 ? hit - hex : hit - hex - 6);
	}
	*ret = v;
	return STEP_ON;
}

static enum step
step_percent(struct pair *p)
{
	enum step s;
	unsigned v;

	if (*p->text == '+' && *p->secret == ' ')
		return take(p, 1, 1);
	if (*p->text != '%')
		return step_plain(p);
	s = digits(p->text + 1, p->text_end, 2, &v);
	if (s != STEP_ON)
		return s;
	return v == *p->secret ? take(p, 3, 1) : STEP_NO;
}

/* The bytes of a character; 0: it is none. */
static size_t
utf8_of(unsigned c, uint8_t ret[4])
{
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t head[] = {0, 0xc0, 0xe0, 0xf0};

	for (size_t i = more; i > 0; i--, c >>= 6)
		ret[i] = (uint8_t)(0x80 | (c & 0x3f));
	ret[0] = (uint8_t)(head[more] | c);
	return more + 1;
}

/* \u0026, or two such for what UTF-16 has in two. */
static enum step
step_unit(struct pair *p)
{
	size_t left = (size_t)(p->secret_end - p->secret), n, used = 6;
	uint8_t spelled[4];
	unsigned v, low;
	enum step s = digits(p->text + 2, p->text_end, 4, &v);

	if (s != STEP_ON)
		return s;
	if (v >= 0xd800 && v <= 0xdbff) {
		for (size_t i = 0; i < 2; i++, used++) {
			if (p->text + used == p->text_end)
				return STEP_ENDS;
			if (p->text[used] != "\\u"[i])
				return STEP_NO;
		}
		s = digits(p->text + used, p->text_end, 4, &low);
		if (s != STEP_ON)
			return s;
		if (low < 0xdc00 || low > 0xdfff)
			return STEP_NO;
		used += 4;
		v = 0x10000 + ((v & 0x3ff) << 10) + (low & 0x3ff);
	}
	n = utf8_of(v, spelled);
	return n <= left && memcmp(p->secret, spelled, n) == 0
		? take(p, used, n)
		: STEP_NO;
}

static enum step
step_json(struct pair *p)
{
	static const char letters[] = "\"\\/bfnrt", mean[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (*p->text != '\\')
		return step_plain(p);
	if (p->text + 1 == p->text_end)
		return STEP_ENDS;
	if (p->text[1] == 'u')
		return step_unit(p);
	hit = memchr(letters, p->text[1], sizeof(letters) - 1);
	return hit != NULL && mean[hit - letters] == (char)*p->secret
		? take(p, 2, 1)
		: STEP_NO;
}

/* How a writer spells; each of them has one spelling that can be read. */
static enum step (*const writers[])(struct pair *) = {
	step_plain, step_json, step_percent};

static enum step
spells(enum step (*writer)(struct pair *), struct pair *p)
{
	enum step s = STEP_ON;

	while (s == STEP_ON && p->secret < p->secret_end)
		s = p->text < p->text_end ? writer(p) : STEP_ENDS;
	return s;
}

/* *held grows to the bytes at the end that may be the head of one. */
static void
replace(struct str *s, const struct var_text *secret,
	enum step (*writer)(struct pair *), size_t *held)
{
	const uint8_t *at = (const uint8_t *)s->s, *end = at + s->len;
	const uint8_t *shown = at;
	struct str made = STR_INIT;

	while (at < end) {
		struct pair p = {at, end, secret->p, secret->p + secret->len};

		switch (spells(writer, &p)) {
		case STEP_ON:
			str_addn(&made, shown, (size_t)(at - shown));
			str_add(&made, "***");
			shown = at = p.text;
			continue;
		case STEP_ENDS:
			if (*held < (size_t)(end - at))
				*held = (size_t)(end - at);
			break;
		case STEP_NO:
			break;
		}
		at++;
	}
	if (made.len == 0)
		return;
	str_addn(&made, shown, (size_t)(end - shown));
	template_forget(s);
	*s = made;
}

static bool
is_hidden(const struct api *a, const struct var *x)
{
	return x->space == API_SECRET ||
		(x->space == API_AUTH &&
			!api_template_has(&a->base_url, API_AUTH, x->name));
}

size_t
hide_secrets(const struct api *a, const struct vars *v, struct str *s)
{
	size_t held = 0;

	/* Longer ones first would matter only if one secret held another. */
	for (size_t i = 0; i < v->n; i++) {
		const struct var *x = &v->row[i];

		for (size_t k = 0; k < x->n && is_hidden(a, x); k++)
			for (size_t w = 0; w < ARRAY_LEN(writers); w++)
				if (x->text[k].len >= HIDE_MIN)
					replace(s, &x->text[k], writers[w],
						&held);
	}
	return held < s->len ? s->len - held : 0;
}
