/*
 * Records, partitions, jobs and deletes: what is missing, and what excludes
 * each other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"

static void
check_place(struct profile_reading *p, const struct yaml_node *n,
	const struct api_stream *s, const struct api_place *place,
	const char *key)
{
	bool csv = profile_last_layer(s) == API_CSV;

	if (!profile_has_place(place))
		return;
	if (csv && place->column == NULL)
		profile_wrong(p, profile_at(n, key),
			"%s: records of csv have columns: write a column's "
			"name",
			key);
	else if (!csv && place->column != NULL)
		profile_wrong(p, profile_at(n, key),
			"%s: expected a path such as $.id (a column goes with "
			"csv)",
			key);
	else if (jsonpath_has(&place->path, JSONPATH_EVERY))
		profile_wrong(p, profile_at(n, key),
			"%s: one value is wanted, [*] is many", key);
}

static bool
is_document_selector(const struct api_selector *s)
{
	return s->from == API_FROM_BODY || s->from == API_FROM_LAST;
}

void
profile_check_records(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	const struct api_pagination *g = s->pagination;

	if (jsonpath_has(&s->records.path, JSONPATH_LAST))
		profile_wrong(p, profile_at(n, "records"),
			"records: [-1] is known too late for records");
	if (profile_last_layer(s) != API_JSON &&
		(s->records.path.n > 0 || s->records.n_also > 0))
		profile_wrong(p, profile_at(n, "records"),
			"records: the body is %s: each %s is a record",
			api_layer_names[profile_last_layer(s)],
			profile_last_layer(s) == API_CSV ? "row" : "line");
	for (size_t i = 0; i < s->records.n_also; i++)
		if (jsonpath_overlap(
			    &s->records.path, &s->records.also[i].path))
			profile_wrong(p, profile_at(n, "records"),
				"records: also lies within the records "
				"themselves");
	for (size_t i = 0; i < s->key.n; i++)
		check_place(p, n, s, &s->key.row[i], "key");
	check_place(p, n, s, &s->incremental.cursor, "incremental.cursor");
	for (size_t i = 0; i < s->deletes.n; i++)
		check_place(p, n, s, &s->deletes.row[i].flag, "deletes");
	if (profile_last_layer(s) != API_JSON &&
		(is_document_selector(&g->next) ||
			is_document_selector(&g->more) ||
			is_document_selector(&g->done) ||
			is_document_selector(&g->total)))
		profile_wrong(p, profile_at(n, "pagination"),
			"pagination: a body of %s has no paths; select from a "
			"header",
			api_layer_names[profile_last_layer(s)]);
	if (s->immutable && s->key.n == 0)
		profile_wrong(p, profile_at(n, "immutable"),
			"immutable: known by what? add key");
	if (s->land == API_LAND_KEYS && s->key.n == 0)
		profile_wrong(
			p, profile_at(n, "land"), "land: keys needs a key");
}

static bool
leads_to(const struct api *a, size_t from, size_t to)
{
	for (size_t i = 0; i <= a->n_streams && from != API_NO_STREAM; i++) {
		if (from == to)
			return true;
		from = a->stream[from].partitions.parent;
	}
	return false;
}

void
profile_check_partitions(
	struct profile_reading *p, size_t i, const struct yaml_node *n)
{
	struct api_partitions *q = &p->api->stream[i].partitions;
	bool values = false, selects = false;

	for (size_t k = 0; k < q->n; k++) {
		if (q->row[k].select.n > 0)
			selects = true;
		else
			values = true;
		for (size_t m = 0; m < k; m++)
			if (strcmp(q->row[m].name, q->row[k].name) == 0)
				profile_wrong(p, profile_at(n, "partitions"),
					"partitions: %s is given twice",
					q->row[k].name);
	}
	if (selects != (yaml_get(yaml_get(n, "partitions"), "from") != NULL))
		profile_wrong(p, profile_at(n, "partitions"),
			"partitions: from and select go together");
	if (q->parent != API_NO_STREAM &&
		p->api->stream[q->parent].partitions.parent != API_NO_STREAM)
		profile_wrong(p, profile_at(n, "partitions.from"),
			"partitions.from: %s is made from another stream "
			"itself",
			p->api->stream[q->parent].name);
	if (q->parent != API_NO_STREAM && p->api->stream[q->parent].job.set)
		profile_wrong(p, profile_at(n, "partitions.from"),
			"partitions.from: needs a stream with a request");
	if (q->batch > 1 && p->api->stream[i].incremental.set)
		profile_wrong(p, profile_at(n, "partitions.batch"),
			"partitions.batch: which records make a batch changes; "
			"it goes with streams that are read whole");
	if (q->batch > 1 && (!selects || values))
		profile_wrong(p, profile_at(n, "partitions.batch"),
			"partitions.batch: goes with from alone");
	if (q->state_each && q->n == 0)
		profile_wrong(p, profile_at(n, "partitions"),
			"partitions: values, or from and select, are "
			"missing");
	if (q->parent != API_NO_STREAM && leads_to(p->api, q->parent, i))
		profile_wrong(p, profile_at(n, "partitions.from"),
			"partitions.from: the streams are made of each other");
	if (q->parent != API_NO_STREAM &&
		profile_last_layer(&p->api->stream[q->parent]) != API_JSON)
		profile_wrong(p, profile_at(n, "partitions.from"),
			"partitions.from: needs a stream of json");
}

void
profile_check_job(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	struct api_job *j = &s->job;

	if (s->request.set == j->set) {
		if (j->set)
			profile_wrong(p, profile_at(n, "job"),
				"job: a stream has a request or a job");
		return;
	}
	if (s->request.set) {
		if (yaml_get(yaml_get(n, "request"), "path") == NULL &&
			yaml_get(yaml_get(n, "request"), "url") == NULL)
			profile_wrong(p, profile_at(n, "request"),
				"request: path or url is missing");
		return;
	}
	if (j->create.target.n == 0)
		profile_wrong(p, profile_at(n, "job"), "job.create is missing");
	if (j->id.from == API_FROM_NOTHING)
		profile_wrong(p, profile_at(n, "job"),
			"job.id is missing: where create's answer has it");
	if (j->poll.request.target.n == 0 ||
		j->poll.status.from == API_FROM_NOTHING || j->poll.done.n == 0)
		profile_wrong(p, profile_at(n, "job.poll"),
			"job.poll: needs request, status and done");
	if ((j->download.target.n > 0) == (j->urls.from != API_FROM_NOTHING))
		profile_wrong(p, profile_at(n, "job"),
			"job: expected either download or urls");
	if (j->poll.max_every == 0)
		j->poll.max_every = j->poll.every;
	if (j->poll.max_every < j->poll.every)
		profile_wrong(p, profile_at(n, "job.poll.max_every"),
			"job.poll.max_every: is less than every");
}

void
profile_check_deletes(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	const struct yaml_node *v = profile_at(n, "deletes");

	v = v->kind == YAML_SEQUENCE ? v->first : NULL;
	for (size_t i = 0; i < s->deletes.n && v != NULL; i++, v = v->next) {
		struct api_delete *d = &s->deletes.row[i];
		bool stream = yaml_get(v, "stream") != NULL;
		bool flag = profile_has_place(&d->flag),
		     event = profile_has_place(&d->event);

		if (stream + flag + event != 1) {
			profile_wrong(p, profile_at(n, "deletes"),
				"deletes: each has one of flag, event and "
				"stream");
			continue;
		}
		d->kind = stream ? API_DELETE_STREAM
			: event	 ? API_DELETE_EVENT
				 : API_DELETE_FLAG;
		if (event) {
			d->flag = d->event;
			d->event = (struct api_place){.column = NULL};
		}
		if (event && d->equals.n == 0 && d->suffix == NULL)
			profile_wrong(p, profile_at(n, "deletes"),
				"deletes: event needs equals or suffix");
		if (event && d->key.n == 0)
			profile_wrong(p, profile_at(n, "deletes"),
				"deletes: event needs a key: of what is gone");
		if (flag && d->equals.n == 0) {
			d->equals.word = mem_array(1, sizeof(char *));
			d->equals.word[d->equals.n++] = mem_strdup("true");
		}
		if (stream && d->stream != API_NO_STREAM)
			p->api->stream[d->stream].deletes_only = true;
	}
	if (s->deletes.n > 0 && s->key.n == 0)
		profile_wrong(p, profile_at(n, "deletes"),
			"deletes: of what? add key");
}

void
profile_check_reconcile(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	const struct api_reconcile *r = &s->reconcile;

	if (!r->set)
		return;
	if (r->every == 0)
		profile_wrong(p, profile_at(n, "reconcile"),
			"reconcile.every is missing");
	if (yaml_get(yaml_get(n, "reconcile"), "list") == NULL)
		profile_wrong(p, profile_at(n, "reconcile"),
			"reconcile.list is missing: the stream that lists all "
			"keys, or self");
	if (s->partitions.n > 0)
		profile_wrong(p, profile_at(n, "reconcile"),
			"reconcile: goes with streams without partitions");
	if (profile_last_layer(s) == API_CSV || s->decode->n > 1)
		profile_wrong(p, profile_at(n, "reconcile"),
			"reconcile: needs records of json or jsonl");
	if (r->list != API_NO_STREAM &&
		(p->api->stream[r->list].partitions.n > 0 ||
			p->api->stream[r->list].job.set ||
			profile_last_layer(&p->api->stream[r->list]) !=
				API_JSON))
		profile_wrong(p, profile_at(n, "reconcile.list"),
			"reconcile.list: needs a stream of json with a "
			"request, without partitions");
	if (s->key.n == 0)
		profile_wrong(p, profile_at(n, "reconcile"),
			"reconcile: compares keys; add key");
	if (r->list != API_NO_STREAM &&
		p->api->stream[r->list].key.n != s->key.n)
		profile_wrong(p, profile_at(n, "reconcile.list"),
			"reconcile.list: its key is another one");
}
