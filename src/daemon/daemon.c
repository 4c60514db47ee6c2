#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/next.h"
#include "daemon/order-state.h"
#include "daemon/room.h"
#include "daemon/waits.h"

#define WATCHING "watching"

/* Where no hints come (network filesystems) a full look comes this often. */
#define POLL (10 * CLOCK_SECOND)

/* How often to see whether a disk that was full has room again. */
#define ROOM_POLL (10 * CLOCK_SECOND)

/*
 * With a schedule, hints count only while its window is open (take_hint drops
 * those that never do), and a full look only when it says so: the wait for it
 * may have been cut short.
 */
static bool
may_look(struct watcher *w)
{
	const struct source_config *cfg = w->config;
	int64_t wait;

	/* A partner that failed is left alone, whatever else is due. */
	if (next_is_remote(cfg) && w->failures > 0)
		return watcher_planned(w) <= clock_mono();
	if (!next_is_scheduled(cfg) || w->failures > 0)
		return true;
	if (!schedule_open(&cfg->schedule, clock_wall()))
		return false;
	wait = looker_until_scheduled(w);
	if (wait <= 0)
		return true;
	/* What is hinted is no reason to look at all else before its time. */
	watcher_plan(w, clock_mono() + wait);
	return !watcher_is_planned(w, clock_mono());
}

/*
 * A disk that is about to be full is told once; when there is room again
 * every source is looked at. The wait until the next look at the disk, ns.
 */
static enum rc
watch_room(struct daemon *d, int64_t *ret_wait, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct room *room = engine_room(d->engine);
	int64_t now = clock_mono();
	enum rc rc;

	*ret_wait = INT64_MAX;
	if (!d->no_room && room_wanted(room, &why)) {
		d->no_room = true;
		d->room_look = now + ROOM_POLL;
		log_say(LOG_WARNING, "no-space",
			"%s; deliveries wait at their sources until there is "
			"room",
			why.s);
		tell_state(d, "%s; deliveries wait", why.s);
	}
	if (d->no_room && d->room_look <= now) {
		rc = room_again(room, e);
		if (rc != OK && rc != END)
			return rc;
		d->room_look = now + ROOM_POLL;
		d->no_room = rc == END;
		if (rc == OK) {
			log_say(LOG_INFO, "space-again",
				"there is room again: looking at all sources");
			tell_state(d, WATCHING);
			for (size_t i = 0; i < d->n_watchers; i++)
				watcher_rescan(&d->watcher[i]);
		}
	}
	if (d->no_room)
		*ret_wait = d->room_look - now;
	return OK;
}

/* The contract's deadline has passed since the last look, and was not judged.
 * INT64_MIN: it has not. */
static int64_t
overdue(const struct watcher *w)
{
	const struct expect *x = &w->config->expect;
	int64_t now = clock_wall();
	struct contract_day day;

	if (!x->set || !expect_day(x, now, &day) || now <= day.late ||
		(w->looked && w->since > day.late) || w->overdue == day.due)
		return INT64_MIN;
	return day.due;
}

bool
daemon_is_due(struct watcher *w)
{
	return watcher_due(w) <= clock_mono() &&
		(may_look(w) || overdue(w) != INT64_MIN);
}

/* May it be looked at now? Nobody waits for a partner with others. */
static bool
has_looker(const struct daemon *d, const struct watcher *w)
{
	if (w->config->kind == SOURCE_HTTP)
		return d->polling < POLLERS;
	return next_is_remote(w->config) || d->local < LOOKERS;
}

/* Its look of before is over, or it had none. */
static void
join_looker(struct watcher *w)
{
	if (w->has_looker)
		pthread_join(w->looker, NULL);
	w->has_looker = false;
}

/* Under lock. */
static void
send_looker(struct daemon *d, struct watcher *w)
{
	w->busy = true;
	d->changed = true;
	d->looking++;
	if (!next_is_remote(w->config)) {
		d->todo[d->n_todo++] = w;
		d->local++;
		pthread_cond_signal(&d->work);
		return;
	}
	join_looker(w);
	d->polling += w->config->kind == SOURCE_HTTP;
	w->daemon = d;
	if (pthread_create(&w->looker, NULL, looker_once, w) != 0)
		abort();
	w->has_looker = true;
}

