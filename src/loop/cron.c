#include "loop/cron.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "loop/calendar.h"
#include "loop/zoneinfo.h"

#define TEXT_MAX 1024
#define DAY_MINUTES 1440

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

struct cron {
	uint64_t set[FIELDS]; /* bit n: n is in the field */
	bool star[FIELDS];    /* the field begins with "*" */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may",
	"jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct {
	const char *what;
	unsigned least, most;
	const char *const *names; /* of least and those that follow */
} fields[FIELDS] = {
	[MINUTE] = {"minute", 0, 59, NULL},
	[HOUR] = {"hour", 0, 23, NULL},
	[DAY] = {"day of month", 1, 31, NULL},
	[MONTH] = {"month", 1, 12, month_names},
	[WEEKDAY] = {"weekday", 0, 7, weekday_names},
};

static const struct {
	const char *name, *text;
} shorthands[] = {
	{"@hourly", "0 * * * *"},
	{"@daily", "0 0 * * *"},
	{"@midnight", "0 0 * * *"},
	{"@weekly", "0 0 * * 0"},
	{"@monthly", "0 0 1 * *"},
	{"@yearly", "0 0 1 1 *"},
	{"@annually", "0 0 1 1 *"},
};

/* ---- the text ---- */

/* A number or a name at *at, which moves behind it. */
static bool
take_value(const char **at, unsigned field, unsigned *ret)
{
	size_t len = strspn(*at, "0123456789");
	uint64_t v;

	if (len > 0) {
		if (!str_parse_u64(*at, len, &v) || v < fields[field].least ||
			v > fields[field].most)
			return false;
		*at += len;
		*ret = (unsigned)v;
		return true;
	}
	if (fields[field].names == NULL)
		return false;
	for (unsigned i = 0; fields[field].names[i] != NULL; i++)
		if (strncasecmp(*at, fields[field].names[i], 3) == 0) {
			*at += 3;
			*ret = fields[field].least + i;
			return true;
		}
	return false;
}

/* "*", "5", "1-5", "*" or a range with "/2". */
static bool
take_item(const char **at, unsigned field, uint64_t *set)
{
	unsigned from = fields[field].least, to = fields[field].most;
	uint64_t step = 1;
	bool range = true;

	if (**at == '*') {
		++*at;
	} else {
		if (!take_value(at, field, &from))
			return false;
		range = **at == '-';
		to = from;
		if (range) {
			++*at;
			if (!take_value(at, field, &to))
				return false;
		}
		/* fri-sun: Sunday is 7 as well. */
		if (field == WEEKDAY && to == 0 && from > 0)
			to = 7;
		if (to < from)
			return false;
	}
	if (**at == '/') {
		size_t len = strspn(*at + 1, "0123456789");

		if (!range || !str_parse_u64(*at + 1, len, &step) || step == 0)
			return false;
		*at += 1 + len;
	}
	for (uint64_t v = from; v <= to; v += step) {
		*set |= UINT64_C(1) << v;
		if (step > to)
			break;
	}
	return true;
}

static enum rc
parse_field(struct cron *c, unsigned field, const char *text, size_t len,
	struct err *e)
{
	CLEANUP(mem_release) char *copy = mem_dup(text, len);
	const char *at = copy;

	c->star[field] = *at == '*';
	while (take_item(&at, field, &c->set[field])) {
		if (*at == '\0')
			return OK;
		if (*at++ != ',')
			break;
	}
	err_set(e, BAD_ITEM,
		"%s is no %s: expected *, numbers %u to %u%s, ranges a-b, "
		"steps */n, or a list of them with commas",
		copy, fields[field].what, fields[field].least,
		fields[field].most,
		fields[field].names != NULL ? " or names" : "");
	return e->code;
}

static enum rc
parse_fields(struct cron *c, const char *text, struct err *e)
{
	static const char blank[] = " \t";
	unsigned n = 0;

	for (text += strspn(text, blank); *text != '\0';
		text += strspn(text, blank)) {
		size_t len = strcspn(text, blank);

		if (n < FIELDS && parse_field(c, n, text, len, e) != OK)
			return e->code;
		n++;
		text += len;
	}
	if (n != FIELDS)
		return err_set(e, BAD_ITEM,
			"%u fields, where five are needed: minute hour "
			"day-of-month month weekday",
			n);
	/* Sunday is 0 and 7. */
	c->set[WEEKDAY] |= c->set[WEEKDAY] >> 7;
	return OK;
}

