#include "source/http/timefmt.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

#define MS (CLOCK_SECOND / 1000)
#define DAY (86400 * CLOCK_SECOND)

static const struct {
	const char *name;
	enum api_time time;
} formats[] = {
	{"rfc3339", API_TIME_RFC3339},
	{"rfc3339_ms", API_TIME_RFC3339_MS},
	{"epoch_s", API_TIME_EPOCH_S},
	{"epoch_ms", API_TIME_EPOCH_MS},
	{"date", API_TIME_DATE},
};

static const char letters[] = "YmdHMSf%";

static enum rc
check_custom(const char *text, struct err *e)
{
	for (const char *c = strchr(text, '%'); c != NULL;
		c = strchr(c + 2, '%'))
		if (c[1] == '\0' || strchr(letters, c[1]) == NULL)
			return err_set(e, BAD_ITEM,
				"%%%.1s: known are %%Y %%m %%d %%H %%M %%S, "
				"%%f (a fraction) and %%%%",
				c + 1);
	return OK;
}

enum rc
api_format_parse(const char *text, struct api_format *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(text, formats[i].name) == 0) {
			*ret = (struct api_format){.time = formats[i].time};
			return OK;
		}
	if (strchr(text, '%') == NULL)
		return err_set(e, BAD_ITEM,
			"expected rfc3339, rfc3339_ms, epoch_s, epoch_ms, "
			"date or letters such as %%Y-%%m-%%dT%%H");
	if (check_custom(text, e) != OK)
		return e->code;
	if (strstr(text, "%Y") == NULL)
		return err_set(e, BAD_ITEM, "a time needs its year, %%Y");
	*ret = (struct api_format){API_TIME_CUSTOM, mem_strdup(text)};
	return OK;
}

int64_t
api_format_step(const struct api_format *f)
{
	static const struct {
		const char *letter;
		int64_t step;
	} steps[] = {
		{"%f", 1000},
		{"%S", CLOCK_SECOND},
		{"%M", 60 * CLOCK_SECOND},
		{"%H", 3600 * CLOCK_SECOND},
	};

	if (f->time == API_TIME_RFC3339_MS || f->time == API_TIME_EPOCH_MS)
		return MS;
	if (f->time == API_TIME_DATE)
		return DAY;
	if (f->time != API_TIME_CUSTOM)
		return CLOCK_SECOND;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (strstr(f->custom, steps[i].letter) != NULL)
			return steps[i].step;
	return DAY;
}

/* ---- calendar: proleptic Gregorian, days since 1970-01-01 ---- */

struct fields {
	int64_t year;
	int64_t month, day, hour, minute, second;
	int64_t ns;
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Years that begin in March: the leap day is the last. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400), yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, struct fields *f)
{
	int64_t z = days + 719468, era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	f->day = doy - (153 * mp + 2) / 5 + 1;
	f->month = mp + (mp < 10 ? 3 : -9);
	f->year = yoe + era * 400 + (f->month <= 2);
}

static bool
is_leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static bool
to_wall(const struct fields *f, int64_t *ret)
{
	static const uint8_t days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t s;

	if (f->year < 1678 || f->year > 2261 || f->month < 1 || f->month > 12 ||
		f->day < 1 ||
		f->day > days[f->month - 1] +
				(f->month == 2 && is_leap(f->year)) ||
		f->hour > 23 || f->minute > 59 || f->second > 60)
		return false;
	s = days_of(f->year, f->month, f->day) * 86400 + f->hour * 3600 +
		f->minute * 60 + f->second;
	*ret = s * CLOCK_SECOND + f->ns;
	return true;
}

static void
from_wall(int64_t wall, struct fields *f)
{
	int64_t days = floor_div(wall, DAY), rest = wall - days * DAY;

	date_of(days, f);
	f->ns = rest % CLOCK_SECOND;
	rest /= CLOCK_SECOND;
	f->hour = rest / 3600;
	f->minute = rest / 60 % 60;
	f->second = rest % 60;
}

/* ---- writing ---- */

static void
add_number(struct str *s, int64_t v, unsigned width)
{
	str_add_u64(s, (uint64_t)v, width);
}

static void
add_custom(struct str *s, const char *text, const struct fields *f)
{
	for (; *text != '\0'; text++) {
		if (*text != '%') {
			str_addc(s, *text);
			continue;
		}
		switch (*++text) {
		case 'Y':
			add_number(s, f->year, 4);
			break;
		case 'm':
			add_number(s, f->month, 2);
			break;
		case 'd':
			add_number(s, f->day, 2);
			break;
		case 'H':
			add_number(s, f->hour, 2);
			break;
		case 'M':
			add_number(s, f->minute, 2);
			break;
		case 'S':
			add_number(s, f->second, 2);
			break;
		case 'f':
			add_number(s, f->ns / 1000, 6);
			break;
		default:
			str_addc(s, '%');
		}
	}
}

