#include "landfall/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "landfall/schedule.h"

const char *const api_layer_names[] = {
	[API_ZIP] = "zip",
	[API_GZIP] = "gzip",
	[API_JSON] = "json",
	[API_JSONL] = "jsonl",
	[API_CSV] = "csv",
	NULL,
};

const char *const api_action_names[] = {
	[API_RETRY] = "retry",
	[API_RATE_LIMITED] = "rate_limited",
	[API_REFRESH_AUTH] = "refresh_auth",
	[API_SPLIT_WINDOW] = "split_window",
	[API_SHRINK_PAGE] = "shrink_page",
	[API_RESTART_PAGINATION] = "restart_pagination",
	[API_RESTART_JOB] = "restart_job",
	[API_EMPTY] = "empty",
	[API_SKIP] = "skip",
	[API_FAIL] = "fail",
	NULL,
};

const char *const api_phase_names[] = {
	[API_PHASE_PAGE] = "page",
	[API_PHASE_CREATE] = "create",
	[API_PHASE_POLL] = "poll",
	[API_PHASE_DOWNLOAD] = "download",
	[API_PHASE_TOKEN] = "token",
	[API_PHASE_LOOKUP] = "lookup",
	NULL,
};

static void
release_words(struct api_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->word[i]);
	free(w->word);
}

static void
release_fields(struct api_fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->row[i].name);
		api_template_release(&f->row[i].value);
	}
	free(f->row);
}

static void
release_json(struct api_json *j)
{
	for (size_t i = 0; i < j->n; i++)
		release_json(&j->child[i]);
	free(j->child);
	free(j->key);
	free(j->word);
	api_template_release(&j->text);
}

static void
release_request(struct api_request *r)
{
	free(r->method);
	api_template_release(&r->target);
	release_fields(&r->query);
	release_fields(&r->header);
	release_json(&r->json);
	release_fields(&r->form);
	api_template_release(&r->raw);
}

static void
release_selector(struct api_selector *s)
{
	free(s->name);
	jsonpath_release(&s->path);
}

static void
release_place(struct api_place *p)
{
	free(p->column);
	jsonpath_release(&p->path);
}

static void
release_places(struct api_places *p)
{
	for (size_t i = 0; i < p->n; i++)
		release_place(&p->row[i]);
	free(p->row);
}

static void
release_records(struct api_records *r)
{
	jsonpath_release(&r->path);
	for (size_t i = 0; i < r->n_also; i++) {
		jsonpath_release(&r->also[i].path);
		free(r->also[i].stream);
		release_places(&r->also[i].key);
	}
	free(r->also);
}

static void
release_pagination(struct api_pagination *p)
{
	release_selector(&p->next);
	free(p->initial);
	release_words(&p->end);
	release_selector(&p->more);
	release_selector(&p->done);
	release_selector(&p->total);
}

static void
release_incremental(struct api_incremental *i)
{
	release_place(&i->cursor);
	free(i->format.custom);
	free(i->record_format.custom);
	free(i->on_gap);
}

static void
release_partitions(struct api_partitions *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->row[i].name);
		release_words(&p->row[i].values);
		jsonpath_release(&p->row[i].select);
	}
	free(p->row);
}

static void
release_lookup(struct api_lookup *l)
{
	free(l->name);
	release_request(&l->request);
	jsonpath_release(&l->select);
	jsonpath_release(&l->where);
	release_words(&l->which);
	free(l->join);
}

static void
release_job(struct api_job *j)
{
	release_request(&j->create);
	release_selector(&j->id);
	release_request(&j->poll.request);
	release_selector(&j->poll.status);
	release_words(&j->poll.done);
	release_words(&j->poll.failed);
	release_words(&j->poll.empty);
	release_request(&j->download);
	release_selector(&j->urls);
	release_request(&j->cancel);
	release_request(&j->cleanup);
}

static void
release_rates(struct api_rates *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->row[i].path);
		free(r->row[i].limit);
		release_selector(&r->row[i].pace.remaining);
		release_selector(&r->row[i].pace.limit);
		release_selector(&r->row[i].pace.reset);
	}
	free(r->row);
}

