#include <string.h>

#include "base/mem.h"
#include "daemon/stream-state.h"

#define BITS_MAX (UINT64_C(1) << 26) /* records of a body that are marked */

/* ---- one record ---- */

static void
add_field(struct hash *h, const struct reply_text *t)
{
	uint8_t head[9];

	head[0] = t->set;
	for (size_t i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)((uint64_t)t->len >> 8 * i);
	hash_add(h, head, sizeof(head));
	hash_add(h, t->p, t->len);
}

/* By its key alone, if that is enough and it has one; else by its bytes. */
void
stream_digest(const struct stream_work *r, const struct reply_record *x,
	uint8_t ret[HASH_LEN])
{
	size_t n = r->stream->key.n;
	bool keyed = r->stream->immutable && n > 0;
	struct hash h;

	for (size_t i = 0; i < n && keyed; i++)
		keyed = x->field[i].set;
	hash_init(&h);
	if (keyed)
		for (size_t i = 0; i < n; i++)
			add_field(&h, &x->field[i]);
	else
		hash_add(&h, x->bytes, x->size);
	hash_end(&h, ret);
}

static void
mark(struct stream_work *r, bool fresh)
{
	uint64_t i = r->bits;

	r->n_fresh += fresh;
	if (i >= BITS_MAX)
		return;
	if (i / 8 >= r->fresh_cap) {
		r->fresh_cap = r->fresh_cap > 0 ? 2 * r->fresh_cap : 64;
		r->fresh = mem_resize(r->fresh, r->fresh_cap, 1);
	}
	if (i % 8 == 0)
		r->fresh[i / 8] = 0;
	if (fresh)
		r->fresh[i / 8] |= (uint8_t)(1u << i % 8);
	r->bits++;
}

static void
see_cursor(struct stream_work *r, const struct reply_record *x)
{
	const struct reply_text *t;
	int64_t at;

	if (r->cursor == SIZE_MAX)
		return;
	t = &x->field[r->cursor];
	if (!t->set || !window_parse(r->rule, t->p, t->len, &at))
		return;
	if (!r->met || at > r->highest)
		r->highest = at;
	r->met = true;
	if (r->by_window && at < r->window.start)
		r->before = true;
}

static enum rc
each_record(void *arg, const struct reply_record *x, struct err *e)
{
	struct stream_work *r = arg;
	uint8_t sum[HASH_LEN];
	bool seen = false;

	stream_digest(r, x, sum);
	if (memory_look(&r->memory, sum, &seen, e) != OK)
		return e->code;
	mark(r, !seen);
	see_cursor(r, x);
	return OK;
}

/* ---- one page ---- */

enum rc
stream_page(struct stream_work *r, struct err *e)
{
	struct batch_part part = {.answer = &r->answer,
		.method = r->outcome.method,
		.url = r->outcome.url.s};
	enum rc rc;

	r->bits = r->n_fresh = 0;
	r->before = false;
	rc = reply_read(r->reply, &r->answer, each_record, r, e);
	if (rc != OK)
		return rc;
	r->report->pages++;
	part.fresh = r->fresh;
	part.bits = r->bits;
	part.records = reply_records(r->reply);
	part.n_fresh = r->n_fresh;
	r->report->seen += part.records - part.n_fresh;
	/* Nothing new: it is in the zone already, record by record. */
	if (r->n_fresh == 0)
		return OK;
	rc = batch_add(r->batch, &part, e);
	if (rc == OK)
		r->report->records += part.n_fresh;
	return rc;
}

static struct paging_value
value(const struct reply *r, const struct api_selector *s, struct str *keep)
{
	if (s->from == API_FROM_NOTHING || reply_value(r, s, 0, keep) != OK)
		return (struct paging_value){0};
	return (struct paging_value){(const uint8_t *)keep->s, keep->len};
}

enum rc
stream_next_page(struct stream_work *r, struct paging *g, struct err *e)
{
	const struct api_pagination *x = r->stream->pagination;
	struct str keep[4] = {STR_INIT, STR_INIT, STR_INIT, STR_INIT};
	const struct paging_page page = {
		.records = reply_records(r->reply),
		.next = value(r->reply, &x->next, &keep[0]),
		.more = value(r->reply, &x->more, &keep[1]),
		.done = value(r->reply, &x->done, &keep[2]),
		.total = value(r->reply, &x->total, &keep[3]),
	};
	enum rc rc = paging_next(g, &page, e);

	for (size_t i = 0; i < ARRAY_LEN(keep); i++)
		str_release(&keep[i]);
	if (g->newest.len > 0) {
		str_clear(&r->token);
		str_addn(&r->token, g->newest.s, g->newest.len);
	}
	/* Newest first, and these are older than what is wanted. */
	if (rc == OK && r->before && r->rule->filter == API_FILTER_STOP)
		rc = END;
	return rc;
}
