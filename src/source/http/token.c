#include "source/http/token.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "source/http/jwt.h"
#include "source/http/template.h"
#include "source/http/wait.h"

#define FOLDER "credentials"
#define FILE_MAX (1u << 20)
#define EARLY_MOST (60 * CLOCK_SECOND)

static const char jwt_grant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";

static const struct api_selector *
refresh_selector(void)
{
	static char name[] = "refresh_token";
	static struct jsonpath_step step = {
		.kind = JSONPATH_NAMED, .name = name, .len = sizeof(name) - 1};
	static const struct api_selector s = {
		.from = API_FROM_BODY, .path = {.step = &step, .n = 1}};

	return &s;
}

bool
token_is_needed(const struct api_auth *auth)
{
	return auth->type == API_AUTH_OAUTH2 || auth->type == API_AUTH_SESSION;
}

void
token_init(struct token *t, const struct api_auth *auth, const char *stream)
{
	*t = (struct token){
		.auth = auth, .stream = stream, .refresh = STR_INIT};
}

void
token_release(struct token *t)
{
	template_forget(&t->refresh);
	*t = (struct token){.refresh = STR_INIT};
}

bool
token_is_fresh(const struct token *t, int64_t now)
{
	return t->has && (t->expires == 0 || now < t->expires);
}

/*
 * What it got, under a name that no template has: there it stays, and hidden,
 * while other auths define the same variables. The refresh token has no name.
 */
static void
add_own_name(const struct token *t, const char *name, struct str *ret)
{
	str_addf(ret, "%s of %s", name, t->stream != NULL ? t->stream : "");
}

static void
keep_own(const struct token *t, const char *name, const struct str *value,
	struct vars *v)
{
	CLEANUP(str_release) struct str own = STR_INIT;

	add_own_name(t, name, &own);
	vars_set(v, API_AUTH, own.s, value->s, value->len);
}

void
token_use(const struct token *t, struct vars *v)
{
	for (size_t i = 0; i < t->auth->n_capture; i++) {
		const char *name = t->auth->capture[i].name;
		CLEANUP(str_release) struct str own = STR_INIT;
		const struct var *x;

		add_own_name(t, name, &own);
		x = vars_get(v, API_AUTH, own.s);
		if (x != NULL)
			vars_set(v, API_AUTH, name, x->text[0].p,
				x->text[0].len);
		else
			vars_unset(v, API_AUTH, name);
	}
}

void
token_drop(struct token *t, struct vars *v)
{
	t->has = false;
	for (size_t i = 0; i < t->auth->n_capture; i++) {
		CLEANUP(str_release) struct str own = STR_INIT;

		add_own_name(t, t->auth->capture[i].name, &own);
		vars_unset(v, API_AUTH, own.s);
	}
	token_use(t, v);
}

/* ---- asking ---- */

static enum rc
add_oauth2(const struct token *t, const struct vars *v, int64_t now,
	struct request *r, struct err *e)
{
	CLEANUP(template_forget) struct str assertion = STR_INIT;

	switch (t->auth->grant) {
	case API_GRANT_REFRESH_TOKEN:
		request_add_form(r, "grant_type", "refresh_token");
		if (t->refresh.len > 0)
			request_add_form(r, "refresh_token", t->refresh.s);
		return OK;
	case API_GRANT_CLIENT_CREDENTIALS:
		request_add_form(r, "grant_type", "client_credentials");
		return OK;
	case API_GRANT_JWT_BEARER:
		break;
	}
	if (jwt_sign(t->auth, v, now, &assertion, e) != OK)
		return e->code;
	request_add_form(r, "grant_type", jwt_grant);
	request_add_form(r, "assertion", assertion.s);
	return OK;
}

enum rc
token_request(const struct token *t, const struct api *a,
	const struct api_stream *s, const struct vars *v, int64_t now,
	struct request *ret, struct err *e)
{
	struct request r;

	if (request_login(a, s, t->auth, t->refresh.len > 0, v, &r, e) != OK)
		return e->code;
	if (t->auth->type == API_AUTH_OAUTH2 &&
		add_oauth2(t, v, now, &r, e) != OK) {
		request_release(&r);
		return e->code;
	}
	*ret = r;
	return OK;
}

/* ---- taking ---- */

size_t
token_selectors(const struct api_auth *auth, const struct api_selector **ret,
	size_t max)
{
	const struct api_selector *fixed[] = {
		&auth->expires,
		auth->type == API_AUTH_OAUTH2 ? refresh_selector() : NULL,
	};
	size_t n = 0;

	for (size_t i = 0; i < auth->n_capture; i++)
		if (auth->capture[i].from.from == API_FROM_BODY) {
			if (n < max)
				ret[n] = &auth->capture[i].from;
			n++;
		}
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (fixed[i] != NULL && fixed[i]->from == API_FROM_BODY) {
			if (n < max)
				ret[n] = fixed[i];
			n++;
		}
	return n;
}

/* Some time before, so that no request is under way when it ends. */
static void
set_expiry(struct token *t, int64_t lifetime, int64_t now)
{
	int64_t early = lifetime / 10;

	if (early > EARLY_MOST)
		early = EARLY_MOST;
	t->expires = now + lifetime - early;
}

static void
take_refresh(struct token *t, const struct str *value, struct vars *v)
{
	if (t->auth->rotates == API_ROTATES_NO || value->len == 0)
		return;
	/* Some send the one we have, each time. */
	if (value->len == t->refresh.len &&
		memcmp(value->s, t->refresh.s, value->len) == 0)
		return;
	template_forget(&t->refresh);
	str_addn(&t->refresh, value->s, value->len);
	t->replaced = true;
	keep_own(t, "", &t->refresh, v);
}

