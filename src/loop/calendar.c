#include "loop/calendar.h"

#include "base/clock.h"

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
calendar_days(int year, int month, int day)
{
	int64_t y = year < 1 ? 1 : year > 9999 ? 9999 : year;
	int64_t m = month;

	/* Years that begin in March have their leap day at the end. */
	if (m <= 2) {
		y--;
		m += 12;
	}
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m - 457) / 5 + day -
		719469;
}

int
calendar_month_days(int year, int month)
{
	int next = month == 12 ? 1 : month + 1;

	return (int)(calendar_days(year + (month == 12), next, 1) -
		calendar_days(year, month, 1));
}

void
calendar_date(int64_t days, struct civil *ret)
{
	/* 400 years are 146097 days: never off by more than one. */
	int y = 1970 + (int)floor_div(days * 400, 146097);
	int m = 1;

	if (calendar_days(y, 1, 1) > days)
		y--;
	else if (calendar_days(y + 1, 1, 1) <= days)
		y++;
	days -= calendar_days(y, 1, 1);
	*ret = (struct civil){
		.weekday = (int)((days + calendar_days(y, 1, 1)) % 7)};
	ret->weekday = (ret->weekday + 7 + 4) % 7; /* day 0 was a Thursday */
	while (days >= calendar_month_days(y, m))
		days -= calendar_month_days(y, m++);
	ret->year = y;
	ret->month = m;
	ret->day = (int)days + 1;
}

int64_t
calendar_day_of(int64_t seconds)
{
	return floor_div(seconds, CALENDAR_DAY);
}

int64_t
calendar_second(int64_t wall)
{
	return floor_div(wall, CLOCK_SECOND);
}

int64_t
calendar_wall(int64_t second)
{
	int64_t wall;

	if (__builtin_mul_overflow(second, CLOCK_SECOND, &wall))
		return second < 0 ? INT64_MIN : INT64_MAX;
	return wall;
}

static bool
is_holiday(const struct days *d, uint32_t date)
{
	size_t from = 0, to = d->n_holidays;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (d->holidays[mid] < date)
			from = mid + 1;
		else
			to = mid;
	}
	return from < d->n_holidays && d->holidays[from] == date;
}

bool
calendar_has(const struct days *d, int64_t day)
{
	struct civil c;
	bool any = true;

	calendar_date(day, &c);
	for (int i = 0; i < 7; i++)
		any &= !d->weekday[i];
	if (!any && !d->weekday[c.weekday])
		return false;
	if (d->month_end && c.day != calendar_month_days(c.year, c.month))
		return false;
	return !is_holiday(
		d, (uint32_t)((c.year * 100 + c.month) * 100 + c.day));
}
