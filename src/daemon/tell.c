#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/order-state.h"

/* How often `landfall status` learns of work. */
#define LIVE_PERIOD CLOCK_SECOND

void
tell_delivery(const struct delivery *d)
{
	struct log l;
	uint64_t landed = d->members.count[DISPOSITION_LANDED] +
		d->members.count[DISPOSITION_NEW_VERSION];
	bool bad = d->disposition == DISPOSITION_QUARANTINED ||
		(d->disposition == DISPOSITION_PENDING && d->tried);

	/* An archive of thousands: what is left out of it is a number. */
	if (d->member && d->disposition == DISPOSITION_IGNORED)
		return;
	l = log_begin(
		bad ? LOG_WARNING : LOG_INFO, disposition_name(d->disposition));
	log_text(&l, "source", d->source);
	log_bytes(&l, "name", d->name, d->name_len);
	if (d->unpacked) {
		log_u64(&l, "members", landed);
		log_u64(&l, "duplicate",
			d->members.count[DISPOSITION_DUPLICATE]);
		log_u64(&l, "ignored", d->members.count[DISPOSITION_IGNORED]);
		log_u64(&l, "findings", d->members.findings);
		log_u64(&l, "missing", d->members.missing);
		log_u64(&l, "size", d->landed.size);
		log_u64(&l, "index", d->index);
	} else if (d->staged) {
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

void
tell_pass(const struct pass_report *r)
{
	const struct catalog_pass *p = &r->pass;
	uint64_t fresh = p->listed - p->unchanged;
	uint64_t members = r->members[DISPOSITION_LANDED] +
		r->members[DISPOSITION_NEW_VERSION];
	struct log l;

	if (r->remark.len > 0)
		log_say(LOG_WARNING, "remark", "%s: %s", p->source,
			r->remark.s);
	if (r->receipts.len > 0)
		log_say(LOG_WARNING, "receipts-wait", "%s: %s", p->source,
			r->receipts.s);
	if (r->after.failed > 0)
		log_say(LOG_WARNING, "after-failed",
			"%s: %" PRIu64 " could not leave the source: %s",
			p->source, r->after.failed, r->after.trouble.s);
	if (fresh == 0 && *p->trouble == '\0')
		return;
	l = log_begin(*p->trouble != '\0' ? LOG_WARNING : LOG_INFO, "pass");
	log_text(&l, "source", p->source);
	log_u64(&l, "listed", p->listed);
	log_u64(&l, "unchanged", p->unchanged);
	for (unsigned i = 1; i < DISPOSITIONS; i++)
		if (p->count[i] > 0)
			log_u64(&l, disposition_name(i), p->count[i]);
	if (members > 0)
		log_u64(&l, "members", members);
	if (*p->trouble != '\0')
		log_text(&l, "could_not_look", p->trouble);
	log_duration(&l, "took", (uint64_t)(p->ended - p->started));
	log_end(&l);
}

void
tell_arrival(struct watcher *w, const struct arrival_report *a)
{
	if (a->outcome == w->arrival && a->day.due == w->arrival_due)
		return;
	w->arrival = a->outcome;
	w->arrival_due = a->day.due;
	struct log l = log_begin(
		a->outcome == ARRIVAL_WAITING || a->outcome == ARRIVAL_ON_TIME
			? LOG_INFO
			: LOG_WARNING,
		"arrival");

	log_text(&l, "source", w->config->name);
	log_text(&l, "outcome", arrival_name(a->outcome));
	log_u64(&l, "files", a->arrived.files);
	log_u64(&l, "bytes", a->arrived.bytes);
	log_u64(&l, "records", a->arrived.records);
	log_end(&l);
}

void
tell_state(struct daemon *d, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clear(&d->saying);
	str_add(&d->saying, text);
	d->changed = true;
	sd_notifyf(0, "STATUS=%s", text);
}

/* What is read so fast that nobody asks is not told of. */
#define LONG CLOCK_SECOND

static void
picture_files(struct daemon *d)
{
	struct engine_file file[LIVE_FILES];
	struct live *l = &d->live;

	live_release_files(l);
	l->n_files = engine_files(d->engine, LONG, file, LIVE_FILES);
	for (size_t i = 0; i < l->n_files; i++)
		l->file[i] = (struct live_file){.source = file[i].source,
			.name = file[i].name.s,
			.size = file[i].size,
			.bytes = file[i].bytes};
}

/* What every source is at, as far as the loop knows. */
static void
take_picture(struct daemon *d, int64_t now)
{
	struct live *l = &d->live;
	int64_t wall = clock_wall(), before = d->told;
	uint64_t bytes = l->work.bytes;
	struct engine_progress p;

	engine_progress(d->engine, &p);
	l->written = wall;
	l->saying = d->saying.s;
	l->work = (struct live_work){
		.queued = p.queued,
		.reading = p.reading,
		.reading_bytes = p.reading_bytes,
		.staged = p.staged,
		.done = p.done,
		.bytes = p.bytes,
		.members = p.members,
		.rate = now > before
			? (uint64_t)((double)(p.bytes - bytes) * CLOCK_SECOND /
				  (double)(now - before))
			: 0,
	};
	picture_files(d);
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_watchers; i++) {
		struct watcher *w = &d->watcher[i];
		int64_t due = watcher_planned(w);
		const struct order *o = order_in_turn(d, w);

		free(l->source[i].why);
		l->source[i] = (struct live_source){
			.until = w->rest_end,
			.why = w->rest_end != 0 ? mem_strdup(w->rests.s) : NULL,
			.name = w->config->name,
			.looking = w->busy,
			.order = o != NULL ? order_verb_name(o->request.verb)
					   : NULL,
			.failures = w->busy ? 0 : w->failures,
			.next = due <= now ? wall : wall + (due - now),
		};
	}
	pthread_mutex_unlock(&d->lock);
	l->n_sources = d->n_watchers;
}

int64_t
tell_status(struct daemon *d, bool quiet)
{
	int64_t now = clock_mono();
	struct err e = ERR_INIT;

	if (quiet && !d->changed)
		return INT64_MAX;
	if (now - d->told < LIVE_PERIOD)
		return d->told + LIVE_PERIOD - now;
	/* First: what changes from now on is in the next one. */
	d->changed = false;
	take_picture(d, now);
	if (live_write(engine_state_dir(d->engine), &d->live, &e) == OK)
		d->mute = false;
	else if (!d->mute) {
		log_say(LOG_WARNING, "status-unknown", "%s", e.text);
		d->mute = true;
	}
	d->told = now;
	return quiet ? INT64_MAX : LIVE_PERIOD;
}
