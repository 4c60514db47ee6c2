#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"

/* Of pages asked for again, because the API said so. */
#define RESTARTS 5

/* A server's own cursor is kept at least so often. */
#define PAGES_KEPT 200

#define KEYS_MOST 16 /* fields of a key */

void
stream_report_release(struct stream_report *r)
{
	str_release(&r->why);
}

void
stream_source(struct str *s, const char *api, const struct api_stream *stream)
{
	str_addf(s, "%s.%s", api, stream->name);
}

/* ---- the position ---- */

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

enum rc
stream_record(struct catalog *c, void *arg, struct err *e)
{
	struct stream_work *r = arg;
	const char *partition = r->o->partition != NULL ? r->o->partition : "";
	struct catalog_stream s;
	int64_t id;
	enum rc rc;

	rc = catalog_stream_find(
		c, r->o->api, r->stream->name, partition, &s, e);
	if (rc == END)
		s = (struct catalog_stream){.stream = r->stream->name,
			.partition = partition,
			.position = "",
			.job = "",
			.why = ""};
	else if (rc != OK)
		return rc;
	s.looked = r->began;
	s.parked = r->report->parked;
	s.why = r->report->why.s;
	s.has_left = session_left(r->o->session, &s.left, &s.allowed);
	if (!r->o->between) {
		s.position = r->position.s;
		s.job = r->job.s;
		if (!r->report->failed && r->report->parked == 0)
			s.whole = r->began;
	}
	return catalog_stream_put(c, r->o->api, &s, &id, e);
}

/* ---- one window ---- */

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

/* What of the pages is to be landed is; the position moves with it. */
static enum rc
close_batch(struct stream_work *r, enum stream_ending ending, struct err *e)
{
	uint64_t files = batch_report(r->batch)->files;
	enum rc rc;

	set_position(r, ending);
	stream_job_forget(r);
	rc = batch_close(r->batch, r->position.s, stream_record, r, e);
	r->report->files += batch_report(r->batch)->files - files;
	r->report->moved = true;
	return rc;
}

/* One window, or all there is of a stream without windows. */
static enum rc
run_window(struct stream_work *r, enum stream_ending *ret, struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(str_release) struct str start = STR_INIT;
	CLEANUP(str_release) struct str end = STR_INIT;
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
	r->report->files += rc == OK ? 0 : batch_report(r->batch)->files;
	batch_free(r->batch);
	r->batch = NULL;
	/* What was not landed is not remembered either. */
	memory_clear(&r->memory);
	return rc;
}

/* What is behind the look back is never asked for again. */
static enum rc
forget(struct catalog *c, void *arg, struct err *e)
{
	struct stream_work *r = arg;
	int64_t before = r->by_window ? r->memory.until : r->began;

	if (r->by_window && r->rule->lookback > 0)
		before = before > INT64_MIN + r->rule->lookback
			? before - r->rule->lookback
			: INT64_MIN;
	return catalog_seen_forget(c, r->memory.stream, before, e);
}

/* The row as it is now: it has a number once something was recorded. */
static enum rc
find_row(struct stream_work *r, struct err *e)
{
	enum rc rc = catalog_stream_find(lane_catalog(r->o->lane), r->o->api,
		r->stream->name, r->o->partition != NULL ? r->o->partition : "",
		&r->row, e);

	if (rc == END)
		r->row = (struct catalog_stream){.position = ""};
	else if (rc != OK)
		return rc;
	r->memory.stream = r->row.id;
	return OK;
}

/* After a whole window or run. */
static enum rc
settle(struct stream_work *r, struct err *e)
{
	if (find_row(r, e) != OK)
		return e->code;
	if (r->memory.stream == 0 || r->o->between || r->o->keep ||
		(r->rule->set &&
			(r->rule->kind == API_KIND_TOKEN ||
				r->rule->commit == API_COMMIT_RUN)))
		return OK;
	return lane_write(r->o->lane, forget, r, e);
}

/* The streams that make up for a gap are read from their start again. */
static enum rc
begin_anew(struct catalog *c, void *arg, struct err *e)
{
	struct stream_work *r = arg;

	for (size_t i = 0; i < r->rule->n_on_gap; i++) {
		const struct api_stream *x =
			&r->o->description->stream[r->rule->on_gap[i]];
		struct catalog_stream s;
		int64_t id;
		enum rc rc =
			catalog_stream_find(c, r->o->api, x->name, "", &s, e);

		if (rc == END)
			continue;
		if (rc != OK)
			return rc;
		s.position = "";
		s.parked = 0;
		if (catalog_stream_put(c, r->o->api, &s, &id, e) != OK)
			return e->code;
	}
	return OK;
}

