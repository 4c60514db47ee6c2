#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"

/* The values of a lookup, and those beside them that choose. */
struct asked {
	struct api_selector select, where;
	const struct api_selector *wanted[2];
	struct reply *reply;
	struct http_answer answer;
	struct session_outcome outcome;
};

static void
asked_release(struct asked *a)
{
	reply_free(a->reply);
	http_answer_release(&a->answer);
	session_outcome_release(&a->outcome);
}

static bool
is_taken(const struct api_lookup *l, const struct str *value)
{
	bool found = false;

	for (size_t i = 0; i < l->which.n && !found; i++)
		found = strcmp(l->which.word[i], value->s) == 0;
	return found == l->where_in;
}

/*
 * The values in their order. Those beside them are found by place, so there
 * must be as many.
 */
static enum rc
take(struct stream_work *r, const struct api_lookup *l, const struct asked *a,
	struct err *e)
{
	struct vars *v = session_vars(r->o->session);
	CLEANUP(str_release) struct str joined = STR_INIT;
	CLEANUP(str_release) struct str value = STR_INIT;
	CLEANUP(str_release) struct str beside = STR_INIT;
	bool choose = l->where.n > 0;

	vars_set_list(v, API_LOOKUP, l->name);
	for (size_t i = 0;; i++) {
		enum rc rc, other = END;

		str_clear(&value);
		str_clear(&beside);
		rc = reply_value(a->reply, &a->select, i, &value);
		if (choose)
			other = reply_value(a->reply, &a->where, i, &beside);
		if (choose && rc != other)
			return err_set(e, BAD_SOURCE,
				"lookup %s: where has %s values than select",
				l->name, rc == OK ? "fewer" : "more");
		if (rc != OK)
			break;
		if (i + 1 == REPLY_VALUES)
			return err_set(e, BAD_SOURCE,
				"lookup %s: more than %d values", l->name,
				REPLY_VALUES - 1);
		if (choose && !is_taken(l, &beside))
			continue;
		if (l->join != NULL && joined.len > 0)
			str_add(&joined, l->join);
		str_addn(&joined, value.s, value.len);
		vars_append(v, API_LOOKUP, l->name, value.s, value.len);
	}
	if (l->join != NULL)
		vars_set(v, API_LOOKUP, l->name, joined.s, joined.len);
	return OK;
}

static enum rc
ask(struct stream_work *r, const struct api_lookup *l, struct asked *a,
	struct err *e)
{
	struct reply_spec spec = {.layer = API_JSON,
		.selector = a->wanted,
		.n_selectors = l->where.n > 0 ? 2 : 1};
	struct session_question q = {.stream = r->stream,
		.partition = r->o->partition,
		.request = &l->request,
		.phase = API_PHASE_LOOKUP,
		.link = ""};

	a->select =
		(struct api_selector){.from = API_FROM_BODY, .path = l->select};
	a->where =
		(struct api_selector){.from = API_FROM_BODY, .path = l->where};
	a->wanted[0] = &a->select;
	a->wanted[1] = &a->where;
	a->reply = q.reply = reply_new(&spec);
	return session_ask(r->o->session, &q, &a->answer, &a->outcome, e);
}

static enum rc
look_up(struct stream_work *r, const struct api_lookup *l, bool *ret_go_on,
	struct err *e)
{
	CLEANUP(asked_release) struct asked a = {.reply = NULL};
	enum rc rc;

	http_answer_init(&a.answer, r->o->engine->spool);
	session_outcome_init(&a.outcome);
	rc = ask(r, l, &a, e);
	if (rc != OK)
		return err_add(e, "lookup %s", l->name);
	switch (a.outcome.verdict) {
	case SESSION_ANSWER:
		return take(r, l, &a, e);
	case SESSION_EMPTY:
		vars_set_list(session_vars(r->o->session), API_LOOKUP, l->name);
		return OK;
	case SESSION_PARK:
		stream_park(r, a.outcome.until, e);
		*ret_go_on = false;
		return OK;
	case SESSION_SKIP:
		*ret_go_on = false;
		return stream_tell_skipped(r, r->stream->name, e);
	default:
		return err_set(e, BAD_SOURCE,
			"lookup %s: the API wants it asked for in another way",
			l->name);
	}
}

enum rc
stream_lookups(struct stream_work *r, bool *ret_go_on, struct err *e)
{
	const struct vars *v = session_vars(r->o->session);

	*ret_go_on = true;
	for (size_t i = 0; i < r->stream->n_lookups && *ret_go_on; i++) {
		const struct api_lookup *l = &r->stream->lookup[i];

		if (!l->per_partition &&
			vars_get(v, API_LOOKUP, l->name) != NULL)
			continue;
		if (look_up(r, l, ret_go_on, e) != OK)
			return e->code;
	}
	return OK;
}
