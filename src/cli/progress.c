#include "cli/progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

struct progress {
	const char *what;
	uint64_t total;
	uint64_t (*sample)(void *arg);
	void *arg;
	const char *counted;
	uint64_t (*count)(void *arg); /* under lock */
	void *count_arg;
	bool terminal;
	int64_t started;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	bool drawn;
};

static void
draw(struct progress *p)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	uint64_t done = p->sample(p->arg);
	double seconds = (double)(clock_mono() - p->started) / CLOCK_SECOND;
	double rate = seconds > 0 ? (double)done / seconds : 0;

	str_addf(&s, "%s ", p->what);
	str_add_size(&s, done);
	if (p->total > 0) {
		str_add(&s, " of ");
		str_add_size(&s, p->total);
		str_addf(&s, " (%u %%)",
			(unsigned)(100.0 * (double)done / (double)p->total));
	}
	str_add(&s, ", ");
	str_add_size(&s, (uint64_t)rate);
	str_add(&s, "/s");
	if (p->count != NULL && p->count(p->count_arg) > 0)
		str_addf(&s, ", %llu %s",
			(unsigned long long)p->count(p->count_arg), p->counted);
	if (p->total > done && rate > 0) {
		str_add(&s, ", ");
		str_add_duration(&s,
			(uint64_t)((double)(p->total - done) / rate *
				CLOCK_SECOND));
		str_add(&s, " left");
	}
	fprintf(stderr, p->terminal ? "\r\033[K%s" : "%s\n", s.s);
	fflush(stderr);
	p->drawn = true;
}

static void *
progress_main(void *arg)
{
	struct progress *p = arg;
	int64_t period = p->terminal ? CLOCK_SECOND / 5 : 10 * CLOCK_SECOND;
	struct timespec until;

	pthread_mutex_lock(&p->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	while (!p->stop) {
		until.tv_nsec += period % CLOCK_SECOND;
		until.tv_sec +=
			period / CLOCK_SECOND + until.tv_nsec / CLOCK_SECOND;
		until.tv_nsec %= CLOCK_SECOND;
		while (!p->stop &&
			pthread_cond_timedwait(&p->wake, &p->lock, &until) == 0)
			;
		if (!p->stop)
			draw(p);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct progress *
progress_start(const struct cli *c, const char *what, uint64_t total,
	uint64_t (*sample)(void *arg), void *arg)
{
	pthread_condattr_t steady;
	struct progress *p;

	if (c->quiet)
		return NULL;
	p = mem_alloc(sizeof(*p));
	p->what = what;
	p->total = total;
	p->sample = sample;
	p->arg = arg;
	p->terminal = isatty(STDERR_FILENO) == 1;
	p->started = clock_mono();
	pthread_mutex_init(&p->lock, NULL);
	/* A clock that is set must not make up for a day of lines. */
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &steady);
	pthread_condattr_destroy(&steady);
	if (pthread_create(&p->thread, NULL, progress_main, p) != 0)
		abort();
	return p;
}

void
progress_count(struct progress *p, const char *what,
	uint64_t (*count)(void *arg), void *arg)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->counted = what;
	p->count = count;
	p->count_arg = arg;
	pthread_mutex_unlock(&p->lock);
}

void
progress_stop(struct progress *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	if (p->terminal && p->drawn)
		fputs("\r\033[K", stderr);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
