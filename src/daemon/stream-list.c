#include "daemon/stream-list.h"

#include <stdlib.h>

#include "source/http/paging.h"

struct list_work {
	const struct stream_list_options *o;
	struct reply *reply;
	struct http_answer answer;
	struct session_outcome outcome;
	struct paging paging;
};

static struct reply *
reader(const struct stream_list_options *o)
{
	const struct api_pagination *x = o->stream->pagination;
	const struct api_selector *all[] = {
		&x->next, &x->more, &x->done, &x->total};
	const struct api_selector *wanted[ARRAY_LEN(all)];
	const struct api_decode *d = o->stream->decode;
	struct reply_spec spec = {
		.layer = d->layer[d->n - 1],
		.records = &o->stream->records,
		.field = o->field,
		.n_fields = o->n_fields,
		.selector = wanted,
		.max_record = o->max_record,
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->from == API_FROM_BODY ||
			all[i]->from == API_FROM_LAST)
			wanted[spec.n_selectors++] = all[i];
	return reply_new(&spec);
}

static struct paging_value
value(const struct reply *r, const struct api_selector *s, struct str *keep)
{
	if (s->from == API_FROM_NOTHING || reply_value(r, s, 0, keep) != OK)
		return (struct paging_value){0};
	return (struct paging_value){(const uint8_t *)keep->s, keep->len};
}

static enum rc
next_page(struct list_work *l, struct err *e)
{
	const struct api_pagination *x = l->o->stream->pagination;
	struct str keep[4] = {STR_INIT, STR_INIT, STR_INIT, STR_INIT};
	const struct paging_page page = {
		.records = reply_records(l->reply),
		.next = value(l->reply, &x->next, &keep[0]),
		.more = value(l->reply, &x->more, &keep[1]),
		.done = value(l->reply, &x->done, &keep[2]),
		.total = value(l->reply, &x->total, &keep[3]),
	};
	enum rc rc = paging_next(&l->paging, &page, e);

	for (size_t i = 0; i < ARRAY_LEN(keep); i++)
		str_release(&keep[i]);
	return rc;
}

static enum rc
read_pages(struct list_work *l,
	enum rc (*each)(void *arg, const struct reply_record *x, struct err *e),
	void *arg, struct err *e)
{
	const struct session_question q = {.stream = l->o->stream,
		.partition = l->o->partition,
		.request = &l->o->stream->request,
		.phase = API_PHASE_PAGE,
		.reply = l->reply};
	struct session_question now = q;
	enum rc rc = OK;

	while (rc == OK) {
		paging_vars(&l->paging, session_vars(l->o->session));
		now.link = l->paging.link.s;
		rc = session_ask(
			l->o->session, &now, &l->answer, &l->outcome, e);
		if (rc != OK)
			return rc;
		if (l->outcome.verdict == SESSION_EMPTY)
			return OK;
		if (l->outcome.verdict != SESSION_ANSWER)
			return err_set(e, BAD_SOURCE,
				"the list did not come to its end");
		rc = reply_read(l->reply, &l->answer, each, arg, e);
		if (rc == OK)
			rc = next_page(l, e);
	}
	return rc == END ? OK : rc;
}

enum rc
stream_list(const struct stream_list_options *o,
	enum rc (*each)(void *arg, const struct reply_record *x, struct err *e),
	void *arg, struct err *e)
{
	struct list_work l = {.o = o, .reply = reader(o)};
	enum rc rc;

	http_answer_init(&l.answer, o->spool);
	session_outcome_init(&l.outcome);
	paging_init(&l.paging, o->stream->pagination, NULL);
	vars_unset_all(session_vars(o->session), API_WINDOW);
	rc = read_pages(&l, each, arg, e);
	paging_release(&l.paging);
	session_outcome_release(&l.outcome);
	http_answer_release(&l.answer);
	reply_free(l.reply);
	return rc;
}
