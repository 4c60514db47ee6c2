/* source/http/request, link, hide: what is sent, to whom, and never told. */
#include "source/http/request.h"

#include <stdlib.h>

#include "base/clock.h"
#include "source/http/hide.h"
#include "source/http/link.h"
#include "unit.h"

#include "api-text.h"

static const char *
field_of(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->field[i].name, name) == 0)
			return r->field[i].value.s;
	return NULL;
}

static struct request
made(const struct config *c, const struct vars *v)
{
	const struct api *a = c->source[0].api;
	struct request r;
	struct err e = ERR_INIT;

	must(request_make(a, &a->stream[0], &a->stream[0].request, v, &r, &e),
		&e);
	return r;
}

static void
test_a_get(void **state UNUSED)
{
	struct config *c =
		api_text("    base_url: https://x.example/api/\n"
			 "    secrets: {k: {env: K}}\n"
			 "    auth: {type: header, name: Authorization,"
			 " value: 'Key {{secret.k}}'}\n"
			 "    headers: {revision: '1', Accept: a/b}\n"
			 "    pagination: {type: token, next: {body: $.n}}\n"
			 "    streams:\n"
			 "      s:\n"
			 "        request:\n"
			 "          path: /v1/e\n"
			 "          query: {'page[size]': 9, t: [a, b c],"
			 " after: '{{page.token}}', k: '{{secret.k}}'}\n"
			 "          headers: {REVISION: '2'}\n");
	struct vars v = VARS_INIT;
	struct request r;

	vars_set_text(&v, API_SECRET, "k", "pk_1&2");
	r = made(c, &v);
	assert_string_equal(r.method, "GET");
	assert_string_equal(r.url.s,
		"https://x.example/api/v1/e?page%5Bsize%5D=9&t=a&t=b%20c"
		"&k=pk_1%262");
	assert_string_equal(r.shown.s,
		"https://x.example/api/v1/e?page%5Bsize%5D=9&t=a&t=b%20c"
		"&k=***");
	assert_string_equal(field_of(&r, "Authorization"), "Key pk_1&2");
	assert_string_equal(field_of(&r, "revision"), "2");
	assert_null(field_of(&r, "REVISION"));
	assert_string_equal(field_of(&r, "User-Agent"), "landfall");
	assert_false(r.has_body);
	request_release(&r);
	vars_set_text(&v, API_PAGE, "token", "n=");
	r = made(c, &v);
	assert_non_null(strstr(r.url.s, "&after=n%3D&"));
	request_release(&r);
	vars_release(&v);
	config_free(c);
}

static void
test_bodies(void **state UNUSED)
{
	struct config *c = api_text(
		"    base_url: http://localhost:1\n"
		"    streams:\n"
		"      s:\n"
		"        request: {method: POST, path: /q, form: {a: 'b c',"
		" d: '{\"e\":1}'}}\n");
	struct vars v = VARS_INIT;
	struct request r = made(c, &v);

	assert_string_equal(r.method, "POST");
	assert_string_equal(r.body.s, "a=b%20c&d=%7B%22e%22%3A1%7D");
	assert_string_equal(field_of(&r, "Content-Type"),
		"application/x-www-form-urlencoded");
	request_release(&r);
	config_free(c);
}

