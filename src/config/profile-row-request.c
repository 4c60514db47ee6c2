/*
 * What is sent, and who we say we are.
 */
#include "config/profile-row-part.h"

static const char *const auth_names[] = {
	[API_AUTH_NONE] = "none",
	[API_AUTH_HEADER] = "header",
	[API_AUTH_QUERY] = "query",
	[API_AUTH_BASIC] = "basic",
	[API_AUTH_BEARER] = "bearer",
	[API_AUTH_OAUTH2] = "oauth2",
	[API_AUTH_SESSION] = "session",
	NULL,
};

static const char *const grant_names[] = {
	[API_GRANT_REFRESH_TOKEN] = "refresh_token",
	[API_GRANT_CLIENT_CREDENTIALS] = "client_credentials",
	[API_GRANT_JWT_BEARER] = "jwt_bearer",
	NULL,
};

static const char *const rotates_names[] = {
	[API_ROTATES_AUTO] = "auto",
	[API_ROTATES_NO] = "false",
	[API_ROTATES_YES] = "true",
	NULL,
};

static const char *const send_names[] = {"form", "basic", NULL};

/* There is no other, and it is written out for who reads it. */
static const char *const sha256_names[] = {"sha256", NULL};

/* ---- the request ---- */

static const struct profile_row timeout_rows[] = {
	{ROW("connect", SPAN, api_request, timeout.connect), .min = SECOND,
		.max = 600 * SECOND, .fallback = "10s",
		.help = "Until the connection stands, TLS included."},
	{ROW("idle", SPAN, api_request, timeout.idle), .min = SECOND,
		.max = 3600 * SECOND, .fallback = "60s",
		.help = "Without a single byte."},
	{ROW("total", SPAN, api_request, timeout.total), .max = 7 * DAY,
		.words = "as long as bytes come",
		.help = "For the whole response."},
};
BLOCK(timeout, api_request, timeout_rows, "How long to wait for a response.");

static const struct profile_row request_rows[] = {
	{ROW("method", METHOD, api_request, method), .fallback = "GET",
		.help = "GET, POST, PUT, PATCH or DELETE."},
	{ROW("path", TARGET, api_request, set), .min = 0,
		.help = "Appended to base_url; a variable in it is one "
			"segment. This or url is required."},
	{ROW("url", TARGET, api_request, set), .min = 1,
		.help = "A whole URL instead."},
	{ROW("query", FIELDS, api_request, query), .min = PROFILE_IN_QUERY,
		.help = "Names and values; a list, or a variable that is one, "
			"repeats the name. One whose variable is undefined is "
			"left out, as everywhere."},
	{ROW("headers", FIELDS, api_request, header), .min = PROFILE_IN_HEADER,
		.help = "Added to the headers of the stream."},
	{ROW("json", BODY, api_request, body), .min = API_BODY_JSON,
		.help = "The body as JSON. Text that is nothing but a list "
			"variable becomes an array; {{x:int}} a number."},
	{ROW("form", BODY, api_request, body), .min = API_BODY_FORM,
		.help = "The body as an HTML form sends it."},
	{ROW("body", BODY, api_request, body), .min = API_BODY_RAW,
		.help = "The body as it is."},
	{SAME("timeout"), .of = &profile_timeout, .help = "See timeout."},
};
BLOCK(request, api_request, request_rows,
	"What is asked for. A body goes with another method than GET.");

/* ---- auth ---- */

static const struct profile_row jwt_rows[] = {
	{ROW("alg", TEXT, api_auth, jwt.alg), .fallback = "RS256",
		.help = "RS256, ES256 or HS256."},
	{ROW("header", FIELDS, api_auth, jwt.header), .min = PROFILE_IN_AUTH,
		.help = "More members of the header, such as kid."},
	{ROW("claims", FIELDS, api_auth, jwt.claims), .min = PROFILE_IN_AUTH,
		.help = "iss, sub, aud, scope, ...; iat and exp are added."},
	{ROW("key", TEMPLATE, api_auth, jwt.key), .min = PROFILE_IN_AUTH,
		.help = "The private key as PEM; for HS256 the secret."},
	{ROW("lifetime", SPAN, api_auth, jwt.lifetime), .min = SECOND,
		.max = DAY, .fallback = "3m", .help = "From iat to exp."},
};
BLOCK(jwt, api_auth, jwt_rows,
	"The signed assertion of grant jwt_bearer (RFC 7523).");

