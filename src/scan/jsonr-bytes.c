/*
 * jsonr-bytes.c - the definition of the reader: a machine that looks at one
 * byte after the other and can be left between any two.
 */
#include <string.h>

#include "scan/jsonr-state.h"

static void
add_byte(struct str *s, int byte)
{
	char c = (char)byte;

	if (byte < 0)
		str_add(s, "the end");
	else if (byte >= 0x80)
		str_addf(s, "byte 0x%02x", (unsigned)byte);
	else
		str_add_quoted(s, &c, 1);
}

bool
jsonr_refuse(struct jsonr *j, uint64_t offset, const char *expected, int byte)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	add_byte(&s, byte);
	j->failed = true;
	err_set(&j->err, BAD_ITEM,
		"not JSON: byte %llu: expected %s, this is %s",
		(unsigned long long)offset, expected, s.s);
	return false;
}

bool
jsonr_refuse_long(struct jsonr *j)
{
	j->failed = true;
	err_set(&j->err, BAD_ITEM,
		"the record at byte %llu is longer than %llu bytes",
		(unsigned long long)j->record_start,
		(unsigned long long)j->max_record);
	return false;
}

/* ---- the text of a token ---- */

static bool
take(struct jsonr *j, const void *p, size_t n)
{
	size_t most = j->name ? JSONPATH_NAME : j->max_value;
	struct err e = ERR_INIT;

	if (!j->take || j->too_long)
		return true;
	j->too_long = j->text.len + n > most;
	if (!j->too_long)
		return buf_add(&j->text, p, n, &e) == OK;
	/* A name longer than any that is looked for is none of them. */
	if (j->name)
		return true;
	j->failed = true;
	err_set(&j->err, BAD_ITEM,
		"the value at byte %llu is longer than %zu bytes",
		(unsigned long long)j->token, most);
	return false;
}

