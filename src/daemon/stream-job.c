/*
 * A window by a job: created, polled, downloaded. Its id is in the catalog
 * before anything else is asked, together with the window it is for; a run
 * that finds one there takes it up, with that window, and creates none.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"

/* How long a job takes is told by its answers alone. */
struct asking {
	const struct api_job *rule;
	struct reply *created, *polled;
	const struct api_selector *of_create[1], *of_poll[2];
	struct http_answer answer;
	struct session_outcome outcome;
	struct str state;
};

enum job_step {
	JOB_GOES_ON,
	JOB_DONE,
	JOB_EMPTY,
	JOB_FAILED,
	JOB_STOPPED, /* parked, or passed over: told in r */
};

static struct reply *
reader(const struct api_selector **wanted, size_t n)
{
	const struct reply_spec spec = {
		.layer = API_JSON, .selector = wanted, .n_selectors = n};

	return reply_new(&spec);
}

static void
asking_init(struct asking *j, const struct stream_work *r)
{
	size_t n = 0, k = 0;

	*j = (struct asking){.rule = &r->stream->job, .state = STR_INIT};
	http_answer_init(&j->answer, r->o->engine->spool);
	session_outcome_init(&j->outcome);
	if (j->rule->id.from == API_FROM_BODY)
		j->of_create[n++] = &j->rule->id;
	if (j->rule->poll.status.from == API_FROM_BODY)
		j->of_poll[k++] = &j->rule->poll.status;
	if (j->rule->urls.from == API_FROM_BODY)
		j->of_poll[k++] = &j->rule->urls;
	j->created = reader(j->of_create, n);
	j->polled = reader(j->of_poll, k);
}

static void
asking_release(struct asking *j)
{
	reply_free(j->created);
	reply_free(j->polled);
	http_answer_release(&j->answer);
	session_outcome_release(&j->outcome);
	str_release(&j->state);
}

static bool
is_one_of(const struct api_words *w, const struct str *text)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->word[i], text->s) == 0)
			return true;
	return false;
}

static enum rc
ask(struct stream_work *r, struct asking *j, const struct api_request *what,
	enum api_phase phase, struct reply *reply, struct err *e)
{
	const struct session_question q = {.stream = r->stream,
		.partition = r->o->partition,
		.request = what,
		.phase = phase,
		.link = "",
		.reply = reply};

	return session_ask(r->o->session, &q, &j->answer, &j->outcome, e);
}

/* A verdict that is the same wherever it comes. */
static enum rc
common_verdict(struct stream_work *r, const struct asking *j, const char *name,
	enum job_step *ret, struct err *e)
{
	switch (j->outcome.verdict) {
	case SESSION_EMPTY:
		*ret = JOB_EMPTY;
		return OK;
	case SESSION_PARK:
		stream_park(r, j->outcome.until, e);
		*ret = JOB_STOPPED;
		return OK;
	case SESSION_SKIP:
		*ret = JOB_EMPTY;
		return stream_tell_skipped(r, name, e);
	case SESSION_RESTART_JOB:
		*ret = JOB_FAILED;
		return OK;
	default:
		return err_set(e, BAD_SOURCE,
			"%s: the API wants its job in another way", name);
	}
}

/* ---- the id, kept ---- */

/* "START END ID": of which window it is. */
static void
keep(struct stream_work *r, const char *id)
{
	str_clear(&r->job);
	if (id != NULL)
		str_addf(&r->job, "%lld %lld %s", (long long)r->window.start,
			(long long)r->window.end, id);
}

bool
stream_job_window(struct stream_work *r)
{
	char *end;
	struct api_window w;

	if (r->job.len == 0)
		return false;
	w.start = strtoll(r->job.s, &end, 10);
	if (*end != ' ')
		return false;
	w.end = strtoll(end + 1, &end, 10);
	if (*end != ' ' || w.end <= w.start)
		return false;
	r->window = w;
	return true;
}

static const char *
kept_id(const struct stream_work *r)
{
	const char *p = strchr(r->job.s, ' ');

	p = p != NULL ? strchr(p + 1, ' ') : NULL;
	return p != NULL ? p + 1 : NULL;
}

/* ---- its life ---- */

static enum rc
create(struct stream_work *r, struct asking *j, const char *name,
	enum job_step *ret, struct err *e)
{
	CLEANUP(str_release) struct str id = STR_INIT;

	*ret = JOB_GOES_ON;
	if (ask(r, j, &j->rule->create, API_PHASE_CREATE, j->created, e) != OK)
		return e->code;
	if (j->outcome.verdict != SESSION_ANSWER)
		return common_verdict(r, j, name, ret, e);
	if (reply_value(j->created, &j->rule->id, 0, &id) != OK || id.len == 0)
		return err_set(e, BAD_SOURCE,
			"%s: the answer that creates a job has no id", name);
	keep(r, id.s);
	return lane_write(r->o->lane, stream_record, r, e);
}

static enum rc
poll_once(struct stream_work *r, struct asking *j, const char *name,
	enum job_step *ret, struct err *e)
{
	const struct api_job *rule = j->rule;

