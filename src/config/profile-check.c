/*
 * What each key alone cannot tell: references between streams, what is
 * missing, and what cannot work together.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/profile-read.h"

/* The node at "incremental.window" below n; else the key of n. */
static const struct yaml_node *
at(const struct yaml_node *n, const char *path)
{
	const struct yaml_node *v = n;

	while (v != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		char key[64] = "";

		memcpy(key, path, len);
		v = yaml_get(v, key);
		path += len + (path[len] == '.');
	}
	if (v != NULL)
		return v;
	return n->key != NULL ? n->key : n;
}

static void
resolve(struct profile_reading *p)
{
	for (size_t i = 0; i < p->n_references; i++) {
		struct profile_reference *r = &p->reference[i];
		size_t found = r->self && strcmp(r->node->text, "self") == 0
			? r->stream
			: api_find(p->api, r->node->text);

		*r->target = found;
		if (found == API_NO_STREAM)
			profile_wrong(p, r->node, "there is no stream %s",
				r->node->text);
		else if (found == r->stream &&
			!(r->self && strcmp(r->node->text, "self") == 0))
			profile_wrong(p, r->node, "%s: is this stream itself",
				r->node->text);
	}
}

static bool
uses(const struct profile_reading *p, size_t stream, enum api_space space,
	const char *name)
{
	for (size_t i = 0; i < p->n_uses; i++) {
		const struct profile_use *u = &p->use[i];

		if (u->stream == stream && u->space == space && !u->in_auth &&
			!u->in_lookup &&
			(name == NULL || strcmp(u->name, name) == 0))
			return true;
	}
	return false;
}

/* ---- auth ---- */

static void
need(struct profile_reading *p, const struct yaml_node *n, bool there,
	const char *type, const char *key)
{
	if (!there)
		profile_wrong(p, n, "auth: type %s needs %s", type, key);
}

/* Text without a variable would be the secret itself, in the file. */
static void
check_literal(struct profile_reading *p, const struct yaml_node *n,
	const struct api_template *t, const char *key)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->part[i].space != API_TEXT)
			return;
	if (t->n > 0)
		profile_wrong(p, at(n, key),
			"auth.%s: a secret does not stand here itself: write "
			"{{secret.NAME}}",
			key);
}

static struct api_capture *
add_capture(struct api_auth *a, const char *name)
{
	a->capture =
		mem_resize(a->capture, a->n_capture + 1, sizeof(*a->capture));
	a->capture[a->n_capture] =
		(struct api_capture){.name = mem_strdup(name)};
	return &a->capture[a->n_capture++];
}

static struct api_selector
select_body(const char *path)
{
	struct api_selector s = {.from = API_FROM_BODY};
	struct err e = ERR_INIT;

	if (jsonpath_parse(path, strlen(path), &s.path, &e) != OK)
		abort();
	return s;
}

static void
finish_oauth2(struct api_auth *a)
{
	bool has = false;

	for (size_t i = 0; i < a->n_capture; i++)
		has |= strcmp(a->capture[i].name, "access_token") == 0;
	if (!has)
		add_capture(a, "access_token")->from =
			select_body("$.access_token");
	if (!a->expires_given)
		a->expires = select_body("$.expires_in");
}

static void
check_oauth2(struct profile_reading *p, const struct yaml_node *n,
	struct api_auth *a)
{
	static const char *const algs[] = {"RS256", "ES256", "HS256"};
	bool known = false, refresh = false;

	need(p, n, a->token_url.n > 0, "oauth2", "token_url");
	for (size_t i = 0; i < a->params.n; i++)
		refresh |= strcmp(a->params.row[i].name, "refresh_token") == 0;
	if (a->grant == API_GRANT_REFRESH_TOKEN && !refresh)
		profile_wrong(p, n,
			"auth: grant refresh_token needs params: "
			"{refresh_token: \"{{secret.NAME}}\"}");
	if (a->grant == API_GRANT_JWT_BEARER) {
		if (a->jwt.key.n == 0)
			profile_wrong(p, n,
				"auth: grant jwt_bearer needs jwt: {claims, "
				"key}");
		for (size_t i = 0; i < ARRAY_LEN(algs); i++)
			known |= strcmp(algs[i], a->jwt.alg) == 0;
		if (!known)
			profile_wrong(p, at(n, "jwt.alg"),
				"jwt.alg: expected RS256, ES256 or HS256");
		check_literal(p, n, &a->jwt.key, "jwt.key");
	}
	finish_oauth2(a);
}

