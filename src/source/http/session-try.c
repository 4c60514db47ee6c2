/*
 * One attempt: a request, and what is made of its answer.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/http/request.h"
#include "source/http/rule.h"
#include "source/http/session-state.h"
#include "source/http/wait.h"

#define REDIRECTS 5
#define SAID 200  /* bytes of an answer in an error text */
#define HEAD 4096 /* bytes of it that are read for that */

/* ---- what an answer is asked for ---- */

/* The index, for what it points to moves. */
static size_t
look_of(struct session *s, const struct api_rules *rules)
{
	const struct api_selector *selector[SESSION_SELECTORS];
	size_t n;

	for (size_t i = 0; i < s->n_looks; i++)
		if (s->look[i].rules == rules)
			return i;
	s->look = mem_resize(s->look, s->n_looks + 1, sizeof(*s->look));
	n = rule_selectors(rules, selector, SESSION_SELECTORS);
	s->look[s->n_looks] = (struct look){
		.rules = rules, .reply = session_reply(selector, n)};
	return s->n_looks++;
}

static enum rc
rule_value(const void *arg, const struct api_selector *x, size_t i,
	struct str *ret)
{
	struct look *l = (struct look *)(uintptr_t)arg;
	struct err ignored = ERR_INIT;

	if (!l->read && reply_look(l->reply, l->answer, &ignored) != OK)
		return END;
	l->read = true;
	return reply_value(l->reply, x, i, ret);
}

/* ---- one request ---- */

static void
path_of(const char *url, struct str *ret)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

	if (path == NULL)
		path = "/";
	str_clear(ret);
	str_addn(ret, path, strcspn(path, "?#"));
}

static enum rc
send(struct attempt *t, const struct request *r, struct err *e)
{
	struct session *s = t->s;
	const struct http_options o = {.ca = s->o.api->ca_file,
		.allow_plaintext = s->o.api->allow_plaintext};
	CLEANUP(str_release) struct str path = STR_INIT;
	struct http_field *field = mem_array(r->n + 1, sizeof(*field));
	struct http_request h = {.method = r->method,
		.url = r->url.s,
		.field = field,
		.n_fields = r->n,
		.body = r->has_body ? r->body.s : NULL,
		.body_len = r->has_body ? r->body.len : 0,
		.connect = r->connect,
		.idle = r->idle,
		.total = r->total,
		.max_body = s->o.api->max_body};
	enum rc rc = OK;

	for (size_t i = 0; i < r->n; i++)
		field[i] = (struct http_field){
			r->field[i].name, r->field[i].value.s};
	path_of(r->url.s, &path);
	t->of.path = path.s;
	if (record_plays(s->record)) {
		t->of.path = "";
		free(field);
		s->requests++;
		return record_play(s->record, r->method, r->shown.s, t->a, e);
	}
	rc = session_wait(s, rate_wait(&s->rate, &t->of, clock_mono()),
		"the agreed rate", e);
	if (rc == OK && s->http == NULL)
		rc = http_open(&o, &s->http, e);
	if (rc == OK) {
		rate_asked(&s->rate, &t->of, clock_mono());
		s->requests++;
		rc = http_ask(s->http, &h, t->a, s->o.cancel, e);
	}
	if (rc == OK)
		rate_heard(&s->rate, &t->of, t->a, clock_mono(), clock_wall());
	if (rc == OK && s->record != NULL)
		record_keep(s->record, r->method, r->shown.s, t->a,
			t->token != NULL);
	t->of.path = "";
	free(field);
	return rc;
}

/* In base64 a user's password is no text that is hidden already. */
static void
hide_basic(struct attempt *t, const struct request *r)
{
	static const char basic[] = "Basic ";
	const size_t n = sizeof(basic) - 1;
	CLEANUP(str_release) struct str name = STR_INIT;

	str_addf(&name, "Basic of %s", t->q->stream->name);
	for (size_t i = 0; i < r->n; i++) {
		const struct str *value = &r->field[i].value;

		if (strcasecmp(r->field[i].name, "Authorization") == 0 &&
			strncmp(value->s, basic, n) == 0)
			vars_set(&t->s->vars, API_AUTH, name.s, value->s + n,
				value->len - n);
	}
}