static void
release_rules(struct api_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct api_rule *rule = &r->row[i];

		free(rule->status);
		release_selector(&rule->field);
		release_words(&rule->values);
		free(rule->contains);
		for (size_t k = 0; k < rule->n_wait; k++) {
			release_selector(&rule->wait[k].from);
			zoneinfo_free(rule->wait[k].zone);
		}
		free(rule->wait);
	}
	free(r->row);
}

static void
release_auth(struct api_auth *a)
{
	free(a->name);
	api_template_release(&a->value);
	api_template_release(&a->username);
	api_template_release(&a->password);
	api_template_release(&a->token_url);
	release_fields(&a->params);
	free(a->jwt.alg);
	release_fields(&a->jwt.header);
	release_fields(&a->jwt.claims);
	api_template_release(&a->jwt.key);
	release_request(&a->login);
	for (size_t i = 0; i < a->n_capture; i++) {
		free(a->capture[i].name);
		release_selector(&a->capture[i].from);
	}
	free(a->capture);
	release_selector(&a->expires);
	free(a->sign.param);
	api_template_release(&a->sign.key);
	api_template_release(&a->sign.text);
}

static void
release_deletes(struct api_deletes *d)
{
	for (size_t i = 0; i < d->n; i++) {
		release_place(&d->row[i].flag);
		release_place(&d->row[i].event);
		release_words(&d->row[i].equals);
		free(d->row[i].suffix);
		release_places(&d->row[i].key);
	}
	free(d->row);
}

/* What a stream has of its own; what is the top's stays the top's. */
static void
release_own(const struct api *a, struct api_stream *s)
{
	if (s->auth != NULL && s->auth != &a->auth) {
		release_auth(s->auth);
		free(s->auth);
	}
	if (s->rates != NULL && s->rates != &a->rates) {
		release_rates(s->rates);
		free(s->rates);
	}
	if (s->rules != NULL && s->rules != &a->rules) {
		release_rules(s->rules);
		free(s->rules);
	}
	if (s->retry != &a->retry)
		free(s->retry);
	if (s->pagination != NULL && s->pagination != &a->pagination) {
		release_pagination(s->pagination);
		free(s->pagination);
	}
	if (s->decode != &a->decode)
		free(s->decode);
	if (s->header != NULL && s->header != &a->header) {
		release_fields(s->header);
		free(s->header);
	}
}

static void
release_stream(const struct api *a, struct api_stream *s)
{
	free(s->name);
	release_request(&s->request);
	release_records(&s->records);
	release_places(&s->key);
	release_incremental(&s->incremental);
	release_partitions(&s->partitions);
	for (size_t i = 0; i < s->n_lookups; i++)
		release_lookup(&s->lookup[i]);
	free(s->lookup);
	release_job(&s->job);
	release_deletes(&s->deletes);
	release_own(a, s);
}

void
api_free(struct api *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n_streams; i++)
		release_stream(a, &a->stream[i]);
	free(a->stream);
	for (size_t i = 0; i < a->n_secrets; i++) {
		free(a->secret[i].name);
		for (size_t k = 0; k < a->secret[i].where.n; k++)
			free(a->secret[i].where.word[k]);
		free(a->secret[i].where.word);
	}
	free(a->secret);
	for (size_t i = 0; i < a->n_config; i++) {
		free(a->config[i].name);
		release_words(&a->config[i].value);
	}
	free(a->config);
	release_words(&a->allow_hosts);
	api_template_release(&a->base_url);
	release_auth(&a->auth);
	release_rates(&a->rates);
	release_rules(&a->rules);
	release_pagination(&a->pagination);
	release_fields(&a->header);
	free(a->ca_file);
	free(a->profile);
	free(a->version);
	free(a);
}

bool
api_is_loopback(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	host = host != NULL ? host + 3 : url;
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return false;
	if (len >= 5 && memcmp(host, "[::1]", 5) == 0)
		return len == 5 || host[5] == ':';
	len = strcspn(host, ":/?#");
	if (len == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	return len >= 7 && strspn(host, "0123456789.") == len &&
		memcmp(host, "127.", 4) == 0;
}

size_t
api_find(const struct api *a, const char *stream)
{
	for (size_t i = 0; i < a->n_streams; i++)
		if (strcmp(a->stream[i].name, stream) == 0)
			return i;
	return API_NO_STREAM;
}
