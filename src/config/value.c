#include "config/value.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* The largest first. */
static const struct unit sizes[] = {
	{"TiB", UINT64_C(1) << 40},
	{"GiB", UINT64_C(1) << 30},
	{"MiB", UINT64_C(1) << 20},
	{"KiB", UINT64_C(1) << 10},
	{"B", 1},
	{NULL, 0},
};

static const struct unit durations[] = {
	{"d", 86400 * CLOCK_SECOND},
	{"h", 3600 * CLOCK_SECOND},
	{"m", 60 * CLOCK_SECOND},
	{"s", CLOCK_SECOND},
	{"ms", CLOCK_SECOND / 1000},
	{NULL, 0},
};

static const struct {
	const char *name;
	uint8_t byte;
} bytes[] = {
	{"tab", '\t'},
	{"space", ' '},
	{"comma", ','},
	{"semicolon", ';'},
	{"pipe", '|'},
};

/* Digits, perhaps a space, a unit; no unit only where bare is true. */
static bool
with_unit(const char *text, const struct unit *unit, bool bare, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	const char *name = text + digits;
	uint64_t v;

	if (!str_parse_u64(text, digits, &v))
		return false;
	if (*name == '\0') {
		if (bare)
			*ret = v;
		return bare;
	}
	if (*name == ' ')
		name++;
	for (; unit->name != NULL; unit++)
		if (strcmp(name, unit->name) == 0)
			return !__builtin_mul_overflow(v, unit->factor, ret);
	return false;
}

bool
value_size(const char *text, uint64_t *ret)
{
	uint64_t v;

	if (!with_unit(text, sizes, true, &v))
		return false;
	*ret = v;
	return true;
}

bool
value_duration(const char *text, int64_t *ret_ns)
{
	uint64_t v;

	if (!with_unit(text, durations, false, &v) || v > INT64_MAX)
		return false;
	*ret_ns = (int64_t)v;
	return true;
}

/* Digits, and in front of S a fraction; times the unit that follows. */
static bool
take_component(const char **text, bool in_time, int64_t *sum)
{
	static const struct {
		char letter;
		bool in_time;
		int64_t ns;
	} units[] = {
		{'W', false, 7 * 86400 * CLOCK_SECOND},
		{'D', false, 86400 * CLOCK_SECOND},
		{'H', true, 3600 * CLOCK_SECOND},
		{'M', true, 60 * CLOCK_SECOND},
		{'S', true, CLOCK_SECOND},
	};
	size_t digits = strspn(*text, "0123456789");
	int64_t part = 0, unit = CLOCK_SECOND, total;
	uint64_t v;
	bool fraction;

	if (!str_parse_u64(*text, digits, &v))
		return false;
	*text += digits;
	fraction = **text == '.';
	if (fraction)
		for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
			unit /= 10;
			part += (**text - '0') * unit;
		}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (units[i].letter != **text || units[i].in_time != in_time ||
			(fraction && **text != 'S'))
			continue;
		(*text)++;
		return v <= INT64_MAX &&
			!__builtin_mul_overflow(
				(int64_t)v, units[i].ns, &total) &&
			!__builtin_add_overflow(total, part, &total) &&
			!__builtin_add_overflow(*sum, total, sum);
	}
	return false;
}

static bool
iso_span(const char *text, int64_t *ret_ns)
{
	bool in_time = false, some = false;
	int64_t sum = 0;

	if (*text++ != 'P')
		return false;
	while (*text != '\0') {
		if (*text == 'T' && !in_time) {
			in_time = true;
			some = false;
			text++;
			continue;
		}
		if (!take_component(&text, in_time, &sum))
			return false;
		some = true;
	}
	if (some)
		*ret_ns = sum;
	return some;
}

bool
value_span(const char *text, int64_t *ret_ns)
{
	bool negative = *text == '-';
	int64_t v;

	text += negative;
	if (!value_duration(text, &v) && !iso_span(text, &v))
		return false;
	*ret_ns = negative ? -v : v;
	return true;
}

bool
value_bool(const char *text, bool *ret)
{
	static const char *const names[] = {
		"false", "False", "FALSE", "true", "True", "TRUE", NULL};
	unsigned i;

	if (!value_choice(text, names, &i))
		return false;
	*ret = i >= 3;
	return true;
}

bool
value_byte(const char *text, uint8_t *ret)
{
	if (text[0] > 0 && text[1] == '\0') {
		*ret = (uint8_t)text[0];
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
		if (strcmp(text, bytes[i].name) == 0) {
			*ret = bytes[i].byte;
			return true;
		}
	return false;
}

bool
value_choice(const char *text, const char *const *names, unsigned *ret)
{
	for (unsigned i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

void
value_add_choices(struct str *s, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (i > 0)
			str_add(s, names[i + 1] != NULL ? ", " : " or ");
		str_add(s, names[i]);
	}
}

/* In the largest unit that divides it. */
static void
add_with_unit(struct str *s, uint64_t v, const struct unit *unit)
{
	while (unit[1].name != NULL &&
		(v < unit->factor || v % unit->factor != 0))
		unit++;
	str_addf(s, "%llu%s", (unsigned long long)(v / unit->factor),
		unit->name);
}

void
value_add_size(struct str *s, uint64_t size)
{
	add_with_unit(s, size, sizes);
}

void
value_add_duration(struct str *s, uint64_t ns)
{
	add_with_unit(s, ns, durations);
}

unsigned
value_nearness(const char *word, const char *meant)
{
	unsigned d = str_distance(word, meant);
	size_t len = strlen(meant);

	/* A third of the letters may be wrong, and one always. */
	return d <= (len < 6 ? 1 : len / 3) ? d : UINT_MAX;
}
