#include "source/http/wait.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "source/http/timefmt.h"

static uint64_t
kernel_chance(void)
{
	uint64_t v;

	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		abort();
	return v;
}

static uint64_t (*chance)(void) = kernel_chance;

void
wait_replace_chance(uint64_t (*other)(void))
{
	chance = other != NULL ? other : kernel_chance;
}

int64_t
wait_most(const struct api_retry *r, unsigned attempt)
{
	int64_t most = r->base;

	while (attempt-- > 0 && most < r->max)
		most = most > INT64_MAX / 2 ? r->max : 2 * most;
	return most < r->max ? most : r->max;
}

int64_t
wait_jitter(const struct api_retry *r, unsigned attempt, int64_t at_least)
{
	int64_t most = wait_most(r, attempt);

	if (at_least < 0)
		at_least = 0;
	if (most <= 0)
		return at_least;
	/* 2^63 is so much more than a year that the bias is nothing. */
	return at_least + (int64_t)(chance() % ((uint64_t)most + 1));
}

/* Digits, perhaps with a fraction, times unit; at most WAIT_MAX. */
static bool
parse_amount(const char *p, size_t len, int64_t unit, int64_t *ret)
{
	const struct api_format seconds = {.time = API_TIME_EPOCH_S};
	size_t digits = 0;
	int64_t v;

	while (digits < len && p[digits] >= '0' && p[digits] <= '9')
		digits++;
	if (digits == 0)
		return false;
	/* So large that it is no number for us, and yet one. */
	if (digits > 9) {
		for (size_t i = digits; i < len; i++)
			if ((p[i] < '0' || p[i] > '9') && p[i] != '.')
				return false;
		*ret = WAIT_MAX;
		return true;
	}
	if (!timefmt_parse(&seconds, p, len, &v))
		return false;
	if (unit < CLOCK_SECOND)
		v /= CLOCK_SECOND / unit;
	else if (__builtin_mul_overflow(v, unit / CLOCK_SECOND, &v))
		v = WAIT_MAX;
	*ret = v < WAIT_MAX ? v : WAIT_MAX;
	return true;
}

static bool
parse_epoch(enum api_time time, const char *p, size_t len, int64_t *ret)
{
	const struct api_format f = {.time = time};

	return len > 0 && *p != '-' && timefmt_parse(&f, p, len, ret);
}

static void
trim(const char **p, size_t *len)
{
	while (*len > 0 && (**p == ' ' || **p == '\t'))
		(*p)++, (*len)--;
	while (*len > 0 && ((*p)[*len - 1] == ' ' || (*p)[*len - 1] == '\t'))
		(*len)--;
}

bool
wait_parse(enum api_unit unit, const void *text, size_t len, int64_t now,
	int64_t *ret)
{
	const char *p = text;
	int64_t at;

	trim(&p, &len);
	switch (unit) {
	case API_UNIT_S:
		if (parse_amount(p, len, CLOCK_SECOND, ret))
			return true;
		if (!timefmt_parse_http(p, len, &at))
			return false;
		break;
	case API_UNIT_MS:
		return parse_amount(p, len, CLOCK_SECOND / 1000, ret);
	case API_UNIT_MINUTES:
		return parse_amount(p, len, 60 * CLOCK_SECOND, ret);
	case API_UNIT_EPOCH_S:
		if (!parse_epoch(API_TIME_EPOCH_S, p, len, &at))
			return false;
		break;
	case API_UNIT_EPOCH_MS:
		if (!parse_epoch(API_TIME_EPOCH_MS, p, len, &at))
			return false;
		break;
	case API_UNIT_HTTP_DATE:
		if (!timefmt_parse_http(p, len, &at))
			return false;
		break;
	default:
		return false;
	}
	if (at <= now)
		*ret = 0;
	else if (__builtin_sub_overflow(at, now, ret) || *ret > WAIT_MAX)
		*ret = WAIT_MAX;
	return true;
}

bool
wait_midnight(const struct zoneinfo *z, int64_t now, int64_t *ret)
{
	struct civil day;

	zoneinfo_local(z, now, &day);
	day.hour = day.minute = day.second = 0;
	if (now - zoneinfo_wall(z, &day) < WAIT_BEHIND)
		return false;
	day.day++;
	*ret = zoneinfo_wall(z, &day) - now;
	return true;
}