static void
test_kinds_of_auth(void **state UNUSED)
{
	static const struct {
		const char *auth, *header, *url;
	} rows[] = {
		{"{type: basic, username: u, password: '{{secret.k}}'}",
			"Basic dTprZXk=", "https://x.example/p"},
		{"{type: bearer, token: '{{secret.k}}'}", "Bearer key",
			"https://x.example/p"},
		{"{type: query, name: 'a key', value: '{{secret.k}}'}", NULL,
			"https://x.example/p?a%20key=key"},
		{"{type: oauth2, token_url: 'https://x/t', params: "
		 "{refresh_token: '{{secret.k}}'}}",
			"Bearer at", "https://x.example/p"},
		/* RFC 4231, test case 2. */
		{"{type: bearer, token: '{{secret.k}}', sign: {param: proof, "
		 "key: Jefe, text: 'what do ya want for nothing?'}}",
			"Bearer key",
			"https://x.example/"
			"p?proof=5bdcc146bf60754e6a042426089575c75a003f089d27"
			"39839dec58b964ec3843"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = STR_INIT;
		struct vars v = VARS_INIT;
		struct config *c;
		struct request r;

		str_addf(&text,
			"    base_url: https://x.example\n"
			"    secrets: {k: {env: K}}\n    auth: %s\n"
			"    streams: {s: {request: {path: /p}}}\n",
			rows[i].auth);
		c = api_text(text.s);
		vars_set_text(&v, API_SECRET, "k", "key");
		vars_set_text(&v, API_AUTH, "access_token", "at");
		r = made(c, &v);
		assert_string_equal(r.url.s, rows[i].url);
		if (rows[i].header != NULL)
			assert_string_equal(
				field_of(&r, "Authorization"), rows[i].header);
		else
			assert_null(field_of(&r, "Authorization"));
		assert_null(strstr(r.shown.s, "=key"));
		request_release(&r);
		vars_release(&v);
		config_free(c);
		str_release(&text);
	}
}

/* ---- links ---- */

static const char secretive[] =
	"    base_url: https://x.example/api\n"
	"    secrets: {k: {env: K}}\n"
	"    auth: {type: bearer, token: '{{secret.k}}'}\n"
	"    headers: {X-Key: '{{secret.k}}', Accept: a/b}\n"
	"    allow_hosts: [files.example]\n"
	"    pagination: {type: link, next: {link: next}}\n"
	"    streams: {s: {request: {path: /p}}}\n";

static enum rc
follow(const struct config *c, const struct vars *v, const char *link,
	struct request *r, struct err *e)
{
	const struct api *a = c->source[0].api;

	return request_follow(a, &a->stream[0], &a->stream[0].request,
		"https://x.example/api/p?page=1", link, v, r, e);
}

static void
test_links_within_the_origin(void **state UNUSED)
{
	static const struct {
		const char *link, *url;
	} rows[] = {
		{"https://x.example/api/p?page=2",
			"https://x.example/api/p?page=2"},
		{"https://X.example:443/z", "https://x.example/z"},
		{"?page=2", "https://x.example/api/p?page=2"},
		{"/q", "https://x.example/q"},
		{"q?a=key-of-ours", "https://x.example/api/q?a=key-of-ours"},
	};
	struct config *c = api_text(secretive);
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;

	vars_set_text(&v, API_SECRET, "k", "key-of-ours");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request r;

		must(follow(c, &v, rows[i].link, &r, &e), &e);
		if (i != 1)
			assert_string_equal(r.url.s, rows[i].url);
		assert_true(r.trusted);
		assert_string_equal(
			field_of(&r, "Authorization"), "Bearer key-of-ours");
		assert_null(strstr(r.shown.s, "key-of-ours"));
		request_release(&r);
	}
	vars_release(&v);
	config_free(c);
}

static void
test_links_elsewhere(void **state UNUSED)
{
	static const char *const refused[] = {
		"https://evil.example/api/p",
		"https://x.example.evil.example/p",
		"https://x.example:8443/p",
		"http://x.example/p",
		"//evil.example/p",
		"https://x.example@evil.example/p",
		"https://evil.example\\@x.example/p",
		"http://files.example/f",
		"ftp://x.example/p",
		"javascript:alert(1)",
	};
	struct config *c = api_text(secretive);
	struct vars v = VARS_INIT;
	struct err e = ERR_INIT;
	struct request r;

	vars_set_text(&v, API_SECRET, "k", "key-of-ours");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		enum rc rc = follow(c, &v, refused[i], &r, &e);

		if (rc == OK &&
			strstr(field_of(&r, "Authorization") != NULL ? r.url.s
								     : "evil",
				"evil") != NULL)
			fail_msg("%s is followed to %s", refused[i], r.url.s);
		if (rc == OK)
			request_release(&r);
		else
			assert_int_equal(rc, BAD_SOURCE);
		assert_null(strstr(e.text, "key-of-ours"));
	}
	must(follow(c, &v, "https://files.example/f?sig=1", &r, &e), &e);
	assert_false(r.trusted);
	assert_null(field_of(&r, "Authorization"));
	assert_null(field_of(&r, "X-Key"));
	assert_string_equal(field_of(&r, "Accept"), "a/b");
	request_release(&r);
	vars_release(&v);
	config_free(c);
}

