/* source/http/token and jwt: getting in, and staying in. */
#include "source/http/token.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "source/http/hide.h"
#include "source/http/jwt.h"
#include "unit.h"

#include "api-text.h"
#include "scratch.h"

#define S CLOCK_SECOND
#define NOW (INT64_C(1767225600) * S)

struct pair {
	const char *path, *value;
};

static enum rc
value_of(const void *arg, const struct api_selector *s, size_t i,
	struct str *ret)
{
	const struct pair *p = arg;

	for (; p->path != NULL && i == 0; p++)
		if (s->from == API_FROM_BODY && s->path.n == 1 &&
			strcmp(s->path.step[0].name, p->path) == 0) {
			str_add(ret, p->value);
			return OK;
		}
	return END;
}

static const char salesforce[] =
	"    base_url: '{{auth.instance_url}}/v1'\n"
	"    secrets: {id: {env: I}, secret: {env: S}, refresh: {env: R}}\n"
	"    auth:\n"
	"      type: oauth2\n"
	"      token_url: https://login.example/token\n"
	"      params: {client_id: '{{secret.id}}', client_secret: "
	"'{{secret.secret}}', refresh_token: '{{secret.refresh}}'}\n"
	"      capture: {instance_url: {body: $.instance_url}}\n"
	"      %s\n"
	"    streams: {s: {request: {path: /x}}}\n";

static struct config *
oauth2(const char *more, struct vars *v)
{
	struct str text = STR_INIT;
	struct config *c;

	str_addf(&text, salesforce, more);
	c = api_text(text.s);
	str_release(&text);
	vars_set_text(v, API_SECRET, "id", "me");
	vars_set_text(v, API_SECRET, "secret", "s&s");
	vars_set_text(v, API_SECRET, "refresh", "r1");
	return c;
}

static void
asks(const struct token *t, const struct config *c, const struct vars *v,
	const char *body)
{
	struct request r;
	struct err e = ERR_INIT;

	must(token_request(t, c->source[0].api, NULL, v, NOW, &r, &e), &e);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.url.s, "https://login.example/token");
	assert_string_equal(r.body.s, body);
	request_release(&r);
}

static void
test_a_refresh_token(void **state UNUSED)
{
	static const struct pair first[] = {{"access_token", "at"},
		{"instance_url", "https://eu1.example"}, {"expires_in", "600"},
		{"refresh_token", "r2"}, {NULL, NULL}};
	struct vars v = VARS_INIT;
	struct config *c = oauth2("send_as: form", &v);
	const struct api *a = c->source[0].api;
	struct err e = ERR_INIT;
	struct request r;
	struct token t;

	token_init(&t, &a->auth, NULL);
	assert_true(token_is_needed(&a->auth));
	assert_false(token_is_fresh(&t, NOW));
	asks(&t, c, &v,
		"client_id=me&client_secret=s%26s&refresh_token=r1&"
		"grant_type=refresh_token");
	must(token_take(&t, value_of, first, NOW, &v, &e), &e);
	assert_true(t.replaced);
	/* A minute, or a tenth, before it expires it is had anew. */
	assert_true(token_is_fresh(&t, NOW + 539 * S));
	assert_false(token_is_fresh(&t, NOW + 540 * S));
	must(request_make(a, &a->stream[0], &a->stream[0].request, &v, &r, &e),
		&e);
	assert_string_equal(r.url.s, "https://eu1.example/v1/x");
	assert_string_equal(r.shown.s, "https://eu1.example/v1/x");
	request_release(&r);
	/* The one that was replaced is never sent again. */
	asks(&t, c, &v,
		"client_id=me&client_secret=s%26s&"
		"grant_type=refresh_token&refresh_token=r2");
	token_drop(&t, &v);
	assert_false(token_is_fresh(&t, NOW));
	assert_null(vars_get(&v, API_AUTH, "access_token"));
	token_release(&t);
	vars_release(&v);
	config_free(c);
}

static void
test_answers_that_lack_something(void **state UNUSED)
{
	static const struct pair none[] = {{"instance_url", "x"}, {NULL, NULL}};
	static const struct pair stale[] = {
		{"access_token", "at"}, {"instance_url", "x"}, {NULL, NULL}};
	struct vars v = VARS_INIT;
	struct config *c = oauth2("rotates_refresh_token: true", &v);
	struct err e = ERR_INIT;
	struct token t;

	token_init(&t, &c->source[0].api->auth, NULL);
	assert_int_equal(
		token_take(&t, value_of, none, NOW, &v, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "access_token"));
	assert_int_equal(
		token_take(&t, value_of, stale, NOW, &v, &e), BAD_SOURCE);
	assert_non_null(strstr(e.text, "refresh_token"));
	token_release(&t);
	vars_release(&v);
	config_free(c);
}

