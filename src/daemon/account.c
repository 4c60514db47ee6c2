#include "daemon/account.h"

#include "base/buf.h"
#include "landfall/side.h"

#define SIDE_MAX (64u << 10) /* bytes of a side file */
#define STEP (256u << 10)

struct account {
	const struct job *job;
	struct land *land;
};

/* ---- side files ---- */

enum rc
account_side_files(const struct job *j, struct str *why, struct err *e)
{
	const struct total_list *l = &j->config->totals;

	for (size_t i = 0; i < l->n; i++) {
		CLEANUP(str_release) struct str name = STR_INIT;
		struct signature ignored;
		enum rc rc;

		if (l->row[i].from != TOTAL_SIDE)
			continue;
		side_name(&name, l->row[i].pattern, j->name, j->name_len);
		rc = j->ops->look(j->source, (const uint8_t *)name.s, name.len,
			NULL, &ignored, e);
		if (rc == OK)
			continue;
		if (rc != END)
			return err_add(e, "side file of control totals");
		str_add(why, "control totals: side file ");
		str_add_quoted(why, name.s, name.len);
		str_add(why, " is not there yet");
		return END;
	}
	return OK;
}

static enum rc
read_side(void *arg, const uint8_t *name, size_t len, struct str *text,
	struct err *e)
{
	struct account *a = arg;
	const struct job *j = a->job;
	CLEANUP(buf_release) struct buf b;
	struct signature ignored;
	struct feed *f = NULL;
	size_t got;
	enum rc rc;

	buf_init(&b, SIDE_MAX);
	rc = j->ops->fetch(j->source, name, len, &f, &ignored, e);
	if (rc == OK)
		rc = buf_reserve(&b, SIDE_MAX, e);
	if (rc == OK)
		rc = feed_read(f, b.data, SIDE_MAX, &got, e);
	if (rc == OK)
		str_addn(text, b.data, got);
	feed_free(f);
	return rc;
}

/* ---- the delivered bytes once more ---- */

/* The bytes [offset, offset + len) into b, as one record. */
static enum rc
read_span(struct account *a, const struct landed_span *s, struct buf *b,
	struct totals_record *ret, struct err *e)
{
	size_t got;

	if (s->length == 0)
		return OK;
	if (s->length > b->max)
		return err_set(e, BAD_ITEM,
			"the header or trailer at byte %llu is larger than "
			"max_record",
			(unsigned long long)s->offset);
	if (buf_reserve(b, (size_t)s->length, e) != OK ||
		land_again(a->land, b->data, (size_t)s->length, s->offset, &got,
			e) != OK)
		return e->code;
	*ret = (struct totals_record){
		.offset = s->offset,
		.bytes = b->data,
		.len = got,
	};
	return OK;
}

struct walk {
	struct buf window; /* the delivery's bytes from base on */
	uint64_t base;
	struct totals_record next;
	enum rc (*each)(
		void *arg, const struct totals_record *r, struct err *e);
	void *arg;
	enum rc rc;
	struct err *e;
};

static void
walk_records(void *arg, const uint64_t *ends, size_t n)
{
	struct walk *w = arg;
	struct totals_record *r = &w->next;

	for (size_t i = 0; i < n && w->rc == OK; i++) {
		r->bytes = w->window.data + (r->offset - w->base);
		r->len = (size_t)(ends[i] - r->offset);
		w->rc = w->each(w->arg, r, w->e);
		r->number++;
		r->offset = ends[i];
	}
}

static void
walk_exception(void *arg, const struct scan_exception *x)
{
	struct walk *w = arg;

	w->next.offset = x->offset + x->length;
}

static const struct scan_sink walk_sink = {walk_records, walk_exception};

static enum rc
walk_bytes(struct account *a, struct scan *s, struct walk *w)
{
	uint64_t at = 0;
	size_t got;

	do {
		size_t done;

		if (buf_reserve(&w->window, STEP, w->e) != OK ||
			land_again(a->land, w->window.data + w->window.len,
				STEP, at, &got, w->e) != OK)
			return w->e->code;
		w->window.len += got;
		at += got;
		done = scan_step(s, w->window.data, w->window.len, got < STEP);
		buf_drop(&w->window, done);
		w->base += done;
	} while (got == STEP && w->rc == OK);
	return w->rc;
}

/* What is ordinary now was ordinary when it was landed: the same scanner. */
static enum rc
records_each(void *arg,
	enum rc (*each)(
		void *each_arg, const struct totals_record *r, struct err *e),
	void *each_arg, struct err *e)
{
	struct account *a = arg;
	const struct dialect *d = &a->job->config->dialect;
	struct walk w = {.each = each, .arg = each_arg, .e = e};
	struct scan *s = scan_new(d, &walk_sink, &w);
	enum rc rc;

	buf_init(&w.window, (size_t)d->max_record + 3 * STEP);
	rc = walk_bytes(a, s, &w);
	buf_release(&w.window);
	scan_free(s);
	return rc;
}

enum rc
account_check(const struct job *j, struct land *l, const struct landed *landed,
	struct str *told, struct str *why, struct err *e)
{
	const struct source_config *cfg = j->config;
	struct account a = {.job = j, .land = l};
	struct totals_input in = {
		.dialect = &cfg->dialect,
		.encoding = landed->totals.encoding,
		.records = landed->totals.records,
		.name = j->name,
		.name_len = j->name_len,
		.side = read_side,
		.records_each = records_each,
		.arg = &a,
	};
	struct buf header, trailer;
	enum rc rc;

	buf_init(&header, (size_t)cfg->dialect.max_record);
	buf_init(&trailer, (size_t)cfg->dialect.max_record);
	rc = read_span(&a, &landed->header, &header, &in.header, e);
	if (rc == OK)
		rc = read_span(&a, &landed->trailer, &trailer, &in.trailer, e);
	if (rc == OK)
		rc = totals_check(cfg->totals.row, cfg->totals.n, &in, told, e);
	buf_release(&header);
	buf_release(&trailer);
	/* A side file that went away again is no mismatch. */
	if (rc == AGAIN)
		return rc;
	/* With a cause it is the disk or the network, not the numbers. */
	if (rc != BAD_ITEM || e->cause != 0)
		return rc;
	str_add(why, e->text);
	e->code = OK;
	return END;
}
