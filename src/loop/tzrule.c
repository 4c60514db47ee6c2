#include "loop/tzrule.h"

#include <string.h>

#include "loop/calendar.h"

struct cursor {
	const char *at, *end;
};

static bool
take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "CET" or "<+0330>": at least three characters. */
static bool
take_name(struct cursor *c)
{
	bool quoted = take(c, '<');
	const char *from = c->at;

	while (c->at < c->end &&
		(is_letter(*c->at) ||
			(quoted &&
				(is_digit(*c->at) || *c->at == '+' ||
					*c->at == '-'))))
		c->at++;
	return c->at - from >= 3 && (!quoted || take(c, '>'));
}

static bool
take_number(struct cursor *c, int most, int *ret)
{
	const char *from = c->at;
	int v = 0;

	while (c->at < c->end && is_digit(*c->at) && v <= most)
		v = v * 10 + (*c->at++ - '0');
	*ret = v;
	return c->at > from && v <= most;
}

/* [+-]h[:m[:s]] */
static bool
take_time(struct cursor *c, int hours, int32_t *ret)
{
	int h, m = 0, s = 0;
	bool minus = take(c, '-');

	if (!minus)
		(void)take(c, '+');
	if (!take_number(c, hours, &h))
		return false;
	if (take(c, ':') &&
		(!take_number(c, 59, &m) ||
			(take(c, ':') && !take_number(c, 59, &s))))
		return false;
	*ret = (h * 60 + m) * 60 + s;
	if (minus)
		*ret = -*ret;
	return true;
}

/* ",M3.5.0/2", ",J60", ",0/0" */
static bool
take_change(struct cursor *c, struct tzrule_change *ret)
{
	*ret = (struct tzrule_change){.kind = 'N', .second = 7200};
	if (!take(c, ','))
		return false;
	if (take(c, 'M')) {
		ret->kind = 'M';
		if (!take_number(c, 12, &ret->month) || ret->month < 1 ||
			!take(c, '.') || !take_number(c, 5, &ret->week) ||
			ret->week < 1 || !take(c, '.') ||
			!take_number(c, 6, &ret->day))
			return false;
	} else if (take(c, 'J')) {
		ret->kind = 'J';
		if (!take_number(c, 365, &ret->day) || ret->day < 1)
			return false;
	} else if (!take_number(c, 365, &ret->day)) {
		return false;
	}
	return !take(c, '/') || take_time(c, 167, &ret->second);
}

bool
tzrule_parse(const char *text, size_t len, struct tzrule *ret)
{
	struct cursor c = {.at = text, .end = text + len};
	struct tzrule r = {.changes = false};

	/* POSIX counts west of Greenwich; everybody else east. */
	if (!take_name(&c) || !take_time(&c, 24, &r.standard))
		return false;
	r.standard = -r.standard;
	if (c.at < c.end) {
		r.changes = true;
		r.summer = r.standard + 3600;
		if (!take_name(&c))
			return false;
		if (c.at < c.end && *c.at != ',') {
			if (!take_time(&c, 24, &r.summer))
				return false;
			r.summer = -r.summer;
		}
		if (!take_change(&c, &r.begin) || !take_change(&c, &r.end))
			return false;
	}
	if (c.at != c.end)
		return false;
	*ret = r;
	return true;
}

/* The second since 1970 of this year's change; offset: before it. */
static int64_t
change_in(const struct tzrule_change *c, int year, int32_t offset)
{
	int64_t day;

	if (c->kind == 'M') {
		struct civil first;
		int d;

		day = calendar_days(year, c->month, 1);
		calendar_date(day, &first);
		d = (c->day - first.weekday + 7) % 7 + (c->week - 1) * 7;
		if (d >= calendar_month_days(year, c->month))
			d -= 7;
		day += d;
	} else if (c->kind == 'J') {
		day = calendar_days(year, 1, c->day);
		if (c->day >= 60 && calendar_month_days(year, 2) == 29)
			day++;
	} else {
		day = calendar_days(year, 1, 1 + c->day);
	}
	return day * CALENDAR_DAY + c->second - offset;
}

static int
year_of(const struct tzrule *r, int64_t second)
{
	struct civil c;

	calendar_date(calendar_day_of(second + r->standard), &c);
	return c.year;
}

int32_t
tzrule_offset(const struct tzrule *r, int64_t second)
{
	int64_t begin, end;
	int year;

	if (!r->changes)
		return r->standard;
	year = year_of(r, second);
	begin = change_in(&r->begin, year, r->standard);
	end = change_in(&r->end, year, r->summer);
	/* South of the equator summer spans the turn of the year. */
	if (begin < end ? second >= begin && second < end
			: second < end || second >= begin)
		return r->summer;
	return r->standard;
}

int64_t
tzrule_next(const struct tzrule *r, int64_t second)
{
	int64_t next = INT64_MAX;
	int year;

	if (!r->changes)
		return next;
	year = year_of(r, second);
	for (int y = year - 1; y <= year + 1; y++) {
		const int64_t change[] = {
			change_in(&r->begin, y, r->standard),
			change_in(&r->end, y, r->summer),
		};

		for (size_t i = 0; i < ARRAY_LEN(change); i++)
			if (change[i] > second && change[i] < next)
				next = change[i];
	}
	return next;
}