/* Hands every source that is due to a looker; the wait until the next, ns. */
static int64_t
dispatch(struct daemon *d)
{
	int64_t now = clock_mono(), next = INT64_MAX;

	pthread_mutex_lock(&d->lock);
	/* Who returns has been through here: nobody begins anything more. */
	d->stop |= d->err.code != OK;
	d->cancel = d->stop || d->reload;
	if (d->cancel) {
		pthread_cond_broadcast(&d->place);
		order_cancel_all(d);
	}
	for (size_t i = 0; i < d->n_watchers && (d->stop || d->reload); i++)
		watcher_hurry(&d->watcher[i]);
	for (size_t i = 0; i < d->n_watchers && !d->stop && !d->reload; i++) {
		struct watcher *w = &d->watcher[i];
		int64_t due = w->busy ? INT64_MAX : watcher_due(w);
		struct order *o = w->busy ? NULL : order_next(d, w);

		/* A thread that has ended still has its stack. */
		if (!w->busy)
			join_looker(w);
		if (!w->busy)
			w->judge_only = false;
		if (due <= now && !may_look(w)) {
			due = watcher_due(w);
			if (due <= now)
				due = now + CLOCK_CHECK;
			w->judge_only =
				has_looker(d, w) && overdue(w) != INT64_MIN;
			if (w->judge_only)
				due = now;
		}
		if (due > now && !w->busy && w->watch == NULL &&
			!next_is_scheduled(w->config) && w->failures == 0 &&
			!next_is_remote(w->config))
			due = due < w->polled + POLL ? due : w->polled + POLL;
		/* Looks and orders take turns. */
		if (due <= now && has_looker(d, w) &&
			(o == NULL || !w->looked_last)) {
			/* Watch before listing: nothing falls between. */
			if (w->watch == NULL && !w->judge_only &&
				!next_is_remote(w->config)) {
				hints_begin(d, w);
				watcher_rescan(w);
				w->polled = now;
			}
			if (w->judge_only)
				w->overdue = overdue(w);
			w->looked_last = true;
			send_looker(d, w);
		} else if (o != NULL &&
			(w->config->kind != SOURCE_HTTP || has_looker(d, w))) {
			w->looked_last = false;
			order_grant(o);
		} else if (due > now && due < next) {
			/* One for whom nobody is free: who is will ring. */
			next = due;
		}
	}
	pthread_mutex_unlock(&d->lock);
	if (next == INT64_MAX)
		return INT64_MAX;
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
	d->live.source = mem_array(d->n_watchers, sizeof(*d->live.source));
}

/* What its API has told to wait is asked when that is over, or by now is. */
static enum rc
remember_waits(struct watcher *w, struct catalog *c, struct err *e)
{
	CLEANUP(waits_release) struct waits x = {.n = 0};

	if (w->config->kind != SOURCE_HTTP)
		return OK;
	if (waits_read(c, w->config, clock_wall(), &x, e) != OK)
		return e->code;
	if (x.any_over)
		watcher_wake(w);
	else if (x.first != 0)
		watcher_wake_by(w, x.first);
	return OK;
}

/*
 * A time of cron that came while nobody watched is made up for. Where `every`
 * says when, the first look comes at once anyway.
 */
static enum rc
remember_looks(struct daemon *d, struct err *e)
{
	struct catalog *c;
	enum rc rc = catalog_open(d->config->state, true, &c, e);

	if (rc != OK)
		return err_raise(e, BROKEN);
	for (size_t i = 0; i < d->n_watchers && rc == OK; i++) {
		struct watcher *w = &d->watcher[i];
		int64_t last = 0;

		if (w->config->schedule.every == 0)
			rc = catalog_pass_looked(c, w->config->name, &last, e);
		if (rc == OK && last != 0)
			watcher_looked(w, last);
		if (rc == OK)
			rc = remember_waits(w, c, e);
	}
	catalog_close(c);
	return rc;
}

static void
free_watchers(struct daemon *d)
{
	for (size_t i = 0; i < d->n_watchers; i++) {
		hints_end(d, &d->watcher[i]);
		join_looker(&d->watcher[i]);
		watcher_release(&d->watcher[i]);
		free(d->live.source[i].why);
	}
	free(d->watcher);
	live_release_files(&d->live);
	free(d->live.source);
	d->live.source = NULL;
	d->watcher = NULL;
	d->n_watchers = 0;
}

/* Who works for the configuration beside the lookers. */
static enum rc
start_staff(struct daemon *d, struct err *e)
{
	if (courier_start(d->engine, d->config, &d->courier, e) != OK)
		return e->code;
	return clerk_start(d->engine, d->config, &d->clerk, e);
}

static void
stop_staff(struct daemon *d)
{
	clerk_stop(d->clerk);
	courier_stop(d->courier);
	d->clerk = NULL;
	d->courier = NULL;
}

static void
say_sources(const struct daemon *d, const char *event)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_count(&s, d->n_watchers, "source");
	log_say(LOG_INFO, event, "%s", s.s);
}

static void
say_recovery(const struct recovery *r)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	recovery_add(&s, r);
	log_say(LOG_WARNING, "recovered", "the last run was interrupted: %s",
		s.s);
}

/* Nobody is looking: the new configuration takes the place of the old. */
static enum rc
reload(struct daemon *d, bool *ret, struct err *broken)
{
	CLEANUP(str_release) struct str report = STR_INIT;
	struct config *fresh = NULL;
	struct err e = ERR_INIT;

	d->reload = false;
	if (config_load(d->config->path, &fresh, &report, &e) != OK) {
		/* The report is lines. */
		if (report.len > 0 && report.s[report.len - 1] == '\n')
			str_cut(&report, report.len - 1);
		log_say(LOG_ERROR, "reload-refused",
			"the old configuration stays: %s: %s", e.text,
			report.s);
		*ret = false;
		return OK;
	}
	if (strcmp(fresh->zone, d->config->zone) != 0 ||
		strcmp(fresh->state, d->config->state) != 0 ||
		strcmp(fresh->origin, d->config->origin) != 0) {
		log_say(LOG_ERROR, "reload-refused",
			"the old configuration stays: zone, state and origin "
			"change only with a restart");
		config_free(fresh);
		*ret = false;
		return OK;
	}
	stop_staff(d);
	free_watchers(d);
	engine_configure(d->engine, fresh);
	config_free(d->config);
	d->config = fresh;
	make_watchers(d);
	if (remember_looks(d, &e) != OK)
		d->err = e;
	say_sources(d, "reloaded");
	*ret = true;
	return start_staff(d, broken);
}