static void
check_auth(struct profile_reading *p, const struct yaml_node *n,
	struct api_auth *a)
{
	switch (a->type) {
	case API_AUTH_NONE:
		if (a->value.n > 0 || a->username.n > 0 || a->token_url.n > 0)
			profile_wrong(p, n, "auth: type is missing");
		break;
	case API_AUTH_HEADER:
	case API_AUTH_QUERY:
		need(p, n, a->name != NULL,
			a->type == API_AUTH_HEADER ? "header" : "query",
			"name");
		need(p, n, a->value.n > 0,
			a->type == API_AUTH_HEADER ? "header" : "query",
			"value");
		check_literal(p, n, &a->value, "value");
		break;
	case API_AUTH_BASIC:
		need(p, n, a->username.n > 0, "basic", "username");
		check_literal(p, n, &a->password, "password");
		break;
	case API_AUTH_BEARER:
		need(p, n, a->value.n > 0, "bearer", "token");
		check_literal(p, n, &a->value, "token");
		break;
	case API_AUTH_OAUTH2:
		check_oauth2(p, n, a);
		break;
	case API_AUTH_SESSION:
		need(p, n, a->login.target.n > 0, "session", "login");
		need(p, n, a->n_capture > 0, "session", "capture");
		need(p, n, a->name != NULL, "session", "name");
		need(p, n, a->value.n > 0, "session", "value");
		break;
	}
	if (a->sign.param != NULL && a->sign.key.n == 0)
		profile_wrong(p, n, "auth: sign needs a key");
	if (a->sign.key.n > 0 && a->sign.param == NULL)
		profile_wrong(p, n, "auth: sign needs a param");
}

/* ---- pagination ---- */

static void
finish_pagination(struct profile_reading *p, const struct yaml_node *n,
	struct api_pagination *g, bool stop_given)
{
	bool token = g->type == API_PAGES_TOKEN;
	bool counts =
		g->type == API_PAGES_NUMBER || g->type == API_PAGES_OFFSET;

	if ((token || g->type == API_PAGES_LINK) &&
		g->next.from == API_FROM_NOTHING)
		profile_wrong(p, n, "pagination: type %s needs next",
			token ? "token" : "link");
	if (!token && g->type != API_PAGES_LINK &&
		g->next.from != API_FROM_NOTHING)
		profile_wrong(p, at(n, "next"),
			"pagination.next: goes with type token and link");
	if (!token && g->initial != NULL)
		profile_wrong(p, at(n, "initial"),
			"pagination.initial: goes with type token");
	if (!counts && g->total.from != API_FROM_NOTHING)
		profile_wrong(p, at(n, "total"),
			"pagination.total: goes with type page and offset");
	if (g->total.from != API_FROM_NOTHING && g->type == API_PAGES_NUMBER &&
		g->size == 0)
		profile_wrong(p, at(n, "total"),
			"pagination.total: pages of what size? add size");
	if (stop_given && g->stop == API_STOP_ON_SHORT && g->size == 0)
		profile_wrong(p, at(n, "stop_on"),
			"pagination.stop_on: shorter than what? add size");
	if (!stop_given && counts && g->total.from == API_FROM_NOTHING &&
		g->more.from == API_FROM_NOTHING &&
		g->done.from == API_FROM_NOTHING)
		g->stop = API_STOP_ON_EMPTY;
	if (stop_given && g->stop == API_STOP_NEVER && counts &&
		g->total.from == API_FROM_NOTHING &&
		g->more.from == API_FROM_NOTHING &&
		g->done.from == API_FROM_NOTHING)
		profile_wrong(p, at(n, "stop_on"),
			"pagination.stop_on: none, and nothing else says "
			"which page is the last");
}

static void
check_paging_use(struct profile_reading *p, size_t i, const struct yaml_node *n)
{
	const struct api_stream *s = &p->api->stream[i];
	enum api_paging type = s->pagination->type;

	if (type == API_PAGES_NONE || type == API_PAGES_LINK ||
		uses(p, i, API_PAGE, "token"))
		return;
	profile_wrong(p, at(n, "pagination"),
		"pagination: nothing in the request of %s uses "
		"{{page.token}}: every page would be the first",
		s->name);
}