/* A whole URL in a profile gets no credentials of another origin. */
static void
test_another_url(void **state UNUSED)
{
	struct config *c = api_text(
		"    base_url: https://x.example\n"
		"    secrets: {k: {env: K}}\n"
		"    auth: {type: bearer, token: '{{secret.k}}'}\n"
		"    streams:\n"
		"      s: {request: {url: 'https://y.example/z', query: {q: "
		"'{{secret.k}}'}}}\n");
	struct vars v = VARS_INIT;
	struct request r;

	vars_set_text(&v, API_SECRET, "k", "key-of-ours");
	r = made(c, &v);
	assert_string_equal(r.url.s, "https://y.example/z");
	assert_null(field_of(&r, "Authorization"));
	request_release(&r);
	vars_release(&v);
	config_free(c);
}

static void
test_link_headers(void **state UNUSED)
{
	static const struct {
		const char *header, *target; /* of next; NULL: none */
	} rows[] = {
		{"<https://x/2>; rel=\"next\"", "https://x/2"},
		{"</2>;rel=next", "/2"},
		{"<a>; rel=\"prev\", <b>; rel=\"next last\"", "b"},
		{"<a>; rel=\"next\"; title=\"a, <b>; \\\" c\"", "a"},
		{"<a>; title=\"x, <y>; rel=next\"; rel=last", NULL},
		{"<a>; REL=NEXT", "a"},
		{"<a,b>; rel=next", "a,b"},
		{" , <a> ; rel = next , ", "a"},
		{"<a>; rel=last; rel=next", NULL},
		{"<a>; rel=next; anchor=\"#x\", <b>; rel=next", "b"},
		{"<>; rel=next", ""},
		{"<a>; ; rel=next", "a"},
		{"<a>; rel=nextish", NULL},
		{"<a; rel=next", NULL},
		{"a; rel=next", NULL},
		{"<a>; rel=\"next", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str s = STR_INIT;
		bool found = link_find(
			rows[i].header, strlen(rows[i].header), "next", &s);

		if (found != (rows[i].target != NULL) ||
			(found && strcmp(s.s, rows[i].target) != 0))
			fail_msg("%s: %s", rows[i].header, s.s);
		str_release(&s);
	}
}

static const char hiding[] =
	"    base_url: https://{{auth.place}}/\n"
	"    secrets: {k: {env: K}, short: {env: S}}\n"
	"    auth: {type: session, login: {path: /l}, capture: {place: {body: "
	"$.p}, key: {body: $.k}}, name: X, value: '{{auth.key}}'}\n"
	"    streams: {s: {request: {path: /x}}}\n";

static void
test_secrets_are_hidden_however_they_are_spelled(void **state UNUSED)
{
	static const struct {
		const char *secret, *text, *hidden;
	} rows[] = {
		{"a\"b/c", "<a\"b/c>", "<***>"},
		{"a\"b/c", "a\\\"b/c a\\\"b\\/c", "*** ***"},
		{"a\"b/c", "a\\u0022b\\u002fc a\\u0022b\\/c", "*** ***"},
		{"a\"b/c", "a%22b%2Fc a%22b%2fc a\"b%2fc", "*** *** ***"},
		{"a\\b/c", "a\\\\b/c a\\b/c a\\u005Cb\\/c", "*** *** ***"},
		{"<&>x", "\\u003c\\u0026\\u003ex \\u003C\\u0026\\u003Ex",
			"*** ***"},
		{"<&>x", "%3C%26%3Ex %3c%26%3ex %3C%26%3Ey",
			"*** *** %3C%26%3Ey"},
		{"a b+c", "a+b%2bc a%20b%2Bc a b+c", "*** *** ***"},
		{"line\n", "line\\n line\\u000a line%0A line\n",
			"*** *** *** ***"},
		{"k\xc3\xa9y!", "k\\u00e9y! k%C3%A9y! k\xc3\xa9y!",
			"*** *** ***"},
		{"\xf0\x9f\x94\x91", "\\ud83d\\udd11 \\uD83D\\uDD11",
			"*** ***"},
		{"abcd", "\\u0061b%63d \\u0061bcd ab%63d",
			"\\u0061b%63d *** ***"},
		{"aaab", "aaaab abcd aabcd", "a*** abcd aabcd"},
		{"abcd", "abcdabcd", "******"},
		{"abc", "abc", "abc"},
		{"%41%", "%2541%25 %41%", "*** ***"},
	};
	struct config *c = api_text(hiding);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vars v = VARS_INIT;
		struct str s = STR_INIT;
		size_t settled;

		vars_set_text(&v, API_SECRET, "k", rows[i].secret);
		str_add(&s, rows[i].text);
		settled = hide_secrets(c->source[0].api, &v, &s, NULL);
		if (strcmp(s.s, rows[i].hidden) != 0 || settled != s.len)
			fail_msg("%s in %s: %s", rows[i].secret, rows[i].text,
				s.s);
		str_release(&s);
		vars_release(&v);
	}
	config_free(c);
}

