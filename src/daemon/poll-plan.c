#include "daemon/poll-plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/partition.h"
#include "daemon/paths.h"
#include "daemon/sweep.h"
#include "source/http/paging.h"
#include "source/http/request.h"
#include "source/http/session.h"
#include "source/http/window.h"

struct planning {
	const struct source_config *cfg;
	const struct api_stream *stream;
	struct session *session;
	struct catalog *catalog;
	enum rc (*each)(void *arg, const struct poll_step *s, struct err *e);
	void *arg;
	/* Partitions of a parent's, each with its end; and how many. */
	struct str known;
	size_t n_known;
	bool unknown; /* braces stand for what nobody knows */
	const char *list_for;
};

/* "/of/%7Bgroup%7D" as a human would write it. */
static void
show_braces(struct str *url)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	for (const char *p = url->s; *p != '\0'; p++) {
		bool open = strncmp(p, "%7B", 3) == 0;

		if (open || strncmp(p, "%7D", 3) == 0) {
			str_addc(&s, open ? '{' : '}');
			p += 2;
		} else {
			str_addc(&s, *p);
		}
	}
	str_clear(url);
	str_addn(url, s.s, s.len);
}

/* The request of the window or token that the variables are set for. */
static enum rc
tell(struct planning *p, struct poll_step *s, struct err *e)
{
	struct vars *v = session_vars(p->session);
	const char *token = p->stream->incremental.set &&
			p->stream->incremental.kind == API_KIND_TOKEN &&
			*s->position != '\0'
		? s->position
		: NULL;
	struct request r;
	struct paging g;
	enum rc rc;

	paging_init(&g, p->stream->pagination, token);
	paging_vars(&g, v);
	paging_release(&g);
	rc = request_make(
		p->cfg->api, p->stream, &p->stream->request, v, &r, e);
	if (rc != OK)
		return err_add(e, "stream %s", p->stream->name);
	if (p->unknown)
		show_braces(&r.shown);
	s->method = r.method;
	s->url = r.shown.s;
	s->list_for = p->list_for;
	rc = p->each(p->arg, s, e);
	request_release(&r);
	return rc;
}

static enum rc
plan_windows(struct planning *p, struct poll_step *s, struct err *e)
{
	const struct api_incremental *x = &p->stream->incremental;
	struct windows it, rest;
	struct api_window w, last;
	int64_t at;
	bool has = *s->position != '\0' && window_position(x, s->position, &at);
	enum rc rc = OK;

	windows_begin(&it, x, has ? &at : NULL, clock_wall());
	for (unsigned n = 1; rc == OK && windows_next(&it, &w); n++) {
		CLEANUP(str_release) struct str start = STR_INIT;
		CLEANUP(str_release) struct str end = STR_INIT;

		window_vars(x, &w, session_vars(p->session));
		window_add_point(&start, x, w.start);
		if (w.end != INT64_MAX)
			window_add_point(&end, x, w.end);
		s->start = start.s;
		s->end = end.s;
		s->more = 0;
		rest = it;
		while (n == PLAN_WINDOWS && windows_next(&rest, &last))
			s->more++;
		rc = tell(p, s, e);
		if (n == PLAN_WINDOWS)
			break;
	}
	return rc;
}

static enum rc
plan_partition(void *arg, const char *partition, struct err *e)
{
	struct planning *p = arg;
	const struct api_incremental *x = &p->stream->incremental;
	struct catalog_stream row;
	CLEANUP(str_release) struct str position = STR_INIT;
	struct poll_step s = {
		.stream = p->stream->name, .partition = partition};
	enum rc rc = catalog_stream_find(p->catalog, p->cfg->name,
		p->stream->name, partition != NULL ? partition : "", &row, e);

	if (rc != OK && rc != END)
		return rc;
	if (rc == OK)
		str_add(&position, row.position);
	s.position = position.s;
	vars_unset_all(session_vars(p->session), API_WINDOW);
	if (x->set && x->kind != API_KIND_TOKEN)
		return plan_windows(p, &s, e);
	if (x->set && position.len == 0) {
		const struct api_window w = {.start = x->start};

		window_vars(x, &w, session_vars(p->session));
	}
	return tell(p, &s, e);
}

