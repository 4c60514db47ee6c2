/*
 * jsonr-tokens.c - the reader over tokens that isa->json() found.
 *
 * The same grammar as in jsonr-bytes.c, with the state in the place of the
 * program. Whatever is not plainly right ends it, and jsonr-bytes.c, which
 * sees those bytes next, says what it is.
 */
#include <string.h>

#include "scan/jsonr-state.h"

struct tokens {
	const uint8_t *p;
	uint64_t offset; /* of p[0] in the text */
	size_t n;	 /* tokens */
	uint16_t at[JSONR_CHUNK + ISA_JSON_ROOM];
};

/* Behind the token before `next`: without the blanks between the two. */
static inline const uint8_t *
end_before(const uint8_t *next)
{
	while (jsonr_is(next[-1], CLASS_BLANK))
		next--;
	return next;
}

static inline bool
is_number(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *at = p + (*p == '-'), *digits = at;

	while (at < end && jsonr_is(*at, CLASS_DIGIT))
		at++;
	if (at == end && at > digits)
		return *digits != '0' || at == digits + 1;
	return jsonr_is_number(p, (size_t)(end - p));
}

static inline bool
is_word(const uint8_t *p, const uint8_t *end, const char *word, size_t n)
{
	return (size_t)(end - p) == n && memcmp(p, word, n) == 0;
}

/* False: p[0 .. end) is no scalar. */
static inline bool
is_scalar(const uint8_t *p, const uint8_t *end, enum jsonr_type *ret)
{
	switch (*p) {
	case '"':
		*ret = JSONR_STRING;
		return end[-1] == '"';
	case 't':
		*ret = JSONR_TRUE;
		return is_word(p, end, "true", 4);
	case 'f':
		*ret = JSONR_FALSE;
		return is_word(p, end, "false", 5);
	case 'n':
		*ret = JSONR_NULL;
		return is_word(p, end, "null", 4);
	default:
		*ret = JSONR_NUMBER;
		return is_number(p, end);
	}
}

/*
 * The token p[0 .. end) byte by byte: one that is longer than usual, or a
 * text that has to be decoded. False: refused.
 */
static bool
by_bytes(struct jsonr *j, struct tokens *t, enum jsonr_state state,
	const uint8_t *p, const uint8_t *end)
{
	uint64_t until = j->plain_until;
	size_t n = (size_t)(end - p);

	j->state = state;
	j->offset = t->offset + (uint64_t)(p - t->p);
	j->plain_until = UINT64_MAX;
	n -= jsonr_bytes(j, p, n);
	j->plain_until = until;
	return n == 0;
}

/* A scalar that a query may ask for. False: leave it to jsonr_bytes(). */
static bool
see_scalar(struct jsonr *j, struct tokens *t, uint64_t match,
	enum jsonr_type type, const uint8_t *p, const uint8_t *end)
{
	uint64_t offset = t->offset + (uint64_t)(p - t->p);
	bool quoted = type == JSONR_STRING;
	size_t n = (size_t)(end - p) - 2 * quoted;

	if (jsonr_wants(j, match) &&
		(n > j->max_value ||
			(quoted && memchr(p, '\\', n + 1) != NULL))) {
		bool array = !j->object[j->depth - 1];

		/* It will count the element itself. */
		if (array && j->now != 0)
			j->count[j->depth - 1]--;
		j->match = match;
		return by_bytes(j, t, JSONR_VALUE_DUE, p, end);
	}
	jsonr_value_begin(j, match, offset);
	if (jsonr_wants(j, match))
		jsonr_value_text(j, match, type, p + quoted, n);
	return jsonr_value_end(j, offset + (uint64_t)(end - p));
}

/* A name where queries wait for one. */
static bool
see_name(struct jsonr *j, struct tokens *t, const uint8_t *p,
	const uint8_t *end, uint64_t *ret_match)
{
	if (memchr(p, '\\', (size_t)(end - p)) == NULL) {
		*ret_match = jsonr_match_name(
			j, j->now, p + 1, (size_t)(end - p) - 2);
		return true;
	}
	if (!by_bytes(j, t, JSONR_NAME_DUE, p, end))
		return false;
	*ret_match = j->match;
	return true;
}

static void
see_open(struct jsonr *j, struct tokens *t, uint64_t match, bool object,
	const uint8_t *p)
{
	if (match != 0) {
		jsonr_value_begin(j, match, t->offset + (uint64_t)(p - t->p));
		if (jsonr_wants(j, match))
			jsonr_value_text(j, match,
				object ? JSONR_OBJECT : JSONR_ARRAY, NULL, 0);
	}
	jsonr_open(j, match, object);
}