static void
remember(struct attempt *t, const struct request *r)
{
	/* What links are relative to: a page, not where tokens are. */
	if (t->token == NULL) {
		str_clear(&t->s->previous);
		str_addn(&t->s->previous, r->url.s, r->url.len);
	}
	str_clear(&t->out->url);
	str_addn(&t->out->url, r->shown.s, r->shown.len);
	t->out->method = r->method;
}

static bool
is_redirection(const struct http_answer *a)
{
	return a->status == 301 || a->status == 302 || a->status == 303 ||
		a->status == 307 || a->status == 308;
}

/* Asks once; a redirection of GET within the origin is the same question. */
static enum rc
ask_once(struct attempt *t, struct err *e)
{
	const struct session_question *q = t->q;
	CLEANUP(str_release) struct str link = STR_INIT;
	const struct api *api = t->s->o.api;

	if (record_check(t->s->record, e) != OK)
		return e->code;
	if (q->link != NULL)
		str_add(&link, q->link);
	for (unsigned n = 0;; n++) {
		struct request r;
		const char *to;
		size_t len;
		enum rc rc;

		if (t->token != NULL && n == 0)
			rc = token_request(&t->token->token, api,
				t->token->token.stream != NULL ? q->stream
							       : NULL,
				&t->s->vars, clock_wall(), &r, e);
		else if (link.len > 0)
			rc = request_follow(api, q->stream, q->request,
				t->s->previous.s, link.s, &t->s->vars, &r, e);
		else
			rc = request_make(
				api, q->stream, q->request, &t->s->vars, &r, e);
		if (rc != OK)
			return rc;
		hide_basic(t, &r);
		remember(t, &r);
		rc = send(t, &r, e);
		request_release(&r);
		if (rc != OK || !is_redirection(t->a))
			return rc;
		to = http_answer_field(t->a, "Location", &len);
		if (to == NULL || strcmp(t->out->method, "GET") != 0 ||
			n == REDIRECTS)
			return err_set(e, BAD_SOURCE,
				"%s %s: status %u: a redirection that is not "
				"followed",
				t->out->method, t->out->url.s, t->a->status);
		str_clear(&link);
		str_addn(&link, to, len);
	}
}

/* ---- what an answer means ---- */

/* "GET https://...: status 403: {"error": ..." without what is secret. */
static void
add_answer(const struct attempt *t, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	CLEANUP(str_release) struct str said = STR_INIT;
	CLEANUP(mem_release) uint8_t *head = mem_alloc(HEAD);
	struct err ignored = ERR_INIT;
	struct hide_piece piece = {0};
	size_t n = 0;

	str_addf(&s, "status %u", t->a->status);
	/* First hidden, then cut: half a secret is not one that is found. */
	if (http_body_read(&t->a->body, head, HEAD, 0, &n, &ignored) == OK)
		str_addn(&said, head, n);
	piece.more = n < t->a->body.size;
	str_cut(&said, session_hide(t->s, &said, &piece));
	str_cut(&said, SAID);
	if (said.len > 0) {
		str_add(&s, ": ");
		str_add_quoted(&s, said.s, said.len);
	}
	err_set(e, BAD_SOURCE, "%s %s: %s", t->out->method, t->out->url.s, s.s);
}

/* Not before `wait` has passed; e says why, and what a human can do. */
static void
park(struct attempt *t, int64_t wait, bool believed, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	t->out->verdict = SESSION_PARK;
	t->out->until = clock_wall() + wait;
	if (wait <= SESSION_LONG)
		return;
	str_add_duration(&s, (uint64_t)wait);
	err_add(e, "a wait of %s%s; `landfall reset %s %s --wait` ends it", s.s,
		believed ? "" : " (more is asked for, and taken for a mistake)",
		t->s->o.source, t->q->stream->name);
}

/* Waits before another attempt, or parks. OK with verdict PARK: parked. */
static enum rc
try_again(struct attempt *t, bool counts, int64_t at_least, bool *ret_parked,
	struct err *e)
{
	const struct api_retry *x = t->q->stream->retry;
	CLEANUP(str_release) struct str why = STR_INIT;
	bool believed = at_least <= WAIT_BELIEVED;
	int64_t wait;

