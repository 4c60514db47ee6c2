/*
 * `auth`: what each type needs, and that no secret stands in the file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"

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
		profile_wrong(p, profile_at(n, key),
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
			profile_wrong(p, profile_at(n, "jwt.alg"),
				"jwt.alg: expected RS256, ES256 or HS256");
		check_literal(p, n, &a->jwt.key, "jwt.key");
	}
	finish_oauth2(a);
}

void
profile_check_auth(struct profile_reading *p, const struct yaml_node *n,
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
