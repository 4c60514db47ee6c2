/*
 * What auth needs before the first request: had once for all streams that
 * share the auth, and had anew.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "source/http/session-state.h"

static enum rc
token_value(const void *arg, const struct api_selector *x, size_t i,
	struct str *ret)
{
	return reply_value(arg, x, i, ret);
}

/* A login that is played has what is captured, and nothing else. */
struct played {
	const struct api_auth *auth;
	const struct http_answer *answer;
};

static enum rc
played_value(const void *arg, const struct api_selector *x, size_t i UNUSED,
	struct str *ret)
{
	const struct played *p = arg;

	for (size_t k = 0; k < p->auth->n_capture; k++)
		if (x == &p->auth->capture[k].from)
			record_brought(
				p->answer, p->auth->capture[k].name, ret);
	return OK;
}

struct held_token *
session_token(struct session *s, const struct api_stream *stream, struct err *e)
{
	const struct api_selector *selector[SESSION_SELECTORS];
	struct held_token *h;
	size_t n;

	for (size_t i = 0; i < s->n_tokens; i++)
		if (s->token[i].token.auth == stream->auth)
			return &s->token[i];
	s->token = mem_resize(s->token, s->n_tokens + 1, sizeof(*s->token));
	h = &s->token[s->n_tokens++];
	*h = (struct held_token){.reply = NULL};
	token_init(&h->token, stream->auth,
		stream->auth == &s->o.api->auth ? NULL : stream->name);
	n = token_selectors(stream->auth, selector, SESSION_SELECTORS);
	h->reply = session_reply(selector, n);
	if (token_load(&h->token, &s->vars, s->o.state, s->o.source, e) != OK)
		return NULL;
	return h;
}

/* A new token, which is kept before it is used, and before all else. */
static enum rc
take_token(struct session *s, struct held_token *h, const struct http_answer *a,
	struct err *e)
{
	const struct played played = {h->token.auth, a};
	int64_t now = clock_wall();
	struct err kept = ERR_INIT;
	enum rc rc;

	if (record_plays(s->record))
		return token_take(
			&h->token, played_value, &played, now, &s->vars, e);
	rc = token_take(&h->token, token_value, h->reply, now, &s->vars, e);
	if (token_keep(&h->token, &s->vars, s->o.state, s->o.source, now,
		    &kept) != OK) {
		*e = kept;
		return e->code;
	}
	if (rc == OK && s->record != NULL)
		record_login(s->record, s->o.api, h->token.auth, &s->vars);
	return rc;
}

enum rc
session_log_in(struct session *s, const struct session_question *q,
	struct held_token *h, struct session_outcome *ret, struct err *e)
{
	struct http_answer a;
	struct attempt t = {.s = s,
		.q = q,
		.a = &a,
		.out = ret,
		.token = h,
		.of = {.rates = q->stream->rates,
			.stream = q->stream->name,
			.partition = "",
			.path = ""}};
	enum rc rc;

	http_answer_init(&a, s->o.spool);
	do {
		*e = (struct err)ERR_INIT;
		rc = session_try(&t, e);
	} while (rc == END);
	if (rc == OK && ret->verdict == SESSION_ANSWER)
		rc = take_token(s, h, &a, e);
	else if (rc == OK && ret->verdict != SESSION_PARK)
		rc = BAD_SOURCE;
	http_answer_release(&a);
	return rc;
}
