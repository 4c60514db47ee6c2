/*
 * config/: what landfall.yaml says; that the table, its defaults and the
 * manual agree.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "config/option.h"
#include "config/parse.h"
#include "config/value.h"
#include "landfall/config.h"

#include "config-text.h"

static struct config *
good(const char *text)
{
	struct report r = REPORT_INIT;
	struct config *c = NULL;

	if (!parse_config(text, strlen(text), "/etc/lf/f", &c, &r)) {
		struct str s = STR_INIT;

		report_write(&r, "f", &s);
		fail_msg("%s", s.s);
	}
	report_release(&r);
	return c;
}

static void
test_every_key_is_read(void **state UNUSED)
{
	struct config *c =
		good("zone: zone\n"
		     "state: ../state/./x//\n"
		     "origin: lake.example.com/landing\n"
		     "level: 7\n"
		     "limits: {workers: 3, memory: 1 GiB, "
		     "free_space: 1000}\n"
		     "sources:\n"
		     "  acme.orders-1:\n"
		     "    drop: {path: /srv/drop, recursive: false}\n"
		     "    match: ['*.csv', 'in/*.txt']\n"
		     "    ignore: '*.bak'\n"
		     "    ready: {stable: 5m}\n"
		     "    duplicates: land\n"
		     "    after: {move: ./done//2026/}\n"
		     "    format: csv\n"
		     "    csv:\n"
		     "      delimiter: ';'\n"
		     "      quote: \"'\"\n"
		     "      escape: backslash\n"
		     "      terminator: crlf\n"
		     "      header: 2\n"
		     "      trailer: {prefix: 'TRL;'}\n"
		     "      comment: '#'\n"
		     "      columns: 12\n"
		     "      encoding: utf-16le\n"
		     "      max_record: 1MiB\n"
		     "      resync: false\n"
		     "      strict: true\n"
		     "  fixed:\n"
		     "    drop: {path: /srv/fixed}\n"
		     "    ignore: []\n"
		     "    after: delete\n"
		     "    ready: {stable: 0s}\n"
		     "    format: fixed\n"
		     "    fixed: {length: 80}\n"
		     "  lines:\n"
		     "    drop: {path: /srv/lines}\n"
		     "    format: lines\n"
		     "    lines: {encoding: latin1, terminator: lf,"
		     " max_record: 64KiB}\n"
		     "  nd:\n"
		     "    drop: {path: /srv/nd}\n"
		     "    format: ndjson\n"
		     "    ndjson: {max_record: 2MiB}\n");
	const struct source_config *s = &c->source[0];

	assert_string_equal(c->path, "/etc/lf/f");
	assert_string_equal(c->zone, "/etc/lf/zone");
	assert_string_equal(c->state, "/etc/state/x");
	assert_string_equal(c->origin, "lake.example.com/landing");
	assert_int_equal(c->level, 7);
	assert_int_equal(c->limits.workers, 3);
	assert_int_equal(c->limits.memory, 1 << 30);
	assert_int_equal(c->limits.free_space, 1000);
	assert_int_equal(c->n_sources, 4);

	assert_string_equal(s->name, "acme.orders-1");
	assert_int_equal(s->line, 7);
	assert_int_equal(s->kind, SOURCE_DROP);
	assert_string_equal(s->drop.path, "/srv/drop");
	assert_false(s->drop.recursive);
	assert_int_equal(s->match.n, 2);
	assert_string_equal(s->match.glob[0], "*.csv");
	assert_string_equal(s->match.glob[1], "in/*.txt");
	assert_int_equal(s->ignore.n, 1);
	assert_string_equal(s->ignore.glob[0], "*.bak");
	assert_true(s->ready.rule[0].time == INT64_C(300000000000));
	assert_int_equal(s->duplicates, DUPLICATE_LAND);
	assert_int_equal(s->after.action, AFTER_MOVE);
	assert_string_equal(s->after.folder, "done/2026");
	assert_int_equal(s->dialect.format, SCAN_CSV);
	assert_int_equal(s->dialect.delimiter, ';');
	assert_int_equal(s->dialect.quote, '\'');
	assert_int_equal(s->dialect.escape, ESCAPE_BACKSLASH);
	assert_int_equal(s->dialect.terminator, TERMINATOR_CRLF);
	assert_int_equal(s->dialect.header, 2);
	assert_int_equal(s->dialect.trailer, 0);
	assert_int_equal(s->dialect.trailer_prefix_len, 4);
	assert_memory_equal(s->dialect.trailer_prefix, "TRL;", 4);
	assert_int_equal(s->dialect.comment, '#');
	assert_int_equal(s->dialect.columns, 12);
	assert_int_equal(s->dialect.encoding, ENCODING_UTF16LE);
	assert_int_equal(s->dialect.max_record, 1 << 20);
	assert_false(s->dialect.resync);
	assert_true(s->dialect.strict);

	s++;
	assert_int_equal(s->ignore.n, 0);
	assert_int_equal(s->after.action, AFTER_DELETE);
	assert_null(s->after.folder);
	assert_int_equal(s->ready.rule[0].time, 0);
	assert_int_equal(s->dialect.format, SCAN_FIXED);
	assert_int_equal(s->dialect.length, 80);
	s++;
	assert_int_equal(s->dialect.format, SCAN_LINES);
	assert_int_equal(s->dialect.encoding, ENCODING_LATIN1);
	assert_int_equal(s->dialect.terminator, TERMINATOR_LF);
	assert_int_equal(s->dialect.max_record, 65536);
	s++;
	assert_int_equal(s->dialect.format, SCAN_NDJSON);
	assert_int_equal(s->dialect.max_record, 2 << 20);

	assert_ptr_equal(config_source(c, "nd"), s);
	assert_null(config_source(c, "ndx"));
	assert_string_equal(config_nearest_source(c, "fxied"), "fixed");
	assert_null(config_nearest_source(c, "klaviyo"));
	config_free(c);
}

static bool
have_tzdata(void)
{
	return access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0;
}

static void
test_schedules_and_contracts_are_read(void **state UNUSED)
{
	struct config *c;
	const struct schedule *s;
	const struct expect *x;

	if (!have_tzdata()) {
		fprintf(stderr, "skipped: no time zones (package tzdata)\n");
		skip();
	}
	c = good(HEAD "sources:\n"
		      "  acme-orders:\n"
		      "    drop: {path: /a}\n"
		      "    schedule: {every: 5m, window: \"01:00-05:30\", "
		      "zone: Europe/Berlin}\n"
		      "    expect: {by: \"06:00\", zone: Europe/Berlin, days: "
		      "mon-fri, files: 1.., grace: 30m}\n"
		      "  b:\n"
		      "    drop: {path: /b}\n"
		      "    schedule:\n"
		      "      cron: '30 2 * * mon-fri'\n"
		      "      window: 22:00-24:00\n"
		      "      days: [sat-mon, wed, month-end]\n"
		      "      jitter: 90s\n"
		      "      blackout: [2026-12-25, 2026-01-01]\n"
		      "    expect:\n"
		      "      by: 6:05\n"
		      "      days: tue, thu,sat\n"
		      "      files: 3\n"
		      "      bytes: 1KiB..2 MiB\n"
		      "      records: ..500\n"
		      "      holidays: 2028-02-29\n"
		      "  c: {drop: {path: /c}}\n");
	s = &c->source[0].schedule;
	x = &c->source[0].expect;
	assert_true(s->every == INT64_C(300000000000));
	assert_null(s->cron);
	assert_true(s->window.set);
	assert_int_equal(s->window.from, 60);
	assert_int_equal(s->window.to, 330);
	assert_non_null(s->zone);
	assert_int_equal(s->jitter, 0);
	assert_true(x->set);
	assert_int_equal(x->by, 360);
	assert_non_null(x->zone);
	assert_true(x->grace == INT64_C(1800000000000));
	for (int d = 0; d < 7; d++)
		assert_int_equal(x->days.weekday[d], d >= 1 && d <= 5);
	assert_int_equal(x->files.least, 1);
	assert_true(x->files.most == UINT64_MAX);
	assert_int_equal(x->bytes.least, 0);
	assert_true(x->records.most == UINT64_MAX);

	s = &c->source[1].schedule;
	x = &c->source[1].expect;
	assert_int_equal(s->every, 0);
	assert_non_null(s->cron);
	assert_null(s->zone);
	assert_int_equal(s->window.from, 1320);
	assert_int_equal(s->window.to, 1440);
	for (int d = 0; d < 7; d++)
		assert_int_equal(
			s->days.weekday[d], d <= 1 || d == 3 || d == 6);
	assert_true(s->days.month_end);
	assert_int_equal(s->days.n_holidays, 2);
	assert_int_equal(s->days.holidays[0], 20260101);
	assert_int_equal(s->days.holidays[1], 20261225);
	assert_true(s->jitter == INT64_C(90000000000));
	assert_int_equal(x->by, 365);
	for (int d = 0; d < 7; d++)
		assert_int_equal(
			x->days.weekday[d], d == 2 || d == 4 || d == 6);
	assert_false(x->days.month_end);
	assert_int_equal(x->days.n_holidays, 1);
	assert_int_equal(x->days.holidays[0], 20280229);
	assert_int_equal(x->files.least, 3);
	assert_int_equal(x->files.most, 3);
	assert_int_equal(x->bytes.least, 1024);
	assert_int_equal(x->bytes.most, 2 << 20);
	assert_int_equal(x->records.least, 0);
	assert_int_equal(x->records.most, 500);
	assert_int_equal(x->grace, 0);

	assert_false(c->source[2].expect.set);
	assert_int_equal(c->source[2].schedule.every, 0);
	assert_null(c->source[2].schedule.cron);
	config_free(c);
}

/* The rows of totals, and their places. */
static void
test_totals_and_drift(void **state UNUSED)
{
	struct config *c =
		good(HEAD "sources:\n"
			  "  s:\n"
			  "    drop: {path: /d}\n"
			  "    format: csv\n"
			  "    csv: {trailer: 1}\n"
			  "    drift: quarantine\n"
			  "    ignore: ['*.bak']\n"
			  "    totals:\n"
			  "      records: {side: \"{name}.ctl\"}\n"
			  "      sum:\n"
			  "      - {field: 3, trailer_field: 4, decimal: ','}\n"
			  "      - {field: 5, header_field: 2}\n"
			  "  n:\n"
			  "    drop: {path: /n}\n"
			  "    format: lines\n"
			  "    totals: {records: {name: 'x_#.txt'}}\n");
	const struct source_config *s = &c->source[0];
	const struct total *t = s->totals.row;

	assert_int_equal(s->drift, DRIFT_QUARANTINE);
	assert_int_equal(s->totals.n, 3);
	assert_int_equal(t[0].of, TOTAL_RECORDS);
	assert_int_equal(t[0].from, TOTAL_SIDE);
	assert_string_equal(t[0].pattern, "{name}.ctl");
	assert_int_equal(t[1].of, TOTAL_SUM);
	assert_int_equal(t[1].field, 3);
	assert_int_equal(t[1].from, TOTAL_TRAILER);
	assert_int_equal(t[1].at, 4);
	assert_int_equal(t[1].mark, ',');
	assert_int_equal(t[2].field, 5);
	assert_int_equal(t[2].from, TOTAL_HEADER);
	assert_int_equal(t[2].mark, '.');
	assert_int_equal(s->ignore.n, 1);
	assert_string_equal(s->ignore.glob[0], "*.bak");
	s++;
	assert_int_equal(s->drift, DRIFT_LAND);
	assert_int_equal(s->totals.n, 1);
	assert_int_equal(s->totals.row[0].from, TOTAL_NAME);
	assert_int_equal(s->ignore.n, 4);
	config_free(c);
}

