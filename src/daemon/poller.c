/*
 * Polled APIs in the daemon. A run may wait for long, for an answer or for
 * leave to ask: it has a thread of its own, as all looks at what is remote. An
 * API that is not being polled costs a watcher and nothing else: its child is
 * gone, its connections are closed. One that waits for leave to ask costs a
 * thread beside that, and no place among those that are asked at one time.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/alert.h"
#include "daemon/order-state.h"

static void
one_done(void *arg UNUSED, const struct delivery *d)
{
	tell_delivery(d);
}

/* A stream that brought something, waits or failed is worth a line. */
void
poller_tell(void *arg, const char *stream, const char *partition,
	const struct stream_report *r)
{
	const struct watcher *w = arg;
	struct log l;

	if (r->records == 0 && !r->failed && r->parked == 0 &&
		r->skipped == 0 && r->remark.len == 0)
		return;
	l = log_begin(r->failed || r->parked != 0 || r->remark.len > 0
			? LOG_WARNING
			: LOG_INFO,
		"polled");
	log_text(&l, "source", w->config->name);
	log_text(&l, "stream", stream);
	if (partition != NULL)
		log_text(&l, "partition", partition);
	log_u64(&l, "requests", r->requests);
	log_u64(&l, "records", r->records);
	log_u64(&l, "seen", r->seen);
	log_u64(&l, "files", r->files);
	if (r->skipped > 0)
		log_u64(&l, "skipped", r->skipped);
	if (r->parked != 0)
		log_duration(&l, "waits",
			(uint64_t)(r->parked > clock_wall()
					? r->parked - clock_wall()
					: 0));
	if (r->remark.len > 0)
		log_text(&l, "remark", r->remark.s);
	if (r->why.len > 0)
		log_text(&l, r->failed ? "error" : "why", r->why.s);
	log_end(&l);
}

/* Its place is for another, which the loop finds. */
void
poller_rest(void *arg, const char *why, int64_t ns)
{
	struct watcher *w = arg;
	struct daemon *d = w->daemon;
	struct log l;

	if (ns <= SESSION_REST)
		return;
	l = log_begin(LOG_INFO, "waits");
	log_text(&l, "source", w->config->name);
	log_duration(&l, "waits", (uint64_t)ns);
	log_text(&l, "why", why);
	log_end(&l);
	pthread_mutex_lock(&d->lock);
	w->resting = true;
	str_clear(&w->rests);
	str_add(&w->rests, why);
	w->rest_end = clock_wall() + ns;
	d->changed = true;
	d->polling--;
	pthread_cond_signal(&d->place);
	looker_ring(d);
	pthread_mutex_unlock(&d->lock);
}

void
poller_go_on(struct watcher *w, const atomic_bool *cancel)
{
	struct daemon *d = w->daemon;

	pthread_mutex_lock(&d->lock);
	if (w->resting) {
		while (d->polling >= POLLERS && !*cancel)
			pthread_cond_wait(&d->place, &d->lock);
		d->polling++;
		w->resting = false;
		w->rest_end = 0;
		d->changed = true;
	}
	pthread_mutex_unlock(&d->lock);
}

static void
goes_on(void *arg)
{
	struct watcher *w = arg;

	poller_go_on(w, &w->daemon->cancel);
}

enum rc
poller_look(struct daemon *d, struct watcher *w, struct err *e)
{
	struct poll_options options = {
		.config = w->config,
		.cancel = &d->cancel,
		.done = one_done,
		.through = poller_tell,
		.waits = poller_rest,
		.goes_on = goes_on,
		.rate = &w->rate,
		.arg = w,
	};
	int64_t began = clock_mono();
	struct pass_list names;
	struct poll_report r;
	struct alert_view view = {.pass = &r.look};
	enum rc rc;

	pthread_mutex_lock(&d->lock);
	options.keep = order_at(d, w) != NULL;
	pthread_mutex_unlock(&d->lock);
	watcher_begin(w, &view.full, &names);
	/* What waited is asked when it may be, and for it nobody else. */
	options.waited = !view.full;
	poll_report_init(&r);
	rc = poll_run(d->engine, &options, &r, e);
	view.failed = rc == BAD_SOURCE;
	if ((rc == OK && view.full) || rc == BAD_SOURCE)
		looker_plan_next(
			w, rc == OK, r.refused, r.look.pass.started, began);
	if (r.wait_ends != 0)
		watcher_wake_by(w, r.wait_ends);
	/* Under the new configuration, or should the old one stay. */
	if (rc == AGAIN && view.full)
		watcher_rescan(w);
	else if (rc == AGAIN)
		watcher_wake(w);
	if (rc == OK || rc == BAD_SOURCE)
		rc = looker_judge(d, w, &view, e);
	poll_report_release(&r);
	watcher_end(w, &names);
	return rc == AGAIN ? OK : rc;
}
