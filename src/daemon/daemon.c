#include "daemon/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/arrival.h"
#include "daemon/watcher.h"
#include "landfall/side.h"

#define LOOKERS 4

/* Hints come in bursts: what comes within this time is one look. */
#define DEBOUNCE (10 * CLOCK_SECOND / 1000)

/*
 * Between full looks. Hints make them needless almost always; where none come
 * (network filesystems) the loop asks for one this often.
 */
#define RESCAN (300 * CLOCK_SECOND)
#define POLL (10 * CLOCK_SECOND)
#define MINUTE (60 * CLOCK_SECOND)

/* A name that could not be read, or waits for what may never come. */
#define RETRY_NAME (30 * CLOCK_SECOND)

/* A source that cannot be looked at: random(0, min(most, base * 2^n)). */
#define BACKOFF_BASE (2 * CLOCK_SECOND)
#define BACKOFF_MOST (300 * CLOCK_SECOND)

struct daemon {
	struct daemon_options options;
	struct config *config;
	struct engine *engine;
	struct watcher *watcher;
	size_t n_watchers;
	int epoll, signals, done; /* done: an eventfd the lookers ring */
	bool stop, reload;

	pthread_t looker[LOOKERS];
	pthread_mutex_t lock;
	pthread_cond_t work;
	/* All below: under lock. */
	struct watcher *todo[LOOKERS]; /* one slot for each looker */
	size_t n_todo;
	size_t looking;
	bool quit;
	struct err err;
};

/* ---- what is told ---- */

static void
log_delivery(const struct delivery *d)
{
	struct log l;
	bool bad = d->disposition == DISPOSITION_QUARANTINED ||
		(d->disposition == DISPOSITION_PENDING && d->tried);

	l = log_begin(
		bad ? LOG_WARNING : LOG_INFO, disposition_name(d->disposition));
	log_text(&l, "source", d->source);
	log_bytes(&l, "name", d->name, d->name_len);
	if (d->staged) {
		log_u64(&l, "size", d->landed.size);
		log_u64(&l, "records", d->landed.totals.records);
		log_u64(&l, "malformed", d->landed.totals.malformed);
		log_u64(&l, "generation", d->generation);
		log_text(&l, "file", d->file.s);
		log_u64(&l, "index", d->index);
	}
	if (d->reason != NULL)
		log_text(&l, "reason", d->reason);
	log_end(&l);
}

/* A delivery of a look is durable. On the committer's thread. */
static void
one_done(void *arg, const struct delivery *d)
{
	struct watcher *w = arg;
	int64_t now = clock_mono();

	log_delivery(d);
	if (d->disposition != DISPOSITION_PENDING)
		return;
	watcher_add(w, d->name, d->name_len,
		now +
			(d->tried || d->wait == 0 ? RETRY_NAME
						  : d->wait + DEBOUNCE));
}

static void
log_pass(const struct pass_report *r)
{
	const struct catalog_pass *p = &r->pass;
	uint64_t fresh = p->listed - p->unchanged;
	struct log l;

	if (fresh == 0 && *p->trouble == '\0')
		return;
	l = log_begin(*p->trouble != '\0' ? LOG_WARNING : LOG_INFO, "pass");
	log_text(&l, "source", p->source);
	log_u64(&l, "listed", p->listed);
	log_u64(&l, "unchanged", p->unchanged);
	for (unsigned i = 1; i < DISPOSITIONS; i++)
		if (p->count[i] > 0)
			log_u64(&l, disposition_name(i), p->count[i]);
	if (*p->trouble != '\0')
		log_text(&l, "could_not_look", p->trouble);
	log_duration(&l, "took", (uint64_t)(p->ended - p->started));
	log_end(&l);
}

/* ---- lookers ---- */

static int64_t
backoff(unsigned failures)
{
	int64_t most = BACKOFF_BASE;
	uint64_t random = 0;

	while (failures-- > 1 && most < BACKOFF_MOST)
		most *= 2;
	if (most > BACKOFF_MOST)
		most = BACKOFF_MOST;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)clock_mono();
	return (int64_t)(random % (uint64_t)most);
}

static bool
has_schedule(const struct source_config *cfg)
{
	return cfg->schedule.every != 0 || cfg->schedule.cron != NULL;
}

/* FNV-1a: the same jitter for a source as long as it keeps its name. */
static uint64_t
seed_of(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return h;
}

/* How long until the schedule says to look; last: wall, 0 for never. */
static int64_t
until_scheduled(const struct source_config *cfg, int64_t last)
{
	int64_t now = clock_wall();
	int64_t next =
		schedule_next(&cfg->schedule, last, now, seed_of(cfg->name));

	/* A clock that is set meanwhile is noticed within an hour. */
	return next - now < 3600 * CLOCK_SECOND ? next - now
						: 3600 * CLOCK_SECOND;
}

