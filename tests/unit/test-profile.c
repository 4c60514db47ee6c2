/* config/profile: the language of polled APIs, its mistakes, its profiles. */
#include "config/parse.h"
#include "config/profile.h"
#include "landfall/config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "unit.h"

#include "scratch.h"

#define HEAD "zone: /lf/zone\nstate: /lf/state\nsources:\n"

static struct config *
read_config(const char *text, struct str *told)
{
	struct report r = REPORT_INIT;
	struct config *c = NULL;

	if (!parse_config(text, strlen(text), "/etc/lf/f", &c, &r)) {
		c = NULL;
		assert_true(r.n > 0);
	}
	report_write(&r, "f", told);
	report_release(&r);
	return c;
}

static struct config *
good(const char *text)
{
	struct str told = STR_INIT;
	struct config *c = read_config(text, &told);

	if (c == NULL)
		fail_msg("%s", told.s);
	str_release(&told);
	return c;
}

static void
assert_told(const char *text, const char *expected)
{
	struct str told = STR_INIT;
	struct config *c = read_config(text, &told);

	if (c != NULL)
		fail_msg("taken: %s", text);
	if (strcmp(told.s, expected) != 0)
		fprintf(stderr, "expected:\n%sfound:\n%s", expected, told.s);
	assert_string_equal(told.s, expected);
	str_release(&told);
}

/* ---- a source that says all itself ---- */

static const char whole[] = HEAD
	"  a:\n"
	"    base_url: https://api.example/v1\n"
	"    secrets: {key: {env: KEY}, pem: {file: k.pem}}\n"
	"    config: {objects: [A, B], host: h}\n"
	"    auth:\n"
	"      type: oauth2\n"
	"      grant: jwt_bearer\n"
	"      token_url: \"https://{{config.host}}.example/token\"\n"
	"      jwt: {claims: {iss: me}, key: \"{{secret.pem}}\"}\n"
	"      capture: {instance_url: {body: $.instance_url}}\n"
	"    headers: {X-Key: \"{{secret.key}}\"}\n"
	"    rate_limits:\n"
	"      - {match: {path: '/q/*'}, limits: [5/s, 100/10s], per: stream,"
	" concurrency: 2}\n"
	"      - pace: {remaining: {header: R}, reset: {header: S}, unit: ms}\n"
	"    errors:\n"
	"      - when: {status: [400, 5xx, 420-430], phase: [page, poll],\n"
	"          field: {body: $.code}, values: [4, 17], contains: x}\n"
	"        do: rate_limited\n"
	"        wait: [{header: U, json: '$[*].m', unit: minutes},"
	" {fixed: 15m}]\n"
	"    retry: {max_attempts: 3, base: 2s, max: 5m, max_wait: PT2H}\n"
	"    pagination: {type: token, next: {header: Next}, end: ['null', ''],"
	" more: {body: $.more}}\n"
	"    allow_hosts: [files.example]\n"
	"    streams:\n"
	"      one:\n"
	"        request:\n"
	"          method: POST\n"
	"          path: '/q/{{partition.object}}'\n"
	"          query: {t: [a, b]}\n"
	"          json: {limit: 200, deep: [{v: '{{window.start:int}}'}],\n"
	"            t: '{{page.token}}', f: '{{lookup.fields}}', s: '1'}\n"
	"          timeout: {idle: 5m}\n"
	"        records: {path: '$.r[*]',"
	" also: [{path: '$.i[*]', stream: x, key: [$.t, $.id]}]}\n"
	"        key: [$.id, $.v]\n"
	"        incremental: {cursor: $.at, format: epoch_s, start: "
	"2026-01-02,"
	" window: P7D, lag: -P1D, lookback: PT1H, granularity: PT1M}\n"
	"        partitions: {values: {object: '{{config.objects}}'},"
	" state: each}\n"
	"        lookups:\n"
	"          fields:\n"
	"            request: {path: '/d/{{partition.object}}'}\n"
	"            select: '$.f[*].name'\n"
	"            where: {path: '$.f[*].type', not_in: [a, b]}\n"
	"            join: ','\n"
	"        deletes: [{flag: $.gone}, {event: $.t, suffix: .del,"
	" key: $.o.id}, {stream: two}]\n"
	"      two:\n"
	"        request: {url: 'https://other.example/x'}\n"
	"        auth: {type: basic, username: u,"
	" password: '{{secret.key}}'}\n"
	"        pagination: {type: none}\n"
	"        errors: [{when: {status: 404}, do: empty}]\n"
	"        decode: [gzip, jsonl]\n"
	"        key: $.id\n"
	"        enabled: false\n"
	"      three:\n"
	"        request: {path: /y}\n"
	"        key: $.id\n"
	"        pagination: {type: none}\n"
	"        reconcile: {every: P7D, list: self}\n";