/* What the API does not keep any more is told, and made up for if it can. */
static enum rc
close_gap(struct stream_work *r, const struct windows *it, struct err *e)
{
	CLEANUP(str_release) struct str from = STR_INIT;
	CLEANUP(str_release) struct str to = STR_INIT;
	CLEANUP(str_release) struct str name = STR_INIT;

	window_add_point(&from, r->rule, it->gap_from);
	window_add_point(&to, r->rule, it->gap_to);
	err_set(e, BAD_SOURCE,
		"from %s to %s nothing was landed, and the API does not keep "
		"it any more",
		from.s, to.s);
	if (r->rule->n_on_gap == 0)
		return err_add(e,
			"no stream makes up for it: `landfall reset` this one "
			"to go on behind the gap");
	str_addf(&name, "%s.gap.%s", r->stream->name, from.s);
	if (stream_tell_skipped(r, name.s, e) != OK)
		return e->code;
	return lane_write(r->o->lane, begin_anew, r, e);
}

static enum rc
run_windows(struct stream_work *r, struct err *e)
{
	struct windows it;
	int64_t position;
	bool has = window_position(r->rule, r->position.s, &position);
	struct api_window left = {0, 0};
	unsigned restarts = 0;
	enum stream_ending ending;
	enum rc rc = OK;

	r->by_window = true;
	if (r->o->between)
		windows_between(&it, r->rule, r->o->from, r->o->to);
	else
		windows_begin(&it, r->rule, has ? &position : NULL, r->began);
	if (it.gap && close_gap(r, &it, e) != OK)
		return e->code;
	/* What a job was made for before is asked of that job. */
	if (stream_job_window(r)) {
		left = r->window;
		it.next = left.start;
	}
	while (rc == OK && windows_next(&it, &r->window)) {
		if (left.end > left.start) {
			r->window = left;
			/* It was asked then: what came late is behind it. */
			windows_begin(&it, r->rule, &left.end, r->began);
			left.end = left.start;
		}
		do {
			rc = run_window(r, &ending, e);
			if (rc != OK)
				return rc;
			if (ending == WINDOW_SPLIT &&
				!windows_split(&it, &r->window))
				return err_set(e, BAD_SOURCE,
					"it is too much for the API, and the "
					"window cannot be shorter");
			if (ending == WINDOW_AGAIN && ++restarts > RESTARTS)
				return err_set(e, BAD_SOURCE,
					"the API wants its pages asked for "
					"again, and again");
			/* The rest of it, from where it got to. */
			if (ending == WINDOW_KEPT)
				r->window.start = r->highest;
		} while (ending == WINDOW_SPLIT || ending == WINDOW_AGAIN ||
			ending == WINDOW_KEPT);
		if (ending == WINDOW_PARKED)
			return OK;
		r->report->windows++;
		restarts = 0;
		rc = settle(r, e);
		if (rc == OK && r->o->between)
			rc = session_give_way(r->o->session, e);
	}
	return rc;
}

/* All of a stream without windows, or what follows a token. */
static enum rc
run_whole(struct stream_work *r, struct err *e)
{
	unsigned restarts = 0;
	enum stream_ending ending;

	r->window = (struct api_window){0};
	vars_unset_all(session_vars(r->o->session), API_WINDOW);
	if (r->rule->set && r->rule->kind == API_KIND_TOKEN)
		str_addn(&r->token, r->position.s, r->position.len);
	do {
		if (run_window(r, &ending, e) != OK)
			return e->code;
		if (ending == WINDOW_KEPT)
			continue;
		if (ending == WINDOW_SPLIT ||
			(ending == WINDOW_AGAIN && ++restarts > RESTARTS))
			return err_set(e, BAD_SOURCE,
				"the API wants it asked for in another way, "
				"again and again");
	} while (ending == WINDOW_AGAIN || ending == WINDOW_KEPT);
	if (ending == WINDOW_PARKED)
		return OK;
	r->report->windows++;
	return settle(r, e);
}

/* ---- opening and closing ---- */