static void
test_what_was_replaced_is_kept(void **state UNUSED)
{
	static const struct pair answer[] = {{"access_token", "at"},
		{"instance_url", "x"}, {"refresh_token", "r\"2"}, {NULL, NULL}};
	char dir[SCRATCH_PATH];
	int fd = scratch_make(dir);
	struct vars v = VARS_INIT;
	struct config *c = oauth2("expires_in: 1h", &v);
	struct err e = ERR_INIT;
	struct token t;
	struct stat st;

	token_init(&t, &c->source[0].api->auth, NULL);
	must(token_load(&t, &v, fd, "a", &e), &e);
	must(token_keep(&t, &v, fd, "a", NOW, &e), &e);
	assert_int_equal(fstatat(fd, "credentials", &st, 0), -1);
	must(token_take(&t, value_of, answer, NOW, &v, &e), &e);
	must(token_keep(&t, &v, fd, "a", NOW, &e), &e);
	assert_int_equal(fstatat(fd, "credentials/a.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	token_release(&t);

	token_init(&t, &c->source[0].api->auth, NULL);
	must(token_load(&t, &v, fd, "a", &e), &e);
	assert_string_equal(t.refresh.s, "r\"2");
	token_release(&t);
	/* Somebody configured another one: what is kept does not count. */
	vars_set_text(&v, API_SECRET, "refresh", "r9");
	token_init(&t, &c->source[0].api->auth, NULL);
	must(token_load(&t, &v, fd, "a", &e), &e);
	assert_string_equal(t.refresh.s, "");
	token_release(&t);
	scratch_file(fd, "credentials/a.json", "{");
	token_init(&t, &c->source[0].api->auth, NULL);
	assert_int_equal(token_load(&t, &v, fd, "a", &e), BROKEN);
	assert_non_null(strstr(e.text, "credentials/a.json"));
	token_release(&t);
	vars_release(&v);
	config_free(c);
	close(fd);
	scratch_remove(dir);
}

/* What each auth got is hidden, as long as it is not replaced by its own. */
static void
test_two_auths_that_rotate(void **state UNUSED)
{
	static const struct pair first[] = {{"access_token", "at-1"},
		{"instance_url", "x"}, {"refresh_token", "first-2"},
		{NULL, NULL}};
	static const struct pair other[] = {{"access_token", "at-2"},
		{"instance_url", "x"}, {"refresh_token", "other-2"},
		{NULL, NULL}};
	struct vars v = VARS_INIT;
	struct config *c = oauth2("send_as: form", &v);
	const struct api *a = c->source[0].api;
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	struct token t, u;

	token_init(&t, &a->auth, NULL);
	token_init(&u, &a->auth, "s");
	must(token_take(&t, value_of, first, NOW, &v, &e), &e);
	must(token_take(&u, value_of, other, NOW, &v, &e), &e);
	str_add(&s, "first-2 other-2");
	(void)hide_secrets(a, &v, &s, NULL);
	assert_string_equal(s.s, "*** ***");
	str_release(&s);
	token_release(&t);
	token_release(&u);
	vars_release(&v);
	config_free(c);
}

static void
test_other_logins(void **state UNUSED)
{
	struct config *c = api_text(
		"    base_url: https://x.example\n"
		"    secrets: {id: {env: I}, key: {env: K}}\n"
		"    auth: {type: oauth2, grant: client_credentials, "
		"token_url: 'https://login.example/t', send_as: basic, params: "
		"{client_id: '{{secret.id}}', client_secret: '{{secret.key}}', "
		"scope: a b}}\n"
		"    streams: {s: {request: {path: /x}}}\n"
		"  b:\n"
		"    base_url: https://y.example\n"
		"    secrets: {user: {env: I}, key: {env: K}}\n"
		"    auth: {type: session, login: {method: POST, path: /login, "
		"json: {user: me}, headers: {X-P: '{{secret.key}}'}}, "
		"capture: {token: {header: X-Token}}, name: Cookie, "
		"value: 's={{auth.token}}'}\n"
		"    streams: {s: {request: {path: /x}}}\n");
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;
	struct request r;
	struct token t;

	vars_set_text(&v, API_SECRET, "id", "a:b");
	vars_set_text(&v, API_SECRET, "key", "p");
	token_init(&t, &c->source[0].api->auth, NULL);
	must(token_request(&t, c->source[0].api, NULL, &v, NOW, &r, &e), &e);
	assert_string_equal(
		r.body.s, "scope=a%20b&grant_type=client_credentials");
	for (size_t i = 0; i < r.n; i++)
		if (strcmp(r.field[i].name, "Authorization") == 0)
			assert_string_equal(
				r.field[i].value.s, "Basic YSUzQWI6cA==");
	request_release(&r);
	token_release(&t);
	token_init(&t, &c->source[1].api->auth, NULL);
	must(token_request(&t, c->source[1].api, NULL, &v, NOW, &r, &e), &e);
	assert_string_equal(r.url.s, "https://y.example/login");
	assert_string_equal(r.body.s, "{\"user\":\"me\"}");
	request_release(&r);
	token_release(&t);
	vars_release(&v);
	config_free(c);
}

/* ---- assertions ---- */

static EVP_PKEY *
make_key(const char *alg, struct vars *v)
{
	EVP_PKEY *key = strcmp(alg, "ES256") == 0 ? EVP_EC_gen("P-256")
						  : EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;

	assert_non_null(key);
	assert_int_equal(
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
		1);
	n = BIO_get_mem_data(bio, &pem);
	vars_set(v, API_SECRET, "key", pem, (size_t)n);
	BIO_free(bio);
	return key;
}

static struct config *
jwt(const char *alg)
{
	struct str text = STR_INIT;
	struct config *c;

	str_addf(&text,
		"    base_url: https://x.example\n"
		"    secrets: {key: {env: K}}\n"
		"    auth: {type: oauth2, grant: jwt_bearer, token_url: "
		"'https://l/t', jwt: {alg: %s, claims: {iss: me, aud: "
		"'https://l'}, key: '{{secret.key}}', lifetime: 3m}}\n"
		"    streams: {s: {request: {path: /x}}}\n",
		alg);
	c = api_text(text.s);
	str_release(&text);
	return c;
}

static size_t
from_base64url(const char *p, size_t len, uint8_t *out, size_t cap)
{
	char text[2048];
	size_t n = 0;

	assert_true(len + 4 < sizeof(text));
	for (size_t i = 0; i < len; i++)
		text[i] = p[i] == '-' ? '+' : p[i] == '_' ? '/' : p[i];
	while (len % 4 != 0)
		text[len++] = '=';
	assert_true(str_parse_base64(text, len, out, cap, &n));
	return n;
}

static void
test_rs256(void **state UNUSED)
{
	struct vars v = VARS_INIT;
	EVP_PKEY *key = make_key("RS256", &v);
	struct config *c = jwt("RS256");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t part[1024];
	const char *dot, *last;
	size_t n;

	must(jwt_sign(&c->source[0].api->auth, &v, NOW, &s, &e), &e);
	dot = strchr(s.s, '.');
	last = strrchr(s.s, '.');
	n = from_base64url(s.s, (size_t)(dot - s.s), part, sizeof(part));
	part[n] = '\0';
	assert_string_equal(
		(char *)part, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
	n = from_base64url(
		dot + 1, (size_t)(last - dot - 1), part, sizeof(part));
	part[n] = '\0';
	assert_string_equal((char *)part,
		"{\"iss\":\"me\",\"aud\":\"https://l\",\"iat\":1767225600,"
		"\"exp\":1767225780}");
	n = from_base64url(last + 1, strlen(last + 1), part, sizeof(part));
	assert_int_equal(
		EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, part, n, (uint8_t *)s.s,
				 (size_t)(last - s.s)),
		1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	str_release(&s);
	vars_release(&v);
	config_free(c);
}

static void
test_other_algorithms(void **state UNUSED)
{
	struct vars v = VARS_INIT;
	EVP_PKEY *key = make_key("ES256", &v);
	struct config *c = jwt("ES256"), *h = jwt("HS256");
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t part[128];
	const char *last;

	must(jwt_sign(&c->source[0].api->auth, &v, NOW, &s, &e), &e);
	last = strrchr(s.s, '.');
	assert_int_equal(
		from_base64url(last + 1, strlen(last + 1), part, sizeof(part)),
		64);
	str_clear(&s);
	/* An EC key is none for RSA, and no text is one. */
	config_free(c);
	c = jwt("RS256");
	assert_int_equal(
		jwt_sign(&c->source[0].api->auth, &v, NOW, &s, &e), BAD_SOURCE);
	vars_set_text(&v, API_SECRET, "key", "top secret");
	assert_int_equal(
		jwt_sign(&c->source[0].api->auth, &v, NOW, &s, &e), BAD_SOURCE);
	assert_null(strstr(e.text, "top secret"));
	must(jwt_sign(&h->source[0].api->auth, &v, NOW, &s, &e), &e);
	last = strrchr(s.s, '.');
	assert_int_equal(
		from_base64url(last + 1, strlen(last + 1), part, sizeof(part)),
		32);
	EVP_PKEY_free(key);
	str_release(&s);
	vars_release(&v);
	config_free(c);
	config_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_refresh_token),
		cmocka_unit_test(test_answers_that_lack_something),
		cmocka_unit_test(test_what_was_replaced_is_kept),
		cmocka_unit_test(test_two_auths_that_rotate),
		cmocka_unit_test(test_other_logins),
		cmocka_unit_test(test_rs256),
		cmocka_unit_test(test_other_algorithms),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