/* After a look: when must it be looked at again whatever is hinted? */
static void
plan_next(struct watcher *w, bool could_look, int64_t began)
{
	int64_t now = clock_mono(), wait;

	if (could_look) {
		w->failures = 0;
		w->last_look = began;
		watcher_plan(w,
			now +
				(has_schedule(w->config)
						? until_scheduled(
							  w->config, began)
						: RESCAN));
		return;
	}
	wait = backoff(++w->failures);
	watcher_plan(w, now + wait);
	struct log l = log_begin(LOG_WARNING, "source-waits");

	log_text(&l, "source", w->config->name);
	log_u64(&l, "failures", w->failures);
	log_duration(&l, "next_look_in", (uint64_t)wait);
	log_end(&l);
}

/* How the arrival contract stands, told when that changes. */
static enum rc
judge(struct daemon *d, struct watcher *w, struct err *e)
{
	struct arrival_report a;
	struct catalog *c;
	enum rc rc;

	if (!w->config->expect.set)
		return OK;
	rc = catalog_open(d->config->state, true, &c, e);
	if (rc != OK)
		return err_raise(e, BROKEN);
	rc = arrival_judge(c, w->config, clock_wall(), &a, e);
	catalog_close(c);
	if (rc != OK ||
		(a.outcome == w->arrival && a.day.due == w->arrival_due))
		return rc;
	w->arrival = a.outcome;
	w->arrival_due = a.day.due;
	struct log l = log_begin(
		a.outcome == ARRIVAL_WAITING || a.outcome == ARRIVAL_ON_TIME
			? LOG_INFO
			: LOG_WARNING,
		"arrival");

	log_text(&l, "source", w->config->name);
	log_text(&l, "outcome", arrival_name(a.outcome));
	log_u64(&l, "files", a.arrived.files);
	log_u64(&l, "bytes", a.arrived.bytes);
	log_u64(&l, "records", a.arrived.records);
	log_end(&l);
	return OK;
}

static enum rc
look(struct daemon *d, struct watcher *w, struct err *e)
{
	const struct pass_options options = {
		.config = w->config,
		.done = one_done,
		.arg = w,
	};
	struct pass_list names;
	struct pass_report r;
	bool full;
	enum rc rc;

	watcher_begin(w, &full, &names);
	pass_report_init(&r);
	if (full) {
		rc = pass_run(d->engine, &options, &r, e);
		if (rc != BROKEN)
			log_pass(&r);
		if (rc != BROKEN)
			plan_next(
				w, rc == OK && r.troubles == 0, r.pass.started);
	} else {
		rc = pass_names(d->engine, &options, &names, &r, e);
		/* Something is odd: the full look will tell what. */
		if (rc == BAD_ITEM || rc == BAD_SOURCE)
			watcher_rescan(w);
	}
	pass_report_release(&r);
	watcher_end(w, &names);
	return rc == BROKEN ? rc : judge(d, w, e);
}

static void *
looker_main(void *arg)
{
	const uint64_t one = 1;
	struct daemon *d = arg;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		struct err e = ERR_INIT;
		struct watcher *w;

		if (d->n_todo == 0) {
			if (d->quit)
				break;
			pthread_cond_wait(&d->work, &d->lock);
			continue;
		}
		w = d->todo[--d->n_todo];
		pthread_mutex_unlock(&d->lock);
		if (look(d, w, &e) != OK) {
			pthread_mutex_lock(&d->lock);
			if (d->err.code == OK)
				d->err = e;
			pthread_mutex_unlock(&d->lock);
		}
		pthread_mutex_lock(&d->lock);
		w->busy = false;
		d->looking--;
		if (write(d->done, &one, sizeof(one)) < 0)
			log_say(LOG_ERROR, "eventfd", "%m");
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* ---- the loop ---- */

static void
take_hint(void *arg, enum watch_hint h, const uint8_t *name, size_t len)
{
	struct watcher *w = arg;

	if (h == WATCH_NAME) {
		CLEANUP(str_release) struct str base = STR_INIT;
		int64_t due = clock_mono() + DEBOUNCE;

		watcher_add(w, name, len, due);
		/* A side file says something of other names. */
		switch (side_of(w->config, name, len, &base, NULL)) {
		case SIDE_NONE:
			break;
		case SIDE_OF:
			watcher_add(w, (const uint8_t *)base.s, base.len, due);
			break;
		case SIDE_OF_ANY:
			watcher_rescan(w);
			break;
		}
		return;
	}
	watcher_rescan(w);
	w->lost |= h == WATCH_LOST;
}

/* Watches the source, or says why it is polled. */
static void
begin_watching(struct daemon *d, struct watcher *w)
{
	const struct source_config *cfg = w->config;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};
	struct err e = ERR_INIT;
	enum rc rc =
		watch_open(cfg->drop.path, cfg->drop.recursive, &w->watch, &e);

	w->lost = false;
	if (rc == OK &&
		epoll_ctl(d->epoll, EPOLL_CTL_ADD, watch_fd(w->watch), &ev) ==
			0)
		return;
	if (rc == OK)
		watch_close(w->watch);
	w->watch = NULL;
	if (rc == BAD_SOURCE && w->failures == 0)
		log_say(LOG_WARNING, "polled", "%s: %s", cfg->name, e.text);
}