static void
test_what_a_login_gave_is_hidden_but_for_places(void **state UNUSED)
{
	struct config *c = api_text(hiding);
	struct vars v = VARS_INIT;
	struct str s = STR_INIT;

	vars_set_text(&v, API_AUTH, "place", "eu.example");
	vars_set_text(&v, API_AUTH, "key", "given");
	vars_set_text(&v, API_CONFIG, "name", "known");
	str_add(&s, "https://eu.example/given/known");
	(void)hide_secrets(c->source[0].api, &v, &s, NULL);
	assert_string_equal(s.s, "https://eu.example/***/known");
	str_release(&s);
	vars_release(&v);
	config_free(c);
}

/* Of a text that comes in pieces, what may be the head of a secret waits. */
static void
test_the_head_of_a_secret_is_held_back(void **state UNUSED)
{
	static const struct {
		const char *text;
		size_t settled;
	} rows[] = {
		{"x", 1},
		{"xa", 1},
		{"xa\"b", 1},
		{"xa\\", 1},
		{"xa\\u", 1},
		{"xa\\u002", 1},
		{"xa\\u0022", 1},
		{"xa%", 1},
		{"xa%2", 1},
		{"xa%22b", 1},
		{"xa%22c", 6},
		{"a\"b/ca\"b", 3},
		{"\\", 0},
	};
	struct config *c = api_text(hiding);
	struct vars v = VARS_INIT;

	vars_set_text(&v, API_SECRET, "k", "a\"b/c");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hide_piece piece = {.more = true};
		struct str s = STR_INIT;
		size_t settled;

		str_add(&s, rows[i].text);
		settled = hide_secrets(c->source[0].api, &v, &s, &piece);
		if (settled != rows[i].settled)
			fail_msg("%s: %zu", rows[i].text, settled);
		str_release(&s);
	}
	vars_release(&v);
	config_free(c);
}

