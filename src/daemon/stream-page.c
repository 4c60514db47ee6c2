#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"
#include "landfall/unpack.h"

#define PIECE ((size_t)(128u << 10))

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

static bool
has_word(const struct api_words *w, const struct reply_text *t)
{
	for (size_t i = 0; i < w->n; i++)
		if (strlen(w->word[i]) == t->len &&
			memcmp(w->word[i], t->p, t->len) == 0)
			return true;
	return false;
}

static bool
has_suffix(const char *suffix, const struct reply_text *t)
{
	size_t n = suffix != NULL ? strlen(suffix) : 0;

	return n > 0 && t->len >= n &&
		memcmp(t->p + t->len - n, suffix, n) == 0;
}

/* Does the record say that it, or what it is about, is gone? */
static bool
is_delete(const struct stream_work *r, const struct reply_record *x)
{
	const struct api_deletes *d = &r->stream->deletes;
	size_t field = r->flags;

	if (r->stream->deletes_only)
		return true;
	for (size_t i = 0; i < d->n; i++) {
		const struct reply_text *t;

		if (d->row[i].kind == API_DELETE_STREAM || field >= r->n_fields)
			continue;
		t = &x->field[field++];
		if (t->set &&
			(has_word(&d->row[i].equals, t) ||
				has_suffix(d->row[i].suffix, t)))
			return true;
	}
	return false;
}

/* Where the position moves with pages, what comes must come in order. */
static enum rc
check_order(struct stream_work *r, const struct reply_record *x, struct err *e)
{
	const struct reply_text *t;
	int64_t at;

	if (!r->rule->set || r->rule->commit != API_COMMIT_PAGE ||
		r->rule->kind == API_KIND_TOKEN || r->cursor == SIZE_MAX)
		return OK;
	t = &x->field[r->cursor];
	if (!t->set || !window_parse(r->rule, t->p, t->len, &at))
		return err_set(e, BAD_SOURCE,
			"record %llu of a page has no cursor, and `commit: "
			"page` goes by it",
			(unsigned long long)x->number);
	if (at < r->latest)
		return err_set(e, BAD_SOURCE,
			"record %llu of a page is older than the one before: "
			"`commit: page` needs `order: asc`, which this API "
			"does not keep; use `commit: window`",
			(unsigned long long)x->number);
	r->latest = at;
	return OK;
}

static enum rc
each_record(void *arg, const struct reply_record *x, struct err *e)
{
	struct stream_work *r = arg;
	uint8_t sum[HASH_LEN];
	bool seen = false;

	stream_digest(r, x, sum);
	if (check_order(r, x, e) != OK ||
		memory_look(&r->memory, sum, &seen, e) != OK)
		return e->code;
	mark(r, !seen);
	r->deletes += !seen && is_delete(r, x);
	see_cursor(r, x);
	return OK;
}

/* ---- one page ---- */

/* One body: all of an answer, or what an archive holds. */
static enum rc
take_body(struct stream_work *r, struct batch_part *part, struct err *e)
{
	enum rc rc;

	r->bits = r->n_fresh = r->deletes = 0;
	rc = reply_read(r->reply, part->answer, each_record, r, e);
	if (rc != OK)
		return rc == BAD_ITEM ? err_raise(e, BAD_SOURCE) : rc;
	rc = paths_check(r->stream, r->reply, e);
	if (rc != OK)
		return rc;
	part->method = r->outcome.method;
	part->url = r->outcome.url.s;
	part->fresh = r->fresh;
	part->bits = r->bits;
	part->records = reply_records(r->reply);
	part->n_fresh = r->n_fresh;
	part->deletes = r->deletes;
	r->report->seen += part->records - part->n_fresh;
	/* Nothing new: it is in the zone already, record by record. */
	if (r->n_fresh == 0)
		return OK;
	return batch_add(r->batch, part, e);
}

/* ---- answers that are archives ---- */

/* The body as one descriptor: archives are read by offset. */
static enum rc
to_file(const struct stream_work *r, int *ret_fd, struct err *e)
{
	const struct http_body *b = &r->answer.body;
	CLEANUP(mem_release) uint8_t *piece = mem_alloc(PIECE);
	size_t got;

	if (io_open(r->o->engine->spool, ".", O_TMPFILE | O_RDWR, 0600, ret_fd,
		    BROKEN, e) != OK)
		return err_add(e, "spool");
	for (uint64_t at = 0; at < b->size; at += got)
		if (http_body_read(b, piece, PIECE, at, &got, e) != OK ||
			io_write(*ret_fd, piece, got, BROKEN, e) != OK)
			return err_add(e, "spool");
	return OK;
}

/* A member with the facts of the answer it came in. */
static enum rc
read_member(struct stream_work *r, struct unpack *u, struct http_answer *ret,
	struct err *e)
{
	CLEANUP(mem_release) uint8_t *piece = mem_alloc(PIECE);
	struct hash h;
	size_t got = PIECE;
	enum rc rc = OK;

