#include "source/http/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/http/rate.h"
#include "source/http/request.h"
#include "source/http/timefmt.h"

#define REDIRECTS 5
#define SLICE (CLOCK_SECOND / 10) /* how long a cancellation goes unnoticed */

/* The child is not worth its memory for so long. */
#define REST (5 * CLOCK_SECOND)

#define SAID 200 /* bytes of an answer in an error text */

struct session {
	struct session_options o;
	struct vars vars;
	struct http *http; /* NULL: not needed right now */
	struct rate rate;
	struct str previous; /* the URL asked last; it may hold secrets */
	uint64_t requests;
};

/* ---- opening ---- */

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
	vars_set_config(&s->vars, o->api);
	if (read_secrets(s, e) != OK) {
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

/* AGAIN: cancelled. */
static enum rc
wait_for(struct session *s, int64_t ns, const char *why, struct err *e)
{
	int64_t until = clock_mono() + ns, left;

	if (ns <= 0)
		return OK;
	if (s->o.waits != NULL)
		s->o.waits(s->o.arg, why, ns);
	if (ns > REST) {
		http_close(s->http);
		s->http = NULL;
	}
	while ((left = until - clock_mono()) > 0) {
		if (s->o.cancel != NULL && *s->o.cancel)
			return err_set(e, AGAIN, "stopped");
		clock_sleep(left < SLICE ? left : SLICE);
	}
	return OK;
}

/* In [0, most]; by chance, and not by a clock that others have as well. */
static int64_t
by_chance(int64_t most)
{
	uint64_t v;

	if (most <= 0)
		return 0;
	if (getrandom(&v, sizeof(v), 0) != sizeof(v))
		abort();
	return (int64_t)(v % ((uint64_t)most + 1));
}

/* Full jitter, and never below what the server asks. */
static int64_t
backoff(const struct api_retry *x, unsigned n, int64_t at_least)
{
	int64_t most = x->base;

	while (n-- > 0 && most < x->max)
		most *= 2;
	return at_least + by_chance(most < x->max ? most : x->max);
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
	const struct http_options o = {
		.ca = s->o.ca, .allow_plaintext = s->o.api->allow_plaintext};
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
	rc = wait_for(s, rate_wait(&s->rate, &t->of, clock_mono()),
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
	t->of.path = "";
	free(field);
	return rc;
}

static void
remember(struct attempt *t, const struct request *r)
{
	str_clear(&t->s->previous);
	str_addn(&t->s->previous, r->url.s, r->url.len);
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

		rc = link.len > 0
			? request_follow(api, q->stream, q->request,
				  t->s->previous.s, link.s, &t->s->vars, &r, e)
			: request_make(api, q->stream, q->request, &t->s->vars,
				  &r, e);
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
	struct err ignored = ERR_INIT;
	uint8_t said[SAID];
	size_t n = 0;

	str_addf(&s, "status %u", t->a->status);
	if (http_body_read(&t->a->body, said, sizeof(said), 0, &n, &ignored) ==
			OK &&
		n > 0) {
		str_add(&s, ": ");
		str_add_quoted(&s, said, n);
	}
	request_hide(&t->s->vars, &s);
	err_set(e, BAD_SOURCE, "%s %s: %s", t->out->method, t->out->url.s, s.s);
}

static int64_t
retry_after(const struct http_answer *a)
{
	size_t n;
	const char *p = http_answer_field(a, "Retry-After", &n);
	uint64_t seconds;
	int64_t at;

	if (p == NULL)
		return 0;
	if (str_parse_u64(p, n, &seconds))
		return seconds < 86400 * 366 ? (int64_t)seconds * CLOCK_SECOND
					     : 86400 * 366 * CLOCK_SECOND;
	if (timefmt_parse_http(p, n, &at) && at > clock_wall())
		return at - clock_wall();
	return 0;
}

static enum api_action
builtin(const struct http_answer *a)
{
	unsigned s = a->status;

	if (s == 429)
		return API_RATE_LIMITED;
	if (s == 408 || s == 425 || s == 500 || s == 502 || s == 503 ||
		s == 504 || (s >= 520 && s <= 530))
		return API_RETRY;
	if (s == 204 || s == 304)
		return API_EMPTY;
	return API_FAIL;
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
	wait = backoff(x, counts ? t->tries - 1 : t->limited++, at_least);
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
	return wait_for(t->s, wait, why.s, e);
}

/* END: ask again. */
static enum rc
judge(struct attempt *t, enum rc asked, struct err *e)
{
	enum session_verdict *v = &t->out->verdict;
	const struct session_question *q = t->q;
	bool parked;
	enum rc rc;

	if (asked == OK && t->a->status >= 200 && t->a->status < 300 &&
		t->a->status != 204) {
		*v = SESSION_ANSWER;
		rc = q->reply != NULL
			? reply_read(q->reply, t->a, NULL, NULL, e)
			: OK;
		if (rc == OK || rc == BROKEN)
			return rc;
		/* Cut on the way, perhaps: another time it may be whole. */
		err_add(e, "%s %s", t->out->method, t->out->url.s);
		e->code = BAD_SOURCE;
		asked = AGAIN;
	}
	if (asked == AGAIN && t->s->o.cancel != NULL && *t->s->o.cancel)
		return AGAIN;
	if (asked == AGAIN) {
		e->code = BAD_SOURCE;
		rc = try_again(t, true, 0, &parked, e);
		return rc == OK && !parked ? END : rc;
	}
	if (asked != OK)
		return asked;
	switch (builtin(t->a)) {
	case API_EMPTY:
		*v = SESSION_EMPTY;
		return OK;
	case API_RETRY:
	case API_RATE_LIMITED:
		add_answer(t, e);
		rc = try_again(
			t, t->a->status != 429, retry_after(t->a), &parked, e);
		return rc == OK && !parked ? END : rc;
	default:
		add_answer(t, e);
		return e->code;
	}
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
		*e = (struct err)ERR_INIT;
		rc = judge(&t, ask_once(&t, e), e);
	} while (rc == END);
	return rc;
}
