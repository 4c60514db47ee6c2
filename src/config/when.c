#include "config/when.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/value.h"

/* "6:00", "06:00"; "24:00" where a day may end. */
static bool
time_of_day(const char *text, size_t len, bool end, uint16_t *ret)
{
	const char *colon = memchr(text, ':', len);
	uint64_t hour, minute;

	if (colon == NULL || colon > text + 2 || text + len != colon + 3 ||
		!str_parse_u64(text, (size_t)(colon - text), &hour) ||
		!str_parse_u64(colon + 1, 2, &minute) || minute > 59 ||
		hour * 60 + minute > (end ? 1440 : 1439))
		return false;
	*ret = (uint16_t)(hour * 60 + minute);
	return true;
}

bool
when_read_time(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	uint16_t *at = field;

	return time_of_day(n->text, n->len, false, at) ||
		field_expected(o, c, n);
}

bool
when_read_window(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	size_t len = strcspn(n->text, "-");
	struct window w = {.set = true}, *at = field;

	if (len == n->len || !time_of_day(n->text, len, false, &w.from) ||
		!time_of_day(n->text + len + 1, n->len - len - 1, true, &w.to))
		return field_expected(o, c, n);
	*at = w;
	return true;
}

/* "NAME: THAT: why". */
static bool
wrong_because(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, const struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	yaml_add_shown(&s, n);
	report_add(c->report, n->line, n->column, "%s: %s: %s", option_name(o),
		s.s, e->text);
	return false;
}

bool
when_read_zone(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct zoneinfo **at = field, *z;
	struct err e = ERR_INIT;

	if (zoneinfo_load(n->text, &z, &e) != OK)
		return wrong_because(o, c, n, &e);
	zoneinfo_free(*at);
	*at = z;
	return true;
}

bool
when_read_cron(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct cron **at = field, *cron;
	struct err e = ERR_INIT;

	if (cron_parse(n->text, &cron, &e) != OK)
		return wrong_because(o, c, n, &e);
	cron_free(*at);
	*at = cron;
	return true;
}

static const char *const weekdays[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static bool
weekday(const char *text, size_t len, unsigned *ret)
{
	char name[4] = "";

	if (len >= sizeof(name))
		return false;
	memcpy(name, text, len);
	return value_choice(name, weekdays, ret);
}

/* "mon", "fri-mon", "month-end". */
static bool
add_days(const char *text, size_t len, struct days *d)
{
	static const char month_end[] = "month-end";
	const char *dash = memchr(text, '-', len);
	unsigned from, to;

	if (len == sizeof(month_end) - 1 && memcmp(text, month_end, len) == 0) {
		d->month_end = true;
		return true;
	}
	if (dash == NULL)
		dash = text + len;
	if (!weekday(text, (size_t)(dash - text), &from))
		return false;
	to = from;
	if (dash < text + len &&
		!weekday(dash + 1, (size_t)(text + len - dash) - 1, &to))
		return false;
	d->weekday[to] = true;
	for (; from != to; from = (from + 1) % 7)
		d->weekday[from] = true;
	return true;
}

/* The items of a list, or one scalar: NULL at the end. */
static const struct yaml_node *
first_item(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR ? n : n->first;
}

static const struct yaml_node *
next_item(const struct yaml_node *n, const struct yaml_node *item)
{
	return item == n ? NULL : item->next;
}

static bool
is_list(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR || (n->kind == YAML_SEQUENCE && n->n > 0);
}

/* "mon-fri", "mon,wed" or [mon, wed]. */
static bool
add_item(const struct yaml_node *item, struct days *d)
{
	const char *text = item->text;

	if (item->kind != YAML_SCALAR || strlen(text) != item->len)
		return false;
	for (;; text++) {
		size_t len = strcspn(text, ",");

		if (!add_days(text, len, d))
			return false;
		text += len;
		if (*text == '\0')
			return true;
		text += strspn(text + 1, " ");
	}
}

bool
when_read_days(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct days d = {.month_end = false}, *at = field;
	bool right = is_list(n);

	if (!right)
		return field_expected(o, c, n);
	for (const struct yaml_node *i = first_item(n); i != NULL;
		i = next_item(n, i))
		if (!add_item(i, &d))
			right = i->kind == YAML_WRONG ? false
						      : field_expected(o, c, i);
	if (!right)
		return false;
	memcpy(at->weekday, d.weekday, sizeof(d.weekday));
	at->month_end = d.month_end;
	return true;
}

/* "2026-12-25": 20261225. */
static bool
date(const struct yaml_node *n, uint32_t *ret)
{
	CLEANUP(str_release) struct str again = STR_INIT;
	char text[32] = "";
	uint64_t year, month, day;
	int64_t wall;

	if (n->kind != YAML_SCALAR || n->len != 10)
		return false;
	memcpy(text, n->text, 10);
	memcpy(text + 10, "T00:00:00Z", 10);
	if (!clock_parse_time(text, &wall) || !str_parse_u64(text, 4, &year) ||
		!str_parse_u64(text + 5, 2, &month) ||
		!str_parse_u64(text + 8, 2, &day))
		return false;
	/* The 30th of February would be read as the 2nd of March. */
	clock_add_date(&again, wall);
	if (memcmp(again.s, text, 10) != 0)
		return false;
	*ret = (uint32_t)((year * 100 + month) * 100 + day);
	return true;
}

static int
by_date(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool
when_read_dates(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct days *at = field;
	uint32_t *dates;
	size_t found = 0;
	bool right = true;

	if (n->kind != YAML_SCALAR && n->kind != YAML_SEQUENCE)
		return field_expected(o, c, n);
	dates = mem_array(n->n + 1, sizeof(*dates));
	for (const struct yaml_node *i = first_item(n); i != NULL;
		i = next_item(n, i)) {
		if (date(i, &dates[found]))
			found++;
		else
			right = i->kind == YAML_WRONG ? false
						      : field_expected(o, c, i);
	}
	if (!right) {
		free(dates);
		return false;
	}
	qsort(dates, found, sizeof(*dates), by_date);
	free(at->holidays);
	at->holidays = dates;
	at->n_holidays = found;
	return true;
}

static bool
bound(const char *text, size_t len, bool units, uint64_t *ret)
{
	CLEANUP(mem_release) char *word = mem_dup(text, len);

	return units ? value_size(word, ret) : str_parse_u64(word, len, ret);
}

static bool
read_band(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, bool units, struct band *at)
{
	struct band b = {.most = UINT64_MAX};
	const char *dots = strstr(n->text, "..");
	const char *end = n->text + n->len;

	if (strcmp(n->text, "learned") == 0) {
		b.learned = true;
	} else if (dots == NULL) {
		if (!bound(n->text, n->len, units, &b.least))
			return field_expected(o, c, n);
		b.most = b.least;
	} else if (n->len == 2 ||
		(dots > n->text &&
			!bound(n->text, (size_t)(dots - n->text), units,
				&b.least)) ||
		(dots + 2 < end &&
			!bound(dots + 2, (size_t)(end - dots) - 2, units,
				&b.most))) {
		return field_expected(o, c, n);
	}
	if (b.least > b.most)
		return field_wrong(o, c, n, "begins above its end");
	*at = b;
	return true;
}

bool
when_read_band(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	return read_band(o, c, n, false, field);
}

bool
when_read_size_band(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	return read_band(o, c, n, true, field);
}