static void
end_watching(struct daemon *d, struct watcher *w)
{
	if (w->watch == NULL)
		return;
	(void)epoll_ctl(d->epoll, EPOLL_CTL_DEL, watch_fd(w->watch), NULL);
	watch_close(w->watch);
	w->watch = NULL;
}

static void
read_hints(struct daemon *d, struct watcher *w)
{
	struct err e = ERR_INIT;

	if (w->watch != NULL && watch_read(w->watch, take_hint, w, &e) != OK) {
		log_say(LOG_WARNING, "watch-failed", "%s: %s", w->config->name,
			e.text);
		w->lost = true;
	}
	if (w->lost)
		end_watching(d, w);
}

/*
 * With a schedule, hints count only while its window is open, and a full look
 * only when it says so: an hour's sleep may have ended early.
 */
static bool
may_look(struct watcher *w)
{
	const struct source_config *cfg = w->config;

	if (!has_schedule(cfg) || w->failures > 0)
		return true;
	if (!schedule_open(&cfg->schedule, clock_wall()))
		return false;
	if (!watcher_is_planned(w, clock_mono()))
		return true;
	if (until_scheduled(cfg, w->last_look) <= 0)
		return true;
	watcher_plan(w, clock_mono() + until_scheduled(cfg, w->last_look));
	return false;
}

/* Hands every source that is due to a looker; the wait until the next, ns. */
static int64_t
dispatch(struct daemon *d)
{
	int64_t now = clock_mono(), next = INT64_MAX;

	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_watchers && (d->stop || d->reload); i++)
		watcher_hurry(&d->watcher[i]);
	for (size_t i = 0; i < d->n_watchers && !d->stop && !d->reload; i++) {
		struct watcher *w = &d->watcher[i];
		int64_t due = w->busy ? INT64_MAX : watcher_due(w);

		if (due <= now && !may_look(w)) {
			due = watcher_due(w);
			if (due <= now)
				due = now + MINUTE;
		}
		if (due > now && !w->busy && w->watch == NULL &&
			!has_schedule(w->config) && w->failures == 0)
			due = due < w->polled + POLL ? due : w->polled + POLL;
		if (due <= now && d->looking < LOOKERS) {
			/* Watch before listing: nothing falls between. */
			if (w->watch == NULL) {
				begin_watching(d, w);
				watcher_rescan(w);
				w->polled = now;
			}
			w->busy = true;
			d->todo[d->n_todo++] = w;
			d->looking++;
			pthread_cond_signal(&d->work);
		} else if (due < next) {
			next = due;
		}
	}
	pthread_mutex_unlock(&d->lock);
	if (next == INT64_MAX)
		return -1;
	return next > now ? next - now : 0;
}

static void
make_watchers(struct daemon *d)
{
	d->watcher = mem_array(d->config->n_sources, sizeof(*d->watcher));
	d->n_watchers = 0;
	for (size_t i = 0; i < d->config->n_sources; i++) {
		const struct source_config *cfg = &d->config->source[i];

		if (d->options.chosen != NULL &&
			!d->options.chosen(d->options.arg, cfg->name))
			continue;
		watcher_init(&d->watcher[d->n_watchers++], cfg);
	}
}

static void
free_watchers(struct daemon *d)
{
	for (size_t i = 0; i < d->n_watchers; i++) {
		end_watching(d, &d->watcher[i]);
		watcher_release(&d->watcher[i]);
	}
	free(d->watcher);
	d->watcher = NULL;
	d->n_watchers = 0;
}

/* Nobody is looking: the new configuration takes the place of the old. */
static void
reload(struct daemon *d)
{
	CLEANUP(str_release) struct str report = STR_INIT;
	struct config *fresh = NULL;
	struct err e = ERR_INIT;

	d->reload = false;
	if (config_load(d->config->path, &fresh, &report, &e) != OK) {
		log_say(LOG_ERROR, "reload-refused",
			"the old configuration stays: %s: %s", e.text,
			report.s);
		return;
	}
	if (strcmp(fresh->zone, d->config->zone) != 0 ||
		strcmp(fresh->state, d->config->state) != 0 ||
		strcmp(fresh->origin, d->config->origin) != 0) {
		log_say(LOG_ERROR, "reload-refused",
			"the old configuration stays: zone, state and origin "
			"change only with a restart");
		config_free(fresh);
		return;
	}
	free_watchers(d);
	engine_configure(d->engine, fresh);
	config_free(d->config);
	d->config = fresh;
	make_watchers(d);
	log_say(LOG_INFO, "reloaded", "%zu sources", d->n_watchers);
}

