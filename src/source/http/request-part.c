/*
 * The parts of a request: target, query, headers, body.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "landfall/http.h"
#include "source/http/request-part.h"
#include "source/http/template.h"

#define AGENT "landfall"

void
request_release(struct request *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->field[i].name);
		template_forget(&r->field[i].value);
	}
	free(r->field);
	template_forget(&r->url);
	str_release(&r->shown);
	template_forget(&r->body);
	*r = (struct request){
		.url = STR_INIT, .shown = STR_INIT, .body = STR_INIT};
}

void
request_set_field(
	struct request *r, const char *name, const char *value, size_t len)
{
	struct request_field *f = NULL;

	for (size_t i = 0; i < r->n; i++)
		if (strcasecmp(r->field[i].name, name) == 0)
			f = &r->field[i];
	if (f == NULL) {
		r->field = mem_resize(r->field, r->n + 1, sizeof(*r->field));
		f = &r->field[r->n++];
		*f = (struct request_field){
			.name = mem_strdup(name), .value = STR_INIT};
	}
	template_forget(&f->value);
	str_addn(&f->value, value, len);
}

struct request
request_begin(const struct api_request *from)
{
	struct request r = {
		.method = from->method,
		.url = STR_INIT,
		.shown = STR_INIT,
		.body = STR_INIT,
		.connect = from->timeout.connect,
		.idle = from->timeout.idle,
		.total = from->timeout.total,
	};

	request_set_field(&r, "User-Agent", AGENT, sizeof(AGENT) - 1);
	return r;
}

/* ---- what must not leave ---- */

static bool
is_secret(const struct api_template *t)
{
	return api_template_has(t, API_SECRET, NULL) ||
		api_template_has(t, API_AUTH, NULL);
}

/* ---- URLs ---- */

enum rc
request_base(const struct api *a, const struct vars *v, struct str *ret,
	struct err *e)
{
	switch (template_one(&a->base_url, v, TEMPLATE_URL, false, ret, e)) {
	case OK:
		break;
	case END:
		return err_set(e, BAD_SOURCE,
			"base_url: one of its variables is not known");
	default:
		return err_add(e, "base_url");
	}
	while (ret->len > 0 && ret->s[ret->len - 1] == '/')
		str_cut(ret, ret->len - 1);
	return OK;
}

void
request_add_pair(struct request *r, const char *name, const struct str *value,
	bool hidden)
{
	const char *before = strchr(r->url.s, '?') != NULL ? "&" : "?";
	CLEANUP(str_release) struct str encoded = STR_INIT;

	str_add_percent(&encoded, name, strlen(name), "");
	str_addf(&r->url, "%s%s=%s", before, encoded.s, value->s);
	str_addf(&r->shown, "%s%s=%s", before, encoded.s,
		hidden ? "***" : value->s);
}

enum rc
request_add_query(struct request *r, const struct api_fields *f,
	const struct vars *v, struct err *e)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct api_field *field = &f->row[i];
		bool hidden = is_secret(&field->value);
		struct template_list l;
		enum rc rc;

		if (hidden && !r->trusted)
			continue;
		rc = template_render(
			&field->value, v, TEMPLATE_QUERY, false, &l, e);
		if (rc == END)
			continue;
		if (rc != OK)
			return err_add(e, "query %s", field->name);
		for (size_t k = 0; k < l.n; k++)
			request_add_pair(r, field->name, &l.text[k], hidden);
		template_list_release(&l);
	}
	return OK;
}

enum rc
request_set_target(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v, struct request *r,
	struct err *e)
{
	CLEANUP(str_release) struct str base = STR_INIT;
	enum template_place place = from->is_url ? TEMPLATE_URL : TEMPLATE_PATH;
	struct http_origin mine, own;
	enum rc rc;

	if (request_base(a, v, &base, e) != OK)
		return e->code;
	if (!from->is_url) {
		str_add(&r->url, base.s);
		str_add(&r->shown, base.s);
	}
	rc = template_one(&from->target, v, place, false, &r->url, e);
	if (rc == OK)
		rc = template_one(&from->target, v, place, true, &r->shown, e);
	if (rc == END)
		return err_set(e, BAD_SOURCE,
			"%s: one of its variables is not known",
			from->is_url ? "url" : "path");
	if (rc != OK)
		return err_add(e, from->is_url ? "url" : "path");
	if (http_origin_of(r->url.s, &own, e) != OK)
		return err_raise(e, BAD_SOURCE);
	r->trusted = true;
	if (from->is_url && (s == NULL || s->auth == &a->auth)) {
		if (http_origin_of(base.s, &mine, e) != OK) {
			http_origin_release(&own);
			return err_raise(e, BAD_SOURCE);
		}
		r->trusted = http_origin_same(&own, &mine);
		http_origin_release(&mine);
	}
	http_origin_release(&own);
	return OK;
}

/* ---- headers and bodies ---- */

enum rc
request_add_header(struct request *r, const char *name,
	const struct api_template *t, const struct vars *v, struct err *e)
{
	CLEANUP(template_forget) struct str value = STR_INIT;
	enum rc rc;

	if (is_secret(t) && !r->trusted)
		return OK;
	rc = template_one(t, v, TEMPLATE_HEADER, false, &value, e);
	if (rc == OK)
		request_set_field(r, name, value.s, value.len);
	else if (rc != END)
		return err_add(e, "header %s", name);
	return OK;
}

enum rc
request_add_headers(struct request *r, const struct api_fields *f,
	const struct vars *v, struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (request_add_header(
			    r, f->row[i].name, &f->row[i].value, v, e) != OK)
			return e->code;
	return OK;
}

enum rc
request_add_fields(struct request *r, const struct api_fields *f,
	const struct vars *v, struct err *e)
{
	static const char type[] = "application/x-www-form-urlencoded";

	for (size_t i = 0; i < f->n; i++) {
		struct template_list l;
		enum rc rc = template_render(
			&f->row[i].value, v, TEMPLATE_QUERY, false, &l, e);

		if (rc == END)
			continue;
		if (rc != OK)
			return err_add(e, "form %s", f->row[i].name);
		for (size_t k = 0; k < l.n; k++) {
			if (r->body.len > 0)
				str_addc(&r->body, '&');
			str_add_percent(&r->body, f->row[i].name,
				strlen(f->row[i].name), "");
			str_addc(&r->body, '=');
			str_addn(&r->body, l.text[k].s, l.text[k].len);
		}
		template_list_release(&l);
	}
	r->has_body = true;
	request_set_field(r, "Content-Type", type, sizeof(type) - 1);
	return OK;
}

enum rc
request_add_body(struct request *r, const struct api_request *from,
	const struct vars *v, struct err *e)
{
	static const char json[] = "application/json";
	enum rc rc;

	switch (from->body) {
	case API_BODY_NONE:
		break;
	case API_BODY_FORM:
		return request_add_fields(r, &from->form, v, e);
	case API_BODY_JSON:
		if (template_json(&from->json, v, false, &r->body, e) != OK)
			return err_add(e, "json");
		r->has_body = true;
		request_set_field(r, "Content-Type", json, sizeof(json) - 1);
		break;
	case API_BODY_RAW:
		rc = template_one(
			&from->raw, v, TEMPLATE_PLAIN, false, &r->body, e);
		if (rc == END)
			return err_set(e, BAD_SOURCE,
				"body: one of its variables is not known");
		if (rc != OK)
			return err_add(e, "body");
		r->has_body = true;
	}
	return OK;
}