void
timefmt_add(struct str *s, const struct api_format *f, int64_t wall)
{
	struct fields at;

	from_wall(wall, &at);
	switch (f->time) {
	case API_TIME_RFC3339:
		add_custom(s, "%Y-%m-%dT%H:%M:%SZ", &at);
		break;
	case API_TIME_RFC3339_MS:
		add_custom(s, "%Y-%m-%dT%H:%M:%S.", &at);
		add_number(s, at.ns / MS, 3);
		str_addc(s, 'Z');
		break;
	case API_TIME_EPOCH_S:
		str_addf(s, "%lld", (long long)floor_div(wall, CLOCK_SECOND));
		break;
	case API_TIME_EPOCH_MS:
		str_addf(s, "%lld", (long long)floor_div(wall, MS));
		break;
	case API_TIME_DATE:
		add_custom(s, "%Y-%m-%d", &at);
		break;
	case API_TIME_CUSTOM:
		add_custom(s, f->custom, &at);
	}
}

/* ---- reading ---- */

struct cursor {
	const char *p, *end;
};

static bool
is_digit(const struct cursor *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

/* Exactly so many digits. */
static bool
take_number(struct cursor *c, unsigned digits, int64_t *ret)
{
	int64_t v = 0;

	while (digits-- > 0) {
		if (!is_digit(c))
			return false;
		v = v * 10 + (*c->p++ - '0');
	}
	*ret = v;
	return true;
}

static bool
take(struct cursor *c, char what)
{
	if (c->p == c->end || *c->p != what)
		return false;
	c->p++;
	return true;
}

/* At least one digit of a fraction, as ns. */
static bool
take_fraction(struct cursor *c, int64_t *ret)
{
	int64_t v = 0, unit = CLOCK_SECOND;

	if (!is_digit(c))
		return false;
	for (; is_digit(c); c->p++) {
		unit /= 10;
		v += (*c->p - '0') * unit;
	}
	*ret = v;
	return true;
}

static bool
take_custom(struct cursor *c, const char *text, struct fields *f)
{
	for (; *text != '\0'; text++) {
		bool right;

		if (*text != '%') {
			if (!take(c, *text))
				return false;
			continue;
		}
		switch (*++text) {
		case 'Y':
			right = take_number(c, 4, &f->year);
			break;
		case 'm':
			right = take_number(c, 2, &f->month);
			break;
		case 'd':
			right = take_number(c, 2, &f->day);
			break;
		case 'H':
			right = take_number(c, 2, &f->hour);
			break;
		case 'M':
			right = take_number(c, 2, &f->minute);
			break;
		case 'S':
			right = take_number(c, 2, &f->second);
			break;
		case 'f':
			right = take_fraction(c, &f->ns);
			break;
		default:
			right = take(c, '%');
		}
		if (!right)
			return false;
	}
	return true;
}

/* "+01:00", "-0530": seconds east of Greenwich. */
static bool
take_zone(struct cursor *c, int64_t *ret)
{
	int64_t h, m;
	bool west = c->p < c->end && *c->p == '-';

	if (!take(c, '+') && !take(c, '-'))
		return false;
	if (!take_number(c, 2, &h))
		return false;
	(void)take(c, ':');
	if (!take_number(c, 2, &m) || h > 23 || m > 59)
		return false;
	*ret = (h * 3600 + m * 60) * (west ? -1 : 1);
	return true;
}

bool
api_parse_time(const char *text, size_t len, int64_t *ret_wall)
{
	struct cursor c = {text, text + len};
	struct fields f = {.ns = 0};
	int64_t zone = 0;

	if (!take_custom(&c, "%Y-%m-%d", &f))
		return false;
	if (c.p == c.end)
		return to_wall(&f, ret_wall);
	if (*c.p != 'T' && *c.p != 't' && *c.p != ' ')
		return false;
	c.p++;
	if (!take_custom(&c, "%H:%M:%S", &f))
		return false;
	if (take(&c, '.') && !take_fraction(&c, &f.ns))
		return false;
	if (!take(&c, 'Z') && !take(&c, 'z') && !take_zone(&c, &zone))
		return false;
	if (c.p != c.end || !to_wall(&f, ret_wall))
		return false;
	*ret_wall -= zone * CLOCK_SECOND;
	return true;
}

/* Digits, perhaps a sign and a fraction, in units of `unit` ns. */
static bool
parse_epoch(struct cursor *c, int64_t unit, int64_t *ret)
{
	bool negative = take(c, '-');
	int64_t v = 0, part = 0;

	if (!is_digit(c))
		return false;
	for (; is_digit(c); c->p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, *c->p - '0', &v))
			return false;
	if (take(c, '.') && !take_fraction(c, &part))
		return false;
	part /= CLOCK_SECOND / unit;
	if (c->p != c->end || __builtin_mul_overflow(v, unit, &v) ||
		__builtin_add_overflow(v, part, &v))
		return false;
	*ret = negative ? -v : v;
	return true;
}