/* ---- windows ---- */

static int64_t
smallest_step(const struct api_incremental *inc)
{
	return api_format_step(&inc->format);
}

static void
check_steps(struct profile_reading *p, const struct yaml_node *n,
	struct api_incremental *inc)
{
	int64_t step = smallest_step(inc);

	if (inc->granularity < step &&
		at(n, "incremental.granularity") != n->key)
		profile_wrong(p, at(n, "incremental.granularity"),
			"incremental.granularity: is finer than the format can "
			"say");
	if (inc->granularity < step)
		inc->granularity = step;
	if (inc->align == 0)
		inc->align = inc->granularity;
	if (inc->align % inc->granularity != 0)
		profile_wrong(p, at(n, "incremental.align"),
			"incremental.align: is no multiple of granularity");
	if (inc->window > 0 && inc->window < inc->align)
		profile_wrong(p, at(n, "incremental.window"),
			"incremental.window: is less than one step (align, or "
			"granularity)");
	if (inc->window > 0 && inc->align > 0 && inc->window % inc->align != 0)
		profile_wrong(p, at(n, "incremental.window"),
			"incremental.window: is no multiple of align");
}

static void
check_kind(struct profile_reading *p, const struct yaml_node *n,
	struct api_incremental *inc)
{
	static const char *const of_time[] = {
		"align", "lag", "retention", "format", "record_format"};

	if (inc->kind == API_KIND_INT) {
		for (size_t i = 0; i < ARRAY_LEN(of_time); i++)
			if (yaml_get(yaml_get(n, "incremental"), of_time[i]) !=
				NULL)
				profile_wrong(p, at(n, "incremental"),
					"incremental.%s: goes with kind time",
					of_time[i]);
		inc->lag = 0;
		if (yaml_get(yaml_get(n, "incremental"), "granularity") == NULL)
			inc->granularity = 1;
		inc->align = 1;
	}
	if (inc->kind == API_KIND_TOKEN && inc->window > 0)
		profile_wrong(p, at(n, "incremental.window"),
			"incremental.window: kind token has no windows");
	if (inc->kind == API_KIND_TOKEN && inc->lookback > 0)
		profile_wrong(p, at(n, "incremental.lookback"),
			"incremental.lookback: kind token goes on where it "
			"was");
	if (inc->commit == API_COMMIT_PAGE && inc->kind != API_KIND_TOKEN &&
		inc->order != API_ORDER_ASC)
		profile_wrong(p, at(n, "incremental.commit"),
			"incremental.commit: page needs kind token or order "
			"asc: a page that is missing would be skipped");
}

static bool
has_place(const struct api_place *place)
{
	return place->column != NULL || place->path.n > 0;
}

static void
check_incremental(
	struct profile_reading *p, size_t i, const struct yaml_node *n)
{
	struct api_stream *s = &p->api->stream[i];
	struct api_incremental *inc = &s->incremental;
	const struct yaml_node *block = yaml_get(n, "incremental");
	bool start = yaml_get(n, "start") != NULL ||
		yaml_get(block, "start") != NULL;