static void
read_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		d->reload = true;
		sd_notify(0, "STATUS=reloading");
		return;
	}
	d->stop = true;
	sd_notify(0, "STOPPING=1\nSTATUS=finishing what is under way");
}

static void
wait_for_events(struct daemon *d, int64_t ns)
{
	struct epoll_event ev[16];
	uint64_t watchdog_us = 0;
	int64_t most = 60 * CLOCK_SECOND;
	int n;

	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		most = (int64_t)watchdog_us * 1000 / 2;
	if (ns < 0 || ns > most)
		ns = most;
	n = epoll_wait(d->epoll, ev, ARRAY_LEN(ev),
		(int)((ns + CLOCK_SECOND / 1000 - 1) / (CLOCK_SECOND / 1000)));
	sd_notify(0, "WATCHDOG=1");
	for (int i = 0; i < n; i++) {
		uint64_t rung;

		if (ev[i].data.ptr == &d->signals)
			read_signal(d);
		else if (ev[i].data.ptr == &d->done)
			while (read(d->done, &rung, sizeof(rung)) > 0)
				;
		else
			read_hints(d, ev[i].data.ptr);
	}
}

/* Is anybody looking? And did something break? */
static bool
is_quiet(struct daemon *d, struct err *e)
{
	bool quiet;

	pthread_mutex_lock(&d->lock);
	quiet = d->looking == 0;
	*e = d->err;
	pthread_mutex_unlock(&d->lock);
	return quiet;
}

static enum rc
loop(struct daemon *d, struct err *e)
{
	for (;;) {
		int64_t wait = dispatch(d);
		bool quiet = is_quiet(d, e);

		if (e->code != OK)
			d->stop = true;
		if (d->stop && quiet)
			return e->code;
		if (d->reload && quiet && !d->stop) {
			reload(d);
			sd_notify(0, "READY=1\nSTATUS=watching");
			continue;
		}
		wait_for_events(d, wait);
	}
}

static enum rc
open_loop(struct daemon *d, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Before threads start: they inherit it, and only signalfd sees. */
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set(e, BROKEN, "signals cannot be blocked");
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	d->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->epoll < 0 || d->signals < 0 || d->done < 0)
		return err_sys(e, BROKEN, errno, "event loop");
	ev.data.ptr = &d->signals;
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->signals, &ev) < 0)
		return err_sys(e, BROKEN, errno, "event loop");
	ev.data.ptr = &d->done;
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->done, &ev) < 0)
		return err_sys(e, BROKEN, errno, "event loop");
	return OK;
}

static enum rc
run(struct daemon *d, struct err *e)
{
	const struct engine_options options = {.config = d->config};
	const struct recovery *r;
	enum rc rc;

	if (open_loop(d, e) != OK || engine_open(&options, &d->engine, e) != OK)
		return e->code;
	r = engine_recovery(d->engine);
	if (r->brought_forward > 0 || r->entries > 0)
		log_say(LOG_WARNING, "recovered",
			"the last run was interrupted: %llu files and %llu "
			"ledger entries were brought forward",
			(unsigned long long)r->brought_forward,
			(unsigned long long)r->entries);
	for (size_t i = 0; i < LOOKERS; i++)
		if (pthread_create(&d->looker[i], NULL, looker_main, d) != 0)
			abort();
	make_watchers(d);
	log_say(LOG_INFO, "started", "%zu sources", d->n_watchers);
	sd_notify(0, "READY=1\nSTATUS=watching");
	rc = loop(d, e);
	pthread_mutex_lock(&d->lock);
	d->quit = true;
	pthread_cond_broadcast(&d->work);
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < LOOKERS; i++)
		pthread_join(d->looker[i], NULL);
	free_watchers(d);
	engine_close(d->engine);
	return rc;
}

enum rc
daemon_run(const struct daemon_options *o, struct err *e)
{
	struct daemon d = {
		.options = *o,
		.config = o->config,
		.epoll = -1,
		.signals = -1,
		.done = -1,
	};
	enum rc rc;

	pthread_mutex_init(&d.lock, NULL);
	pthread_cond_init(&d.work, NULL);
	rc = run(&d, e);
	if (rc == OK)
		log_say(LOG_INFO, "stopped", "all that was begun is done");
	else
		log_say(LOG_ERROR, "broken", "%s", e->text);
	pthread_cond_destroy(&d.work);
	pthread_mutex_destroy(&d.lock);
	io_drop(&d.done);
	io_drop(&d.signals);
	io_drop(&d.epoll);
	config_free(d.config);
	return rc;
}
