/*
 * daemon-state.h - what the parts of the daemon share: daemon.c is the loop,
 * hints.c hears of what is watched, looker.c looks at sources on threads of its
 * own, tell.c says how it goes.
 */
#ifndef DAEMON_DAEMON_STATE_H
#define DAEMON_DAEMON_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/attr.h"
#include "base/clock.h"
#include "daemon/clerk.h"
#include "daemon/counter.h"
#include "daemon/courier.h"
#include "daemon/daemon.h"
#include "daemon/live.h"
#include "daemon/watcher.h"

#define LOOKERS 4
#define POLLERS 64 /* APIs asked at one time: each has a child */

/* Hints come in bursts: what comes within this time is one look. */
#define DEBOUNCE (10 * CLOCK_SECOND / 1000)

/* Schedules are asked again this often: somebody may have set the clock. */
#define CLOCK_CHECK (5 * CLOCK_SECOND)

struct daemon {
	struct daemon_options options;
	struct config *config;
	struct engine *engine;
	struct courier *courier;
	struct clerk *clerk;
	struct counter *counter; /* NULL: no order can be given */
	struct watcher *watcher;
	size_t n_watchers;
	int epoll, signals, done; /* done: an eventfd the lookers ring */
	bool stop, reload;
	atomic_bool cancel;  /* one of them: nobody waits for others */
	struct str saying;   /* as systemd was told */
	struct live live;    /* as `status` was told */
	atomic_bool changed; /* since then; any thread */
	int64_t told;	     /* monotonic: when that was */
	bool mute;	     /* it could not be told, which was said */
	bool no_room;	     /* as it was told */
	int64_t room_look;   /* monotonic: when to see again */

	pthread_t looker[LOOKERS]; /* partners have one of their own each */
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t place; /* one of POLLERS is free, or nobody waits on */
	/* All below: under lock. */
	struct watcher *todo[LOOKERS]; /* one slot for each looker */
	size_t n_todo;
	size_t local;	/* of those looking, the lookers' */
	size_t polling; /* of those looking, at APIs and not resting */
	size_t looking; /* all, and those that carry out an order */
	struct order *order[COUNTER_ORDERS]; /* in order of their turns */
	size_t n_orders;
	bool quit;
	struct err err;
};

/* ---- daemon.c ---- */

/*
 * Must it be looked at, or its deadline judged, by now? Of whoever has the
 * watcher; under lock.
 */
bool daemon_is_due(struct watcher *w);

/* ---- hints.c, of the loop ---- */

/* Watches the source, or says why it is polled. */
void hints_begin(struct daemon *d, struct watcher *w);
void hints_end(struct daemon *d, struct watcher *w);

/* What has come of it. */
void hints_read(struct daemon *d, struct watcher *w);

/* ---- looker.c ---- */

/* A looker: takes what is to do until it is to quit. arg: the daemon. */
void *looker_main(void *arg);

/* The same for one look at the source of a watcher with d and w set. */
void *looker_once(void *watcher);

/* The loop looks again at who may look. Under lock. */
void looker_ring(struct daemon *d);

/* Nobody has the watcher any more. Under lock. */
void looker_over(struct daemon *d, struct watcher *w);

/* How long until the schedule of a source says to look, ns. */
int64_t looker_until_scheduled(const struct watcher *w);

/* After a look: when must it be looked at again whatever is hinted? */
void looker_plan_next(struct watcher *w, bool could_look, bool refused,
	int64_t began, int64_t mono);

/* What the look means: the arrival contract, and what is to be told. */
struct alert_view;
enum rc looker_judge(struct daemon *d, struct watcher *w, struct alert_view *v,
	struct err *e) MUST_USE;

/* ---- poller.c ---- */

/* The look at a polled API: all its streams. */
enum rc
poller_look(struct daemon *d, struct watcher *w, struct err *e) MUST_USE;

struct stream_report;

/* For poll_options of whoever has the watcher: its place, and the log. */
void poller_rest(void *watcher, const char *why, int64_t ns);
void poller_tell(void *watcher, const char *stream, const char *partition,
	const struct stream_report *r);

/* Whoever is cancelled does not wait for a place to end in: signal d->place. */
void poller_go_on(struct watcher *w, const atomic_bool *cancel);

/* ---- tell.c ---- */

/* One line of the log for each. */
void tell_delivery(const struct delivery *d);
void tell_pass(const struct pass_report *r);

/* How the arrival contract stands, logged when that changes. */
void tell_arrival(struct watcher *w, const struct arrival_report *a);

/* One line on how it goes, for systemd and `landfall status`. */
void tell_state(struct daemon *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Leaves word for `landfall status`: while there is work every second or so,
 * otherwise when something changes. The wait until it must be called, ns.
 */
int64_t tell_status(struct daemon *d, bool quiet);

#endif