	if (!inc->set) {
		if (yaml_get(n, "start") != NULL)
			profile_wrong(p, at(n, "start"),
				"start: %s has no incremental", s->name);
		return;
	}
	if (yaml_get(block, "record_format") == NULL) {
		inc->record_format = inc->format;
		if (inc->format.custom != NULL)
			inc->record_format.custom =
				mem_strdup(inc->format.custom);
	}
	check_kind(p, n, inc);
	if (inc->kind == API_KIND_TIME)
		check_steps(p, n, inc);
	if (!start && inc->retention == 0 && inc->kind != API_KIND_INT)
		profile_wrong(p, at(n, "incremental"),
			"start is missing: where does the first window of %s "
			"begin?",
			s->name);
	if (inc->kind != API_KIND_TOKEN && inc->filter == API_FILTER_SERVER &&
		!uses(p, i, API_WINDOW, NULL))
		profile_wrong(p, at(n, "incremental"),
			"incremental: no request of %s uses a {{window...}}; "
			"an API that cannot filter has filter: client",
			s->name);
	if (inc->kind == API_KIND_TOKEN &&
		s->pagination->type != API_PAGES_TOKEN)
		profile_wrong(p, at(n, "incremental"),
			"incremental: kind token goes with pagination of type "
			"token");
	if ((inc->filter != API_FILTER_SERVER ||
		    inc->commit == API_COMMIT_PAGE ||
		    inc->kind == API_KIND_INT) &&
		inc->kind != API_KIND_TOKEN && !has_place(&inc->cursor))
		profile_wrong(p, at(n, "incremental"),
			"incremental.cursor is missing: where a record has "
			"its %s",
			inc->kind == API_KIND_INT ? "number" : "time");
	if (inc->filter == API_FILTER_STOP && inc->order != API_ORDER_DESC)
		profile_wrong(p, at(n, "incremental.filter"),
			"incremental.filter: stop needs order: desc");
	if (inc->n_on_gap > 0 && inc->retention == 0)
		profile_wrong(p, at(n, "incremental.on_gap"),
			"incremental.on_gap: without retention there is no "
			"gap");
}

/* ---- records and keys ---- */

static enum api_layer
last_layer(const struct api_stream *s)
{
	return s->decode->n > 0 ? s->decode->layer[s->decode->n - 1] : API_JSON;
}

static void
check_place(struct profile_reading *p, const struct yaml_node *n,
	const struct api_stream *s, const struct api_place *place,
	const char *key)
{
	bool csv = last_layer(s) == API_CSV;

	if (!has_place(place))
		return;
	if (csv && place->column == NULL)
		profile_wrong(p, at(n, key),
			"%s: records of csv have columns: write a column's "
			"name",
			key);
	else if (!csv && place->column != NULL)
		profile_wrong(p, at(n, key),
			"%s: expected a path such as $.id (a column goes with "
			"csv)",
			key);
	else if (jsonpath_has(&place->path, JSONPATH_EVERY))
		profile_wrong(p, at(n, key),
			"%s: one value is wanted, [*] is many", key);
}

static bool
is_document_selector(const struct api_selector *s)
{
	return s->from == API_FROM_BODY || s->from == API_FROM_LAST;
}

static void
check_records(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	const struct api_pagination *g = s->pagination;

	if (jsonpath_has(&s->records.path, JSONPATH_LAST))
		profile_wrong(p, at(n, "records"),
			"records: [-1] is known too late for records");
	if (last_layer(s) != API_JSON &&
		(s->records.path.n > 0 || s->records.n_also > 0))
		profile_wrong(p, at(n, "records"),
			"records: the body is %s: each %s is a record",
			api_layer_names[last_layer(s)],
			last_layer(s) == API_CSV ? "row" : "line");
	for (size_t i = 0; i < s->records.n_also; i++)
		if (jsonpath_overlap(
			    &s->records.path, &s->records.also[i].path))
			profile_wrong(p, at(n, "records"),
				"records: also lies within the records "
				"themselves");
	for (size_t i = 0; i < s->key.n; i++)
		check_place(p, n, s, &s->key.row[i], "key");
	check_place(p, n, s, &s->incremental.cursor, "incremental.cursor");
	for (size_t i = 0; i < s->deletes.n; i++)
		check_place(p, n, s, &s->deletes.row[i].flag, "deletes");
	if (last_layer(s) != API_JSON &&
		(is_document_selector(&g->next) ||
			is_document_selector(&g->more) ||
			is_document_selector(&g->done) ||
			is_document_selector(&g->total)))
		profile_wrong(p, at(n, "pagination"),
			"pagination: a body of %s has no paths; select from a "
			"header",
			api_layer_names[last_layer(s)]);
	if (s->immutable && s->key.n == 0)
		profile_wrong(p, at(n, "immutable"),
			"immutable: known by what? add key");
	if (s->land == API_LAND_KEYS && s->key.n == 0)
		profile_wrong(p, at(n, "land"), "land: keys needs a key");
}

/* ---- partitions, jobs, deletes ---- */

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