bool
timefmt_parse(const struct api_format *f, const void *text, size_t len,
	int64_t *ret_wall)
{
	struct cursor c = {text, (const char *)text + len};
	struct fields at = {.month = 1, .day = 1};

	switch (f->time) {
	case API_TIME_EPOCH_S:
		return parse_epoch(&c, CLOCK_SECOND, ret_wall);
	case API_TIME_EPOCH_MS:
		return parse_epoch(&c, MS, ret_wall);
	case API_TIME_CUSTOM:
		return take_custom(&c, f->custom, &at) && c.p == c.end &&
			to_wall(&at, ret_wall);
	default:
		return api_parse_time(text, len, ret_wall);
	}
}

/* ---- HTTP dates ---- */

static bool
take_month(struct cursor *c, int64_t *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (c->end - c->p < 3)
		return false;
	for (int64_t i = 0; i < 12; i++)
		if (strncasecmp(c->p, names + 3 * i, 3) == 0) {
			c->p += 3;
			*ret = i + 1;
			return true;
		}
	return false;
}

static bool
take_day_name(struct cursor *c)
{
	const char *from = c->p;

	while (c->p < c->end &&
		((*c->p >= 'A' && *c->p <= 'Z') ||
			(*c->p >= 'a' && *c->p <= 'z')))
		c->p++;
	return c->p - from >= 3 && c->p - from <= 9;
}

/* One or two digits, a space in front where asctime() pads. */
static bool
take_day(struct cursor *c, int64_t *ret)
{
	(void)take(c, ' ');
	if (!take_number(c, 1, ret))
		return false;
	if (is_digit(c))
		*ret = *ret * 10 + (*c->p++ - '0');
	return true;
}

static bool
take_clock(struct cursor *c, struct fields *f)
{
	if (!take_number(c, 2, &f->hour) || !take(c, ':') ||
		!take_number(c, 2, &f->minute))
		return false;
	/* Mail may leave the seconds out. */
	return !take(c, ':') || take_number(c, 2, &f->second);
}

/* "Nov  6 08:49:37 1994", what asctime() makes. */
static bool
take_asctime(struct cursor *c, struct fields *f)
{
	return take_month(c, &f->month) && take(c, ' ') &&
		take_day(c, &f->day) && take(c, ' ') && take_clock(c, f) &&
		take(c, ' ') && take_number(c, 4, &f->year);
}

/*
 * "06 Nov 1994 08:49:37", or "06-Nov-94 ..." of RFC 850, whose two digits
 * are the year that is not more than 50 years ahead (RFC 9110).
 */
static bool
take_date(struct cursor *c, struct fields *f)
{
	char between;

	if (!take_day(c, &f->day) || c->p == c->end)
		return false;
	between = *c->p++;
	if ((between != ' ' && between != '-') || !take_month(c, &f->month) ||
		!take(c, between))
		return false;
	if (!take_number(c, 2, &f->year))
		return false;
	if (is_digit(c)) {
		int64_t more;

		if (!take_number(c, 2, &more))
			return false;
		f->year = f->year * 100 + more;
	} else {
		f->year += f->year < 76 ? 2000 : 1900;
	}
	return take(c, ' ') && take_clock(c, f);
}

bool
timefmt_parse_http(const void *text, size_t len, int64_t *ret_wall)
{
	struct cursor c = {text, (const char *)text + len};
	struct fields f = {.ns = 0};
	int64_t zone = 0;

	if (!is_digit(&c)) {
		if (!take_day_name(&c))
			return false;
		if (take(&c, ' ')) {
			if (!take_asctime(&c, &f) || c.p != c.end)
				return false;
			return to_wall(&f, ret_wall);
		}
		if (!take(&c, ',') || !take(&c, ' '))
			return false;
	}
	if (!take_date(&c, &f) || !take(&c, ' '))
		return false;
	if (c.end - c.p >= 2 && strncasecmp(c.p, "UT", 2) == 0) {
		c.p += 2;
		if (c.p < c.end && (*c.p == 'C' || *c.p == 'c'))
			c.p++;
	} else if (c.end - c.p >= 3 && strncasecmp(c.p, "GMT", 3) == 0) {
		c.p += 3;
	} else if (!take_zone(&c, &zone)) {
		return false;
	}
	if (c.p != c.end || !to_wall(&f, ret_wall))
		return false;
	*ret_wall -= zone * CLOCK_SECOND;
	return true;
}
