#include "daemon/parents.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "daemon/partition.h"

/* Of all values together. */
#define BYTES_MAX (32u << 20)

struct reading {
	struct parents *p;
	const struct api *api;
	const struct api_stream *parent;
	struct session *session;
	int spool;
	const struct api_place **field;
	struct names known; /* each once */
};

static enum rc
take(void *arg, const struct reply_record *x, struct err *e)
{
	struct reading *r = arg;
	struct parents *p = r->p;
	CLEANUP(str_release) struct str all = STR_INIT;
	size_t before = r->known.n;

	for (size_t i = 0; i < p->n_selects; i++) {
		if (!x->field[i].set ||
			memchr(x->field[i].p, '\0', x->field[i].len) != NULL)
			return err_set(e, BAD_SOURCE,
				"record %llu of %s lacks what is selected for "
				"partitions",
				(unsigned long long)x->number, r->parent->name);
		str_addn(&all, x->field[i].p, x->field[i].len);
		str_addc(&all, '\0');
	}
	if (names_put(&r->known, all.s, all.len) == NAMES_FULL)
		return err_set(e, BAD_SOURCE,
			"%s gives more than %u partitions", r->parent->name,
			PARENTS_MAX);
	if (r->known.n == before)
		return OK;
	if ((p->n & (p->n - 1)) == 0)
		p->value = mem_resize(p->value,
			(p->n > 0 ? 2 * p->n : 1) * p->n_selects,
			sizeof(*p->value));
	for (size_t i = 0; i < p->n_selects; i++)
		p->value[p->n * p->n_selects + i] =
			mem_dup(x->field[i].p, x->field[i].len);
	p->n++;
	return OK;
}

static enum rc
read_partition(void *arg, const char *partition, struct err *e)
{
	struct reading *r = arg;
	const struct stream_list_options o = {
		.session = r->session,
		.stream = r->parent,
		.partition = partition,
		.max_record = r->api->max_record,
		.spool = r->spool,
		.field = r->field,
		.n_fields = r->p->n_selects,
	};

	return stream_list(&o, take, r, e);
}

enum rc
parents_read(struct parents *p, const struct api *a, const struct api_stream *s,
	struct session *session, int spool, struct err *e)
{
	const struct api_partitions *q = &s->partitions;
	struct api_place *place = mem_array(q->n + 1, sizeof(*place));
	struct reading r = {.p = p,
		.api = a,
		.parent = &a->stream[q->parent],
		.session = session,
		.spool = spool,
		.field = mem_array(q->n + 1, sizeof(*r.field)),
		.known = NAMES_INIT(PARENTS_MAX, BYTES_MAX)};
	enum rc rc;

	*p = (struct parents){.rule = q};
	for (size_t i = 0; i < q->n; i++)
		if (q->row[i].values.n == 0) {
			place[p->n_selects].path = q->row[i].select;
			r.field[p->n_selects] = &place[p->n_selects];
			p->n_selects++;
		}
	rc = partition_each(
		r.parent, session_vars(session), NULL, read_partition, &r, e);
	vars_unset_all(session_vars(session), API_PARTITION);
	names_release(&r.known);
	free(r.field);
	free(place);
	if (rc != OK && rc != BROKEN && rc != AGAIN)
		err_add(e, "partitions from %s", r.parent->name);
	return rc;
}

void
parents_release(struct parents *p)
{
	for (size_t i = 0; i < p->n * p->n_selects; i++)
		free(p->value[i]);
	free(p->value);
	*p = (struct parents){.n = 0};
}

size_t
parents_count(const struct parents *p)
{
	size_t batch = (size_t)p->rule->batch;

	return p->n / batch + (p->n % batch > 0);
}

/* Of several at a time the name is which ones they are in the list. */
static void
add_batch(const struct parents *p, size_t first, size_t end, struct vars *v,
	struct str *name)
{
	size_t k = 0;

	for (size_t i = 0; i < p->rule->n; i++) {
		const char *variable = p->rule->row[i].name;

		if (p->rule->row[i].values.n > 0)
			continue;
		vars_set_list(v, API_PARTITION, variable);
		for (size_t m = first; m < end; m++) {
			const char *text = p->value[m * p->n_selects + k];

			vars_append(
				v, API_PARTITION, variable, text, strlen(text));
		}
		k++;
	}
	str_addf(name, "batch=%zu", first);
}

void
parents_set(const struct parents *p, size_t i, struct vars *v, struct str *name)
{
	size_t batch = (size_t)p->rule->batch, first = i * batch;
	size_t end = first + batch < p->n ? first + batch : p->n, k = 0;

	if (batch > 1) {
		add_batch(p, first, end, v, name);
		return;
	}
	for (size_t m = 0; m < p->rule->n; m++) {
		const char *variable = p->rule->row[m].name, *text;

		if (p->rule->row[m].values.n > 0)
			continue;
		text = p->value[first * p->n_selects + k];
		vars_set_text(v, API_PARTITION, variable, text);
		str_addf(name, "%s%s=", k > 0 ? "," : "", variable);
		str_add_percent(name, text, strlen(text), "");
		k++;
	}
}