static void
test_every_block_is_read(void **state UNUSED)
{
	struct config *c = good(whole);
	const struct api *a = c->source[0].api;
	const struct api_stream *one = &a->stream[0], *two = &a->stream[1];
	const struct api_rule *rule = &a->rules.row[0];

	assert_int_equal(c->source[0].kind, SOURCE_HTTP);
	assert_int_equal(a->n_streams, 3);
	assert_int_equal(a->auth.grant, API_GRANT_JWT_BEARER);
	assert_string_equal(a->auth.jwt.alg, "RS256");
	assert_int_equal(a->auth.n_capture, 2);
	assert_string_equal(a->auth.capture[1].name, "access_token");
	assert_int_equal(a->auth.expires.from, API_FROM_BODY);
	assert_string_equal(a->secret[1].where.word[0], "/etc/lf/k.pem");
	assert_int_equal(a->config[0].value.n, 2);

	assert_int_equal(a->rates.n, 2);
	assert_int_equal(a->rates.row[0].limit[1].requests, 100);
	assert_true(a->rates.row[0].limit[1].per == 10 * CLOCK_SECOND);
	assert_int_equal(a->rates.row[0].scope, API_PER_STREAM);
	assert_int_equal(a->rates.row[1].pace.unit, API_UNIT_MS);
	assert_int_equal(rule->n_status, 3);
	assert_int_equal(rule->status[1].to, 599);
	assert_int_equal(rule->status[2].from, 420);
	assert_int_equal(
		rule->phases, 1 << API_PHASE_PAGE | 1 << API_PHASE_POLL);
	assert_string_equal(rule->values.word[1], "17");
	assert_int_equal(rule->wait[0].from.from, API_FROM_HEADER_JSON);
	assert_int_equal(rule->wait[0].unit, API_UNIT_MINUTES);
	assert_true(rule->wait[1].fixed == 900 * CLOCK_SECOND);
	assert_int_equal(a->retry.max_attempts, 3);
	assert_true(a->retry.max_wait == 7200 * CLOCK_SECOND);

	assert_true(one->enabled);
	assert_int_equal(one->request.query.n, 2);
	assert_int_equal(one->request.json.child[0].kind, API_JSON_WORD);
	assert_int_equal(one->request.json.child[4].kind, API_JSON_STRING);
	assert_true(one->request.timeout.idle == 300 * CLOCK_SECOND);
	assert_true(one->request.timeout.connect == 10 * CLOCK_SECOND);
	assert_string_equal(one->records.also[0].stream, "x");
	assert_int_equal(one->key.n, 2);
	assert_true(
		one->incremental.start == INT64_C(1767312000) * CLOCK_SECOND);
	assert_true(one->incremental.lag == -86400 * CLOCK_SECOND);
	assert_true(one->incremental.align == 60 * CLOCK_SECOND);
	assert_int_equal(one->incremental.record_format.time, API_TIME_EPOCH_S);
	assert_string_equal(one->partitions.row[0].values.word[1], "B");
	assert_true(one->partitions.state_each);
	assert_true(one->lookup[0].per_partition);
	assert_false(one->lookup[0].where_in);
	assert_int_equal(one->deletes.row[0].kind, API_DELETE_FLAG);
	assert_string_equal(one->deletes.row[0].equals.word[0], "true");
	assert_int_equal(one->deletes.row[1].kind, API_DELETE_EVENT);
	assert_int_equal(one->deletes.row[2].stream, 1);
	assert_int_equal(a->stream[2].reconcile.list, 2);
	assert_int_equal(a->stream[2].reconcile.max_absent_percent, 5);

	/* What has none of its own has the top's; deletes come along. */
	assert_ptr_equal(one->auth, &a->auth);
	assert_ptr_equal(one->rules, &a->rules);
	assert_ptr_not_equal(two->auth, &a->auth);
	assert_ptr_equal(two->rules->then, &a->rules);
	assert_int_equal(two->decode->n, 2);
	assert_true(two->enabled);
	assert_true(two->deletes_only);
	config_free(c);
}

/* ---- mistakes ---- */

