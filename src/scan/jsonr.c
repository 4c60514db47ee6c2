#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scan/jsonr-state.h"

/* Below this there are too few tokens to be worth it. */
#define TOKENS_LEAST 64

static void
begin(struct jsonr *j)
{
	j->offset = 0;
	j->state = JSONR_BEGIN;
	j->depth = 0;
	j->now = 0;
	j->match =
		j->n_asked == 64 ? UINT64_MAX : (UINT64_C(1) << j->n_asked) - 1;
	j->reached = 0;
	j->record = 0;
	j->failed = false;
	/* In a chunk no record may get too long without being seen. */
	j->plain_until = 0;
	if (j->isa->json == NULL || j->max_record < JSONR_CHUNK)
		j->plain_until = UINT64_MAX;
}

/* Copies the path behind that of the records it is within. */
static void
add_query(struct jsonr *j, const struct jsonr_query *query)
{
	struct jsonr_asked *q = &j->asked[j->n_asked++];
	const struct jsonpath *base = NULL, *parts[2];
	size_t n = query->path->n;

	if (query->within != JSONR_DOCUMENT) {
		if (query->within < 0 ||
			(size_t)query->within + 1 >= j->n_asked ||
			!j->asked[query->within].records || query->records)
			abort();
		base = &j->asked[query->within].path;
		q->record = 1 + (unsigned)query->within;
		n += base->n;
	}
	q->records = query->records;
	q->last = jsonpath_has(query->path, JSONPATH_LAST);
	if (n > JSONR_STEPS || (q->records && q->last))
		abort();
	buf_init(&q->text, j->text.max);
	q->path.step = mem_array(n + 1, sizeof(*q->path.step));
	parts[0] = base;
	parts[1] = query->path;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t k = 0; parts[i] != NULL && k < parts[i]->n; k++) {
			struct jsonpath_step step = parts[i]->step[k];

			if (step.name != NULL)
				step.name = mem_dup(step.name, step.len);
			q->path.step[q->path.n++] = step;
		}
}

static void
add_sets(struct jsonr *j, size_t query)
{
	const struct jsonr_asked *q = &j->asked[query];
	uint64_t bit = UINT64_C(1) << query;
	bool every = false;

	j->records |= q->records ? bit : 0;
	j->last |= q->last ? bit : 0;
	j->ends[q->path.n] |= bit;
	for (size_t at = 0; at < q->path.n; at++) {
		const struct jsonpath_step *step = &q->path.step[at];

		j->longer[at] |= bit;
		switch (step->kind) {
		case JSONPATH_EVERY:
			j->every[at] |= bit;
			if (!every)
				j->first_every[at] |= bit;
			every = true;
			break;
		case JSONPATH_NAMED:
			j->named[at] |= bit;
			j->lengths[at] |= UINT64_C(1)
				<< (step->len < 63 ? step->len : 63);
			break;
		default:
			break;
		}
	}
}

struct jsonr *
jsonr_new(
	const struct jsonr_spec *spec, const struct jsonr_sink *sink, void *arg)
{
	struct jsonr *j = mem_alloc(sizeof(*j));
	size_t value = spec->max_value > 0 ? spec->max_value : JSONR_VALUE;

	if (spec->n > JSONR_QUERIES)
		abort();
	j->isa = isa_current();
	j->sink = *sink;
	j->arg = arg;
	j->max_record = spec->max_record > 0 ? spec->max_record : INT64_MAX;
	j->max_value = value;
	j->bom = spec->bom;
	buf_init(&j->text, value > JSONPATH_NAME ? value : JSONPATH_NAME);
	j->asked = mem_array(spec->n + 1, sizeof(*j->asked));
	for (size_t i = 0; i < spec->n; i++) {
		add_query(j, &spec->query[i]);
		add_sets(j, i);
		for (size_t k = 0; k < i; k++)
			if (j->asked[i].records && j->asked[k].records &&
				jsonpath_overlap(
					&j->asked[i].path, &j->asked[k].path))
				abort();
	}
	begin(j);
	return j;
}

