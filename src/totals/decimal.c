#include <string.h>

#include "landfall/totals.h"

void
decimal_init(struct decimal *d)
{
	*d = (struct decimal){.digits = STR_INIT};
}

void
decimal_release(struct decimal *d)
{
	str_release(&d->digits);
}

static void
set_zero(struct decimal *d)
{
	str_clear(&d->digits);
	d->scale = 0;
	d->negative = false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The same number in its one form: without zeroes in front, 0 unsigned. */
static void
normalize(struct decimal *d)
{
	size_t zeroes = strspn(d->digits.s, "0");

	if (zeroes > 0) {
		memmove(d->digits.s, d->digits.s + zeroes,
			d->digits.len - zeroes);
		str_cut(&d->digits, d->digits.len - zeroes);
	}
	if (d->digits.len == 0)
		d->negative = false;
}

bool
decimal_read(struct decimal *d, const char *text, size_t len, char mark)
{
	const char *end = text + len;
	size_t digits = 0;
	bool marked = false;

	set_zero(d);
	while (text < end && *text == ' ')
		text++;
	while (end > text && end[-1] == ' ')
		end--;
	if (text < end && (*text == '-' || *text == '+'))
		d->negative = *text++ == '-';
	for (; text < end; text++) {
		if (*text == mark && !marked) {
			marked = true;
			continue;
		}
		if (!is_digit(*text) || ++digits > DECIMAL_DIGITS_MAX) {
			set_zero(d);
			return false;
		}
		str_addc(&d->digits, *text);
		d->scale += marked;
	}
	normalize(d);
	if (digits == 0)
		set_zero(d);
	return digits > 0;
}

/* The digit that counts 10^(place - scale); 0 beyond the number's ends. */
static int
digit(const struct decimal *d, uint32_t scale, size_t place)
{
	size_t shift = scale - d->scale;

	if (place < shift || place - shift >= d->digits.len)
		return 0;
	return d->digits.s[d->digits.len - 1 - (place - shift)] - '0';
}

/* Places of d when it is written with this scale. */
static size_t
places(const struct decimal *d, uint32_t scale)
{
	return d->digits.len + (scale - d->scale);
}

static uint32_t
common_scale(const struct decimal *a, const struct decimal *b)
{
	return a->scale > b->scale ? a->scale : b->scale;
}

/* As of absolute values: below, at or above 0. */
static int
compare(const struct decimal *a, const struct decimal *b)
{
	uint32_t scale = common_scale(a, b);
	size_t n = places(a, scale) > places(b, scale) ? places(a, scale)
						       : places(b, scale);

	while (n-- > 0) {
		int order = digit(a, scale, n) - digit(b, scale, n);

		if (order != 0)
			return order;
	}
	return 0;
}

bool
decimal_equal(const struct decimal *a, const struct decimal *b)
{
	return a->negative == b->negative && compare(a, b) == 0;
}

/* Digit by digit from the right, as on paper; sign is +1 or -1 for `small`. */
static void
combine(struct decimal *to, const struct decimal *large,
	const struct decimal *small, int sign)
{
	uint32_t scale = common_scale(large, small);
	size_t n = places(large, scale) > places(small, scale)
		? places(large, scale)
		: places(small, scale);
	struct str sum = STR_INIT;
	int carry = 0;

	str_addf(&sum, "%0*d", (int)n + 1, 0);
	for (size_t i = 0; i <= n; i++) {
		int v = digit(large, scale, i) + sign * digit(small, scale, i) +
			carry;

		carry = v < 0 ? -1 : v / 10;
		sum.s[n - i] = (char)('0' + (v + 10) % 10);
	}
	str_release(&to->digits);
	to->digits = sum;
	to->scale = scale;
}

void
decimal_add(struct decimal *to, const struct decimal *d)
{
	if (to->negative == d->negative) {
		combine(to, to, d, +1);
	} else if (compare(to, d) >= 0) {
		combine(to, to, d, -1);
	} else {
		combine(to, d, to, -1);
		to->negative = d->negative;
	}
	normalize(to);
}

void
decimal_write(struct str *s, const struct decimal *d)
{
	size_t whole = d->digits.len > d->scale ? d->digits.len - d->scale : 0;
	size_t pad = d->digits.len < d->scale ? d->scale - d->digits.len : 0;

	if (d->negative)
		str_addc(s, '-');
	if (whole > 0)
		str_addn(s, d->digits.s, whole);
	else
		str_addc(s, '0');
	if (d->scale == 0)
		return;
	str_addc(s, '.');
	while (pad-- > 0)
		str_addc(s, '0');
	str_addn(s, d->digits.s + whole, d->digits.len - whole);
}