static void
test_defaults_are_those_of_the_manual(void **state UNUSED)
{
	static const char *const ignored[] = {
		"*.filepart", "*.part", "*.tmp", ".*"};
	struct config *c = good(HEAD "sources: {s: {drop: {path: d}}}\n");
	const struct source_config *s = config_source(c, "s");
	char host[300] = "";

	gethostname(host, sizeof(host) - 10);
	strcat(host, "/landing");
	assert_string_equal(c->origin, host);
	assert_int_equal(c->level, 3);
	assert_int_equal(c->limits.workers, 0);
	assert_int_equal(c->limits.memory, 256 << 20);
	assert_true(c->limits.free_space == CONFIG_FREE_SPACE_AUTO);
	assert_string_equal(s->drop.path, "/etc/lf/d");
	assert_true(s->drop.recursive);
	assert_int_equal(s->match.n, 0);
	assert_int_equal(s->ignore.n, ARRAY_LEN(ignored));
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		assert_string_equal(s->ignore.glob[i], ignored[i]);
	assert_true(s->ready.rule[0].time == INT64_C(2000000000));
	assert_int_equal(s->ready.n, 1);
	assert_int_equal(s->duplicates, DUPLICATE_NOTE);
	assert_int_equal(s->after.action, AFTER_KEEP);
	assert_null(s->after.folder);
	assert_int_equal(s->dialect.format, SCAN_OPAQUE);
	config_free(c);

	c = good(CSV("      header: 0\n"));
	assert_int_equal(c->source[0].dialect.columns, SCAN_COLUMNS_ANY);
	config_free(c);
	c = good(CSV("      header: 1\n"));
	assert_int_equal(c->source[0].dialect.columns, SCAN_COLUMNS_HEADER);
	config_free(c);

	c = good(HEAD);
	assert_int_equal(c->n_sources, 0);
	config_free(c);
	c = good(HEAD "sources:\n  # none yet\nlimits:\n");
	assert_int_equal(c->n_sources, 0);
	config_free(c);
}

