#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than slewing and a thread that waits for its turn would explain. */
#define CLOCK_STEP (CLOCK_SECOND / 2)

static int64_t
kernel_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

/* LANDFALL_TEST_CLOCK as clock.h describes it; read once. */
static const char *test;
static pthread_once_t asked = PTHREAD_ONCE_INIT;

static void
ask_test(void)
{
	test = getenv("LANDFALL_TEST_CLOCK");
}

static int64_t
kernel_wall(void)
{
	int64_t now = kernel_clock(CLOCK_REALTIME);

	/* Threads may be the first to ask. */
	(void)pthread_once(&asked, ask_test);
	if (test == NULL || *test == '\0')
		return now;
	if (*test == '+' || *test == '-')
		return now + strtoll(test, NULL, 10) * CLOCK_SECOND;
	return strtoll(test, NULL, 10) * CLOCK_SECOND;
}

static int64_t
kernel_mono(void)
{
	return kernel_clock(CLOCK_MONOTONIC);
}

static const struct clock_ops kernel = {kernel_wall, kernel_mono};
static const struct clock_ops *ops = &kernel;

void
clock_replace(const struct clock_ops *other)
{
	ops = other != NULL ? other : &kernel;
}

int64_t
clock_wall(void)
{
	return ops->wall();
}

int64_t
clock_mono(void)
{
	return ops->mono();
}

int64_t
clock_steady_since(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int64_t ahead; /* of the monotonic clock */
	static int64_t since = -1;
	int64_t wall, now, ret;

	pthread_mutex_lock(&lock);
	wall = clock_wall();
	now = wall - clock_mono();
	if (since < 0)
		since = 0;
	else if (now - ahead > CLOCK_STEP || ahead - now > CLOCK_STEP)
		since = wall;
	ahead = now;
	ret = since;
	pthread_mutex_unlock(&lock);
	return ret;
}

void
clock_sleep(int64_t ns)
{
	struct timespec ts = {ns / CLOCK_SECOND, ns % CLOCK_SECOND};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* Seconds and the rest, rounding towards the past as times before 1970 need. */
static void
split(int64_t wall, struct tm *tm, long *ret_ns)
{
	time_t sec = wall / CLOCK_SECOND;
	long ns = wall % CLOCK_SECOND;

	if (ns < 0) {
		ns += CLOCK_SECOND;
		sec--;
	}
	gmtime_r(&sec, tm);
	*ret_ns = ns;
}

/* The parts of a date or a time of day, with a character between. */
static void
add_parts(struct str *s, const int part[3], unsigned first_width, char between)
{
	for (unsigned i = 0; i < 3; i++) {
		if (i > 0)
			str_addc(s, between);
		str_add_u64(s, (unsigned)part[i], i == 0 ? first_width : 2);
	}
}

static void
add_calendar(struct str *s, const struct tm *tm, bool with_time)
{
	const int date[] = {tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday};
	const int time[] = {tm->tm_hour, tm->tm_min, tm->tm_sec};

	add_parts(s, date, 4, '-');
	if (!with_time)
		return;
	str_addc(s, 'T');
	add_parts(s, time, 2, ':');
}

void
clock_add_time(struct str *s, int64_t wall)
{
	struct tm tm;
	long ns;

	split(wall, &tm, &ns);
	add_calendar(s, &tm, true);
	str_addc(s, 'Z');
}

void
clock_add_time_ns(struct str *s, int64_t wall)
{
	struct tm tm;
	long ns;

	split(wall, &tm, &ns);
	add_calendar(s, &tm, true);
	str_addc(s, '.');
	str_add_u64(s, (uint64_t)ns, 9);
	str_addc(s, 'Z');
}

void
clock_add_date(struct str *s, int64_t wall)
{
	struct tm tm;
	long ns;

	split(wall, &tm, &ns);
	add_calendar(s, &tm, false);
}

bool
clock_parse_time(const char *text, int64_t *ret_wall)
{
	struct tm tm = {0};
	char fraction[10] = "0", end = '\0';
	int used = 0;
	int64_t ns = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
		    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
		    &used) != 6)
		return false;
	text += used;
	if (*text == '.') {
		if (sscanf(text, ".%9[0-9]%n", fraction, &used) != 1)
			return false;
		ns = strtoll(fraction, NULL, 10);
		for (size_t i = strlen(fraction); i < 9; i++)
			ns *= 10;
		text += used;
	}
	if (sscanf(text, "Z%c", &end) != EOF || *text != 'Z')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return !__builtin_mul_overflow(timegm(&tm), CLOCK_SECOND, ret_wall) &&
		!__builtin_add_overflow(*ret_wall, ns, ret_wall);
}
