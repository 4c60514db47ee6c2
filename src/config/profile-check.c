/*
 * What each key alone cannot tell: references between streams, what is
 * missing, and what cannot work together.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"

/* The node at "incremental.window" below n; else the key of n. */
const struct yaml_node *
profile_at(const struct yaml_node *n, const char *path)
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

bool
profile_uses(const struct profile_reading *p, size_t stream,
	enum api_space space, const char *name)
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

bool
profile_has_place(const struct api_place *place)
{
	return place->column != NULL || place->path.n > 0;
}

enum api_layer
profile_last_layer(const struct api_stream *s)
{
	return s->decode->n > 0 ? s->decode->layer[s->decode->n - 1] : API_JSON;
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
			!profile_uses(p, i, API_PAGE, "size"))
			why = "shrink_page: no request uses {{page.size}}";
		else if (r->action == API_RESTART_JOB && !s->job.set)
			why = "restart_job: there is no job";
		else if (r->action == API_REFRESH_AUTH &&
			s->auth->type != API_AUTH_OAUTH2 &&
			s->auth->type != API_AUTH_SESSION)
			why = "refresh_auth: auth has nothing to refresh";
		if (why != NULL)
			profile_wrong(p, profile_at(n, "errors"),
				"errors: %s in %s", why, s->name);
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
	check_request(p, profile_at(n, "request"), &s->request);
	check_request(p, profile_at(n, "job.create"), &s->job.create);
	check_request(p, profile_at(n, "job.download"), &s->job.download);
	check_request(p, profile_at(n, "job.poll"), &s->job.poll.request);
	for (size_t i = 0; i < s->n_lookups; i++) {
		struct api_lookup *l = &s->lookup[i];

		check_request(p, profile_at(n, "lookups"), &l->request);
		if (l->request.target.n == 0 || l->select.n == 0)
			profile_wrong(p, profile_at(n, "lookups"),
				"lookups: %s needs request and select",
				l->name);
		if ((l->where.n > 0) != (l->which.n > 0))
			profile_wrong(p, profile_at(n, "lookups"),
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
		profile_wrong(p, profile_at(top, "base_url"),
			"base_url: expected https://HOST");
		return;
	}
	if (!a->allow_plaintext && !api_is_loopback(text))
		profile_wrong(p, profile_at(top, "base_url"),
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
		profile_check_auth(p, own, s->auth);
	if ((own = yaml_get(n, "pagination")) != NULL)
		profile_check_pagination(p, own, s->pagination,
			yaml_get(own, "stop_on") != NULL);
	if ((own = yaml_get(n, "errors")) != NULL)
		check_rule_shapes(p, own, s->rules);
	if ((own = yaml_get(n, "rate_limits")) != NULL)
		check_rate_shapes(p, own, s->rates);
	profile_check_paging_use(p, i, n);
	profile_check_incremental(p, i, n);
	profile_check_job(p, n, s);
	check_requests(p, n, s);
	profile_check_records(p, n, s);
	profile_check_partitions(p, i, n);
	profile_check_deletes(p, n, s);
	profile_check_reconcile(p, n, s);
	if (s->retry->base > s->retry->max)
		profile_wrong(
			p, profile_at(n, "retry"), "retry: base is over max");
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
	profile_check_auth(p, own != NULL ? own : n->top, &a->auth);
	own = yaml_get(n->top, "pagination");
	profile_check_pagination(p, own != NULL ? own : n->top, &a->pagination,
		yaml_get(own, "stop_on") != NULL);
	check_rule_shapes(p, yaml_get(n->top, "errors"), &a->rules);
	check_rate_shapes(p, yaml_get(n->top, "rate_limits"), &a->rates);
	check_base(p, n->top);
	for (size_t i = 0; i < a->n_streams; i++)
		check_stream(p, i, n->stream[i]);
	profile_vars_check(p);
	finish_enabled(a);
}