/* Width of the field a row fills. */
static size_t
width(const struct option *o)
{
	switch (o->type) {
	case OPTION_BOOL:
	case OPTION_BYTE:
		return 1;
	case OPTION_SIZE:
		return 8;
	case OPTION_TRAILER:
		return sizeof(struct dialect);
	default:
		return 4;
	}
}

/* A default that the table states and dialect_init() has must be one. */
static void
test_the_table_and_dialect_init_agree(void **state UNUSED)
{
	size_t seen = 0;

	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);
		const char *name = option_name(o);
		struct str text = STR_INIT;
		struct config *c;
		size_t n = strcspn(name, ".");

		if (o->source != FALLBACK_DIALECT || o->fallback == NULL)
			continue;
		seen++;
		str_add(&text, HEAD "sources:\n  a:\n    drop: {path: /a}\n");
		str_addf(&text, "    format: %.*s\n", (int)n, name);
		str_add(&text, "  b:\n    drop: {path: /b}\n");
		str_addf(&text, "    format: %.*s\n", (int)n, name);
		str_addf(&text, "    %.*s:\n      %s: %s\n", (int)n, name,
			name + n + 1, o->fallback);
		c = good(text.s);
		if (memcmp((char *)&c->source[0] + o->offset,
			    (char *)&c->source[1] + o->offset, width(o)) != 0)
			fail_msg("%s: the default is not %s", o->path,
				o->fallback);
		config_free(c);
		str_release(&text);
	}
	assert_true(seen > 10);
}