static bool
has_day(const struct cron *c, const struct civil *d)
{
	bool date = c->set[DAY] >> d->day & 1;
	bool weekday = c->set[WEEKDAY] >> d->weekday & 1;

	/* crontab(5): either one, when neither begins with "*". */
	if (!c->star[DAY] && !c->star[WEEKDAY])
		return date || weekday;
	return date && weekday;
}

/* The first matching day from this one to `last`, or last + 1. */
static int64_t
next_day(const struct cron *c, int64_t day, int64_t last)
{
	while (day <= last) {
		struct civil d;

		calendar_date(day, &d);
		if (!(c->set[MONTH] >> d.month & 1))
			day += calendar_month_days(d.year, d.month) - d.day + 1;
		else if (has_day(c, &d))
			break;
		else
			day++;
	}
	return day <= last ? day : last + 1;
}

enum rc
cron_parse(const char *text, struct cron **ret, struct err *e)
{
	struct cron c = {.set = {0}};
	int64_t from = calendar_days(2000, 1, 1);
	/* The calendar repeats itself after 400 years, weekdays too. */
	int64_t last = calendar_days(2400, 1, 1);

	if (strlen(text) > TEXT_MAX)
		return err_set(e, BAD_ITEM, "more than %d bytes", TEXT_MAX);
	for (size_t i = 0; i < ARRAY_LEN(shorthands); i++)
		if (strcmp(text, shorthands[i].name) == 0)
			text = shorthands[i].text;
	if (text[0] == '@')
		return err_set(e, BAD_ITEM,
			"not known: @hourly, @daily, @midnight, @weekly, "
			"@monthly or @yearly");
	if (parse_fields(&c, text, e) != OK)
		return e->code;
	if (next_day(&c, from, last) > last)
		return err_set(e, BAD_ITEM, "such a day never comes");
	*ret = mem_dup(&c, sizeof(c));
	return OK;
}

void
cron_free(struct cron *c)
{
	free(c);
}

/* ---- the time ---- */

/* The first matching minute of a day from `minute` on, or DAY_MINUTES. */
static int
next_minute(const struct cron *c, int minute)
{
	for (; minute < DAY_MINUTES; minute++)
		if (c->set[HOUR] >> (minute / 60) &
			c->set[MINUTE] >> (minute % 60) & 1)
			break;
	return minute;
}

/* The first matching local second >= local; INT64_MAX: not in our time. */
static int64_t
next_local(const struct cron *c, int64_t local)
{
	/* What int64_t can say ends in April 2262. */
	const int64_t last = calendar_days(2263, 1, 1);
	int64_t day = calendar_day_of(local);
	int minute = (int)((local - day * CALENDAR_DAY + 59) / 60);

	for (;;) {
		int64_t found = next_day(c, day, last);

		if (found > last)
			return INT64_MAX;
		minute = next_minute(c, found == day ? minute : 0);
		if (minute < DAY_MINUTES)
			return found * CALENDAR_DAY + minute * 60;
		day = found + 1;
		minute = 0;
	}
}

/* Fixed hours: each local time once. */
static int64_t
next_once(const struct cron *c, const struct zoneinfo *z, int64_t second)
{
	int64_t local = second + zoneinfo_offset(z, second);
	int64_t at;

	/*
	 * What a change just skipped runs at the change, which is earlier in
	 * local time than the clock now says: begin a day before.
	 */
	for (local -= CALENDAR_DAY;; local++) {
		local = next_local(c, local);
		if (local == INT64_MAX)
			return local;
		at = zoneinfo_second(z, local);
		if (at >= second)
			return at;
	}
}

/* Any hour: each local time that happens, each time. */
static int64_t
next_each(const struct cron *c, const struct zoneinfo *z, int64_t second)
{
	for (;;) {
		int32_t offset = zoneinfo_offset(z, second);
		int64_t change = zoneinfo_change(z, second);
		int64_t local = next_local(c, second + offset);

		if (local == INT64_MAX || local - offset < change)
			return local == INT64_MAX ? local : local - offset;
		second = change;
	}
}

int64_t
cron_next(const struct cron *c, const struct zoneinfo *z, int64_t after)
{
	int64_t second = calendar_second(after);
	int64_t at;

	if (calendar_wall(second) < after)
		second++;
	at = c->star[HOUR] ? next_each(c, z, second) : next_once(c, z, second);
	return at == INT64_MAX ? at : calendar_wall(at);
}