/* A source, then its keys from line 5 on. */
#define API(keys) HEAD "  a:\n    base_url: https://x.example\n" keys
#define STREAM(keys) API("    streams:\n      s:\n" keys)

static void
test_mistakes_have_a_place(void **state UNUSED)
{
	assert_told(STREAM("        reqest: {path: /x}\n"
			   "        request: {path: /x, metod: POST}\n"),
		"f:8:9: error: unknown key reqest; did you mean request?\n"
		"f:9:29: error: unknown key metod; did you mean method?\n");
	assert_told(STREAM("        request: {path: x}\n"
			   "        lag: 5m\n"),
		"f:8:25: error: request.path: expected a path that begins "
		"with /\n"
		"f:9:9: error: unknown key lag; it belongs in incremental\n");
	assert_told(HEAD "  a:\n    base_url: https://x\n",
		"f:4:3: error: streams is missing: what is there to be "
		"polled\n");
	assert_told(API("    streams: {s: {request: {path: /x}}}\n"
			"    match: ['*']\n"),
		"f:7:5: error: match: does not go with an API that is "
		"polled\n");
	assert_told(HEAD "  a:\n    drop: {path: /d}\n    auth: {}\n",
		"f:6:5: error: auth: goes with an API that is polled; say "
		"profile: NAME\n");
	assert_told(STREAM("        request: {path: '/{{secret.k}}',"
			   " query: {a: '{{window.start}}',"
			   " b: '{{config.z}}'}}\n"),
		"f:8:25: error: {{secret.k}}: secrets stand in auth, headers, "
		"query and form only\n"
		"f:8:53: error: {{window.start}}: the stream has no "
		"incremental\n"
		"f:8:76: error: {{config.z}}: is not declared under "
		"config\n");
	assert_told(STREAM("        request: {path: /x, query: {a: '{{page}}'}}"
			   "\n"),
		"f:8:40: error: request.query: {{page}}: expected a variable "
		"such as {{window.start}}\n");
}

static void
test_combinations_that_cannot_be(void **state UNUSED)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{STREAM("        request: {path: /x}\n"
			"        pagination: {type: token,"
			" next: {body: $.n}}\n"),
			"every page would be the first"},
		{STREAM("        request: {path: /x}\n"
			"        pagination: {type: token}\n"),
			"type token needs next"},
		{STREAM("        request: {path: /x}\n"
			"        incremental: {start: 2026-01-01}\n"),
			"no request of s uses a {{window...}}"},
		{STREAM("        request: {path: /x, query: {a: "
			"'{{window.start}}'}}\n"
			"        incremental: {start: 2026-01-01,"
			" commit: page, cursor: $.a}\n"),
			"page needs kind token or order asc"},
		{STREAM("        request: {path: /x, query: {a: "
			"'{{window.start}}'}}\n"
			"        incremental: {start: 2026-01-01,"
			" format: date, granularity: 1h}\n"),
			"finer than the format can say"},
		{STREAM("        request: {path: /x, query: {a: "
			"'{{window.start}}'}}\n"
			"        incremental: {lookback: 1h}\n"),
			"start is missing"},
		{STREAM("        request: {path: /x}\n"
			"        immutable: true\n"),
			"known by what? add key"},
		{STREAM("        request: {path: /x}\n"
			"        decode: [json, gzip]\n"),
			"nothing comes behind json"},
		{STREAM("        request: {path: /x}\n"
			"        decode: csv\n        key: $.id\n"),
			"write a column's name"},
		{STREAM("        request: {path: /x}\n        key: id\n"),
			"expected a path such as $.id"},
		{STREAM("        request: {path: /x}\n"
			"        errors: [{when: {status: 400},"
			" do: split_window}]\n"),
			"there are no windows"},
		{STREAM("        request: {path: /x}\n"
			"        errors: [{when: {status: 429}, do: "
			"rate_limited, wait: {midnight: Europe/Paree}}]\n"),
			"midnight: Europe/Paree"},
		{STREAM("        request: {path: /x}\n"
			"        errors: [{when: {status: 429}, do: "
			"rate_limited, wait: {midnight: '{{config.q}}'}}]\n"),
			"midnight: expected a time zone"},
		{STREAM("        request: {path: /x}\n"
			"        errors: [{when: {status: 429}, do: "
			"rate_limited, wait: {midnight: UTC, unit: s}}]\n"),
			"midnight stands alone"},
		{STREAM("        request: {path: /x}\n"
			"        reconcile: {every: 1d, list: q}\n"
			"        key: $.id\n"),
			"there is no stream q"},
		{STREAM("        request: {path: /x, json: {a: 1}}\n"),
			"a GET has no body"},
		{STREAM("        request: {path: '/x?a=1'}\n"),
			"belongs in query"},
		{STREAM("        request: {path: /x}\n"
			"        partitions: {from: t, select: {i: $.id}}\n"
			"      t:\n        request: {path: /y}\n"
			"        partitions: {from: s, select: {i: $.id}}\n"),
			"the streams are made of each other"},
		{API("    auth: {type: bearer, token: sk_live_1}\n"
		     "    streams: {s: {request: {path: /x}}}\n"),
			"a secret does not stand here itself"},
		{API("    auth: {type: header, value: '{{secret.k}}'}\n"
		     "    streams: {s: {request: {path: /x}}}\n"),
			"type header needs name"},
		{API("    streams: {s: {request: {path: /x},"
		     " job: {create: {path: /y}}}}\n"),
			"a request or a job"},
		{HEAD "  a:\n    base_url: http://x.example\n"
		      "    streams: {s: {request: {path: /x}}}\n",
			"allow_plaintext"},
		{HEAD "  a:\n    base_url: http://127.0.0.1.evil.example\n"
		      "    streams: {s: {request: {path: /x}}}\n",
			"allow_plaintext"},
		{HEAD "  a:\n    profile: none-such\n", "there is no"},
		{API("    ca_file: [a]\n"
		     "    streams: {s: {request: {path: /x}}}\n"),
			"ca_file: expected text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str told = STR_INIT;
		struct config *c = read_config(rows[i].text, &told);

		if (c != NULL)
			fail_msg("row %zu is taken: %s", i, rows[i].told);
		if (strstr(told.s, rows[i].told) == NULL)
			fail_msg("row %zu: %s", i, told.s);
		str_release(&told);
	}
}

