#include "source/http/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/http/rate.h"
#include "source/http/record.h"
#include "source/http/request.h"
#include "source/http/rule.h"
#include "source/http/token.h"
#include "source/http/wait.h"

#define REDIRECTS 5
#define SLICE (CLOCK_SECOND / 10) /* how long a cancellation goes unnoticed */

#define SAID 200		       /* bytes of an answer in an error text */
#define HEAD (SAID + HTTP_HEADERS_MAX) /* with what is a secret's rest */
#define SELECTORS 128		       /* that rules or a token ask for */

/* What is had of an auth; streams with the same one share it. */
struct held_token {
	struct token token;
	const char *stream; /* NULL: it is the whole source's */
	struct reply *reply;
};

/* Reads an answer for what rules ask, once they do. */
struct look {
	const struct api_rules *rules;
	struct reply *reply;
	const struct http_answer *answer; /* NULL: it was not asked yet */
	bool read;
};

struct session {
	struct session_options o;
	struct vars vars;
	struct http *http; /* NULL: not needed right now */
	struct record *record;
	struct rate rate;
	struct str previous; /* the URL asked last; it may hold secrets */
	struct held_token *token;
	size_t n_tokens;
	struct look *look;
	size_t n_looks;
	uint64_t requests;
};

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

static void
hide(const void *arg, struct str *text)
{
	const struct session *s = arg;

	request_hide(s->o.api, &s->vars, text);
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

enum rc
session_open(
	const struct session_options *o, struct session **ret, struct err *e)
{
	struct session *s = mem_alloc(sizeof(*s));

	s->o = *o;
	s->previous = (struct str)STR_INIT;
	borrow_rate(s);
	vars_set_config(&s->vars, o->api);
	if (read_secrets(s, e) != OK ||
		((o->record != NULL || o->replay != NULL) &&
			record_open(o->replay != NULL ? o->replay : o->record,
				o->source, o->replay != NULL, hide, s,
				&s->record, e) != OK)) {
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
	if (s->o.wanted == NULL || !s->o.wanted(s->o.arg))
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

/* ---- what an answer is asked for ---- */

static struct reply *
reply_for(const struct api_selector **selector, size_t n)
{
	const struct reply_spec spec = {.layer = API_JSON,
		.selector = (const struct api_selector *const *)selector,
		.n_selectors = n < SELECTORS ? n : SELECTORS};

	return reply_new(&spec);
}

/* The index, for what it points to moves. */
static size_t
look_of(struct session *s, const struct api_rules *rules)
{
	const struct api_selector *selector[SELECTORS];
	size_t n;

	for (size_t i = 0; i < s->n_looks; i++)
		if (s->look[i].rules == rules)
			return i;
	s->look = mem_resize(s->look, s->n_looks + 1, sizeof(*s->look));
	n = rule_selectors(rules, selector, SELECTORS);
	s->look[s->n_looks] =
		(struct look){.rules = rules, .reply = reply_for(selector, n)};
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

static struct held_token *
token_of(struct session *s, const struct api_stream *stream, struct err *e)
{
	const struct api_selector *selector[SELECTORS];
	struct held_token *h;
	size_t n;

	for (size_t i = 0; i < s->n_tokens; i++)
		if (s->token[i].token.auth == stream->auth)
			return &s->token[i];
	s->token = mem_resize(s->token, s->n_tokens + 1, sizeof(*s->token));
	h = &s->token[s->n_tokens++];
	*h = (struct held_token){.stream = stream->auth == &s->o.api->auth
			? NULL
			: stream->name};
	token_init(&h->token, stream->auth);
	n = token_selectors(stream->auth, selector, SELECTORS);
	h->reply = reply_for(selector, n);
	if (token_load(&h->token, &s->vars, s->o.state, s->o.source, h->stream,
		    e) != OK)
		return NULL;
	return h;
}

/* ---- one request ---- */

struct attempt {
	struct session *s;
	const struct session_question *q;
	struct http_answer *a;
	struct session_outcome *out;
	struct rate_of of;
	unsigned tries;	  /* that count */
	unsigned limited; /* that were turned away for their number */
	int64_t limited_for;
	bool refreshed;
	struct held_token *token; /* it is asked for; NULL: a page is */
};

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
		rc = record_keep(s->record, r->method, r->shown.s, t->a,
			t->token != NULL, e);
	t->of.path = "";
	free(field);
	return rc;
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

	if (q->link != NULL)
		str_add(&link, q->link);
	for (unsigned n = 0;; n++) {
		struct request r;
		const char *to;
		size_t len;
		enum rc rc;

		if (t->token != NULL && n == 0)
			rc = token_request(&t->token->token, api,
				t->token->stream != NULL ? q->stream : NULL,
				&t->s->vars, clock_wall(), &r, e);
		else if (link.len > 0)
			rc = request_follow(api, q->stream, q->request,
				t->s->previous.s, link.s, &t->s->vars, &r, e);
		else
			rc = request_make(
				api, q->stream, q->request, &t->s->vars, &r, e);
		if (rc != OK)
			return rc;
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
	size_t n = 0;

	str_addf(&s, "status %u", t->a->status);
	/* First hidden, then cut: half a secret is not one that is found. */
	if (http_body_read(&t->a->body, head, HEAD, 0, &n, &ignored) == OK)
		str_addn(&said, head, n);
	hide(t->s, &said);
	str_cut(&said, SAID);
	if (said.len > 0) {
		str_add(&s, ": ");
		str_add_quoted(&s, said.s, said.len);
	}
	err_set(e, BAD_SOURCE, "%s %s: %s", t->out->method, t->out->url.s, s.s);
}

/* Waits before another attempt, or parks. OK with verdict PARK: parked. */
static enum rc
try_again(struct attempt *t, bool counts, int64_t at_least, bool *ret_parked,
	struct err *e)
{
	const struct api_retry *x = t->q->stream->retry;
	CLEANUP(str_release) struct str why = STR_INIT;
	int64_t wait;

	*ret_parked = false;
	if (counts && ++t->tries >= x->max_attempts)
		return err_add(e, "%u attempts", t->tries);
	wait = wait_jitter(x, counts ? t->tries - 1 : t->limited++, at_least);
	if (!counts)
		t->limited_for += wait;
	if (wait > x->max_wait || t->limited_for > x->max_wait) {
		*ret_parked = true;
		t->out->verdict = SESSION_PARK;
		t->out->until = clock_wall() + wait;
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
			return e->code;
		t->refreshed = true;
		*e = (struct err)ERR_INIT;
		h = token_of(t->s, t->q->stream, e);
		if (h == NULL)
			return e->code;
		token_drop(&h->token, &t->s->vars);
		return END;
	case API_FAIL:
		return e->code;
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

/* A new token, which is kept before it is used. PARK is possible. */
static enum rc
take_token(struct session *s, struct held_token *h, const struct http_answer *a,
	struct err *e)
{
	const struct played played = {h->token.auth, a};
	int64_t now = clock_wall();
	enum rc rc;

	if (record_plays(s->record))
		return token_take(
			&h->token, played_value, &played, now, &s->vars, e);
	rc = token_take(&h->token, token_value, h->reply, now, &s->vars, e);
	if (rc == OK && s->record != NULL)
		rc = record_login(
			s->record, s->o.api, h->token.auth, &s->vars, e);
	if (rc == OK)
		rc = token_keep(&h->token, &s->vars, s->o.state, s->o.source,
			h->stream, now, e);
	return rc;
}

static enum rc
get_token(struct session *s, const struct session_question *q,
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
		rc = judge(&t, ask_once(&t, e), e);
	} while (rc == END);
	if (rc == OK && ret->verdict == SESSION_ANSWER)
		rc = take_token(s, h, &a, e);
	else if (rc == OK && ret->verdict != SESSION_PARK)
		rc = BAD_SOURCE;
	http_answer_release(&a);
	return rc;
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
			h = token_of(s, q->stream, e);
			if (h == NULL)
				return e->code;
		}
		if (h != NULL && !token_is_fresh(&h->token, clock_wall())) {
			rc = get_token(s, q, h, ret, e);
			if (rc != OK || ret->verdict == SESSION_PARK)
				return rc;
		}
		rc = judge(&t, ask_once(&t, e), e);
	} while (rc == END);
	return rc;
}