static void
make_reply(struct stream_work *r)
{
	const struct api_pagination *x = r->stream->pagination;
	const struct api_selector *all[] = {
		&x->next, &x->more, &x->done, &x->total};
	const struct api_selector *wanted[ARRAY_LEN(all)];
	struct reply_spec spec = {
		.layer = r->stream->decode->layer[r->stream->decode->n - 1],
		.records = &r->stream->records,
		.field = r->field,
		.selector = wanted,
		.max_record = r->o->description->max_record,
	};

	for (size_t i = 0; i < r->stream->key.n && i < KEYS_MOST; i++)
		r->field[r->n_fields++] = &r->stream->key.row[i];
	r->cursor = SIZE_MAX;
	if (r->rule->set &&
		(r->rule->cursor.column != NULL ||
			r->rule->cursor.path.n > 0)) {
		r->cursor = r->n_fields;
		r->field[r->n_fields++] = &r->rule->cursor;
	}
	r->flags = r->n_fields;
	for (size_t i = 0;
		i < r->stream->deletes.n && r->n_fields < STREAM_FIELDS; i++)
		if (r->stream->deletes.row[i].kind != API_DELETE_STREAM)
			r->field[r->n_fields++] =
				&r->stream->deletes.row[i].flag;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->from == API_FROM_BODY ||
			all[i]->from == API_FROM_LAST)
			wanted[spec.n_selectors++] = all[i];
	spec.n_fields = r->n_fields;
	r->reply = reply_new(&spec);
	reply_dialect(&spec, &r->dialect);
}

static void
release(struct stream_work *r)
{
	batch_free(r->batch);
	memory_release(&r->memory);
	reply_free(r->reply);
	http_answer_release(&r->answer);
	session_outcome_release(&r->outcome);
	str_release(&r->source);
	str_release(&r->position);
	str_release(&r->token);
	str_release(&r->job);
	str_release(&r->later);
	free(r->fresh);
}

enum rc
stream_run(const struct stream_options *o, struct stream_report *ret,
	struct err *e)
{
	CLEANUP(release)
	struct stream_work r = {.o = o,
		.stream = o->stream,
		.rule = &o->stream->incremental,
		.report = ret,
		.source = STR_INIT,
		.position = STR_INIT,
		.token = STR_INIT,
		.job = STR_INIT,
		.later = STR_INIT,
		.began = clock_wall()};
	uint64_t requests = session_requests(o->session);
	bool go_on = true;
	enum rc rc;

	http_answer_init(&r.answer, o->engine->spool);
	session_outcome_init(&r.outcome);
	stream_source(&r.source, o->api, o->stream);
	memory_init(&r.memory, lane_catalog(o->lane), 0, 0);
	make_reply(&r);
	rc = find_row(&r, e);
	if (rc != OK)
		return rc;
	if (!o->between && r.row.whole != 0 && r.began > r.row.whole &&
		r.began - r.row.whole < r.stream->min_interval)
		return OK;
	/* A schedule, or a hand, may come sooner than the API said. */
	if (!o->between && r.row.parked > r.began) {
		ret->parked = r.row.parked;
		str_add(&ret->why, r.row.why);
		return OK;
	}
	str_add(&r.position, r.row.position);
	if (!o->between && r.stream->job.set && r.row.job != NULL)
		str_add(&r.job, r.row.job);
	rc = stream_learn(&r, e);
	if (rc == OK)
		rc = find_row(&r, e);
	if (rc != OK)
		return rc;
	rc = stream_lookups(&r, &go_on, e);
	if (rc == OK && go_on)
		rc = r.rule->set && r.rule->kind != API_KIND_TOKEN
			? run_windows(&r, e)
			: run_whole(&r, e);
	ret->requests += session_requests(o->session) - requests;
	if (rc == BROKEN)
		return rc;
	if (rc == OK && r.later.len > 0 && ret->parked == 0) {
		str_clear(&r.position);
		str_addn(&r.position, r.later.s, r.later.len);
	}
	if (rc == AGAIN && o->cancel != NULL && *o->cancel)
		return rc;
	if (rc != OK) {
		ret->failed = true;
		str_clear(&ret->why);
		str_add(&ret->why, e->text);
		*e = (struct err)ERR_INIT;
	}
	/* How it stands is told, also when it does not move. */
	return lane_write(o->lane, stream_record, &r, e);
}