/* However it is cut in two, the whole is what it is uncut. */
static void
test_secrets_that_hold_each_other(void **state UNUSED)
{
	static const struct {
		const char *one, *other, *text, *hidden;
	} rows[] = {
		{"Xq7-acme-2024!", "acme", "<Xq7-acme-2024!>", "<***>"},
		{"acme", "acme-2024!Zw9", "<acme-2024!Zw9>", "<***>"},
		{"acme", "acme-2024!Zw9", "<acme-2024!Zw>", "<***-2024!Zw>"},
		{"a/me", "Xq/a/me+4", "Xq\\/a\\/me+4 Xq%2Fa%2fme%2B4",
			"*** ***"},
		{"abcdef", "defghi", "<abcdefghi>", "<***>"},
		{"abcdef", "ghijkl", "<abcdefghijkl>", "<******>"},
		{"aaaa", "aaaab", "aaaaaaaab aaa", "*** aaa"},
		{"aaaa", "bbbb", "aaaaaaaaaaaa", "***"},
		{"\\\\\\\\", "n\\nx", "a\\\\\\\\\\n\\nxb", "a******b"},
		{"k\xc3\xa9y!", "\xa9y!z", "k\\u00e9y!z k\xc3\xa9y!z",
			"*** ***"},
	};
	struct config *c = api_text(hiding);
	const struct api *a = c->source[0].api;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].text);
		struct vars v = VARS_INIT;

		vars_set_text(&v, API_SECRET, "k", rows[i].one);
		vars_set_text(&v, API_SECRET, "short", rows[i].other);
		for (size_t cut = 0; cut <= len; cut++) {
			struct hide_piece piece = {.more = true};
			struct str s = STR_INIT, shown = STR_INIT;
			size_t settled;

			str_addn(&s, rows[i].text, cut);
			settled = hide_secrets(a, &v, &s, &piece);
			str_addn(&shown, s.s, settled);
			memmove(s.s, s.s + settled, s.len - settled);
			str_cut(&s, s.len - settled);
			str_add(&s, rows[i].text + cut);
			piece.more = false;
			settled = hide_secrets(a, &v, &s, &piece);
			assert_int_equal(settled, s.len);
			str_add(&shown, s.s);
			if (strcmp(shown.s, rows[i].hidden) != 0)
				fail_msg("%s cut at %zu: %s", rows[i].text, cut,
					shown.s);
			str_release(&s);
			str_release(&shown);
		}
		vars_release(&v);
	}
	config_free(c);
}

/* A token that is like itself, in a text that is like it: some ms. */
static void
test_a_hostile_token_costs_no_more(void **state UNUSED)
{
	enum { TOKEN = 64 << 10, TEXT = 1 << 20 };
	struct config *c = api_text(hiding);
	struct vars v = VARS_INIT;
	struct str token = STR_INIT, s = STR_INIT;
	struct hide_piece piece = {.more = true};
	int64_t began = clock_mono();

	for (int i = 0; i < TOKEN; i++)
		str_addc(&token, 'a');
	str_addc(&token, 'b');
	vars_set_text(&v, API_SECRET, "k", token.s);
	for (int i = 0; i < TEXT; i += 8)
		str_add(&s, i % 65536 != 0 ? "aa\\u0061" : "%61c%61%61");
	assert_int_equal(
		hide_secrets(c->source[0].api, &v, &s, &piece), s.len - 65528);
	/* Compared everywhere, it takes minutes. */
	assert_true(clock_mono() - began < 10 * CLOCK_SECOND);
	str_release(&s);
	str_release(&token);
	vars_release(&v);
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_get),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_kinds_of_auth),
		cmocka_unit_test(test_links_within_the_origin),
		cmocka_unit_test(test_links_elsewhere),
		cmocka_unit_test(test_another_url),
		cmocka_unit_test(test_link_headers),
		cmocka_unit_test(
			test_secrets_are_hidden_however_they_are_spelled),
		cmocka_unit_test(
			test_what_a_login_gave_is_hidden_but_for_places),
		cmocka_unit_test(test_the_head_of_a_secret_is_held_back),
		cmocka_unit_test(test_secrets_that_hold_each_other),
		cmocka_unit_test(test_a_hostile_token_costs_no_more),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