/* ---- a partner's server ---- */

#define PIN "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
test_a_server_is_read(void **state UNUSED)
{
	struct config *c = good(
		SFTP("      host: sftp.acme.example\n"
		     "      port: 2022\n"
		     "      user: landfall\n"
		     "      key: {file: keys/acme}\n"
		     "      passphrase: {credential: acme-key}\n"
		     "      agent: /run/agent.sock\n"
		     "      password: {env: ACME}\n"
		     "      host_key: [\"" PIN "\", \"" PIN "\"]\n"
		     "      path: ./outbound//daily/\n"
		     "      depth: 3\n"
		     "      symlinks: follow\n"
		     "      connections: 4\n"
		     "      max_rate: 10MiB\n"
		     "      order: large-first\n"
		     "      timeouts: {connect: 5s, auth: 6s, idle: 7s}\n"
		     "      keepalive: 8s\n"
		     "      algorithms: [cbc, sha1-kex]\n"
		     "      retry: {attempts: 9, base: 10s, ceiling: 11m}\n"));
	const struct sftp_config *s = &c->source[0].sftp;

	assert_int_equal(c->source[0].kind, SOURCE_SFTP);
	assert_string_equal(s->host, "sftp.acme.example");
	assert_int_equal(s->port, 2022);
	assert_string_equal(s->user, "landfall");
	assert_int_equal(s->key.kind, SECRET_FILE);
	assert_string_equal(s->key.word[0], "/etc/lf/keys/acme");
	assert_int_equal(s->passphrase.kind, SECRET_CREDENTIAL);
	assert_int_equal(s->password.kind, SECRET_ENV);
	assert_string_equal(s->agent, "/run/agent.sock");
	assert_int_equal(s->host_key.n, 2);
	assert_string_equal(s->host_key.glob[1], PIN);
	assert_null(s->known_hosts);
	assert_string_equal(s->path, "outbound/daily");
	assert_true(s->recursive);
	assert_int_equal(s->depth, 3);
	assert_int_equal(s->symlinks, SYMLINKS_FOLLOW);
	assert_int_equal(s->connections, 4);
	assert_int_equal(s->max_rate, 10 << 20);
	assert_int_equal(s->order, ORDER_LARGE_FIRST);
	assert_true(s->connect_timeout == INT64_C(5000000000));
	assert_true(s->auth_timeout == INT64_C(6000000000));
	assert_true(s->idle_timeout == INT64_C(7000000000));
	assert_true(s->keepalive == INT64_C(8000000000));
	assert_int_equal(s->algorithms, SFTP_WIDEN_CBC | SFTP_WIDEN_SHA1_KEX);
	assert_int_equal(s->retry.attempts, 9);
	assert_true(s->retry.base == INT64_C(10000000000));
	assert_true(s->retry.ceiling == INT64_C(660000000000));
	config_free(c);

	c = good(SFTP("      host: '::1'\n"
		      "      user: u\n"
		      "      agent: /a\n"
		      "      known_hosts: known\n"
		      "      path: /\n"));
	s = &c->source[0].sftp;
	assert_string_equal(s->host, "::1");
	assert_int_equal(s->port, 22);
	assert_string_equal(s->known_hosts, "/etc/lf/known");
	assert_string_equal(s->path, "/");
	assert_int_equal(s->connections, 2);
	assert_int_equal(s->algorithms, 0);
	config_free(c);
}