/* ---- partitions that a parent gives ---- */

/* The list as it is read for them: whole, without windows. */
static enum rc
plan_list(void *arg, const char *partition, struct err *e)
{
	struct planning *p = arg;
	struct poll_step s = {.stream = p->stream->name,
		.partition = partition,
		.position = ""};

	vars_unset_all(session_vars(p->session), API_WINDOW);
	return tell(p, &s, e);
}

static enum rc
note_row(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	struct planning *p = arg;

	if (strcmp(s->stream, p->stream->name) != 0 || *s->partition == '\0' ||
		strcmp(s->partition, SWEEP_PARTITION) == 0)
		return OK;
	if (p->n_known++ < PLAN_PARTITIONS)
		str_addn(&p->known, s->partition, strlen(s->partition) + 1);
	return OK;
}

static void
set_unknown(struct planning *p, struct str *name)
{
	const struct api_partitions *q = &p->stream->partitions;
	struct vars *v = session_vars(p->session);

	for (size_t i = 0; i < q->n; i++) {
		CLEANUP(str_release) struct str value = STR_INIT;

		str_addf(&value, "{%s}", q->row[i].name);
		vars_set_text(v, API_PARTITION, q->row[i].name, value.s);
		str_addf(name, "%s%s=%s", i > 0 ? "," : "", q->row[i].name,
			value.s);
	}
}

static enum rc
plan_unknown(struct planning *p, struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	enum rc rc;

	set_unknown(p, &name);
	p->unknown = true;
	rc = plan_partition(p, name.s, e);
	p->unknown = false;
	return rc;
}

static enum rc
plan_known(struct planning *p, struct err *e)
{
	const char *name = p->known.s;
	struct poll_step more = {.stream = p->stream->name,
		.more_partitions = p->n_known - PLAN_PARTITIONS};
	enum rc rc = OK;

	for (size_t i = 0; i < p->n_known && i < PLAN_PARTITIONS && rc == OK;
		i++, name += strlen(name) + 1)
		if (partition_set(p->stream, name, session_vars(p->session)))
			rc = plan_partition(p, name, e);
	if (rc == OK && p->n_known > PLAN_PARTITIONS)
		rc = p->each(p->arg, &more, e);
	return rc;
}

static enum rc
plan_children(struct planning *p, struct err *e)
{
	const struct api_stream *child = p->stream;
	enum rc rc;

	p->stream = &p->cfg->api->stream[child->partitions.parent];
	p->list_for = child->name;
	rc = partition_each(
		p->stream, session_vars(p->session), NULL, plan_list, p, e);
	p->stream = child;
	p->list_for = NULL;
	p->n_known = 0;
	str_clear(&p->known);
	if (rc == OK)
		rc = catalog_stream_each(
			p->catalog, p->cfg->name, note_row, p, e);
	/* What is asked for several at once has no name of its own. */
	if (rc == OK)
		rc = p->n_known == 0 || child->partitions.batch > 1
			? plan_unknown(p, e)
			: plan_known(p, e);
	vars_unset_all(session_vars(p->session), API_PARTITION);
	return rc;
}

enum rc
poll_plan(const struct source_config *cfg, struct catalog *c,
	enum rc (*each)(void *arg, const struct poll_step *s, struct err *e),
	void *arg, struct err *e)
{
	const struct session_options o = {
		.api = cfg->api, .source = cfg->name, .spool = -1, .state = -1};
	struct planning p = {.cfg = cfg,
		.catalog = c,
		.each = each,
		.arg = arg,
		.known = STR_INIT};
	enum rc rc = session_open(&o, &p.session, e);

	for (size_t i = 0; i < cfg->api->n_streams && rc == OK; i++) {
		p.stream = &cfg->api->stream[i];
		if (!p.stream->enabled)
			continue;
		rc = p.stream->partitions.parent != API_NO_STREAM
			? plan_children(&p, e)
			: partition_each(p.stream, session_vars(p.session),
				  NULL, plan_partition, &p, e);
	}
	session_close(p.session);
	str_release(&p.known);
	return rc;
}

