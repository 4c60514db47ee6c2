#include "source/http/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/http/timefmt.h"

static int64_t
floor_to(int64_t v, int64_t step)
{
	int64_t rest;

	if (step <= 1)
		return v;
	rest = v % step;
	if (rest < 0)
		rest += step;
	return v < INT64_MIN + rest ? v : v - rest;
}

static int64_t
ceil_to(int64_t v, int64_t step)
{
	int64_t down = floor_to(v, step), up;

	if (down == v || __builtin_add_overflow(down, step, &up))
		return down;
	return up;
}

/* a - b, or the end of the scale. */
static int64_t
minus(int64_t a, int64_t b)
{
	int64_t v;

	if (__builtin_sub_overflow(a, b, &v))
		return b > 0 ? INT64_MIN : INT64_MAX;
	return v;
}

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t v;

	if (__builtin_add_overflow(a, b, &v))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return v;
}

static bool
is_int(const struct api_incremental *rule)
{
	return rule->kind == API_KIND_INT;
}

void
windows_begin(struct windows *it, const struct api_incremental *rule,
	const int64_t *cursor, int64_t now)
{
	int64_t horizon =
		rule->retention > 0 ? minus(now, rule->retention) : INT64_MIN;

	*it = (struct windows){.rule = rule};
	it->bound = is_int(rule) ? INT64_MAX
				 : floor_to(minus(now, rule->lag), rule->align);
	if (cursor == NULL) {
		it->next = rule->start;
	} else if (*cursor >= it->bound) {
		/* Nothing has become complete since. */
		it->next = it->bound;
		return;
	} else {
		it->next = minus(*cursor, rule->lookback);
		if (it->next < rule->start)
			it->next = rule->start;
	}
	if (it->next < horizon) {
		it->gap = cursor != NULL && *cursor < horizon;
		it->gap_from = cursor != NULL ? *cursor : it->next;
		it->next = ceil_to(horizon, rule->align);
		it->gap_to = it->next;
	}
	it->next = floor_to(it->next, rule->align);
	if (it->gap || (horizon > INT64_MIN && it->next < horizon))
		it->next = ceil_to(horizon, rule->align);
}

void
windows_between(struct windows *it, const struct api_incremental *rule,
	int64_t from, int64_t to)
{
	*it = (struct windows){
		.rule = rule,
		.next = floor_to(from, rule->align),
		.bound = ceil_to(to, rule->align),
	};
}

bool
windows_next(struct windows *it, struct api_window *ret)
{
	const struct api_incremental *rule = it->rule;
	int64_t end;

	if (it->next >= it->bound)
		return false;
	end = rule->window > 0 ? plus(it->next, rule->window) : it->bound;
	if (end > it->bound)
		end = it->bound;
	*ret = (struct api_window){it->next, end};
	it->next = end;
	return true;
}

bool
windows_split(struct windows *it, struct api_window *w)
{
	int64_t step = it->rule->align > 0 ? it->rule->align : 1;
	int64_t half;

	if (is_int(it->rule) || w->end - w->start <= step)
		return false;
	half = floor_to((w->end - w->start) / 2, step);
	if (half == 0)
		half = step;
	w->end = w->start + half;
	it->next = w->end;
	return true;
}

static void
set_point(struct vars *v, const struct api_incremental *rule, const char *name,
	int64_t point)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (is_int(rule))
		str_addf(&s, "%lld", (long long)point);
	else
		timefmt_add(&s, &rule->format, point);
	vars_set(v, API_WINDOW, name, s.s, s.len);
}

void
window_vars(const struct api_incremental *rule, const struct api_window *w,
	struct vars *v)
{
	vars_unset_all(v, API_WINDOW);
	if (rule->kind == API_KIND_TOKEN) {
		if (vars_get(v, API_PAGE, "token") == NULL)
			set_point(v, rule, "start", rule->start);
		return;
	}
	set_point(v, rule, "start", w->start);
	set_point(v, rule, "after", minus(w->start, rule->granularity));
	if (w->end == INT64_MAX)
		return;
	set_point(v, rule, "end", w->end);
	set_point(v, rule, "last", minus(w->end, rule->granularity));
}

bool
window_parse(const struct api_incremental *rule, const void *p, size_t len,
	int64_t *ret)
{
	uint64_t v;

	if (!is_int(rule))
		return timefmt_parse(&rule->record_format, p, len, ret);
	if (!str_parse_u64(p, len, &v) || v > INT64_MAX)
		return false;
	*ret = (int64_t)v;
	return true;
}

void
window_add_point(
	struct str *s, const struct api_incremental *rule, int64_t point)
{
	if (is_int(rule))
		str_addf(s, "%lld", (long long)point);
	else if (point % CLOCK_SECOND == 0)
		clock_add_time(s, point);
	else
		clock_add_time_ns(s, point);
}

bool
window_position(
	const struct api_incremental *rule, const char *text, int64_t *ret)
{
	const struct api_format rfc = {.time = API_TIME_RFC3339};
	const struct api_format date = {.time = API_TIME_DATE};
	char *end;

	if (!is_int(rule))
		return timefmt_parse(&rfc, text, strlen(text), ret) ||
			timefmt_parse(&date, text, strlen(text), ret);
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return *text != '\0' && *end == '\0' && errno == 0;
}