static void
test_units_are_exact(void **state UNUSED)
{
	struct str s = STR_INIT;
	uint64_t size = 7;
	int64_t ns = 7;

	assert_true(value_size("16777215TiB", &size));
	assert_true(size == UINT64_C(16777215) << 40);
	assert_false(value_size("16777216TiB", &size));
	assert_true(value_size("3 KiB", &size));
	assert_int_equal(size, 3072);
	assert_false(value_size("3  KiB", &size));
	assert_false(value_size("3kb", &size));
	assert_false(value_size("-3", &size));
	assert_false(value_size("1.5GiB", &size));
	assert_false(value_size("GiB", &size));
	assert_int_equal(size, 3072);
	assert_true(value_duration("250ms", &ns));
	assert_int_equal(ns, 250000000);
	assert_true(value_duration("0s", &ns));
	assert_int_equal(ns, 0);
	assert_true(value_duration("2d", &ns));
	assert_true(ns == INT64_C(172800000000000));
	assert_false(value_duration("0", &ns));
	assert_false(value_duration("106752d", &ns));
	assert_false(value_duration("1ns", &ns));
	value_add_size(&s, 1000), str_addc(&s, '|');
	value_add_size(&s, 0), str_addc(&s, '|');
	value_add_size(&s, 1536), str_addc(&s, '|');
	value_add_size(&s, 16 << 20), str_addc(&s, '|');
	value_add_duration(&s, UINT64_C(90000000000));
	assert_string_equal(s.s, "1000B|0B|1536B|16MiB|90s");
	str_release(&s);
}

