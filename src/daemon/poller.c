/*
 * Polled APIs in the daemon: each run has a thread of its own, because it may
 * wait for long, for an answer or for leave to ask. An API that is not being
 * polled costs a watcher and nothing else: its child is gone, its connections
 * are closed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/alert.h"
#include "daemon/daemon-state.h"
#include "daemon/poll.h"

struct polling {
	struct daemon *d;
	struct watcher *w;
};

static void
one_done(void *arg UNUSED, const struct delivery *d)
{
	tell_delivery(d);
}

/* A stream that brought something, waits or failed is worth a line. */
static void
through(void *arg, const char *stream, const char *partition,
	const struct stream_report *r)
{
	const struct polling *p = arg;
	struct log l;

	if (r->records == 0 && !r->failed && r->parked == 0 && r->skipped == 0)
		return;
	l = log_begin(
		r->failed || r->parked != 0 ? LOG_WARNING : LOG_INFO, "polled");
	log_text(&l, "source", p->w->config->name);
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
	if (r->why.len > 0)
		log_text(&l, r->failed ? "error" : "why", r->why.s);
	log_end(&l);
}

static enum rc
run(struct polling *p, struct err *e)
{
	struct daemon *d = p->d;
	struct watcher *w = p->w;
	const struct poll_options options = {
		.config = w->config,
		.cancel = &d->cancel,
		.done = one_done,
		.through = through,
		.arg = p,
	};
	int64_t began = clock_mono(), left;
	struct pass_list names;
	struct poll_report r;
	struct pass_report pass;
	struct alert_view view = {.pass = &pass, .full = true};
	bool full;
	enum rc rc;

	watcher_begin(w, &full, &names);
	poll_report_init(&r);
	pass_report_init(&pass);
	rc = poll_run(d->engine, &options, &r, e);
	pass.pass = r.pass;
	view.failed = rc == BAD_SOURCE;
	if (rc == OK || rc == BAD_SOURCE)
		looker_plan_next(w, rc == OK, r.pass.started, began);
	/* What waits is asked again when it may be, and not before. */
	if (r.parked_until != 0) {
		left = r.parked_until - clock_wall();
		watcher_plan_by(w, clock_mono() + (left > 0 ? left : 0));
	}
	if (rc == OK || rc == BAD_SOURCE)
		rc = looker_judge(d, w, &view, e);
	pass_report_release(&pass);
	poll_report_release(&r);
	watcher_end(w, &names);
	return rc == AGAIN ? OK : rc;
}

static void *
poller_main(void *arg)
{
	const uint64_t one = 1;
	struct polling *p = arg;
	struct daemon *d = p->d;
	struct err e = ERR_INIT;
	enum rc rc = run(p, &e);

	pthread_mutex_lock(&d->lock);
	if (rc != OK && d->err.code == OK)
		d->err = e;
	p->w->busy = false;
	d->polling--;
	/* Before the lock is given: after it the daemon may be gone. */
	if (write(d->done, &one, sizeof(one)) < 0)
		log_say(LOG_ERROR, "eventfd", "%m");
	pthread_mutex_unlock(&d->lock);
	free(p);
	return NULL;
}

bool
poller_start(struct daemon *d, struct watcher *w)
{
	struct polling *p;
	pthread_attr_t attr;
	pthread_t thread;
	bool started;

	if (d->polling >= POLLERS)
		return false;
	p = mem_alloc(sizeof(*p));
	*p = (struct polling){.d = d, .w = w};
	if (pthread_attr_init(&attr) != 0 ||
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) !=
			0)
		abort();
	started = pthread_create(&thread, &attr, poller_main, p) == 0;
	pthread_attr_destroy(&attr);
	if (started)
		d->polling++;
	else
		free(p);
	return started;
}
