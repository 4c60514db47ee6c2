#include "source/http/request.h"

#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "landfall/http.h"
#include "source/http/hide.h"
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

static struct request
fresh(const struct api_request *from)
{
	return (struct request){
		.method = from->method,
		.url = STR_INIT,
		.shown = STR_INIT,
		.body = STR_INIT,
		.connect = from->timeout.connect,
		.idle = from->timeout.idle,
		.total = from->timeout.total,
	};
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

/* One "name=value", in the URL and as it is shown. */
static void
add_pair(struct request *r, const char *name, const struct str *value,
	bool hidden)
{
	const char *before = strchr(r->url.s, '?') != NULL ? "&" : "?";
	CLEANUP(str_release) struct str encoded = STR_INIT;

	str_add_percent(&encoded, name, strlen(name), "");
	str_addf(&r->url, "%s%s=%s", before, encoded.s, value->s);
	str_addf(&r->shown, "%s%s=%s", before, encoded.s,
		hidden ? "***" : value->s);
}

static enum rc
add_query(struct request *r, const struct api_fields *f, const struct vars *v,
	struct err *e)
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
			add_pair(r, field->name, &l.text[k], hidden);
		template_list_release(&l);
	}
	return OK;
}

/* Everything but the query; trusted is known then. */
static enum rc
make_target(const struct api *a, const struct api_stream *s,
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

static enum rc
add_header(struct request *r, const char *name, const struct api_template *t,
	const struct vars *v, struct err *e)
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

static enum rc
add_headers(struct request *r, const struct api_fields *f, const struct vars *v,
	struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (add_header(r, f->row[i].name, &f->row[i].value, v, e) != OK)
			return e->code;
	return OK;
}

static enum rc
add_form(struct request *r, const struct api_fields *f, const struct vars *v,
	struct err *e)
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

static enum rc
add_body(struct request *r, const struct api_request *from,
	const struct vars *v, struct err *e)
{
	static const char json[] = "application/json";
	enum rc rc;

	switch (from->body) {
	case API_BODY_NONE:
		break;
	case API_BODY_FORM:
		return add_form(r, &from->form, v, e);
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

/* ---- auth ---- */

static enum rc
plain(const struct api_template *t, const struct vars *v, const char *what,
	struct str *ret, struct err *e)
{
	enum rc rc = template_one(t, v, TEMPLATE_PLAIN, false, ret, e);

	if (rc == END)
		return err_set(e, BAD_SOURCE,
			"auth: %s: one of its variables is not known", what);
	return rc == OK ? OK : err_add(e, "auth: %s", what);
}

static void
set_basic(struct request *r, const struct str *user, const struct str *password)
{
	CLEANUP(template_forget) struct str both = STR_INIT;
	CLEANUP(template_forget) struct str value = STR_INIT;

	str_addn(&both, user->s, user->len);
	str_addc(&both, ':');
	str_addn(&both, password->s, password->len);
	str_add(&value, "Basic ");
	str_add_base64(&value, (const uint8_t *)both.s, both.len);
	request_set_field(r, "Authorization", value.s, value.len);
}

static enum rc
add_basic(struct request *r, const struct api_auth *auth, const struct vars *v,
	struct err *e)
{
	CLEANUP(template_forget) struct str user = STR_INIT;
	CLEANUP(template_forget) struct str password = STR_INIT;

	if (plain(&auth->username, v, "username", &user, e) != OK ||
		plain(&auth->password, v, "password", &password, e) != OK)
		return e->code;
	set_basic(r, &user, &password);
	return OK;
}

static enum rc
add_bearer(struct request *r, const struct api_auth *auth, const struct vars *v,
	struct err *e)
{
	CLEANUP(template_forget) struct str value = STR_INIT;

	str_add(&value, "Bearer ");
	if (auth->type == API_AUTH_OAUTH2) {
		const struct var *x = vars_get(v, API_AUTH, "access_token");

		if (x == NULL)
			return err_set(e, BAD_SOURCE,
				"auth: there is no access token yet");
		str_addn(&value, x->text[0].p, x->text[0].len);
	} else if (plain(&auth->value, v, "token", &value, e) != OK) {
		return e->code;
	}
	for (size_t i = 0; i < value.len; i++)
		if ((uint8_t)value.s[i] < ' ' || value.s[i] == 0x7f)
			return err_set(e, BAD_SOURCE,
				"auth: the token holds a control character");
	request_set_field(r, "Authorization", value.s, value.len);
	return OK;
}

static enum rc
add_sign(struct request *r, const struct api_auth *auth, const struct vars *v,
	struct err *e)
{
	CLEANUP(template_forget) struct str key = STR_INIT;
	CLEANUP(template_forget) struct str text = STR_INIT;
	CLEANUP(str_release) struct str hex = STR_INIT;
	uint8_t mac[HASH_LEN];
	unsigned len = sizeof(mac);

	if (plain(&auth->sign.key, v, "sign.key", &key, e) != OK ||
		plain(&auth->sign.text, v, "sign.text", &text, e) != OK)
		return e->code;
	if (HMAC(EVP_sha256(), key.s, (int)key.len, (const uint8_t *)text.s,
		    text.len, mac, &len) == NULL)
		abort();
	str_add_hex(&hex, mac, len);
	add_pair(r, auth->sign.param, &hex, true);
	return OK;
}

/* A link that a page gives may have the parameter already. */
static bool
has_parameter(const struct str *url, const char *name)
{
	CLEANUP(str_release) struct str encoded = STR_INIT;
	const char *at = strchr(url->s, '?');

	str_add_percent(&encoded, name, strlen(name), "");
	for (; at != NULL; at = strchr(at + 1, '&'))
		if (strncmp(at + 1, encoded.s, encoded.len) == 0 &&
			at[1 + encoded.len] == '=')
			return true;
	return false;
}

static enum rc
add_auth(struct request *r, const struct api_auth *auth, const struct vars *v,
	struct err *e)
{
	if (!r->trusted)
		return OK;
	switch (auth->type) {
	case API_AUTH_NONE:
		break;
	case API_AUTH_QUERY:
		if (!has_parameter(&r->url, auth->name)) {
			CLEANUP(template_forget) struct str raw = STR_INIT;
			CLEANUP(template_forget) struct str value = STR_INIT;

			if (plain(&auth->value, v, auth->name, &raw, e) != OK)
				return e->code;
			str_add_percent(&value, raw.s, raw.len, "");
			add_pair(r, auth->name, &value, true);
		}
		break;
	case API_AUTH_HEADER:
	case API_AUTH_SESSION:
		if (add_header(r, auth->name, &auth->value, v, e) != OK)
			return err_add(e, "auth");
		break;
	case API_AUTH_BASIC:
		if (add_basic(r, auth, v, e) != OK)
			return e->code;
		break;
	case API_AUTH_BEARER:
	case API_AUTH_OAUTH2:
		if (add_bearer(r, auth, v, e) != OK)
			return e->code;
		break;
	}
	return auth->sign.param != NULL &&
			!has_parameter(&r->url, auth->sign.param)
		? add_sign(r, auth, v, e)
		: OK;
}

/* ---- whole requests ---- */

static enum rc
make(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v, struct request *r,
	struct err *e)
{
	request_set_field(r, "User-Agent", AGENT, sizeof(AGENT) - 1);
	if (make_target(a, s, from, v, r, e) != OK ||
		add_query(r, &from->query, v, e) != OK ||
		add_body(r, from, v, e) != OK ||
		add_headers(r, s->header, v, e) != OK ||
		add_headers(r, &from->header, v, e) != OK)
		return e->code;
	return add_auth(r, s->auth, v, e);
}

enum rc
request_make(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const struct vars *v,
	struct request *ret, struct err *e)
{
	struct request r = fresh(from);

	if (make(a, s, from, v, &r, e) != OK) {
		request_release(&r);
		return e->code;
	}
	*ret = r;
	return OK;
}

/* ---- logging in ---- */

void
request_add_form(struct request *r, const char *name, const char *value)
{
	if (r->body.len > 0)
		str_addc(&r->body, '&');
	str_add_percent(&r->body, name, strlen(name), "");
	str_addc(&r->body, '=');
	str_add_percent(&r->body, value, strlen(value), "");
}

/* RFC 6749 section 2.3.1: encoded before they are joined. */
static enum rc
add_client(struct request *r, const struct api_auth *auth, const struct vars *v,
	struct err *e)
{
	CLEANUP(template_forget) struct str id = STR_INIT;
	CLEANUP(template_forget) struct str secret = STR_INIT;

	for (size_t i = 0; i < auth->params.n; i++) {
		const struct api_field *f = &auth->params.row[i];
		struct str *to = strcmp(f->name, "client_id") == 0 ? &id
			: strcmp(f->name, "client_secret") == 0	   ? &secret
								   : NULL;

		if (to == NULL)
			continue;
		if (template_one(&f->value, v, TEMPLATE_QUERY, false, to, e) !=
			OK)
			return err_set(e, BAD_SOURCE,
				"auth: params: %s is not known", f->name);
	}
	set_basic(r, &id, &secret);
	return OK;
}

static bool
is_sent_otherwise(
	const struct api_auth *auth, const char *name, bool without_refresh)
{
	if (auth->send_basic &&
		(strcmp(name, "client_id") == 0 ||
			strcmp(name, "client_secret") == 0))
		return true;
	return without_refresh && strcmp(name, "refresh_token") == 0;
}

static enum rc
make_token_form(struct request *r, const struct api_auth *auth,
	bool without_refresh, const struct vars *v, struct err *e)
{
	static const char json[] = "application/json";
	struct api_fields f = {
		.row = mem_array(auth->params.n + 1, sizeof(*f.row))};
	enum rc rc;

	r->method = "POST";
	rc = template_one(&auth->token_url, v, TEMPLATE_URL, false, &r->url, e);
	if (rc == OK)
		str_add(&r->shown, r->url.s);
	for (size_t i = 0; i < auth->params.n; i++)
		if (!is_sent_otherwise(
			    auth, auth->params.row[i].name, without_refresh))
			f.row[f.n++] = auth->params.row[i];
	if (rc == END)
		rc = err_set(e, BAD_SOURCE,
			"auth: token_url: one of its variables is not known");
	if (rc == OK)
		rc = add_form(r, &f, v, e);
	free(f.row);
	request_set_field(r, "Accept", json, sizeof(json) - 1);
	if (rc == OK && auth->send_basic)
		rc = add_client(r, auth, v, e);
	return rc;
}

enum rc
request_login(const struct api *a, const struct api_stream *s,
	const struct api_auth *auth, bool without_refresh, const struct vars *v,
	struct request *ret, struct err *e)
{
	const struct api_request plain_form = {
		.timeout = {10 * CLOCK_SECOND, 60 * CLOCK_SECOND, 0}};
	bool oauth2 = auth->type == API_AUTH_OAUTH2;
	struct request r = fresh(oauth2 ? &plain_form : &auth->login);
	enum rc rc;

	request_set_field(&r, "User-Agent", AGENT, sizeof(AGENT) - 1);
	if (oauth2) {
		rc = make_token_form(&r, auth, without_refresh, v, e);
	} else {
		rc = make_target(a, s, &auth->login, v, &r, e);
		/* What the login says itself goes where it says. */
		r.trusted = true;
		if (rc == OK)
			rc = add_query(&r, &auth->login.query, v, e);
		if (rc == OK)
			rc = add_body(&r, &auth->login, v, e);
		if (rc == OK)
			rc = add_headers(&r, &auth->login.header, v, e);
	}
	if (rc != OK) {
		request_release(&r);
		return err_add(e, "login");
	}
	r.trusted = true;
	*ret = r;
	return OK;
}

/* ---- links ---- */

static bool
is_allowed(const struct api *a, const char *host)
{
	for (size_t i = 0; i < a->allow_hosts.n; i++)
		if (strcasecmp(a->allow_hosts.word[i], host) == 0)
			return true;
	return false;
}

/* Whether the link's origin gets credentials; BAD_SOURCE: nothing at all. */
static enum rc
judge_link(const struct api *a, const struct vars *v, const char *previous,
	struct request *r, struct err *e)
{
	CLEANUP(http_origin_release) struct http_origin to = {.host = STR_INIT};
	CLEANUP(http_origin_release)
	struct http_origin mine = {.host = STR_INIT};
	CLEANUP(http_origin_release)
	struct http_origin before = {.host = STR_INIT};
	CLEANUP(str_release) struct str base = STR_INIT;

	if (request_base(a, v, &base, e) != OK)
		return e->code;
	if (http_origin_of(r->url.s, &to, e) != OK ||
		http_origin_of(base.s, &mine, e) != OK ||
		http_origin_of(previous, &before, e) != OK)
		return err_raise(e, BAD_SOURCE);
	r->trusted = http_origin_same(&to, &mine);
	if (r->trusted || http_origin_same(&to, &before))
		return OK;
	if (is_allowed(a, to.host.s) && (to.tls || !mine.tls))
		return OK;
	return err_set(e, BAD_SOURCE,
		"a link leads to another origin (%s://%s:%u), which gets "
		"nothing; allow_hosts: [%s] lets links go there without "
		"credentials",
		to.tls ? "https" : "http", to.host.s, to.port, to.host.s);
}

static enum rc
follow(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const char *previous, const char *link,
	const struct vars *v, struct request *r, struct err *e)
{
	if (http_url_join(previous, link, &r->url, e) != OK)
		return err_raise(e, BAD_SOURCE);
	if (judge_link(a, v, previous, r, e) != OK)
		return e->code;
	str_add(&r->shown, r->url.s);
	(void)hide_secrets(a, v, &r->shown);
	request_set_field(r, "User-Agent", AGENT, sizeof(AGENT) - 1);
	if (add_headers(r, s->header, v, e) != OK ||
		add_headers(r, &from->header, v, e) != OK)
		return e->code;
	return add_auth(r, s->auth, v, e);
}

enum rc
request_follow(const struct api *a, const struct api_stream *s,
	const struct api_request *from, const char *previous, const char *link,
	const struct vars *v, struct request *ret, struct err *e)
{
	struct request r = fresh(from);

	r.method = "GET";
	if (follow(a, s, from, previous, link, v, &r, e) != OK) {
		request_release(&r);
		return e->code;
	}
	*ret = r;
	return OK;
}