static void
test_help_tells_every_option(void **state UNUSED)
{
	struct str text = STR_INIT;

	config_help(&text);
	assert_non_null(strstr(text.s,
		"limits.memory\n"
		"    a size such as 64MiB, 64MiB to 1TiB; default 256MiB\n"));
	for (size_t i = 0; i < option_count(); i++) {
		const char *last = strrchr(option_at(i)->path, '.');

		assert_non_null(strstr(
			text.s, last != NULL ? last : option_at(i)->path));
	}
	for (const char *line = text.s; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		assert_true(len <= 72);
		line += len + (line[len] == '\n');
	}
	str_release(&text);
}

/* landfall.yaml(5) cannot drift from the table. */
static void
test_whom_to_tell(void **state UNUSED)
{
	static const char text[] =
		"zone: z\nstate: s\n"
		"alert: {command: [/bin/page, -x], on: [late, recovered]}\n"
		"sources:\n"
		"  a: {drop: {path: a}}\n"
		"  b: {drop: {path: b}, alert: none}\n"
		"  c:\n"
		"    drop: {path: c}\n"
		"    alert: {url: 'https://x/', timeout: 5s,\n"
		"      header: {A: b, C: {credential: d}}}\n";
	struct report r = REPORT_INIT;
	struct config *c = NULL;
	const struct alert_config *a;

	assert_true(parse_config(text, strlen(text), "/e/l.yaml", &c, &r));
	a = c->source[0].alert;
	assert_ptr_equal(a, &c->alert);
	assert_int_equal(a->n_command, 2);
	assert_string_equal(a->command[1], "-x");
	assert_null(a->command[2]);
	assert_int_equal(a->on, 1u << ALERT_LATE | 1u << ALERT_RECOVERED);
	assert_int_equal(a->timeout, INT64_C(30000000000));
	assert_null(c->source[1].alert);
	a = c->source[2].alert;
	assert_string_equal(a->url, "https://x/");
	assert_int_equal(a->on, (1u << ALERT_EVENTS) - 1);
	assert_int_equal(a->timeout, INT64_C(5000000000));
	assert_int_equal(a->n_headers, 2);
	assert_string_equal(a->header[0].text, "b");
	assert_null(a->header[1].text);
	assert_int_equal(a->header[1].secret.kind, SECRET_CREDENTIAL);
	config_free(c);
	report_release(&r);
}