/* Takes tokens as long as they are right; returns the first that is not. */
static size_t
walk(struct jsonr *j, struct tokens *t)
{
	const uint8_t *p = t->p, *token, *next, *end;
	const uint16_t *at = t->at;
	enum jsonr_type type;
	uint64_t match = j->match;
	size_t i = 0;

#define STOP(s) \
	do { \
		j->state = (s); \
		goto stop; \
	} while (0)

	switch (j->state) {
	case JSONR_VALUE_DUE:
		goto value;
	case JSONR_FIRST_VALUE:
		goto first_value;
	case JSONR_NAME_DUE:
		goto name;
	case JSONR_FIRST_NAME:
		goto first_name;
	case JSONR_BEHIND_VALUE:
		goto behind_value;
	default: /* JSONR_COLON: once in a while */
		goto stop;
	}

first_name:
	if (i == t->n)
		STOP(JSONR_FIRST_NAME);
	if (p[at[i]] == '}')
		goto close;
	if (i + 2 >= t->n || p[at[i]] != '"' || p[at[i + 1]] != ':')
		STOP(JSONR_FIRST_NAME);
name:
	if (i + 2 >= t->n)
		STOP(JSONR_NAME_DUE);
	token = p + at[i];
	next = p + at[i + 1];
	if (*token != '"' || *next != ':')
		STOP(JSONR_NAME_DUE);
	end = end_before(next);
	if (end[-1] != '"')
		STOP(JSONR_NAME_DUE);
	match = 0;
	if (j->now != 0 && !see_name(j, t, token, end, &match))
		goto stop;
	i += 2;
	goto member;

first_value:
	if (i < t->n && p[at[i]] == ']')
		goto close;
	if (i + 1 >= t->n)
		STOP(JSONR_FIRST_VALUE);
value:
	if (i + 1 >= t->n)
		STOP(JSONR_VALUE_DUE);
	/* The value of a member, where the last chunk ended behind its colon.
	 */
	if (j->object[j->depth - 1])
		match = j->match;
	else if (j->now != 0)
		match = jsonr_match_element(j, j->now);
	else
		match = 0;
member:
	token = p + at[i];
	if (*token == '{' || *token == '[') {
		if (j->depth == JSONR_DEPTH)
			goto undo;
		i++;
		see_open(j, t, match, *token == '{', token);
		if (*token == '{')
			goto first_name;
		goto first_value;
	}
	if (i + 1 >= t->n)
		goto undo;
	end = end_before(p + at[i + 1]);
	if (!is_scalar(token, end, &type))
		goto undo;
	i++;
	if (match != 0 && !see_scalar(j, t, match, type, token, end))
		goto stop;

behind_value:
	if (i == t->n)
		STOP(JSONR_BEHIND_VALUE);
	token = p + at[i];
	if (*token == ',') {
		i++;
		if (j->object[j->depth - 1])
			goto name;
		goto value;
	}
close:
	token = p + at[i];
	if (*token != (j->object[j->depth - 1] ? '}' : ']'))
		STOP(JSONR_BEHIND_VALUE);
	i++;
	j->depth--;
	j->now = j->depth > 0 && j->depth <= JSONR_STEPS + 1
		? j->set[j->depth - 1]
		: 0;
	if (j->record != 0 &&
		!jsonr_value_end(j, t->offset + (uint64_t)(token - p) + 1))
		goto stop;
	if (j->depth > 0)
		goto behind_value;
	STOP(JSONR_CLOSED);

undo:
	/* The value at token i is for the next to count. */
	if (!j->object[j->depth - 1] && j->now != 0)
		j->count[j->depth - 1]--;
	j->match = match;
	STOP(JSONR_VALUE_DUE);
stop:
	return i;
#undef STOP
}

size_t
jsonr_tokens(struct jsonr *j, const uint8_t *p, size_t n)
{
	struct tokens t;
	unsigned bytes = 0;
	size_t i;

	t.p = p;
	t.offset = j->offset;
	n = j->isa->json(p, n, t.at, &t.n, &bytes);
	if (t.n == 0)
		return 0;
	/* Tokens but the last, which goes on behind what we see. */
	if ((bytes & BYTES_HIGH) != 0 && !j->isa->utf8(p, t.at[t.n - 1]))
		return 0;
	i = walk(j, &t);
	if (i < t.n)
		n = t.at[i];
	else if (i > 0)
		n = (size_t)t.at[i - 1] + 1;
	j->offset = t.offset + n;
	return n;
}