static void
check_partitions(struct profile_reading *p, size_t i, const struct yaml_node *n)
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
				profile_wrong(p, at(n, "partitions"),
					"partitions: %s is given twice",
					q->row[k].name);
	}
	if (selects != (yaml_get(yaml_get(n, "partitions"), "from") != NULL))
		profile_wrong(p, at(n, "partitions"),
			"partitions: from and select go together");
	if (q->batch > 1 && (!selects || values))
		profile_wrong(p, at(n, "partitions.batch"),
			"partitions.batch: goes with from alone");
	if (q->state_each && q->n == 0)
		profile_wrong(p, at(n, "partitions"),
			"partitions: values, or from and select, are "
			"missing");
	if (q->parent != API_NO_STREAM && leads_to(p->api, q->parent, i))
		profile_wrong(p, at(n, "partitions.from"),
			"partitions.from: the streams are made of each other");
	if (q->parent != API_NO_STREAM &&
		last_layer(&p->api->stream[q->parent]) != API_JSON)
		profile_wrong(p, at(n, "partitions.from"),
			"partitions.from: needs a stream of json");
}

static void
check_job(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	struct api_job *j = &s->job;

	if (s->request.set == j->set) {
		if (j->set)
			profile_wrong(p, at(n, "job"),
				"job: a stream has a request or a job");
		return;
	}
	if (s->request.set) {
		if (yaml_get(yaml_get(n, "request"), "path") == NULL &&
			yaml_get(yaml_get(n, "request"), "url") == NULL)
			profile_wrong(p, at(n, "request"),
				"request: path or url is missing");
		return;
	}
	if (j->create.target.n == 0)
		profile_wrong(p, at(n, "job"), "job.create is missing");
	if (j->id.from == API_FROM_NOTHING)
		profile_wrong(p, at(n, "job"),
			"job.id is missing: where create's answer has it");
	if (j->poll.request.target.n == 0 ||
		j->poll.status.from == API_FROM_NOTHING || j->poll.done.n == 0)
		profile_wrong(p, at(n, "job.poll"),
			"job.poll: needs request, status and done");
	if ((j->download.target.n > 0) == (j->urls.from != API_FROM_NOTHING))
		profile_wrong(p, at(n, "job"),
			"job: expected either download or urls");
	if (j->poll.max_every == 0)
		j->poll.max_every = j->poll.every;
	if (j->poll.max_every < j->poll.every)
		profile_wrong(p, at(n, "job.poll.max_every"),
			"job.poll.max_every: is less than every");
}

