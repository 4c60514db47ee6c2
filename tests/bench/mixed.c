#include "mixed.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define HEADER "id,name,city,price,when,note\r\n"

static const char *const words[] = {"north", "harbour", "Zürich", "oak",
	"signal", "Łódź", "river", "granite", "東京", "lantern", "copper",
	"meadow", "Ærø", "salt", "window", "ember"};

void
mixed_init(struct mixed *m, bool quotes, uint64_t seed)
{
	/* Neighbouring seeds far apart; xorshift must not start at 0. */
	*m = (struct mixed){
		.random = (seed + 1) * 0x9e3779b97f4a7c15u | 1,
		.quotes = quotes,
	};
}

/* 0 .. n-1, by Marsaglia's xorshift64. */
static uint32_t
draw(struct mixed *m, uint32_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (uint32_t)((m->random >> 32) * n >> 32);
}

static char *
put(char *at, const char *text)
{
	return stpcpy(at, text);
}

/* At least `width` digits. */
static char *
put_number(char *at, uint32_t value, unsigned width)
{
	char digits[10];
	unsigned n = 0;

	for (; value > 0 || n < width; value /= 10)
		digits[n++] = (char)('0' + value % 10);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

static char *
put_words(struct mixed *m, char *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			*at++ = ' ';
		at = put(at, words[draw(m, ARRAY_LEN(words))]);
	}
	return at;
}

static char *
put_quoted_words(struct mixed *m, char *at)
{
	static const char *const inside[] = {", ", "\"\"", "\r\n", " "};

	*at++ = '"';
	at = put_words(m, at, 2);
	at = put(at, inside[draw(m, ARRAY_LEN(inside))]);
	at = put_words(m, at, 1);
	*at++ = '"';
	return at;
}

static char *
put_record(struct mixed *m, char *at)
{
	at = put_number(at, draw(m, 100000000), 1);
	*at++ = ',';
	at = put_words(m, at, 2);
	*at++ = ',';
	if (m->quotes && draw(m, 2) == 0)
		at = put_quoted_words(m, at);
	else
		at = put_words(m, at, 2);
	*at++ = ',';
	at = put_number(at, draw(m, 10000), 1);
	*at++ = '.';
	at = put_number(at, draw(m, 100), 2);
	at = put(at, ",2026-");
	at = put_number(at, 1 + draw(m, 12), 2);
	*at++ = '-';
	at = put_number(at, 1 + draw(m, 28), 2);
	*at++ = ',';
	if (m->quotes && draw(m, 4) == 0)
		at = put_quoted_words(m, at);
	else
		at = put_words(m, at, 2);
	return put(at, "\r\n");
}

/* A record of exactly n bytes, n >= MIXED_RECORD_MAX. */
static void
put_last(struct mixed *m, char *at, size_t n)
{
	char *end = at + n - 2;

	at = put_number(at, draw(m, 100000000), 1);
	at = put(at, ",oak,oak,1.00,2026-01-01,");
	memset(at, 'x', (size_t)(end - at));
	memcpy(end, "\r\n", 2);
}

void
mixed_fill(struct mixed *m, char *p, size_t n)
{
	char *at = p, *end = p + n;

	if (n < 3 * MIXED_RECORD_MAX)
		abort();
	if (!m->begun)
		at = put(at, HEADER);
	m->begun = true;
	/* Room for a record (and the NUL behind it), and for the last one. */
	while (end - at > 2 * MIXED_RECORD_MAX)
		at = put_record(m, at);
	put_last(m, at, (size_t)(end - at));
}