/* ---- profiles ---- */

static void
test_mistakes_of_a_profile(void **state UNUSED)
{
	char dir[SCRATCH_PATH];
	int fd = scratch_make(dir);
	struct str told = STR_INIT, want = STR_INIT;

	scratch_file(fd, "p.yaml",
		"version: 1\nbase_url: https://x\nconfig: {a: {required: "
		"true}}\nstreams:\n  s: {request: {path: /x}, colour: red}\n");
	assert_int_equal(setenv("LANDFALL_PROFILES", dir, 1), 0);
	/* Two sources use it: its mistake is one. */
	assert_null(read_config(HEAD "  a:\n    profile: p\n"
				     "    config: {a: 1}\n"
				     "    streams: {s: {color: blue}}\n"
				     "  b:\n    profile: p\n",
		&told));
	str_addf(&want,
		"f:7:19: error: unknown key color; known here: request, "
		"records, key, immutable, start, incremental, partitions, "
		"lookups, job, deletes, reconcile, land, enabled, "
		"min_interval, auth, headers, rate_limits, errors, retry, "
		"pagination, decode\n"
		"f:8:3: error: config: the profile needs a; add config: {a: "
		"...} to the source\n"
		"%s/p.yaml:5:28: error: unknown key colour; known here: "
		"request, records, key, immutable, start, incremental, "
		"partitions, lookups, job, deletes, reconcile, land, enabled, "
		"min_interval, auth, headers, rate_limits, errors, retry, "
		"pagination, decode\n",
		dir);
	assert_string_equal(told.s, want.s);
	unsetenv("LANDFALL_PROFILES");
	str_release(&told);
	str_release(&want);
	close(fd);
	scratch_remove(dir);
}

static void
test_the_source_overrides(void **state UNUSED)
{
	struct config *c;
	const struct api *a;

	assert_int_equal(setenv("LANDFALL_PROFILES", SRCDIR "/profiles", 1), 0);
	c = good(HEAD "  k:\n    profile: klaviyo\n"
		      "    base_url: http://127.0.0.1:8080\n"
		      "    secrets: {api_key: {env: K}}\n"
		      "    headers: {revision: '2027-01-01'}\n"
		      "    pagination: {type: none}\n"
		      "    streams:\n"
		      "      profiles: {start: '2026-01-01T00:00:00Z'}\n"
		      "      campaigns:\n");
	a = c->source[0].api;
	assert_string_equal(a->base_url.part[0].text, "http://127.0.0.1:8080");
	assert_int_equal(a->header.n, 2);
	assert_string_equal(a->header.row[0].value.part[0].text, "2027-01-01");
	assert_int_equal(a->pagination.type, API_PAGES_NONE);
	assert_false(a->stream[api_find(a, "events")].enabled);
	assert_true(a->stream[api_find(a, "profiles")].enabled);
	assert_true(a->stream[api_find(a, "campaigns")].enabled);
	assert_false(a->stream[api_find(a, "profile_ids")].enabled);
	assert_true(a->stream[api_find(a, "profiles")].incremental.start ==
		INT64_C(1767225600) * CLOCK_SECOND);
	assert_true(a->stream[api_find(a, "profiles")].incremental.window ==
		30 * 86400 * CLOCK_SECOND);
	config_free(c);
	unsetenv("LANDFALL_PROFILES");
}

