#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"

/* A server's own cursor is kept at least so often. */
#define PAGES_KEPT 200

/* "events.20260101T000000Z": a file's name has no colons. */
static void
add_name(const struct stream_work *r, struct str *s)
{
	CLEANUP(str_release) struct str point = STR_INIT;

	str_add(s, r->stream->name);
	if (r->o->partition != NULL)
		str_addf(s, ".%s", r->o->partition);
	str_addc(s, '.');
	if (r->by_window)
		window_add_point(&point, r->rule, r->window.start);
	else
		clock_add_time(&point, r->began);
	for (const char *p = point.s; *p != '\0'; p++)
		if ((*p != '-' && *p != ':') ||
			(r->by_window && r->rule->kind != API_KIND_TIME))
			str_addc(s, *p);
}

enum rc
stream_tell_skipped(struct stream_work *r, const char *name, struct err *e)
{
	struct delivery *d =
		delivery_new(r->source.s, (const uint8_t *)name, strlen(name));

	d->disposition = DISPOSITION_IGNORED;
	d->reason = mem_strdup(e->text);
	*e = (struct err)ERR_INIT;
	r->report->skipped++;
	return lane_note(r->o->lane, d, e);
}

void
stream_park(struct stream_work *r, int64_t until, struct err *e)
{
	r->report->parked = until;
	str_clear(&r->report->why);
	str_add(&r->report->why, e->text);
	*e = (struct err)ERR_INIT;
}

/* Does the position move before the window is through? */
static bool
keeps_pages(const struct stream_work *r)
{
	if (!r->rule->set || r->o->between)
		return false;
	return r->rule->kind == API_KIND_TOKEN ||
		(r->rule->commit == API_COMMIT_PAGE && r->met);
}

static enum rc
ask_pages(struct stream_work *r, struct paging *g,
	const struct api_request *what, enum api_phase phase, const char *first,
	const char *name, enum stream_ending *ret, struct err *e)
{
	struct session_question q = {.stream = r->stream,
		.partition = r->o->partition,
		.request = what,
		.phase = phase,
		.reply = stream_is_packed(r->stream) ? NULL : r->reply};
	struct vars *v = session_vars(r->o->session);
	uint64_t pages = 0;
	enum rc rc;

	for (;;) {
		paging_vars(g, v);
		/* Where to begin, as long as there is no token. */
		if (r->rule->set && r->rule->kind == API_KIND_TOKEN)
			window_vars(r->rule, &r->window, v);
		q.link = g->link.len > 0 || first == NULL ? g->link.s : first;
		rc = session_ask(r->o->session, &q, &r->answer, &r->outcome, e);
		if (rc != OK)
			return rc;
		switch (r->outcome.verdict) {
		case SESSION_ANSWER:
			rc = stream_page(r, e);
			if (rc == OK)
				rc = stream_next_page(r, g, e);
			if (rc == END) {
				*ret = WINDOW_WHOLE;
				return OK;
			}
			if (rc != OK)
				return rc;
			break;
		case SESSION_EMPTY:
			*ret = WINDOW_WHOLE;
			return OK;
		case SESSION_SPLIT:
			*ret = WINDOW_SPLIT;
			return OK;
		case SESSION_SHRINK:
			if (paging_shrink(g) != OK)
				return err_set(e, BAD_SOURCE,
					"%s: it is too much for the API, and "
					"pages cannot be smaller",
					name);
			break;
		case SESSION_SKIP:
			*ret = WINDOW_WHOLE;
			return stream_tell_skipped(r, name, e);
		case SESSION_PARK:
			stream_park(r, r->outcome.until, e);
			*ret = WINDOW_PARKED;
			return OK;
		case SESSION_RESTART_JOB:
			*ret = WINDOW_NEW_JOB;
			return OK;
		default:
			*ret = WINDOW_AGAIN;
			return OK;
		}
		if (keeps_pages(r) && ++pages >= PAGES_KEPT &&
			(g->link.len == 0 || r->by_window)) {
			*ret = WINDOW_KEPT;
			return OK;
		}
	}
}