/* ---- one request ---- */

static enum rc
any_record(void *arg UNUSED, const struct reply_record *x UNUSED,
	struct err *e UNUSED)
{
	return OK;
}

static enum rc
first_partition(
	void *arg UNUSED, const char *partition UNUSED, struct err *e UNUSED)
{
	return END;
}

static void
set_first_window(const struct api_stream *s, struct vars *v)
{
	const struct api_incremental *x = &s->incremental;
	struct api_window w = {.start = x->start};
	int64_t now = clock_wall();
	struct windows it;

	if (!x->set)
		return;
	/* The newest there is, which is the least to ask for. */
	if (x->kind == API_KIND_TIME) {
		windows_begin(&it, x, &now, now);
		if (!windows_next(&it, &w))
			w = (struct api_window){now, now};
	}
	window_vars(x, &w, v);
}

static enum rc
try_stream(struct session *s, const struct source_config *cfg,
	const struct api_stream *stream, int spool, struct str *facts,
	struct err *e)
{
	const struct api_place *field[PATHS_MOST];
	const struct api_selector *const next = &stream->pagination->next;
	bool cursor;
	const struct reply_spec spec = {
		.layer = stream->decode->layer[stream->decode->n - 1],
		.records = &stream->records,
		.field = field,
		.n_fields = paths_fields(stream, field, &cursor),
		.selector = &next,
		.n_selectors = next->from == API_FROM_BODY ||
			next->from == API_FROM_LAST,
		.max_record = cfg->api->max_record};
	struct session_question q = {.stream = stream,
		.request = &stream->request,
		.phase = API_PHASE_PAGE};
	struct session_outcome out;
	struct http_answer a;
	struct paging g;
	enum rc rc;

	set_first_window(stream, session_vars(s));
	paging_init(&g, stream->pagination, NULL);
	paging_vars(&g, session_vars(s));
	paging_release(&g);
	q.reply = reply_new(&spec);
	session_outcome_init(&out);
	http_answer_init(&a, spool);
	rc = session_ask(s, &q, &a, &out, e);
	if (rc == OK && out.verdict != SESSION_ANSWER &&
		out.verdict != SESSION_EMPTY) {
		rc = BAD_SOURCE;
		if (e->code == OK)
			err_set(e, rc, "stream %s: no answer", stream->name);
	}
	/* What comes in an archive is not unpacked for this. */
	if (rc == OK && out.verdict == SESSION_ANSWER &&
		stream->decode->n == 1) {
		rc = reply_read(q.reply, &a, any_record, NULL, e);
		if (rc == OK)
			paths_tell(stream, q.reply, facts);
		if (rc == OK)
			rc = paths_check(stream, q.reply, e);
		if (rc == BAD_ITEM)
			rc = err_raise(e, BAD_SOURCE);
	}
	http_answer_release(&a);
	session_outcome_release(&out);
	reply_free(q.reply);
	return rc == AGAIN ? err_raise(e, BAD_SOURCE) : rc;
}

enum rc
poll_try(const struct source_config *cfg, int state, int spool,
	struct str *facts, struct err *e)
{
	const struct session_options o = {.api = cfg->api,
		.source = cfg->name,
		.spool = spool,
		.state = state};
	struct session *s = NULL;
	enum rc rc = session_open(&o, &s, e);

	for (size_t i = 0; i < cfg->api->n_streams && rc == OK; i++) {
		const struct api_stream *stream = &cfg->api->stream[i];

		if (!stream->enabled)
			continue;
		rc = partition_each(stream, session_vars(s), NULL,
			first_partition, NULL, e);
		if (rc == OK || rc == END)
			rc = try_stream(s, cfg, stream, spool, facts, e);
		break;
	}
	session_close(s);
	return rc;
}