/* The sample source in a profile's head comment, indented as it is there. */
static void
add_sample(const char *name, struct str *s)
{
	CLEANUP(str_release) struct str text = STR_INIT, path = STR_INIT;
	struct err e = ERR_INIT;
	bool inside = false;

	str_addf(&path, SRCDIR "/profiles/%s", name);
	must(io_read_file(AT_FDCWD, path.s, 1 << 20, &text, BAD_ITEM, &e), &e);
	for (const char *line = text.s; *line == '#';) {
		size_t len = strcspn(line, "\n");
		bool sample = len > 4 && memcmp(line, "#   ", 4) == 0;

		if (inside && !sample)
			break;
		inside = sample;
		if (sample) {
			str_addn(s, line + 2, len - 2);
			str_addc(s, '\n');
		}
		line += len + 1;
	}
	if (!inside && s->len == 0)
		fail_msg("%s has no sample", name);
}

static void
test_shipped_profiles(void **state UNUSED)
{
	DIR *d = opendir(SRCDIR "/profiles");
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(d);
	assert_int_equal(setenv("LANDFALL_PROFILES", SRCDIR "/profiles", 1), 0);
	while ((entry = readdir(d)) != NULL) {
		struct str text = STR_INIT;
		struct config *c;

		if (strstr(entry->d_name, ".yaml") == NULL)
			continue;
		str_add(&text, HEAD);
		add_sample(entry->d_name, &text);
		c = good(text.s);
		assert_int_equal(c->n_sources, 1);
		assert_non_null(c->source[0].api);
		config_free(c);
		str_release(&text);
		n++;
	}
	closedir(d);
	assert_true(n >= 5);
	unsetenv("LANDFALL_PROFILES");
}

/* What people will copy. */
static void
test_the_example_of_the_readme(void **state UNUSED)
{
	CLEANUP(str_release) struct str page = STR_INIT, text = STR_INIT;
	struct err e = ERR_INIT;
	const char *from, *line;
	struct config *c;
	unsigned n = 0;

	must(io_read_file(
		     AT_FDCWD, SRCDIR "/README.md", 1 << 20, &page, BROKEN, &e),
		&e);
	from = strstr(page.s, "## Add an API");
	assert_non_null(from);
	from = strstr(from, "    sources:\n");
	assert_non_null(from);
	str_add(&text, "zone: /lf/zone\nstate: /lf/state\n");
	for (line = from; strncmp(line, "    ", 4) == 0; n++) {
		size_t len = strcspn(line, "\n") + 1;

		str_addn(&text, line + 4, len - 4);
		line += len;
	}
	assert_true(n <= 30);
	c = good(text.s);
	assert_int_equal(c->source[0].api->n_streams, 1);
	config_free(c);
}

static void
test_the_manual_page_has_the_table(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct str page = STR_INIT, blocks = STR_INIT;

	must(io_read_file(AT_FDCWD, SRCDIR "/doc/landfall-profile.5", 1 << 20,
		     &page, BROKEN, &e),
		&e);
	str_add(&blocks, ".Sh BLOCKS\n");
	config_help_profile_mdoc(&blocks);
	str_add(&blocks, ".Sh OVERRIDING\n");
	if (strstr(page.s, blocks.s) == NULL)
		fail_msg("BLOCKS of doc/landfall-profile.5 should be:\n%s",
			blocks.s);
	str_release(&blocks);
	str_release(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_block_is_read),
		cmocka_unit_test(test_mistakes_have_a_place),
		cmocka_unit_test(test_combinations_that_cannot_be),
		cmocka_unit_test(test_mistakes_of_a_profile),
		cmocka_unit_test(test_the_source_overrides),
		cmocka_unit_test(test_shipped_profiles),
		cmocka_unit_test(test_the_example_of_the_readme),
		cmocka_unit_test(test_the_manual_page_has_the_table),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
