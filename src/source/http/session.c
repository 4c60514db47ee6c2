#include "source/http/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/http/session-state.h"

#define SLICE (CLOCK_SECOND / 10) /* how long a cancellation goes unnoticed */

/* ---- opening ---- */

/* What was asked lately, by whoever had its turn before. */
static void
borrow_rate(struct session *s)
{
	if (s->o.rate == NULL)
		return;
	s->rate = *s->o.rate;
	*s->o.rate = (struct rate)RATE_INIT;
}

static void
return_rate(struct session *s)
{
	if (s->o.rate == NULL)
		return;
	rate_forget(&s->rate, clock_mono());
	*s->o.rate = s->rate;
	s->rate = (struct rate)RATE_INIT;
}

static void
drop_tokens(struct session *s)
{
	for (size_t i = 0; i < s->n_tokens; i++) {
		token_drop(&s->token[i].token, &s->vars);
		token_release(&s->token[i].token);
		reply_free(s->token[i].reply);
	}
	s->n_tokens = 0;
}

size_t
session_hide(const void *arg, struct str *text, struct hide_piece *piece)
{
	const struct session *s = arg;

	return hide_secrets(s->o.api, &s->vars, text, piece);
}

static enum rc
read_secrets(struct session *s, struct err *e)
{
	const struct api *a = s->o.api;

	for (size_t i = 0; i < a->n_secrets; i++) {
		struct buf b;

		if (secret_resolve(&a->secret[i].where, &b, e) != OK)
			return err_add(e, "secret %s", a->secret[i].name);
		vars_set(
			&s->vars, API_SECRET, a->secret[i].name, b.data, b.len);
		secret_forget(&b);
	}
	return OK;
}

static enum rc
open_record(struct session *s, struct err *e)
{
	const struct record_options o = {
		.dir = s->o.replay != NULL ? s->o.replay : s->o.record,
		.source = s->o.source,
		.play = s->o.replay != NULL,
		.hide = session_hide,
		.arg = s,
		.cancel = s->o.cancel,
	};

	return o.dir != NULL ? record_open(&o, &s->record, e) : OK;
}

enum rc
session_open(
	const struct session_options *o, struct session **ret, struct err *e)
{
	struct session *s = mem_alloc(sizeof(*s));

	s->o = *o;
	s->previous = (struct str)STR_INIT;
	borrow_rate(s);
	vars_set_config(&s->vars, o->api);
	if (read_secrets(s, e) != OK || open_record(s, e) != OK) {
		session_close(s);
		return err_raise(e, BAD_SOURCE);
	}
	*ret = s;
	return OK;
}

void
session_close(struct session *s)
{
	if (s == NULL)
		return;
	http_close(s->http);
	record_close(s->record);
	drop_tokens(s);
	return_rate(s);
	for (size_t i = 0; i < s->n_looks; i++)
		reply_free(s->look[i].reply);
	free(s->token);
	free(s->look);
	vars_release(&s->vars);
	rate_release(&s->rate);
	if (s->previous.cap > 0)
		explicit_bzero(s->previous.s, s->previous.cap);
	str_release(&s->previous);
	free(s);
}

struct vars *
session_vars(struct session *s)
{
	return &s->vars;
}

bool
session_refused(const struct session *s)
{
	return s->refused && !s->let_in;
}

uint64_t
session_requests(const struct session *s)
{
	return s->requests;
}

bool
session_left(const struct session *s, uint64_t *ret_left, uint64_t *ret_allowed)
{
	*ret_left = s->rate.left;
	*ret_allowed = s->rate.allowed;
	return s->rate.has_left;
}

void
session_outcome_init(struct session_outcome *o)
{
	*o = (struct session_outcome){.url = STR_INIT};
}

void
session_outcome_release(struct session_outcome *o)
{
	str_release(&o->url);
}

/* ---- waiting ---- */

static enum rc
wait_until(struct session *s, int64_t until, struct err *e)
{
	int64_t left;

	while ((left = until - clock_mono()) > 0) {
		if (s->o.cancel != NULL && *s->o.cancel)
			return err_set(e, AGAIN, "stopped");
		clock_sleep(left < SLICE ? left : SLICE);
	}
	return OK;
}

enum rc
session_wait(struct session *s, int64_t ns, const char *why, struct err *e)
{
	int64_t until = clock_mono() + ns;
	enum rc rc;

	if (ns <= 0)
		return OK;
	if (s->o.waits != NULL)
		s->o.waits(s->o.arg, why, ns);
	if (ns > SESSION_REST) {
		http_close(s->http);
		s->http = NULL;
	}
	rc = wait_until(s, until, e);
	if (s->o.goes_on != NULL)
		s->o.goes_on(s->o.arg);
	return rc;
}

enum rc
session_give_way(struct session *s, struct err *e)
{
	if (s->requests == 0 || s->o.wanted == NULL || !s->o.wanted(s->o.arg))
		return OK;
	http_close(s->http);
	s->http = NULL;
	drop_tokens(s);
	return_rate(s);
	s->o.give_way(s->o.arg);
	borrow_rate(s);
	return s->o.cancel != NULL && *s->o.cancel
		? err_set(e, AGAIN, "stopped")
		: OK;
}

/* ---- asking ---- */

struct reply *
session_reply(const struct api_selector **selector, size_t n)
{
	const struct reply_spec spec = {.layer = API_JSON,
		.selector = (const struct api_selector *const *)selector,
		.n_selectors = n < SESSION_SELECTORS ? n : SESSION_SELECTORS};

	return reply_new(&spec);
}

enum rc
session_ask(struct session *s, const struct session_question *q,
	struct http_answer *a, struct session_outcome *ret, struct err *e)
{
	struct attempt t = {.s = s,
		.q = q,
		.a = a,
		.out = ret,
		.of = {.rates = q->stream->rates,
			.stream = q->stream->name,
			.partition = q->partition != NULL ? q->partition : "",
			.path = ""}};
	enum rc rc;

	do {
		struct held_token *h = NULL;

		*e = (struct err)ERR_INIT;
		ret->verdict = SESSION_ANSWER;
		if (token_is_needed(q->stream->auth)) {
			h = session_token(s, q->stream, e);
			if (h == NULL)
				return e->code;
			token_use(&h->token, &s->vars);
		}
		if (h != NULL && !token_is_fresh(&h->token, clock_wall())) {
			rc = session_log_in(s, q, h, ret, e);
			if (rc != OK || ret->verdict == SESSION_PARK)
				return rc;
		}
		rc = session_try(&t, e);
	} while (rc == END);
	return rc;
}

enum rc
session_check(const struct session *s, struct err *e)
{
	return record_check(s->record, e);
}
