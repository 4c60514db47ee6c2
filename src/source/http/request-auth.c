/*
 * Who asks: what auth adds to a request, and the request that gets what auth
 * needs.
 */
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "source/http/request-part.h"
#include "source/http/template.h"

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
	request_add_pair(r, auth->sign.param, &hex, true);
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

enum rc
request_add_auth(struct request *r, const struct api_auth *auth,
	const struct vars *v, struct err *e)
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
			request_add_pair(r, auth->name, &value, true);
		}
		break;
	case API_AUTH_HEADER:
	case API_AUTH_SESSION:
		if (request_add_header(r, auth->name, &auth->value, v, e) != OK)
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
		rc = request_add_fields(r, &f, v, e);
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
	struct request r = request_begin(oauth2 ? &plain_form : &auth->login);
	enum rc rc;

	if (oauth2) {
		rc = make_token_form(&r, auth, without_refresh, v, e);
	} else {
		rc = request_set_target(a, s, &auth->login, v, &r, e);
		/* What the login says itself goes where it says. */
		r.trusted = true;
		if (rc == OK)
			rc = request_add_query(&r, &auth->login.query, v, e);
		if (rc == OK)
			rc = request_add_body(&r, &auth->login, v, e);
		if (rc == OK)
			rc = request_add_headers(&r, &auth->login.header, v, e);
	}
	if (rc != OK) {
		request_release(&r);
		return err_add(e, "login");
	}
	r.trusted = true;
	*ret = r;
	return OK;
}