enum rc
stream_ask_pages(struct stream_work *r, const struct api_request *what,
	enum api_phase phase, const char *link, const char *name,
	enum stream_ending *ret, struct err *e)
{
	struct paging g;
	enum rc rc;

	reply_first(r->reply);
	/* A token belongs to its window, but for the API's own cursor. */
	paging_init(&g, r->stream->pagination,
		r->rule->set && r->rule->kind == API_KIND_TOKEN &&
				r->token.len > 0
			? r->token.s
			: NULL);
	rc = ask_pages(r, &g, what, phase, link, name, ret, e);
	paging_release(&g);
	return rc;
}

static void
open_batch(struct stream_work *r, const char *name, const char *start,
	const char *end)
{
	const struct batch_options o = {
		.engine = r->o->engine,
		.lane = r->o->lane,
		.api = r->o->api,
		.source = r->source.s,
		.stream = r->stream->name,
		.partition = r->o->partition,
		.start = r->by_window ? start : NULL,
		.end = r->by_window && *end != '\0' ? end : NULL,
		.beside = r->o->between,
		.stem = name,
		.dialect = r->dialect,
		.memory = &r->memory,
	};

	r->batch = batch_open(&o);
}

static void
set_position(struct stream_work *r, enum stream_ending ending)
{
	/* The position of a run moves with its end. */
	struct str *to =
		r->rule->commit == API_COMMIT_RUN ? &r->later : &r->position;

	if (!r->rule->set || r->o->between)
		return;
	if (r->rule->kind == API_KIND_TOKEN) {
		str_clear(to);
		str_addn(to, r->token.s, r->token.len);
	} else if (ending == WINDOW_KEPT) {
		/* In order: all before the newest is there. */
		str_clear(to);
		window_add_point(to, r->rule, r->highest);
	} else if (r->window.end != INT64_MAX) {
		str_clear(to);
		window_add_point(to, r->rule, r->window.end);
	} else if (r->met) {
		/* Numbers: behind the highest. */
		str_clear(to);
		window_add_point(to, r->rule,
			r->highest < INT64_MAX - 1 ? r->highest + 1
						   : r->highest);
	}
}

/* What of the pages is to be landed is; the position moves with it. */
static enum rc
close_batch(struct stream_work *r, enum stream_ending ending, struct err *e)
{
	enum rc rc;

	set_position(r, ending);
	stream_job_forget(r);
	rc = batch_close(r->batch, r->position.s, stream_record, r, e);
	r->report->moved = true;
	return rc;
}

enum rc
stream_window(struct stream_work *r, enum stream_ending *ret, struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(str_release) struct str start = STR_INIT;
	CLEANUP(str_release) struct str end = STR_INIT;
	const struct batch_report *got;
	enum rc rc;

	if (r->by_window) {
		window_vars(r->rule, &r->window, session_vars(r->o->session));
		window_add_point(&start, r->rule, r->window.start);
		if (r->window.end != INT64_MAX)
			window_add_point(&end, r->rule, r->window.end);
	}
	add_name(r, &name);
	r->met = false;
	r->latest = INT64_MIN;
	r->memory.until = r->by_window && r->window.end != INT64_MAX
		? r->window.end
		: r->began;
	open_batch(r, name.s, start.s, end.s);
	rc = r->stream->job.set ? stream_job(r, name.s, ret, e)
				: stream_ask_pages(r, &r->stream->request,
					  API_PHASE_PAGE, NULL, name.s, ret, e);
	if (rc == OK && (*ret == WINDOW_WHOLE || *ret == WINDOW_KEPT)) {
		rc = close_batch(r, *ret, e);
		if (rc == OK)
			stream_job_over(r);
	}
	vars_unset_all(session_vars(r->o->session), API_JOB);
	/* Of a window that failed some may have landed. */
	got = batch_report(r->batch);
	r->report->files += got->files;
	r->report->records += got->records;
	r->report->deletes += got->deletes;
	r->report->seen += got->again;
	batch_free(r->batch);
	r->batch = NULL;
	/* What was not landed is not remembered either. */
	memory_clear(&r->memory);
	return rc;
}