static void
read_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		d->reload = true;
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
			clock_mono() / 1000);
		tell_state(d, "reading the configuration again");
		return;
	}
	d->stop = true;
	sd_notify(0, "STOPPING=1");
	tell_state(d,
		"stopping: what is under way here is finished, what comes "
		"from far away is left to the next run");
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
	if (ns > most)
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
				d->changed = true;
		else
			hints_read(d, ev[i].data.ptr);
	}
}

/* The first is told: what follows follows from it. */
static void
fail(struct daemon *d, const struct err *e)
{
	pthread_mutex_lock(&d->lock);
	if (d->err.code == OK)
		d->err = *e;
	pthread_mutex_unlock(&d->lock);
}

/* Is anybody looking, or at an order? And did something break? */
static bool
is_quiet(struct daemon *d, struct err *e)
{
	bool quiet;

	pthread_mutex_lock(&d->lock);
	quiet = d->looking == 0 && d->n_orders == 0;
	*e = d->err;
	pthread_mutex_unlock(&d->lock);
	return quiet;
}

static enum rc
loop(struct daemon *d, struct err *e)
{
	for (;;) {
		struct err ours = ERR_INIT;
		int64_t room, word, wait;
		bool quiet;

		if (watch_room(d, &room, &ours) != OK)
			fail(d, &ours);
		wait = dispatch(d);
		if (room < wait)
			wait = room;
		quiet = is_quiet(d, e);
		word = tell_status(d, quiet);
		if (word < wait)
			wait = word;
		if (d->stop && quiet)
			return e->code;
		if (d->reload && quiet && e->code == OK) {
			bool taken;

			if (reload(d, &taken, e) != OK)
				return e->code;
			tell_state(d,
				taken ? WATCHING
				      : WATCHING
					", the new configuration was refused");
			d->no_room = false; /* told again, where it still is */
			sd_notify(0, "READY=1");
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

/* Without, the daemon does all else that it is for. */
static void
open_counter(struct daemon *d)
{
	struct err e = ERR_INIT;

	if (d->options.carry_out != NULL &&
		counter_start(d, &d->counter, &e) != OK)
		log_say(LOG_WARNING, "no-orders",
			"commands can give no orders while this runs: %s",
			e.text);
}

static enum rc
run(struct daemon *d, struct err *e)
{
	const struct engine_options options = {.config = d->config};
	struct err late = ERR_INIT;
	const struct recovery *r;
	enum rc rc;

	if (open_loop(d, e) != OK || engine_open(&options, &d->engine, e) != OK)
		return e->code;
	r = engine_recovery(d->engine);
	if (r->brought_forward > 0 || r->entries > 0)
		say_recovery(r);
	if (start_staff(d, e) != OK) {
		stop_staff(d);
		engine_close(d->engine);
		return e->code;
	}
	for (size_t i = 0; i < LOOKERS; i++)
		if (pthread_create(&d->looker[i], NULL, looker_main, d) != 0)
			abort();
	make_watchers(d);
	if (remember_looks(d, &late) != OK)
		d->err = late;
	open_counter(d);
	say_sources(d, "started");
	tell_state(d, WATCHING);
	sd_notify(0, "READY=1");
	rc = loop(d, e);
	pthread_mutex_lock(&d->lock);
	d->quit = true;
	pthread_cond_broadcast(&d->work);
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < LOOKERS; i++)
		pthread_join(d->looker[i], NULL);
	counter_stop(d->counter);
	stop_staff(d);
	free_watchers(d);
	engine_close(d->engine);
	return rc;
}

enum rc
daemon_run(const struct daemon_options *o, struct err *e)
{
	struct daemon d = {
		.options = *o,
		.saying = STR_INIT,
		.live = {.pid = getpid(), .started = clock_wall()},
		.config = o->config,
		.epoll = -1,
		.signals = -1,
		.done = -1,
	};
	enum rc rc;

	pthread_mutex_init(&d.lock, NULL);
	pthread_cond_init(&d.work, NULL);
	pthread_cond_init(&d.place, NULL);
	rc = run(&d, e);
	if (rc == OK)
		log_say(LOG_INFO, "stopped",
			"what was begun is done, or left to the next run");
	else
		log_say(LOG_ERROR, "broken", "%s", e->text);
	pthread_cond_destroy(&d.place);
	pthread_cond_destroy(&d.work);
	pthread_mutex_destroy(&d.lock);
	io_drop(&d.done);
	io_drop(&d.signals);
	io_drop(&d.epoll);
	config_free(d.config);
	str_release(&d.saying);
	return rc;
}