	*ret_parked = false;
	if (counts && ++t->tries >= x->max_attempts)
		return err_add(e, "%u attempts", t->tries);
	wait = wait_jitter(x, counts ? t->tries - 1 : t->limited++,
		believed ? at_least : WAIT_BELIEVED);
	if (!counts)
		t->limited_for += wait;
	if (wait > x->max_wait || t->limited_for > x->max_wait) {
		*ret_parked = true;
		park(t, wait, believed, e);
		return OK;
	}
	str_add(&why, e->text);
	*e = (struct err)ERR_INIT;
	return session_wait(t->s, wait, why.s, e);
}

/* No answer, or half of one: another time it may be whole. */
static enum rc
once_more(struct attempt *t, struct err *e)
{
	bool parked;
	enum rc rc;

	/* The API may have created the job: that counts as one. */
	if (t->q->phase == API_PHASE_CREATE && t->token == NULL &&
		t->a->end != HTTP_NO_CONNECTION) {
		t->out->verdict = SESSION_RESTART_JOB;
		return OK;
	}
	e->code = BAD_SOURCE;
	rc = try_again(t, true, 0, &parked, e);
	return rc == OK && !parked ? END : rc;
}

/* For good. */
static enum rc
give_up(struct attempt *t, const struct err *e)
{
	unsigned status = t->a->status;

	if (status == 401 || status == 403 ||
		(status == 400 && t->token != NULL))
		t->s->refused = true;
	return e->code;
}

/* What the rules make of an answer that is no success. END: ask again. */
static enum rc
obey(struct attempt *t, const struct rule_verdict *v, struct err *e)
{
	static const enum session_verdict verdicts[] = {
		[API_SPLIT_WINDOW] = SESSION_SPLIT,
		[API_SHRINK_PAGE] = SESSION_SHRINK,
		[API_RESTART_PAGINATION] = SESSION_RESTART_PAGES,
		[API_RESTART_JOB] = SESSION_RESTART_JOB,
		[API_EMPTY] = SESSION_EMPTY,
		[API_SKIP] = SESSION_SKIP,
	};
	struct held_token *h;
	bool parked;
	enum rc rc;

	add_answer(t, e);
	switch (v->action) {
	case API_RETRY:
	case API_RATE_LIMITED:
		rc = try_again(t, v->action == API_RETRY, v->wait, &parked, e);
		return rc == OK && !parked ? END : rc;
	case API_REFRESH_AUTH:
		if (t->refreshed || t->token != NULL ||
			!token_is_needed(t->q->stream->auth))
			return give_up(t, e);
		t->refreshed = true;
		*e = (struct err)ERR_INIT;
		h = session_token(t->s, t->q->stream, e);
		if (h == NULL)
			return e->code;
		token_drop(&h->token, &t->s->vars);
		return END;
	case API_FAIL:
		return give_up(t, e);
	default:
		t->out->verdict = verdicts[v->action];
		return OK;
	}
}

static enum rc
judge_answer(struct attempt *t, struct err *e)
{
	const struct session_question *q = t->q;
	size_t i = look_of(t->s, q->stream->rules);
	struct look *l = &t->s->look[i];
	const struct rule_input in = {.rules = q->stream->rules,
		.auth = q->stream->auth,
		.phase = t->token != NULL ? API_PHASE_TOKEN : q->phase,
		.answer = t->a,
		.value = rule_value,
		.arg = l,
		.now = clock_wall()};
	struct rule_verdict v;
	enum rc rc;

	l->answer = t->a;
	l->read = false;
	rule_decide(&in, &v);
	if (!v.fine)
		return obey(t, &v, e);
	t->out->verdict = SESSION_ANSWER;
	if (t->token != NULL)
		return reply_look(t->token->reply, t->a, e);
	t->s->let_in = true;
	if (q->reply == NULL)
		return OK;
	rc = reply_read(q->reply, t->a, NULL, NULL, e);
	if (rc == OK || rc == BROKEN)
		return rc;
	err_add(e, "%s %s", t->out->method, t->out->url.s);
	return once_more(t, e);
}

/* END: ask again. */
static enum rc
judge(struct attempt *t, enum rc asked, struct err *e)
{
	if (asked == OK)
		return judge_answer(t, e);
	if (asked != AGAIN || (t->s->o.cancel != NULL && *t->s->o.cancel))
		return asked;
	return once_more(t, e);
}

enum rc
session_try(struct attempt *t, struct err *e)
{
	return judge(t, ask_once(t, e), e);
}
