#include <errno.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "daemon/alert.h"
#include "daemon/daemon-state.h"
#include "daemon/next.h"
#include "landfall/side.h"

/* A name that could not be read, or waits for what may never come. */
#define RETRY_NAME (30 * CLOCK_SECOND)

/*
 * Who is refused does not knock again at once: accounts are locked for less,
 * and a key that is not the right one is for a human to see.
 */
#define REFUSED_WAIT (3600 * CLOCK_SECOND)

/* More names than this at a partner: one listing is less than as many looks. */
#define REMOTE_NAMES 16

/*
 * When a name that waits is looked at again, ns from now. Where looks come at
 * their times only, one lasts a little for what time alone completes, as a
 * single pass does; what is not complete then waits for the next.
 */
static int64_t
until_again(const struct watcher *w, const struct delivery *d, int64_t now)
{
	int64_t wait =
		d->tried || d->wait == 0 ? RETRY_NAME : d->wait + DEBOUNCE;

	if (next_is_only_then(w->config) &&
		((d->wait == 0 && !d->tried) ||
			now + wait > w->full_began + PASS_WAIT_MOST))
		return INT64_MAX;
	return wait;
}

/* A delivery of a look is durable. On the committer's thread. */
static void
one_done(void *arg, const struct delivery *d)
{
	struct watcher *w = arg;
	int64_t now = clock_mono(), wait;

	/* That is told once, and there is a look when there is room. */
	if (d->no_room)
		return;
	if (!d->known)
		tell_delivery(d);
	if (d->disposition != DISPOSITION_PENDING)
		return;
	/* What only a partner can change is for the next look at all of it. */
	if (next_is_remote(w->config) && (d->tried || d->wait == 0))
		return;
	/* What it waits for comes with a hint, or at the next full look. */
	if (side_manifest(w->config) != NULL && !d->tried && d->wait == 0)
		return;
	wait = until_again(w, d, now);
	if (wait != INT64_MAX)
		watcher_add(w, d->name, d->name_len, now + wait);
}

int64_t
looker_until_scheduled(const struct watcher *w)
{
	const struct source_config *cfg = w->config;
	int64_t now = clock_wall(), since = w->since, next;

	/*
	 * A clock that was set back does not make the last look a coming one.
	 * One that was set forward leaves it where it is: what the clock has
	 * leapt over is overdue.
	 */
	if (since > now - (clock_mono() - w->since_mono))
		since = now - (clock_mono() - w->since_mono);
	next = next_look(cfg, w->looked ? since : 0, w->looked ? now : since);
	return next - now < CLOCK_CHECK ? next - now : CLOCK_CHECK;
}

/*
 * How long until the arrival contract can be judged anew: what is missing
 * then is told then, and not whenever somebody looks.
 */
static int64_t
until_deadline(const struct source_config *cfg)
{
	int64_t now = clock_wall();
	struct contract_day day;

	if (!cfg->expect.set || !expect_day(&cfg->expect, now, &day) ||
		now > day.late)
		return INT64_MAX;
	return day.late + CLOCK_SECOND - now;
}

/* How long to leave alone a source that has failed. */
static int64_t
failed_wait(struct watcher *w, bool refused)
{
	const struct sftp_config *c = &w->config->sftp;

	w->failures++;
	if (refused)
		return REFUSED_WAIT;
	if (w->config->kind != SOURCE_SFTP)
		return backoff_wait(w->failures, BACKOFF_BASE, BACKOFF_CEILING);
	/* The look itself has tried more than once. */
	return c->retry.base +
		backoff_wait(w->failures, 4 * c->retry.base, c->retry.ceiling);
}

void
looker_plan_next(struct watcher *w, bool could_look, bool refused,
	int64_t began, int64_t mono)
{
	int64_t now = clock_mono(), wait;

	if (could_look) {
		w->failures = 0;
		w->looked = true;
		w->since = began;
		w->since_mono = mono;
		wait = next_is_scheduled(w->config) ? looker_until_scheduled(w)
						    : NEXT_RESCAN;
		if (until_deadline(w->config) < wait)
			wait = until_deadline(w->config);
		watcher_plan(w, now + wait);
		return;
	}
	wait = failed_wait(w, refused);
	watcher_plan(w, now + wait);
	struct log l = log_begin(LOG_WARNING, "source-waits");

	log_text(&l, "source", w->config->name);
	log_u64(&l, "failures", w->failures);
	log_duration(&l, "next_look_in", (uint64_t)wait);
	if (refused)
		log_text(&l, "why",
			"it refuses us, or is not who it should be; after a "
			"reload it is looked at at once");
	log_end(&l);
}

enum rc
looker_judge(struct daemon *d, struct watcher *w, struct alert_view *v,
	struct err *e)
{
	struct arrival_report arrival;
	struct lane *l;
	int64_t wait = 0;
	bool news = false;
	enum rc rc;