static const struct profile_row sign_rows[] = {
	{ROW("param", TEXT, api_auth, sign.param),
		.help = "The query parameter that carries the signature."},
	{.key = "hmac",
		.type = PROFILE_CHOICE,
		.offset = SIZE_MAX,
		.names = sha256_names,
		.fallback = "sha256",
		.help = "HMAC with SHA-256, in hexadecimal."},
	{ROW("key", TEMPLATE, api_auth, sign.key), .min = PROFILE_IN_AUTH,
		.help = "The HMAC's key."},
	{ROW("text", TEMPLATE, api_auth, sign.text), .min = PROFILE_IN_AUTH,
		.fallback = "{{auth.access_token}}", .help = "What is signed."},
};
BLOCK(sign, api_auth, sign_rows, "A signature that goes with every request.");

static const struct profile_row auth_rows[] = {
	{ROW("type", CHOICE, api_auth, type), .names = auth_names,
		.fallback = "none",
		.help = "header and query send value under name; basic sends "
			"username and password, bearer token. oauth2 gets an "
			"access token at token_url and sends it as bearer. "
			"session sends login first, and then what was "
			"captured as value under name."},
	{ROW("name", TEXT, api_auth, name),
		.help = "Of the header or the query parameter."},
	{ROW("value", TEMPLATE, api_auth, value), .min = PROFILE_IN_AUTH,
		.help = "Its value."},
	{ROW("token", TEMPLATE, api_auth, value), .min = PROFILE_IN_AUTH,
		.help = "bearer: the token."},
	{ROW("username", TEMPLATE, api_auth, username), .min = PROFILE_IN_AUTH,
		.help = "basic: the user."},
	{ROW("password", TEMPLATE, api_auth, password), .min = PROFILE_IN_AUTH,
		.help = "basic: the password; may be absent."},
	{ROW("grant", CHOICE, api_auth, grant), .names = grant_names,
		.fallback = "refresh_token", .help = "oauth2: how."},
	{ROW("token_url", TEMPLATE, api_auth, token_url), .min = PROFILE_IN_URL,
		.help = "oauth2: where."},
	{ROW("send_as", EITHER, api_auth, send_basic), .names = send_names,
		.fallback = "form",
		.help = "oauth2: client_id and client_secret stand in the "
			"form, or are sent as Basic."},
	{ROW("params", FIELDS, api_auth, params), .min = PROFILE_IN_AUTH,
		.help = "oauth2: the form's fields; grant_type and assertion "
			"are added. A refresh token that was rotated replaces "
			"the refresh_token here."},
	{SAME("jwt"), .of = &profile_jwt, .help = "oauth2: see jwt."},
	{ROW("rotates_refresh_token", CHOICE, api_auth, rotates),
		.names = rotates_names, .fallback = "auto",
		.help = "auto: an answer with a refresh_token replaces the "
			"one before; true: an answer without one is a "
			"failure. What was rotated lies in the state, 0600."},
	{ROW("login", SET, api_auth, login), .of = &profile_request,
		.help = "session: the request."},
	{ROW("capture", CAPTURE, api_auth, capture),
		.help = "Names and selectors: {{auth.NAME}}. oauth2 has "
			"access_token: {body: $.access_token} unless it is "
			"given."},
	{ROW("expires_in", EXPIRES, api_auth, expires),
		.words = "{body: $.expires_in} for oauth2, else unknown",
		.help = "A selector of seconds, a duration, or unknown: until "
			"an answer is 401."},
	{SAME("sign"), .of = &profile_sign, .help = "See sign."},
};
BLOCK(auth, api_auth, auth_rows,
	"Who we are. Credentials go to the origin of base_url alone.");