enum rc
token_take(struct token *t,
	enum rc (*value)(const void *arg, const struct api_selector *s,
		size_t i, struct str *ret),
	const void *arg, int64_t now, struct vars *v, struct err *e)
{
	const struct api_auth *auth = t->auth;
	CLEANUP(template_forget) struct str text = STR_INIT;
	int64_t lifetime = auth->lifetime;
	bool refreshes = auth->type == API_AUTH_OAUTH2 &&
		auth->grant == API_GRANT_REFRESH_TOKEN;
	bool there = false;

	/* The old one is used up, whatever else the answer lacks. */
	if (refreshes && value(arg, refresh_selector(), 0, &text) == OK) {
		there = true;
		take_refresh(t, &text, v);
	}
	for (size_t i = 0; i < auth->n_capture; i++) {
		const struct api_capture *c = &auth->capture[i];

		template_forget(&text);
		if (value(arg, &c->from, 0, &text) != OK || text.len == 0)
			return err_set(e, BAD_SOURCE,
				"auth: the answer to the login has no %s",
				c->name);
		keep_own(t, c->name, &text, v);
	}
	token_use(t, v);
	template_forget(&text);
	if (auth->expires.from != API_FROM_NOTHING &&
		value(arg, &auth->expires, 0, &text) == OK)
		(void)!wait_parse(API_UNIT_S, text.s, text.len, now, &lifetime);
	t->expires = 0;
	if (lifetime > 0)
		set_expiry(t, lifetime, now);
	if (refreshes && !there && auth->rotates == API_ROTATES_YES)
		return err_set(e, BAD_SOURCE,
			"auth: the answer has no new refresh_token, and the "
			"old one is used up");
	t->has = true;
	return OK;
}

/* ---- keeping ---- */

static void
add_name(const struct token *t, struct str *s, const char *source)
{
	str_addf(s, "%s/%s%s%s.json", FOLDER, source,
		t->stream != NULL ? "." : "",
		t->stream != NULL ? t->stream : "");
}

/* Of the refresh token that the configuration has. */
static enum rc
add_origin(const struct api_auth *auth, const struct vars *v, struct str *ret,
	struct err *e)
{
	CLEANUP(template_forget) struct str text = STR_INIT;
	uint8_t sum[HASH_LEN];

	for (size_t i = 0; i < auth->params.n; i++)
		if (strcmp(auth->params.row[i].name, "refresh_token") == 0 &&
			template_one(&auth->params.row[i].value, v,
				TEMPLATE_PLAIN, false, &text, e) != OK)
			return err_set(e, BAD_SOURCE,
				"auth: there is no refresh token");
	hash_bytes(text.s, text.len, sum);
	str_add_hex(ret, sum, sizeof(sum));
	return OK;
}

static enum rc
read_kept(struct token *t, const struct str *text, const char *origin,
	const char *name, struct err *e)
{
	json_t *root = json_loadb(text->s, text->len, 0, NULL);
	const char *refresh =
		json_string_value(json_object_get(root, "refresh_token"));
	const char *of = json_string_value(json_object_get(root, "for"));

	if (refresh != NULL && of != NULL && strcmp(of, origin) == 0)
		str_add(&t->refresh, refresh);
	json_decref(root);
	if (refresh != NULL && of != NULL)
		return OK;
	return err_set(e, BROKEN,
		"%s: no refresh token in it; remove it to begin again with "
		"the secret of the configuration",
		name);
}

enum rc
token_load(struct token *t, struct vars *v, int state, const char *source,
	struct err *e)
{
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(template_forget) struct str text = STR_INIT;
	CLEANUP(str_release) struct str origin = STR_INIT;
	enum rc rc;

	if (t->auth->type != API_AUTH_OAUTH2 ||
		t->auth->grant != API_GRANT_REFRESH_TOKEN)
		return OK;
	add_name(t, &name, source);
	rc = io_read_file(state, name.s, FILE_MAX, &text, BROKEN, e);
	if (rc == END)
		return OK;
	if (rc != OK)
		return err_add(e, "%s", name.s);
	if (add_origin(t->auth, v, &origin, e) != OK)
		return e->code;
	if (read_kept(t, &text, origin.s, name.s, e) != OK)
		return e->code;
	if (t->refresh.len > 0)
		keep_own(t, "", &t->refresh, v);
	return OK;
}

enum rc
token_keep(struct token *t, const struct vars *v, int state, const char *source,
	int64_t now, struct err *e)
{
	CLEANUP(str_release) struct str origin = STR_INIT;
	CLEANUP(str_release) struct str name = STR_INIT;
	CLEANUP(template_forget) struct str text = STR_INIT;
	struct jsonw j = jsonw_to(&text);

	if (!t->replaced)
		return OK;
	add_name(t, &name, source);
	if (add_origin(t->auth, v, &origin, e) != OK)
		return e->code;
	jsonw_object(&j);
	jsonw_key(&j, "for");
	jsonw_text(&j, origin.s);
	jsonw_key(&j, "refresh_token");
	jsonw_textn(&j, t->refresh.s, t->refresh.len);
	jsonw_key(&j, "replaced_at");
	jsonw_time(&j, now);
	jsonw_end(&j);
	str_addc(&text, '\n');
	if (durable_mkdirs(state, FOLDER, 0700, e) != OK ||
		durable_replace(state, name.s, text.s, text.len, 0600, e) != OK)
		return err_add(e, "%s", name.s);
	t->replaced = false;
	return OK;
}