/* UTF-8 of a code point, and what UTF-8 would be of half a surrogate pair. */
static bool
take_code(struct jsonr *j, unsigned code)
{
	uint8_t b[4];
	size_t n;

	if (code < 0x80) {
		b[0] = (uint8_t)code;
		n = 1;
	} else if (code < 0x800) {
		b[0] = (uint8_t)(0xc0 | code >> 6);
		b[1] = (uint8_t)(0x80 | (code & 0x3f));
		n = 2;
	} else if (code < 0x10000) {
		b[0] = (uint8_t)(0xe0 | code >> 12);
		b[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		b[2] = (uint8_t)(0x80 | (code & 0x3f));
		n = 3;
	} else {
		b[0] = (uint8_t)(0xf0 | code >> 18);
		b[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
		b[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		b[3] = (uint8_t)(0x80 | (code & 0x3f));
		n = 4;
	}
	return take(j, b, n);
}

/* Half a pair whose other half did not come. */
static bool
take_high(struct jsonr *j)
{
	unsigned high = j->high;

	j->high = 0;
	return high == 0 || take_code(j, high);
}

/* A \u escape is complete: RFC 8259 section 7, UTF-16 code units. */
static bool
take_unit(struct jsonr *j, unsigned unit)
{
	unsigned high = j->high;

	if (high != 0 && unit >= 0xdc00 && unit <= 0xdfff) {
		j->high = 0;
		return take_code(
			j, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
	}
	if (!take_high(j))
		return false;
	if (unit < 0xd800 || unit > 0xdbff)
		return take_code(j, unit);
	j->high = unit;
	return true;
}

/* ---- values ---- */

/* Which queries got to the value that begins here. */
static uint64_t
match_of_value(struct jsonr *j)
{
	if (j->depth > 0 && !j->object[j->depth - 1])
		j->match = j->now != 0 ? jsonr_match_element(j, j->now) : 0;
	return j->match;
}

static void
begin_token(struct jsonr *j, bool name, bool take)
{
	j->token = j->offset;
	j->name = name;
	j->take = take;
	j->too_long = false;
	j->text.len = 0;
}

static void
begin_string(struct jsonr *j, bool name, bool take)
{
	begin_token(j, name, take);
	j->utf8 = (struct utf8)UTF8_INIT;
	j->high = 0;
	j->type = JSONR_STRING;
	j->state = JSONR_IN_STRING;
}

/* A value is behind us, which ends at `end`. */
static bool
end_value(struct jsonr *j, uint64_t end)
{
	j->state = j->depth > 0 ? JSONR_BEHIND_VALUE : JSONR_CLOSED;
	return jsonr_value_end(j, end);
}

static bool
end_scalar(struct jsonr *j, uint64_t end)
{
	if (j->take)
		jsonr_value_text(
			j, j->match, j->type, j->text.data, j->text.len);
	return end_value(j, end);
}

static bool
begin_container(struct jsonr *j, bool object)
{
	if (j->depth == JSONR_DEPTH) {
		j->failed = true;
		err_set(&j->err, BAD_ITEM,
			"byte %llu: more than %d arrays and objects inside "
			"each other",
			(unsigned long long)j->offset, JSONR_DEPTH);
		return false;
	}
	j->token = j->offset;
	if (jsonr_wants(j, j->match))
		jsonr_value_text(j, j->match,
			object ? JSONR_OBJECT : JSONR_ARRAY, NULL, 0);
	jsonr_open(j, j->match, object);
	j->state = object ? JSONR_FIRST_NAME : JSONR_FIRST_VALUE;
	return true;
}

static bool
begin_word(struct jsonr *j, const char *word, enum jsonr_type type)
{
	j->type = type;
	j->word = word + 1;
	j->state = JSONR_IN_WORD;
	return take(j, word, strlen(word));
}

static bool
begin_value(struct jsonr *j, uint8_t c)
{
	uint64_t match = match_of_value(j);

	jsonr_value_begin(j, match, j->offset);
	if (c == '{' || c == '[')
		return begin_container(j, c == '{');
	if (c == '"') {
		begin_string(j, false, jsonr_wants(j, match));
		return true;
	}
	begin_token(j, false, jsonr_wants(j, match));
	switch (c) {
	case 't':
		return begin_word(j, "true", JSONR_TRUE);
	case 'f':
		return begin_word(j, "false", JSONR_FALSE);
	case 'n':
		return begin_word(j, "null", JSONR_NULL);
	}
	if (c != '-' && !jsonr_is(c, CLASS_DIGIT))
		return jsonr_refuse(j, j->offset, "a value", c);
	j->type = JSONR_NUMBER;
	j->state = c == '-' ? JSONR_MINUS
		: c == '0'  ? JSONR_ZERO
			    : JSONR_INTEGER;
	return take(j, &c, 1);
}

static bool
end_container(struct jsonr *j, uint8_t c)
{
	bool object = j->object[j->depth - 1];

	if (c != (object ? '}' : ']'))
		return jsonr_refuse(j, j->offset,
			object ? "a comma or }" : "a comma or ]", c);
	j->depth--;
	j->now = j->depth > 0 && j->depth <= JSONR_STEPS + 1
		? j->set[j->depth - 1]
		: 0;
	return end_value(j, j->offset + 1);
}

/* ---- one byte ---- */

/* The first byte of a token, or a blank. */
static bool
between(struct jsonr *j, uint8_t c)
{
	if (jsonr_is(c, CLASS_BLANK))
		return true;
	switch (j->state) {
	case JSONR_FIRST_VALUE:
		if (c == ']')
			return end_container(j, c);
		return begin_value(j, c);
	case JSONR_VALUE_DUE:
		return begin_value(j, c);
	case JSONR_FIRST_NAME:
		if (c == '}')
			return end_container(j, c);
		if (c != '"')
			return jsonr_refuse(
				j, j->offset, "a name in quotes or }", c);
		begin_string(j, true, j->now != 0);
		return true;
	case JSONR_NAME_DUE:
		if (c != '"')
			return jsonr_refuse(
				j, j->offset, "a name in quotes", c);
		begin_string(j, true, j->now != 0);
		return true;
	case JSONR_COLON:
		if (c != ':')
			return jsonr_refuse(j, j->offset, "a colon", c);
		j->state = JSONR_VALUE_DUE;
		return true;
	case JSONR_BEHIND_VALUE:
		if (c != ',')
			return end_container(j, c);
		j->state = j->object[j->depth - 1] ? JSONR_NAME_DUE
						   : JSONR_VALUE_DUE;
		return true;
	default:
		return jsonr_refuse(
			j, j->offset, "the end behind the value", c);
	}
}

static bool
end_string(struct jsonr *j)
{
	if (!utf8_end(&j->utf8))
		return jsonr_refuse(j, j->offset, "the rest of UTF-8", '"');
	if (!take_high(j))
		return false;
	if (!j->name)
		return end_scalar(j, j->offset + 1);
	j->match = 0;
	if (j->now != 0 && j->too_long)
		j->match = j->now & j->every[j->depth - 1];
	else if (j->now != 0)
		j->match =
			jsonr_match_name(j, j->now, j->text.data, j->text.len);
	j->state = JSONR_COLON;
	return true;
}

static bool
in_string(struct jsonr *j, uint8_t c)
{
	if (c >= 0x80) {
		utf8_add(&j->utf8, &c, 1);
		if (j->utf8.bad)
			return jsonr_refuse(j, j->offset, "UTF-8", c);
	} else if (c == '"') {
		return end_string(j);
	} else if (!utf8_end(&j->utf8)) {
		return jsonr_refuse(j, j->offset, "the rest of UTF-8", c);
	} else if (c == '\\') {
		j->state = JSONR_IN_ESCAPE;
		return true;
	} else if (c < 0x20) {
		return jsonr_refuse(
			j, j->offset, "no control character in a string", c);
	}
	return take_high(j) && take(j, &c, 1);
}

static bool
in_escape(struct jsonr *j, uint8_t c)
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *letter;

	if (!jsonr_is(c, CLASS_ESCAPE))
		return jsonr_refuse(j, j->offset,
			"one of \"\\/bfnrtu behind a backslash", c);
	if (c == 'u') {
		j->hex = 0;
		j->hex_left = 4;
		j->state = JSONR_IN_HEX;
		return true;
	}
	letter = strchr(letters, c);
	if (letter != NULL)
		c = (uint8_t)bytes[letter - letters];
	j->state = JSONR_IN_STRING;
	return take_high(j) && take(j, &c, 1);
}

static unsigned
value_of_hex(uint8_t c)
{
	return c <= '9' ? c - 0x30u : (c | 0x20u) - 'a' + 10;
}

static bool
in_hex(struct jsonr *j, uint8_t c)
{
	if (!jsonr_is(c, CLASS_HEX))
		return jsonr_refuse(
			j, j->offset, "four hexadecimal digits behind \\u", c);
	j->hex = j->hex << 4 | value_of_hex(c);
	if (--j->hex_left > 0)
		return true;
	j->state = JSONR_IN_STRING;
	return take_unit(j, j->hex);
}

static bool
in_word(struct jsonr *j, uint8_t c)
{
	if (c != (uint8_t)*j->word)
		return jsonr_refuse(j, j->offset, "true, false or null", c);
	if (*++j->word != '\0')
		return true;
	return end_scalar(j, j->offset + 1);
}

/* Section 6: the state behind this byte; JSONR_CLOSED: it is not part of it. */
static enum jsonr_state
number_step(enum jsonr_state state, uint8_t c)
{
	bool digit = jsonr_is(c, CLASS_DIGIT);

	switch (state) {
	case JSONR_MINUS:
		return !digit	   ? JSONR_CLOSED
			: c == '0' ? JSONR_ZERO
				   : JSONR_INTEGER;
	case JSONR_INTEGER:
		if (digit)
			return JSONR_INTEGER;
		/* fallthrough */
	case JSONR_ZERO:
		if (c == '.')
			return JSONR_POINT;
		break;
	case JSONR_POINT:
		return digit ? JSONR_FRACTION : JSONR_CLOSED;
	case JSONR_FRACTION:
		if (digit)
			return JSONR_FRACTION;
		break;
	case JSONR_E:
		if (c == '+' || c == '-')
			return JSONR_SIGN;
		/* fallthrough */
	default: /* JSONR_SIGN, JSONR_EXPONENT */
		return digit ? JSONR_EXPONENT : JSONR_CLOSED;
	}
	return c == 'e' || c == 'E' ? JSONR_E : JSONR_CLOSED;
}

static bool
number_may_end(enum jsonr_state state)
{
	return state == JSONR_ZERO || state == JSONR_INTEGER ||
		state == JSONR_FRACTION || state == JSONR_EXPONENT;
}

bool
jsonr_is_number(const uint8_t *p, size_t n)
{
	enum jsonr_state state = JSONR_MINUS;
	size_t i = n > 0 && p[0] == '-' ? 1 : 0;

	for (; i < n && state != JSONR_CLOSED; i++)
		state = number_step(state, p[i]);
	return number_may_end(state);
}

static bool
in_number(struct jsonr *j, uint8_t c)
{
	enum jsonr_state next = number_step(j->state, c);

	if (next != JSONR_CLOSED) {
		j->state = next;
		return take(j, &c, 1);
	}
	if (!number_may_end(j->state))
		return jsonr_refuse(j, j->offset, "a digit", c);
	return end_scalar(j, j->offset) && between(j, c);
}

/* Section 8.1: a parser may ignore it. */
static bool
in_bom(struct jsonr *j, uint8_t c)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};

	if (j->state == JSONR_BEGIN && (!j->bom || c != bom[0])) {
		j->state = JSONR_VALUE_DUE;
		return between(j, c);
	}
	if (c != bom[j->offset])
		return jsonr_refuse(
			j, j->offset, "the rest of a byte order mark", c);
	j->state = j->offset == 2 ? JSONR_VALUE_DUE : JSONR_IN_BOM;
	return true;
}

static bool
see_byte(struct jsonr *j, uint8_t c)
{
	switch (j->state) {
	case JSONR_BEGIN:
	case JSONR_IN_BOM:
		return in_bom(j, c);
	case JSONR_IN_STRING:
		return in_string(j, c);
	case JSONR_IN_ESCAPE:
		return in_escape(j, c);
	case JSONR_IN_HEX:
		return in_hex(j, c);
	case JSONR_IN_WORD:
		return in_word(j, c);
	case JSONR_MINUS:
	case JSONR_ZERO:
	case JSONR_INTEGER:
	case JSONR_POINT:
	case JSONR_FRACTION:
	case JSONR_E:
	case JSONR_SIGN:
	case JSONR_EXPONENT:
		return in_number(j, c);
	default:
		return between(j, c);
	}
}

/* The plain bytes at the front: all of them may be taken at once. */
static size_t
plain_run(struct jsonr *j, const uint8_t *p, size_t n)
{
	uint64_t most = j->record_start + j->max_record - j->offset;

	if (j->isa->plain == NULL || j->high != 0 || !utf8_end(&j->utf8))
		return 0;
	if (j->record != 0 && n > most)
		n = (size_t)most;
	return j->isa->plain(p, n);
}

size_t
jsonr_bytes(struct jsonr *j, const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (j->state == JSONR_IN_STRING) {
			size_t run = plain_run(j, p + i, n - i);

			if (run > 0) {
				if (!take(j, p + i, run))
					return i;
				i += run;
				j->offset += run;
				continue;
			}
		} else if (j->state < JSONR_CLOSED && j->depth > 0 &&
			j->offset >= j->plain_until) {
			return i;
		}
		/* A number ends with the byte behind it. */
		if (j->record != 0 &&
			j->offset - j->record_start > j->max_record) {
			jsonr_refuse_long(j);
			return i;
		}
		if (!see_byte(j, p[i]))
			return i;
		i++;
		j->offset++;
	}
	return i;
}