	*ret = JOB_GOES_ON;
	if (ask(r, j, &rule->poll.request, API_PHASE_POLL, j->polled, e) != OK)
		return e->code;
	if (j->outcome.verdict != SESSION_ANSWER)
		return common_verdict(r, j, name, ret, e);
	str_clear(&j->state);
	if (reply_value(j->polled, &rule->poll.status, 0, &j->state) != OK)
		return err_set(e, BAD_SOURCE,
			"%s: the job's answer has no state", name);
	if (is_one_of(&rule->poll.done, &j->state))
		*ret = JOB_DONE;
	else if (is_one_of(&rule->poll.empty, &j->state))
		*ret = JOB_EMPTY;
	else if (is_one_of(&rule->poll.failed, &j->state))
		*ret = JOB_FAILED;
	return OK;
}

/* Asked less and less often; how long it has taken is known by our clock. */
static enum rc
poll(struct stream_work *r, struct asking *j, const char *name,
	enum job_step *ret, struct err *e)
{
	int64_t until = clock_mono() + j->rule->poll.timeout;
	int64_t every = j->rule->poll.every;

	for (;;) {
		if (poll_once(r, j, name, ret, e) != OK)
			return e->code;
		if (*ret != JOB_GOES_ON)
			return OK;
		if (clock_mono() >= until) {
			str_add(&j->state, " for too long");
			*ret = JOB_FAILED;
			return OK;
		}
		if (session_wait(r->o->session, every, "its job", e) != OK)
			return e->code;
		every += every / 2;
		if (every > j->rule->poll.max_every)
			every = j->rule->poll.max_every;
	}
}

/* What is sent when it is over: that it fails changes nothing. */
static void
farewell(
	struct stream_work *r, struct asking *j, const struct api_request *what)
{
	struct err ignored = ERR_INIT;

	if (what->set && ask(r, j, what, API_PHASE_POLL, NULL, &ignored) != OK)
		return;
}

void
stream_job_over(struct stream_work *r)
{
	struct asking j;

	if (!r->stream->job.cleanup.set ||
		vars_get(session_vars(r->o->session), API_JOB, "id") == NULL)
		return;
	asking_init(&j, r);
	farewell(r, &j, &r->stream->job.cleanup);
	asking_release(&j);
}

void
stream_job_forget(struct stream_work *r)
{
	keep(r, NULL);
}

/* ---- what it made ---- */

static enum rc
download_urls(struct stream_work *r, struct asking *j, const char *name,
	enum stream_ending *ret, struct err *e)
{
	CLEANUP(str_release) struct str url = STR_INIT;

	*ret = WINDOW_WHOLE;
	for (size_t i = 0; *ret == WINDOW_WHOLE; i++) {
		str_clear(&url);
		if (reply_value(j->polled, &j->rule->urls, i, &url) != OK)
			return OK;
		if (stream_ask_pages(r, &j->rule->poll.request,
			    API_PHASE_DOWNLOAD, url.s, name, ret, e) != OK)
			return e->code;
	}
	return OK;
}

static enum rc
finish(struct stream_work *r, struct asking *j, const char *name,
	enum job_step step, enum stream_ending *ret, struct err *e)
{
	switch (step) {
	case JOB_DONE:
		if (j->rule->urls.from != API_FROM_NOTHING)
			return download_urls(r, j, name, ret, e);
		return stream_ask_pages(r, &j->rule->download,
			API_PHASE_DOWNLOAD, NULL, name, ret, e);
	case JOB_EMPTY:
		*ret = WINDOW_WHOLE;
		return OK;
	case JOB_STOPPED:
		*ret = WINDOW_PARKED;
		return OK;
	default:
		*ret = WINDOW_NEW_JOB;
		return OK;
	}
}

static enum rc
try_job(struct stream_work *r, struct asking *j, const char *name,
	enum stream_ending *ret, struct err *e)
{
	struct vars *v = session_vars(r->o->session);
	enum job_step step = JOB_GOES_ON;
	enum rc rc = OK;

	if (kept_id(r) == NULL)
		rc = create(r, j, name, &step, e);
	if (rc == OK && step == JOB_GOES_ON) {
		vars_set_text(v, API_JOB, "id", kept_id(r));
		rc = poll(r, j, name, &step, e);
	}
	return rc == OK ? finish(r, j, name, step, ret, e) : rc;
}

enum rc
stream_job(struct stream_work *r, const char *name, enum stream_ending *ret,
	struct err *e)
{
	struct vars *v = session_vars(r->o->session);
	struct asking j;
	enum rc rc;

	asking_init(&j, r);
	for (uint64_t restarts = 0;; restarts++) {
		rc = try_job(r, &j, name, ret, e);
		if (rc != OK || *ret != WINDOW_NEW_JOB)
			break;
		if (vars_get(v, API_JOB, "id") != NULL)
			farewell(r, &j, &j.rule->cancel);
		vars_unset_all(v, API_JOB);
		keep(r, NULL);
		if (restarts == j.rule->max_restarts) {
			/* Nothing of it is taken up again. */
			(void)!lane_write(r->o->lane, stream_record, r, e);
			rc = err_set(e, BAD_SOURCE, "%s: %llu jobs failed%s%s",
				name, (unsigned long long)restarts + 1,
				j.state.len > 0 ? ", the last one with " : "",
				j.state.s);
			break;
		}
	}
	asking_release(&j);
	return rc;
}