static void
check_deletes(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	const struct yaml_node *v = at(n, "deletes");

	v = v->kind == YAML_SEQUENCE ? v->first : NULL;
	for (size_t i = 0; i < s->deletes.n && v != NULL; i++, v = v->next) {
		struct api_delete *d = &s->deletes.row[i];
		bool stream = yaml_get(v, "stream") != NULL;
		bool flag = has_place(&d->flag), event = has_place(&d->event);

		if (stream + flag + event != 1) {
			profile_wrong(p, at(n, "deletes"),
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
			profile_wrong(p, at(n, "deletes"),
				"deletes: event needs equals or suffix");
		if (event && d->key.n == 0)
			profile_wrong(p, at(n, "deletes"),
				"deletes: event needs a key: of what is gone");
		if (flag && d->equals.n == 0) {
			d->equals.word = mem_array(1, sizeof(char *));
			d->equals.word[d->equals.n++] = mem_strdup("true");
		}
		if (stream && d->stream != API_NO_STREAM)
			p->api->stream[d->stream].deletes_only = true;
	}
	if (s->deletes.n > 0 && s->key.n == 0)
		profile_wrong(p, at(n, "deletes"), "deletes: of what? add key");
}

static void
check_reconcile(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	const struct api_reconcile *r = &s->reconcile;

	if (!r->set)
		return;
	if (r->every == 0)
		profile_wrong(
			p, at(n, "reconcile"), "reconcile.every is missing");
	if (yaml_get(yaml_get(n, "reconcile"), "list") == NULL)
		profile_wrong(p, at(n, "reconcile"),
			"reconcile.list is missing: the stream that lists all "
			"keys, or self");
	if (s->key.n == 0)
		profile_wrong(p, at(n, "reconcile"),
			"reconcile: compares keys; add key");
	if (r->list != API_NO_STREAM &&
		p->api->stream[r->list].key.n != s->key.n)
		profile_wrong(p, at(n, "reconcile.list"),
			"reconcile.list: its key is another one");
}

/* ---- rules ---- */

static void
check_rules(struct profile_reading *p, size_t i, const struct yaml_node *n,
	const struct api_rules *rules)
{
	const struct api_stream *s = &p->api->stream[i];

	for (size_t k = 0; rules != NULL && k < rules->n; k++) {
		const struct api_rule *r = &rules->row[k];
		const char *why = NULL;

		if (r->action == API_SPLIT_WINDOW &&
			(!s->incremental.set ||
				s->incremental.kind == API_KIND_TOKEN))
			why = "split_window: there are no windows";
		else if (r->action == API_SHRINK_PAGE &&
			!uses(p, i, API_PAGE, "size"))
			why = "shrink_page: no request uses {{page.size}}";
		else if (r->action == API_RESTART_JOB && !s->job.set)
			why = "restart_job: there is no job";
		else if (r->action == API_REFRESH_AUTH &&
			s->auth->type != API_AUTH_OAUTH2 &&
			s->auth->type != API_AUTH_SESSION)
			why = "refresh_auth: auth has nothing to refresh";
		if (why != NULL)
			profile_wrong(p, at(n, "errors"), "errors: %s in %s",
				why, s->name);
	}
}

static void
check_rule_shapes(struct profile_reading *p, const struct yaml_node *n,
	const struct api_rules *rules)
{
	const struct yaml_node *v =
		n != NULL && n->kind == YAML_SEQUENCE ? n->first : NULL;

	for (size_t k = 0; k < rules->n && v != NULL; k++, v = v->next) {
		struct api_rule *r = &rules->row[k];
		bool some = r->n_status > 0 || r->phases != 0 ||
			r->field.from != API_FROM_NOTHING ||
			r->contains != NULL;

		r->line = v->line;
		if (yaml_get(v, "do") == NULL)
			profile_wrong(p, v, "errors: do is missing");
		if (!some)
			profile_wrong(p, v,
				"errors: when is missing: which answers?");
		if (r->values.n > 0 && r->field.from == API_FROM_NOTHING)
			profile_wrong(p, v, "errors: values of which field?");
		if (r->field.from == API_FROM_LAST)
			profile_wrong(p, v, "errors: an error has no records");
		if (r->n_wait > 0 && r->action != API_RATE_LIMITED &&
			r->action != API_RETRY)
			profile_wrong(p, v,
				"errors: wait goes with rate_limited and "
				"retry");
	}
}

static void
check_rate_shapes(struct profile_reading *p, const struct yaml_node *n,
	const struct api_rates *rates)
{
	const struct yaml_node *v =
		n != NULL && n->kind == YAML_SEQUENCE ? n->first : NULL;

	for (size_t k = 0; k < rates->n && v != NULL; k++, v = v->next) {
		const struct api_rate *r = &rates->row[k];
		bool pace = yaml_get(v, "pace") != NULL;

		if (r->n == 0 && r->concurrency == 0 && !pace)
			profile_wrong(p, v,
				"rate_limits: expected limits, concurrency or "
				"pace");
		if (pace &&
			(r->pace.remaining.from == API_FROM_NOTHING ||
				r->pace.reset.from == API_FROM_NOTHING))
			profile_wrong(p, v,
				"rate_limits: pace needs remaining and "
				"reset");
	}
}

/* ---- all of it ---- */

static void
check_request(struct profile_reading *p, const struct yaml_node *n,
	const struct api_request *r)
{
	if (r->body != API_BODY_NONE && strcmp(r->method, "GET") == 0)
		profile_wrong(
			p, n, "request: a GET has no body; say method: POST");
}

static void
check_requests(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s)
{
	check_request(p, at(n, "request"), &s->request);
	check_request(p, at(n, "job.create"), &s->job.create);
	check_request(p, at(n, "job.download"), &s->job.download);
	check_request(p, at(n, "job.poll"), &s->job.poll.request);
	for (size_t i = 0; i < s->n_lookups; i++) {
		struct api_lookup *l = &s->lookup[i];

		check_request(p, at(n, "lookups"), &l->request);
		if (l->request.target.n == 0 || l->select.n == 0)
			profile_wrong(p, at(n, "lookups"),
				"lookups: %s needs request and select",
				l->name);
		if ((l->where.n > 0) != (l->which.n > 0))
			profile_wrong(p, at(n, "lookups"),
				"lookups: where of %s needs path, and in or "
				"not_in",
				l->name);
		l->per_partition = api_template_has(
			&l->request.target, API_PARTITION, NULL);
		for (size_t k = 0; k < l->request.query.n; k++)
			l->per_partition |=
				api_template_has(&l->request.query.row[k].value,
					API_PARTITION, NULL);
	}
}

/* Written out, so that it is known before anything is asked. */
static void
check_base(struct profile_reading *p, const struct yaml_node *top)
{
	struct api *a = p->api;
	const struct api_template *t = &a->base_url;
	const char *text = t->n > 0 && t->part[0].space == API_TEXT
		? t->part[0].text
		: NULL;

	if (t->n == 0) {
		profile_wrong(p, top->key != NULL ? top->key : top,
			"base_url is missing");
		return;
	}
	if (text == NULL || strncmp(text, "https://", 8) == 0)
		return;
	if (strncmp(text, "http://", 7) != 0) {
		profile_wrong(p, at(top, "base_url"),
			"base_url: expected https://HOST");
		return;
	}
	if (!a->allow_plaintext && !api_is_loopback(text))
		profile_wrong(p, at(top, "base_url"),
			"base_url: http to another machine shows the "
			"credentials to everybody on the way; use https, or "
			"say allow_plaintext: true");
}

static void
finish_enabled(struct api *a)
{
	/* Deletes belong to what they delete. */
	for (size_t i = 0; i < a->n_streams; i++)
		for (size_t k = 0; k < a->stream[i].deletes.n; k++) {
			const struct api_delete *d =
				&a->stream[i].deletes.row[k];

			if (a->stream[i].enabled &&
				d->kind == API_DELETE_STREAM &&
				d->stream != API_NO_STREAM)
				a->stream[d->stream].enabled = true;
		}
}

static void
check_stream(struct profile_reading *p, size_t i, const struct yaml_node *n)
{
	struct api_stream *s = &p->api->stream[i];
	const struct yaml_node *own;

	if (n->kind != YAML_MAPPING ||
		(yaml_get(n, "request") == NULL && yaml_get(n, "job") == NULL))
		return;
	if ((own = yaml_get(n, "auth")) != NULL)
		check_auth(p, own, s->auth);
	if ((own = yaml_get(n, "pagination")) != NULL)
		finish_pagination(p, own, s->pagination,
			yaml_get(own, "stop_on") != NULL);
	if ((own = yaml_get(n, "errors")) != NULL)
		check_rule_shapes(p, own, s->rules);
	if ((own = yaml_get(n, "rate_limits")) != NULL)
		check_rate_shapes(p, own, s->rates);
	check_paging_use(p, i, n);
	check_incremental(p, i, n);
	check_job(p, n, s);
	check_requests(p, n, s);
	check_records(p, n, s);
	check_partitions(p, i, n);
	check_deletes(p, n, s);
	check_reconcile(p, n, s);
	if (s->retry->base > s->retry->max)
		profile_wrong(p, at(n, "retry"), "retry: base is over max");
	check_rules(p, i, n, s->rules);
	if (s->rules->then != NULL)
		check_rules(p, i, n, s->rules->then);
}

void
profile_check(struct profile_reading *p, const struct profile_nodes *n)
{
	struct api *a = p->api;
	const struct yaml_node *own;

	resolve(p);
	own = yaml_get(n->top, "auth");
	check_auth(p, own != NULL ? own : n->top, &a->auth);
	own = yaml_get(n->top, "pagination");
	finish_pagination(p, own != NULL ? own : n->top, &a->pagination,
		yaml_get(own, "stop_on") != NULL);
	check_rule_shapes(p, yaml_get(n->top, "errors"), &a->rules);
	check_rate_shapes(p, yaml_get(n->top, "rate_limits"), &a->rates);
	check_base(p, n->top);
	for (size_t i = 0; i < a->n_streams; i++)
		check_stream(p, i, n->stream[i]);
	profile_vars_check(p);
	finish_enabled(a);
}