	http_answer_init(ret, r->o->engine->spool);
	ret->status = r->answer.status;
	str_addn(&ret->fields, r->answer.fields.s, r->answer.fields.len);
	str_addn(&ret->encoding, r->answer.encoding.s, r->answer.encoding.len);
	ret->sent_at = r->answer.sent_at;
	ret->got_at = r->answer.got_at;
	hash_init(&h);
	while (rc == OK && got == PIECE) {
		rc = unpack_read(u, piece, PIECE, &got, e);
		if (rc != OK)
			break;
		hash_add(&h, piece, got);
		rc = http_body_add(&ret->body, piece, got, e);
	}
	hash_end(&h, ret->sha256);
	return rc;
}

static enum rc
take_members(struct stream_work *r, struct unpack *u, struct err *e)
{
	struct unpack_member m;
	enum rc rc;

	while ((rc = unpack_next(u, &m, e)) == OK) {
		struct http_answer a;
		struct batch_part part = {.answer = &a,
			.member = m.name,
			.member_len = m.name_len,
			.container_size = r->answer.body.size,
			.container_sha256 = r->answer.sha256};
		CLEANUP(mem_release) uint8_t *name = NULL;

		if (m.type == UNPACK_FINDING)
			return err_set(e, BAD_SOURCE,
				"the answer is an archive with a %s",
				m.finding);
		if (m.type != UNPACK_FILE)
			continue;
		name = mem_dup(m.name, m.name_len);
		part.member = name;
		rc = read_member(r, u, &a, e);
		if (rc == OK)
			rc = take_body(r, &part, e);
		http_answer_release(&a);
		if (rc != OK)
			return rc;
	}
	return rc == END ? OK : rc;
}

/* By what its bytes are, whatever its headers say. */
static enum rc
take_archive(struct stream_work *r, bool *ret_taken, struct err *e)
{
	static const char name[] = "answer";
	uint8_t head[UNPACK_HEAD];
	struct unpack_options o = {.fd = -1,
		.size = r->answer.body.size,
		.name = (const uint8_t *)name,
		.name_len = sizeof(name) - 1,
		.number = true,
		.spool = r->o->engine->spool,
		.limits = UNPACK_LIMITS_DEFAULT,
		.cancel = r->o->cancel};
	struct unpack_look look;
	struct unpack *u = NULL;
	size_t n;
	enum rc rc;

	rc = http_body_read(&r->answer.body, head, sizeof(head), 0, &n, e);
	if (rc != OK)
		return rc;
	unpack_look(head, n, o.name, o.name_len, &look);
	*ret_taken = look.content != UNPACK_NOTHING;
	if (!*ret_taken)
		return OK;
	rc = to_file(r, &o.fd, e);
	if (rc == OK)
		rc = unpack_open(&o, &u, e);
	if (rc == OK)
		rc = take_members(r, u, e);
	unpack_free(u);
	io_drop(&o.fd);
	if (rc == BAD_ITEM)
		err_add(e, "%s %s", r->outcome.method, r->outcome.url.s);
	return rc == BAD_ITEM ||
			(rc == AGAIN && e->code == AGAIN &&
				!(r->o->cancel != NULL && *r->o->cancel))
		? err_raise(e, BAD_SOURCE)
		: rc;
}

enum rc
stream_page(struct stream_work *r, struct err *e)
{
	struct batch_part part = {.answer = &r->answer};
	bool taken = false;
	enum rc rc = OK;

	r->before = false;
	r->report->pages++;
	if (stream_is_packed(r->stream))
		rc = take_archive(r, &taken, e);
	if (rc != OK || taken)
		return rc;
	return take_body(r, &part, e);
}

bool
stream_is_packed(const struct api_stream *s)
{
	return s->decode->n > 1;
}

static struct paging_value
value(const struct reply *r, const struct api_selector *s, struct str *keep)
{
	if (s->from == API_FROM_NOTHING || reply_value(r, s, 0, keep) != OK)
		return (struct paging_value){0};
	return (struct paging_value){(const uint8_t *)keep->s, keep->len};
}

/* Was the answer as large as could be, and silent about more? */
static void
see_lead(struct stream_work *r, const struct paging *g,
	const struct paging_page *page)
{
	const struct api_pagination *x = r->stream->pagination;

	if (x->type != API_PAGES_TOKEN && x->type != API_PAGES_LINK)
		return;
	if (reply_has(r->reply, &x->next))
		r->led = true;
	else if (page->more.p == NULL && page->done.p == NULL &&
		paths_asked_for(&r->stream->request, r->outcome.url.s, g->size,
			page->records))
		r->full = page->records;
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
	enum rc rc;

	see_lead(r, g, &page);
	rc = paging_next(g, &page, e);

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
