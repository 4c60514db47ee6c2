#include <stdlib.h>

#include "base/clock.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"

/* Of pages asked for again, because the API said so. */
#define RESTARTS 5

void
stream_report_release(struct stream_report *r)
{
	str_release(&r->why);
	str_release(&r->remark);
}

void
stream_source(struct str *s, const char *api, const struct api_stream *stream)
{
	str_addf(s, "%s.%s", api, stream->name);
}

/* ---- its row ---- */

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
	/* Polls may have come in between, and a backfill is none. */
	if (!r->o->between)
		s.looked = r->began;
	/* A backfill may find that there is longer to wait, and no more. */
	if (!r->o->between || r->report->parked > s.parked) {
		s.parked = r->report->parked;
		s.why = r->report->why.s;
	}
	s.has_left = session_left(r->o->session, &s.left, &s.allowed);
	if (!r->o->between) {
		s.position = r->position.s;
		s.job = r->job.s;
		if (!r->report->failed && r->report->parked == 0)
			s.whole = r->began;
	}
	return catalog_stream_put(c, r->o->api, &s, &id, e);
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

enum rc
stream_find_row(struct stream_work *r, struct err *e)
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
	if (stream_find_row(r, e) != OK)
		return e->code;
	if (r->memory.stream == 0 || r->o->between || r->o->keep ||
		(r->rule->set &&
			(r->rule->kind == API_KIND_TOKEN ||
				r->rule->commit == API_COMMIT_RUN)))
		return OK;
	return lane_write(r->o->lane, forget, r, e);
}

/* ---- window after window ---- */

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
		if (r->o->between && session_give_way(r->o->session, e) != OK)
			return e->code;
		if (left.end > left.start) {
			r->window = left;
			/* It was asked then: what came late is behind it. */
			windows_begin(&it, r->rule, &left.end, r->began);
			left.end = left.start;
		}
		do {
			rc = stream_window(r, &ending, e);
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
		if (stream_window(r, &ending, e) != OK)
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
	bool cursor;

	r->n_fields = paths_fields(r->stream, r->field, &cursor);
	r->cursor = cursor ? r->n_fields - 1 : SIZE_MAX;
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

/* Nobody can prove it; nobody should have to find it out either. */
static void
remark(struct stream_work *r)
{
	CLEANUP(str_release) struct str path = STR_INIT;

	paths_write(&r->stream->pagination->next, &path);
	str_addf(&r->report->remark,
		"an answer has %llu records, as many as were asked for, and "
		"pagination.next, %s, was in none of this run: if there is "
		"more, it is not asked for",
		(unsigned long long)r->full, path.s);
}

static void
begin(struct stream_work *r, const struct stream_options *o,
	struct stream_report *report)
{
	*r = (struct stream_work){.o = o,
		.stream = o->stream,
		.rule = &o->stream->incremental,
		.report = report,
		.source = STR_INIT,
		.position = STR_INIT,
		.token = STR_INIT,
		.job = STR_INIT,
		.later = STR_INIT,
		.began = clock_wall()};
	http_answer_init(&r->answer, o->engine->spool);
	session_outcome_init(&r->outcome);
	stream_source(&r->source, o->api, o->stream);
	memory_init(&r->memory, lane_catalog(o->lane), 0, 0);
	make_reply(r);
}

enum rc
stream_catch_up(const struct stream_options *o, struct err *e)
{
	CLEANUP(release) struct stream_work r;
	CLEANUP(stream_report_release)
	struct stream_report report = STREAM_REPORT_INIT;

	begin(&r, o, &report);
	if (stream_find_row(&r, e) != OK)
		return e->code;
	str_add(&r.position, r.row.position);
	return stream_learn(&r, e);
}

enum rc
stream_run(const struct stream_options *o, struct stream_report *ret,
	struct err *e)
{
	CLEANUP(release) struct stream_work r;
	uint64_t requests = session_requests(o->session);
	bool go_on = true;
	enum rc rc;

	begin(&r, o, ret);
	rc = stream_find_row(&r, e);
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
	if (!ret->failed && r.full > 0 && !r.led)
		remark(&r);
	/* How it stands is told, also when it does not move. */
	return lane_write(o->lane, stream_record, &r, e);
}