	if (!w->config->expect.set && w->config->alert == NULL)
		return OK;
	if (lane_open(d->engine, NULL, &l, e) != OK)
		return e->code;
	rc = arrival_judge(lane_catalog(l), w->config, clock_wall(), &w->lesson,
		&arrival, e);
	if (rc == OK) {
		tell_arrival(w, &arrival);
		v->config = d->config;
		v->source = w->config;
		v->arrival = &arrival;
		v->patient = true;
		rc = alert_judge(l, v, &wait, &news, e);
	}
	lane_close(l);
	if (rc == OK && news)
		courier_ring(d->courier);
	if (rc == OK && wait > 0)
		watcher_plan_by(w, clock_mono() + wait + DEBOUNCE);
	return rc;
}

/* Was everything seen, and had that was to be had? */
static bool
is_whole(const struct watcher *w, const struct pass_report *r, enum rc rc)
{
	return rc == OK && r->troubles == 0 &&
		(r->failed == 0 || !next_is_remote(w->config));
}

static enum rc
look(struct daemon *d, struct watcher *w, struct err *e)
{
	const struct pass_options options = {
		.config = w->config,
		/* What is here is finished: nobody can be slow but we. */
		.cancel = next_is_remote(w->config) ? &d->cancel : NULL,
		.done = one_done,
		.arg = w,
	};
	struct pass_list names;
	struct pass_report r;
	struct alert_view view = {.pass = &r};
	bool full;
	int64_t began = clock_mono();
	enum rc rc, judged = OK;

	if (w->config->kind == SOURCE_HTTP)
		return poller_look(d, w, e);
	watcher_begin(w, &full, &names);
	full |= next_is_remote(w->config) && names.n > REMOTE_NAMES;
	if (full)
		w->full_began = began;
	pass_report_init(&r);
	if (full) {
		rc = pass_run(d->engine, &options, &r, e);
		if (rc == OK || rc == BAD_SOURCE)
			tell_pass(&r);
		if (rc == OK || rc == BAD_SOURCE)
			looker_plan_next(w, is_whole(w, &r, rc),
				rc == BAD_SOURCE && e->cause == EKEYREJECTED,
				r.pass.started, began);
	} else {
		rc = pass_names(d->engine, &options, &names, &r, e);
		/* Something is odd: the full look will tell what. */
		if (rc == BAD_ITEM || rc == BAD_SOURCE)
			watcher_rescan(w);
	}
	/* Under the new configuration, or should the old one stay. */
	if (rc == AGAIN)
		watcher_rescan(w);
	clerk_ring(d->clerk);
	view.full = full;
	view.failed = rc != OK || r.troubles > 0;
	if (rc != BROKEN && rc != AGAIN)
		judged = looker_judge(d, w, &view, e);
	pass_report_release(&r);
	watcher_end(w, &names);
	return rc == BROKEN ? rc : judged;
}

/* A deadline has passed while nobody may look: that alone is worth telling. */
static enum rc
judge_alone(struct daemon *d, struct watcher *w, struct err *e)
{
	struct pass_report r;
	struct alert_view view = {.pass = &r, .overdue = true};
	enum rc rc;

	pass_report_init(&r);
	rc = looker_judge(d, w, &view, e);
	pass_report_release(&r);
	return rc;
}

static void
look_or_judge(struct daemon *d, struct watcher *w)
{
	struct err e = ERR_INIT;

	if ((w->judge_only ? judge_alone : look)(d, w, &e) == OK)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->err.code == OK)
		d->err = e;
	pthread_mutex_unlock(&d->lock);
}

void
looker_ring(struct daemon *d)
{
	const uint64_t one = 1;

	if (write(d->done, &one, sizeof(one)) < 0)
		log_say(LOG_ERROR, "eventfd", "%m");
}

void
looker_over(struct daemon *d, struct watcher *w)
{
	w->busy = false;
	if (w->config->kind == SOURCE_HTTP) {
		d->polling--;
		pthread_cond_signal(&d->place);
	}
	d->looking--;
	looker_ring(d);
}

void *
looker_once(void *arg)
{
	struct watcher *w = arg;
	struct daemon *d = w->daemon;

	look_or_judge(d, w);
	pthread_mutex_lock(&d->lock);
	looker_over(d, w);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

void *
looker_main(void *arg)
{
	struct daemon *d = arg;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		struct watcher *w;

		if (d->n_todo == 0) {
			if (d->quit)
				break;
			pthread_cond_wait(&d->work, &d->lock);
			continue;
		}
		w = d->todo[--d->n_todo];
		pthread_mutex_unlock(&d->lock);
		look_or_judge(d, w);
		pthread_mutex_lock(&d->lock);
		d->local--;
		looker_over(d, w);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}