void
jsonr_free(struct jsonr *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n_asked; i++) {
		jsonpath_release(&j->asked[i].path);
		buf_release(&j->asked[i].text);
	}
	free(j->asked);
	buf_release(&j->text);
	free(j);
}

void
jsonr_reset(struct jsonr *j)
{
	for (size_t i = 0; i < j->n_asked; i++)
		j->asked[i].held = false;
	begin(j);
}

/* How many of the next n bytes tokens() may see; 0: it must not. */
static size_t
chunk(const struct jsonr *j, size_t n)
{
	uint64_t most = JSONR_CHUNK;

	if (j->state >= JSONR_CLOSED || j->depth == 0 ||
		j->offset < j->plain_until)
		return 0;
	if (j->record != 0 && j->offset - j->record_start < j->max_record)
		most = j->max_record - (j->offset - j->record_start);
	else if (j->record != 0)
		most = 1;
	if (most > JSONR_CHUNK)
		most = JSONR_CHUNK;
	return n < most ? n : (size_t)most;
}

static void
add(struct jsonr *j, const uint8_t *p, size_t n)
{
	while (n > 0 && !j->failed) {
		size_t most = chunk(j, n), done = 0;

		if (most > 0) {
			/* No byte is looked at three times. */
			uint64_t until = j->offset + most;

			if (most >= TOKENS_LEAST)
				done = jsonr_tokens(j, p, most);
			if (done <= most / 2)
				j->plain_until = until;
		}
		if (done == 0)
			done = jsonr_bytes(j, p, n);
		p += done;
		n -= done;
	}
}

enum rc
jsonr_add(struct jsonr *j, const uint8_t *p, size_t n, struct err *e)
{
	if (n > 0)
		add(j, p, n);
	if (!j->failed)
		return OK;
	*e = j->err;
	return BAD_ITEM;
}

/* A number at the top ends with the text; the blank is not part of it. */
static bool
end(struct jsonr *j)
{
	static const uint8_t blank = ' ';

	if (!j->failed && j->depth == 0 && j->state > JSONR_IN_HEX)
		jsonr_bytes(j, &blank, 1);
	if (j->failed)
		return false;
	if (j->state == JSONR_CLOSED) {
		jsonr_tell_held(j, 0);
		return true;
	}
	return jsonr_refuse(j, j->offset,
		j->depth > 0 || j->state >= JSONR_IN_STRING ? "the rest of it"
							    : "a value",
		-1);
}

enum rc
jsonr_end(struct jsonr *j, struct err *e)
{
	if (end(j))
		return OK;
	*e = j->err;
	return BAD_ITEM;
}

bool
jsonr_reached(const struct jsonr *j, unsigned query)
{
	return (j->reached >> query & 1) != 0;
}

const char *
jsonr_type_name(enum jsonr_type type)
{
	static const char *const names[] = {
		[JSONR_NULL] = "null",
		[JSONR_FALSE] = "false",
		[JSONR_TRUE] = "true",
		[JSONR_NUMBER] = "a number",
		[JSONR_STRING] = "a string",
		[JSONR_ARRAY] = "an array",
		[JSONR_OBJECT] = "an object",
	};

	return names[type];
}

bool
jsonr_valid(const uint8_t *p, size_t n)
{
	struct jsonr j;

	/* All that begin() and a text without queries look at. */
	j.isa = isa_current();
	j.max_record = INT64_MAX;
	j.bom = false;
	j.n_asked = 0;
	j.last = 0;
	j.name = j.take = false;
	begin(&j);
	memset(j.longer, 0, sizeof(j.longer));
	memset(j.first_every, 0, sizeof(j.first_every));
	if (n > 0)
		add(&j, p, n);
	return end(&j);
}
