/*
 * Variables: is each of them defined somewhere, and may it stand where it
 * stands?
 */
#include <limits.h>
#include <string.h>

#include "config/profile-read.h"
#include "config/value.h"

static bool
has_secret(const struct api *a, const char *name)
{
	for (size_t i = 0; i < a->n_secrets; i++)
		if (strcmp(a->secret[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_config(const struct api *a, const char *name)
{
	for (size_t i = 0; i < a->n_config; i++)
		if (strcmp(a->config[i].name, name) == 0)
			return true;
	return false;
}

/* What auth captures; "access_token" is what oauth2 is about. */
static bool
has_capture(const struct api_auth *auth, const char *name)
{
	for (size_t i = 0; i < auth->n_capture; i++)
		if (strcmp(auth->capture[i].name, name) == 0)
			return true;
	if (strcmp(name, "access_token") == 0)
		return auth->type == API_AUTH_OAUTH2 ||
			auth->type == API_AUTH_BEARER;
	return false;
}

static bool
has_lookup(const struct api_stream *s, const char *name)
{
	for (size_t i = 0; s != NULL && i < s->n_lookups; i++)
		if (strcmp(s->lookup[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_partition(const struct api_stream *s, const char *name)
{
	for (size_t i = 0; s != NULL && i < s->partitions.n; i++)
		if (strcmp(s->partitions.row[i].name, name) == 0)
			return true;
	return false;
}

static void
check_secret(struct profile_reading *p, const struct profile_use *u)
{
	/* URLs, bodies and SQL-like texts end in logs on the other side. */
	if (!u->in_auth && u->place != PROFILE_IN_HEADER &&
		u->place != PROFILE_IN_QUERY && u->place != PROFILE_IN_FORM)
		profile_wrong(p, u->node,
			"{{secret.%s}}: secrets stand in auth, headers, query "
			"and form only",
			u->name);
	else if (!has_secret(p->api, u->name))
		profile_wrong(p, u->node,
			"{{secret.%s}}: there is no such secret; add secrets: "
			"{%s: {credential: NAME}} to the source",
			u->name, u->name);
}

static void
check_use(struct profile_reading *p, const struct profile_use *u)
{
	const struct api *a = p->api;
	const struct api_stream *s =
		u->stream != API_NO_STREAM ? &a->stream[u->stream] : NULL;
	const struct api_auth *auth = s != NULL ? s->auth : &a->auth;
	const char *why = NULL;

	switch (u->space) {
	case API_SECRET:
		check_secret(p, u);
		return;
	case API_CONFIG:
		if (!has_config(a, u->name))
			why = "is not declared under config";
		break;
	case API_AUTH:
		if (!has_capture(auth, u->name))
			why = "is not captured by auth";
		break;
	case API_LOOKUP:
		if (u->in_lookup)
			why = "a lookup cannot use lookups";
		else if (!has_lookup(s, u->name))
			why = "is no lookup of the stream";
		break;
	case API_PARTITION:
		if (!has_partition(s, u->name))
			why = "is not among the partitions of the stream";
		break;
	case API_JOB:
		if (!u->in_job)
			why = "is known within job only";
		break;
	case API_PAGE:
		if (s == NULL || u->in_auth || u->in_lookup)
			why = "is known in the request of a stream only";
		else if (s->pagination->type == API_PAGES_NONE &&
			s->incremental.kind != API_KIND_TOKEN)
			why = "the stream has no pagination";
		else if (strcmp(u->name, "size") == 0 &&
			s->pagination->size == 0)
			why = "pagination.size is missing";
		break;
	case API_WINDOW:
		if (s == NULL || !s->incremental.set || u->in_auth)
			why = "the stream has no incremental";
		break;
	case API_TEXT:
	case API_SPACES:
		break;
	}
	if (why != NULL)
		profile_wrong(p, u->node, "{{%s.%s}}: %s",
			api_space_names[u->space], u->name, why);
}

void
profile_vars_check(struct profile_reading *p)
{
	for (size_t i = 0; i < p->n_uses; i++)
		check_use(p, &p->use[i]);
}
