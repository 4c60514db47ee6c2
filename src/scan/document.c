/*
 * document.c - one JSON document whose records are the values at a path.
 *
 * What is around and between the records is an envelope: an exception of its
 * own, so that the index alone says where records are and nobody needs a
 * JSON parser to cut them out. A document that is not JSON keeps the records
 * found before that shows; all the rest of it is one malformed span.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scan/jsonr-state.h"
#include "scan/state.h"

/* The span up to `end`, and what it is; none is empty. */
static void
span(struct scan *s, uint64_t end, uint16_t kind, uint16_t detail)
{
	if (end <= s->start)
		return;
	s->at = end;
	s->fault = 0;
	if (kind != 0) {
		emit_span(s, kind, detail, false);
		return;
	}
	/* The reader has looked at the bytes: there is no NUL among them. */
	s->ends[s->n_ends] = end;
	emit_ends(s, 1, 0);
}

static void
document_record(void *arg, unsigned query, uint64_t offset, uint64_t length)
{
	struct scan *s = arg;

	span(s, s->part + offset, KIND_ENVELOPE, 0);
	span(s, s->part + offset + length, query == 0 ? 0 : KIND_RELATED,
		query == 0 ? 0 : (uint16_t)(query - 1));
}

static const struct jsonr_sink document_sink = {document_record, NULL};

/* The paths of a dialect are right: dialect_read() and others look. */
static struct jsonr *
reader(struct scan *s)
{
	struct jsonpath path[1 + SCAN_RELATED_MAX];
	struct jsonr_query query[1 + SCAN_RELATED_MAX];
	struct jsonr_spec spec = {
		.query = query, .max_record = s->d.max_record, .bom = true};
	struct err e = ERR_INIT;
	struct jsonr *j;

	for (size_t i = 0; i <= s->d.n_related; i++) {
		const char *text = i == 0 ? s->d.records : s->d.related[i - 1];

		if (jsonpath_parse(text, strlen(text), &path[i], &e) != OK)
			abort();
		query[spec.n++] = (struct jsonr_query){.path = &path[i],
			.within = JSONR_DOCUMENT,
			.records = true};
	}
	j = jsonr_new(&spec, &document_sink, s);
	for (size_t i = 0; i < spec.n; i++)
		jsonpath_release(&path[i]);
	return j;
}

/* Path i, parsed; what is wrong with it beside the i before it is told. */
static bool
path_is_right(
	const struct dialect *d, struct jsonpath *path, size_t i, struct err *e)
{
	const char *text = i == 0 ? d->records : d->related[i - 1];
	bool right = true;

	if (jsonpath_parse(text, strlen(text), &path[i], e) != OK)
		return false;
	if (jsonpath_has(&path[i], JSONPATH_LAST)) {
		err_set(e, BAD_ITEM,
			"records cannot be at %s: [-1] is known only at the "
			"end",
			text);
		right = false;
	}
	for (size_t k = 0; k < i && right; k++)
		if (jsonpath_overlap(&path[i], &path[k])) {
			err_set(e, BAD_ITEM,
				"records at %s would lie within others", text);
			right = false;
		}
	if (!right)
		jsonpath_release(&path[i]);
	return right;
}

bool
dialect_paths_are_right(const struct dialect *d, struct err *e)
{
	struct jsonpath path[1 + SCAN_RELATED_MAX];
	size_t n = 0;

	while (n <= d->n_related && path_is_right(d, path, n, e))
		n++;
	for (size_t i = 0; i < n; i++)
		jsonpath_release(&path[i]);
	return n == d->n_related + 1;
}

bool
document_next(struct scan *s)
{
	struct err ignored = ERR_INIT;
	bool bad;

	if (s->json == NULL)
		s->json = reader(s);
	if (s->shown < s->limit) {
		/* The records told meanwhile move `at`: it is not the place. */
		uint64_t from = s->shown;

		s->shown = s->limit;
		bad = jsonr_add(s->json, s->win + (from - s->base),
			      (size_t)(s->limit - from), &ignored) != OK;
	} else {
		bad = s->json->failed;
	}
	if (s->last && s->limit > s->part)
		bad |= jsonr_end(s->json, &ignored) != OK;
	/* The reader refuses it too, but perhaps not before its end. */
	if (s->json->record != 0 &&
		s->limit - s->part - s->json->record_start > s->d.max_record)
		bad = true;
	if (s->json->record != 0)
		span(s, s->part + s->json->record_start, KIND_ENVELOPE, 0);
	s->at = s->limit;
	if (s->last)
		span(s, s->limit, bad ? KIND_INVALID_JSON : KIND_ENVELOPE, 0);
	else if (bad || s->json->record == 0)
		s->fault = bad ? KIND_INVALID_JSON : KIND_ENVELOPE;
	return false;
}

void
document_restart(struct scan *s)
{
	if (s->json != NULL)
		jsonr_reset(s->json);
	s->shown = s->base;
}

void
document_free(struct scan *s)
{
	jsonr_free(s->json);
}