static void
test_archives(void **state UNUSED)
{
	static const char text[] = "zone: z\nstate: s\nsources:\n"
				   "  a: {drop: {path: a}}\n"
				   "  b: {drop: {path: b}, unpack: {}}\n"
				   "  c:\n"
				   "    drop: {path: c}\n"
				   "    unpack: {members: '*.csv', max_bytes: "
				   "5GiB, max_time: 1m,\n"
				   "      same_name: number, partial: allow, "
				   "keep_container: true,\n"
				   "      password: {env: P}}\n";
	struct report r = REPORT_INIT;
	struct config *c = NULL;
	const struct unpack_config *u;

	assert_true(parse_config(text, strlen(text), "/e/l.yaml", &c, &r));
	assert_false(c->source[0].unpack.set);
	u = &c->source[1].unpack;
	assert_true(u->set);
	assert_int_equal(u->members.n, 0);
	assert_int_equal(u->max_bytes, UINT64_C(20) << 30);
	assert_int_equal(u->max_ratio, 200);
	assert_int_equal(u->max_depth, 3);
	assert_int_equal(u->max_memory, 80 << 20);
	assert_int_equal(u->same_name, SAME_NAME_REFUSE);
	assert_int_equal(u->partial, PARTIAL_REFUSE);
	assert_false(u->keep_container);
	assert_int_equal(u->password.n, 0);
	u = &c->source[2].unpack;
	assert_string_equal(u->members.glob[0], "*.csv");
	assert_int_equal(u->max_bytes, UINT64_C(5) << 30);
	assert_int_equal(u->max_time, INT64_C(60000000000));
	assert_int_equal(u->same_name, SAME_NAME_NUMBER);
	assert_int_equal(u->partial, PARTIAL_ALLOW);
	assert_true(u->keep_container);
	assert_int_equal(u->password.kind, SECRET_ENV);
	config_free(c);
	report_release(&r);
	assert_mistakes("zone: z\nstate: s\nsources:\n"
			"  a:\n"
			"    drop: {path: a}\n"
			"    format: lines\n"
			"    totals: {records: {side: '{name}.c'}}\n"
			"    unpack: {max_depth: 9, password: hush,\n"
			"      max_member: 1KiB}\n",
		"f:7:13: error: totals: a side file speaks of a delivery, and "
		"unpack makes many of one: with it totals stand in a trailer, "
		"a header or a member's name\n"
		"f:8:25: error: unpack.max_depth: 9 is out of range, 1 to 8\n"
		"f:8:38: error: unpack.password: a secret does not stand here "
		"itself: write {credential: NAME}, {file: PATH}, {env: NAME} "
		"or {command: [PROGRAM, ARGUMENT]}\n");
}

static void
test_the_manual_page_has_the_table(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct str page = STR_INIT, options = STR_INIT;

	must(io_read_file(AT_FDCWD, SRCDIR "/doc/landfall.yaml.5", 1 << 20,
		     &page, BROKEN, &e),
		&e);
	str_add(&options, ".Sh OPTIONS\n");
	config_help_mdoc(&options);
	str_add(&options, ".Sh PARTNERS' SERVERS\n");
	if (strstr(page.s, options.s) == NULL)
		fail_msg("OPTIONS of doc/landfall.yaml.5 should be:\n%s",
			options.s);
	str_release(&options);
	str_release(&page);
}

/* The example that people will copy. */
static void
test_the_example_of_the_manual_page_is_right(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct str page = STR_INIT, text = STR_INIT;
	struct config *c;
	char *from, *to;

	must(io_read_file(AT_FDCWD, SRCDIR "/doc/landfall.yaml.5", 1 << 20,
		     &page, BROKEN, &e),
		&e);
	from = strstr(page.s, ".Bd -literal\n");
	assert_non_null(from);
	from = strchr(from, '\n') + 1;
	to = strstr(from, ".Ed\n");
	assert_non_null(to);
	for (; from < to; from++)
		if (from[0] != '\\')
			str_addc(&text, *from);
	c = good(text.s);
	assert_int_equal(c->n_sources, 4);
	assert_string_equal(c->source[0].name, "acme-orders");
	config_free(c);
	str_release(&text);
	str_release(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_read),
		cmocka_unit_test(test_a_server_is_read),
		cmocka_unit_test(test_schedules_and_contracts_are_read),
		cmocka_unit_test(test_totals_and_drift),
		cmocka_unit_test(test_defaults_are_those_of_the_manual),
		cmocka_unit_test(test_the_table_and_dialect_init_agree),
		cmocka_unit_test(test_units_are_exact),
		cmocka_unit_test(test_help_tells_every_option),
		cmocka_unit_test(test_archives),
		cmocka_unit_test(test_whom_to_tell),
		cmocka_unit_test(test_the_manual_page_has_the_table),
		cmocka_unit_test(test_the_example_of_the_manual_page_is_right),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
