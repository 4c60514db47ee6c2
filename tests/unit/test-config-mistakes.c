/*
 * config/: each mistake in landfall.yaml has its line, and no text is too
 * hostile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "config/yaml.h"
#include "landfall/config.h"

#include "config-text.h"

static void
test_twenty_mistakes_are_twenty_lines(void **state UNUSED)
{
	assert_mistakes("zone: /srv/lake\n"
			"state: /srv/lake/state\n"
			"origin: https://lake.example\n"
			"level: high\n"
			"limits: {workers: 1000, memory: 1MB}\n"
			"sources:\n"
			"  Acme: {drop: {path: /srv/a, recursiv: no}}\n"
			"  shop:\n"
			"    drop: {path: /srv/shop, recusrive: yes}\n"
			"    format: cvs\n"
			"    ready: {stable: 10}\n"
			"    duplicates: ignore\n"
			"    ftp: {host: example.org}\n"
			"  till:\n"
			"    drop: {path: /srv/shop}\n"
			"    format: csv\n"
			"    recursive: true\n"
			"    csv:\n"
			"      delimiter: ';;'\n"
			"      header: -1\n"
			"      trailer: {prefix: 1, lines: 2}\n"
			"      quote: ','\n"
			"  scale:\n"
			"    format: fixed\n"
			"  shop: {}\n",
		"f:2:8: error: state: /srv/lake/state and the zone /srv/lake "
		"overlap; the ledger's key must lie outside the zone\n"
		"f:3:9: error: origin: https://lake.example must be written "
		"without its scheme\n"
		"f:4:8: error: level: expected a number, 1 to 19, this is "
		"high\n"
		"f:5:19: error: limits.workers: 1000 is out of range, 1 to "
		"256\n"
		"f:5:33: error: limits.memory: expected a size such as 64MiB, "
		"64MiB to 1TiB, this is 1MB\n"
		"f:7:3: error: Acme: not a name for a source (lower-case "
		"letters, digits and ._-, a letter or digit first, at most "
		"64)\n"
		"f:7:31: error: unknown key recursiv; did you mean "
		"recursive?\n"
		"f:9:29: error: unknown key recusrive; did you mean "
		"recursive?\n"
		"f:10:13: error: format: cvs is not known; did you mean csv?\n"
		"f:11:21: error: ready: expected a duration in ms, s, m, h or "
		"d, such as 30s, up to 30d, this is 10\n"
		"f:12:17: error: duplicates: expected note or land, this is "
		"ignore\n"
		"f:13:5: error: unknown key ftp; did you mean sftp?\n"
		"f:15:18: error: drop.path: is the drop of shop (line 8) "
		"already\n"
		"f:17:5: error: unknown key recursive; it belongs in drop or "
		"sftp\n"
		"f:19:18: error: csv.delimiter: expected one ASCII character "
		"in quotes, or tab, this is ;;\n"
		"f:20:15: error: csv.header: expected a number, 0 to 1000, "
		"this is -1\n"
		"f:21:16: error: csv.trailer: expected {prefix: TEXT} or a "
		"number, 0 to 16, this is a mapping\n"
		"f:22:14: error: csv.quote: is the same character as "
		"csv.delimiter\n"
		"f:23:3: error: scale: no place to take deliveries from; add "
		"drop: {path: DIRECTORY} or sftp: {host: NAME}\n"
		"f:23:3: error: fixed.length is missing: the bytes in a "
		"record\n"
		"f:25:3: error: shop is given twice; the first is on line "
		"8\n");
}

static void
test_mistakes_about_a_server(void **state UNUSED)
{
	assert_mistakes(SFTP("      host: h\n"
			     "      user: u\n"
			     "      key: {file: id.pub}\n"
			     "      known_hosts: k\n"),
		"f:8:12: error: sftp.key: id.pub is the public half of a key, "
		"which is for the partner; here goes the private one, in the "
		"file without .pub\n");
	assert_mistakes(SFTP("      path: in\n"),
		"f:5:5: error: sftp.host is missing\n"
		"f:5:5: error: sftp.user is missing\n"
		"f:5:5: error: sftp.key is missing: add key, agent or "
		"password, each saying where the secret is\n"
		"f:5:5: error: sftp.host_key is missing: without it or "
		"known_hosts nobody vouches for the server; ask the partner "
		"for its fingerprint, SHA256:...\n");
	assert_mistakes(SFTP("      host: sftp://acme.example/in\n"
			     "      user: ''\n"
			     "      password: hunter2\n"
			     "      host_key: MD5:00:11\n"
			     "      known_hosts: k\n"
			     "      path: ../x\n"
			     "      recursive: false\n"
			     "      depth: 2\n"
			     "      algorithms: [md5]\n"
			     "      passphrase: {env: P}\n"
			     "      retry: {base: 2m, ceiling: 1m}\n"
			     "    ready: {closed: true}\n"
			     "    drop: {path: /d}\n"),
		"f:6:7: error: sftp: s has a drop already; one source takes "
		"from one place\n"
		"f:6:13: error: sftp.host: sftp://acme.example/in is a URL: "
		"write the host alone, beside path\n"
		"f:7:13: error: sftp.user: expected a name, this is ''\n"
		"f:8:17: error: sftp.password: a secret does not stand here "
		"itself: write {credential: NAME}, {file: PATH}, {env: NAME} "
		"or {command: [PROGRAM, ARGUMENT]}\n"
		"f:9:17: error: sftp.host_key: MD5:00:11 is an MD5 "
		"fingerprint, which proves nothing: ask for the SHA256 one\n"
		"f:10:20: error: sftp.known_hosts: host_key says already "
		"which keys are right; leave one of them out\n"
		"f:11:13: error: sftp.path: ../x has \"..\" in it: write "
		"the path without\n"
		"f:13:14: error: sftp.depth: recursive is false\n"
		"f:14:20: error: sftp.algorithms: expected a list of "
		"sha1-kex, sha1-keys, cbc or sha1-macs, this is md5\n"
		"f:15:19: error: sftp.passphrase: there is no key that it "
		"opens\n"
		"f:16:14: error: sftp.retry: base is more than ceiling\n"
		"f:17:12: error: ready: closed cannot be asked over SFTP; "
		"use stable, sentinel or checksum\n");
}

/* A source with this line, the seventh of the file. */
#define WHEN(line) \
	HEAD "sources:\n  s:\n    drop: {path: /d}\n" \
	     "    duplicates: note\n    " line "\n"

static const struct {
	const char *text;
	const char *mistakes;
} cases[] = {
	{WHEN("schedule: {evry: 5m}"),
		"f:7:15: error: schedule: does not say when to look; add "
		"every: "
		"DURATION or cron: TEXT\n"
		"f:7:16: error: unknown key evry; did you mean every?\n"},
	{WHEN("schedule:"),
		"f:7:5: error: schedule: does not say when to look; add every: "
		"DURATION or cron: TEXT\n"},
	{WHEN("schedule: {every: 5m, window: 22:00, days: mon-fry}"),
		"f:7:35: error: schedule.window: expected a window such as "
		"22:00-05:30, this is 22:00\n"
		"f:7:48: error: schedule.days: expected days such as mon-fri, "
		"sat or month-end, this is mon-fry\n"},
	{WHEN("schedule: {every: 5m, window: 24:00-05:30}"),
		"f:7:35: error: schedule.window: expected a window such as "
		"22:00-05:30, this is 24:00-05:30\n"},
	{WHEN("schedule: {every: 5m, zone: Mars/Olympus}"),
		"f:7:33: error: schedule.zone: Mars/Olympus: no such "
		"time zone below /usr/share/zoneinfo (package tzdata)\n"},
	{WHEN("schedule: {cron: '0 0 30 2 *'}"),
		"f:7:22: error: schedule.cron: '0 0 30 2 *': such a day "
		"never comes\n"},
	{WHEN("schedule: {cron: '0 25 * * *'}"),
		"f:7:22: error: schedule.cron: '0 25 * * *': 25 is "
		"no hour: expected *, numbers 0 to 23, ranges a-b, steps */n, "
		"or a list of them with commas\n"},
	{WHEN("schedule: {every: 1d, blackout: [2026-02-29, 2026-1-1, {}]}"),
		"f:7:38: error: schedule.blackout: expected a list of dates "
		"such as 2026-12-25, this is 2026-02-29\n"
		"f:7:50: error: schedule.blackout: expected a list of dates "
		"such as 2026-12-25, this is 2026-1-1\n"
		"f:7:60: error: schedule.blackout: expected a list of dates "
		"such as 2026-12-25, this is a mapping\n"},
	{WHEN("schedule: {every: 15 min}\n    ready: {stable: 2 sec}\n"
	      "    alert: {command: [/x], timeout: 1min}"),
		"f:7:23: error: schedule.every: expected a duration in ms, s, "
		"m, h or d, such as 30s, 1s to 366d, this is '15 min'\n"
		"f:8:21: error: ready: expected a duration in ms, s, m, h or "
		"d, such as 30s, up to 30d, this is '2 sec'\n"
		"f:9:37: error: alert: timeout: expected a duration in ms, s, "
		"m, h or d, such as 30s, 1s to 10m\n"},
	{WHEN("schedule: {every: 15 m}\n    ready: {stable: 2 s}\n"
	      "    alert: {command: [/x], timeout: 1 m}"),
		""},
	{WHEN("ready: {stable: \"2s\\0x\"}"),
		"f:7:21: error: ready: expected a duration in ms, s, m, h or "
		"d, such as 30s, up to 30d, this is '2s\\x00x'\n"},
	{WHEN("schedule: {every: 0s, days: []}"),
		"f:7:23: error: schedule.every: 0s is out of range, 1s to "
		"366d\n"
		"f:7:33: error: schedule.days: expected days such as mon-fri, "
		"sat or month-end, this is a list\n"},
	{WHEN("expect: {files: 5..1}"),
		"f:7:13: error: expect.by is missing: the time of day by which "
		"a delivery must have landed\n"
		"f:7:21: error: expect.files: 5..1 begins above its end\n"},
	{WHEN("expect: {by: 25:00, files: .., records: 1.5, bytes: 1..2x}"),
		"f:7:18: error: expect.by: expected a time of day such as "
		"06:00, this is 25:00\n"
		"f:7:32: error: expect.files: expected learned, a number, or "
		"1.., 1..5 or ..5, this is ..\n"
		"f:7:45: error: expect.records: expected learned, a number, or "
		"1.., 1..5 or ..5, this is 1.5\n"
		"f:7:57: error: expect.bytes: expected learned, a size, or "
		"1KiB.., 1KiB..5MiB or ..5MiB, this is 1..2x\n"},
	{WHEN("expect: {by: 6:00, files: learned, bytes: learned}"), ""},
	{WHEN("expect: {by: 6:00, grace: 13h, days: [mon, fir]}"),
		"f:7:31: error: expect.grace: is more than half the time "
		"between two deadlines: a late delivery would count for the "
		"next one\n"
		"f:7:48: error: expect.days: expected days such as mon-fri, "
		"sat or month-end, this is fir\n"},
	{WHEN("expect: {by: 6:00, grace: 1d, days: [mon, wed]}"), ""},
	{WHEN("expect: {by: 6:00, grace: 3d, days: sun}"), ""},
	{WHEN("expect: {by: 6:00, grace: 14d, days: month-end}"), ""},
	{WHEN("expect: {by: 6:00, grace: 25h, days: [mon, wed]}"),
		"f:7:31: error: expect.grace: is more than half the time "
		"between two deadlines: a late delivery would count for the "
		"next one\n"},
	{"",
		"f:1:1: error: zone is missing\n"
		"f:1:1: error: state is missing\n"},
	{"- a\n",
		"f:1:1: error: configuration: expected a mapping, this is a "
		"list\n"},
	{"zone:\nstate: ''\n",
		"f:1:1: error: zone: expected a path, this is nothing\n"
		"f:2:8: error: state: expected a path, this is ''\n"},
	{"zone: /z/a/../b\nstate: ~/x\n",
		"f:1:7: error: zone: /z/a/../b has \"..\" behind a name: write "
		"the path without it\n"
		"f:2:8: error: state: ~/x begins with ~, which stands for "
		"nothing here: write the whole path\n"},
	{"zone: /z\nstate: /z/.\n", "f:2:8: error: state: is the zone too\n"},
	{"zone: \"/z\\0x\"\nstate: /s\n",
		"f:1:7: error: zone: '/z\\x00x' holds a NUL byte\n"},
	{HEAD "sources: {s: {drop: {path: /lf/zone/in}}}\n",
		"f:3:28: error: drop.path: /lf/zone/in and the zone /lf/zone "
		"overlap\n"},
	{HEAD "sources: {s: {drop: {path: '/lf/zone/a b'}}}\n",
		"f:3:28: error: drop.path: '/lf/zone/a b' and the zone "
		"/lf/zone overlap\n"},
	{HEAD "sources: {s: {drop: {path: /lf}}}\n",
		"f:3:28: error: drop.path: /lf and the zone /lf/zone overlap\n"
		"f:3:28: error: drop.path: /lf and the state /lf/state "
		"overlap\n"},
	{HEAD "sources: {a: {drop: {path: /d/in}}, b: {drop: {path: /d}}}\n",
		"f:3:54: error: drop.path: overlaps the drop of a (line 3); "
		"both would take the same files\n"},
	{HEAD "sources: {a: {drop: {path: /d/in}}, "
	      "b: {drop: {path: /d, recursive: false}}}\n",
		""},
	{HEAD "sources: {a: {drop: {path: /d}, receipt: {}}}\n",
		"f:3:42: error: receipt.path is missing\n"},
	{HEAD "sources: {a: {drop: {path: /d}, receipt: {path: /lf/zone/o}}}\n",
		"f:3:49: error: receipt.path: /lf/zone/o and the zone "
		"/lf/zone overlap\n"},
	{HEAD "sources: {a: {drop: {path: /d}, receipt: {path: /lf/state}}}\n",
		"f:3:49: error: receipt.path: /lf/state and the state "
		"/lf/state overlap\n"},
	{HEAD "sources: {a: {drop: {path: /d}, receipt: {path: /lf}}}\n", ""},
	{HEAD "sources: {a: {drop: {path: /d}, receipt: {path: /o}}, "
	      "b: {drop: {path: /e}, receipt: {path: /o}}}\n",
		"f:3:93: error: receipt.path: is the outbox of a (line 3) "
		"already; equal names would meet there\n"},
	{HEAD "sources: {a: {drop: {path: /d}, match: '*.csv', "
	      "receipt: {path: /d/o}}}\n",
		"f:3:65: error: receipt.path: lies in the drop of a (line 3), "
		"which would take receipts for deliveries; add "
		"\"*.receipt*.json\" and \"*.tmp\" to its ignore\n"},
	{HEAD "sources: {a: {drop: {path: /d, recursive: false}, "
	      "receipt: {path: /d/o}}}\n",
		""},
	{HEAD "sources: {a: {drop: {path: /d}, ignore: [o], "
	      "receipt: {path: /d/o}}}\n",
		""},
	{HEAD "sources: {a: {drop: {path: /d}, ignore: ['*.receipt*.json', "
	      "'*.tmp'], receipt: {path: /d}}}\n",
		""},
	{HEAD "sources: {a: {drop: {path: /d}, ignore: '*.receipt*.json', "
	      "receipt: {path: /d}}}\n",
		"f:3:76: error: receipt.path: lies in the drop of a (line 3), "
		"which would take receipts for deliveries; add "
		"\"*.receipt*.json\" and \"*.tmp\" to its ignore\n"},
	{HEAD "sources: {a: {drop: {recursive: true}}}\n",
		"f:3:21: error: drop.path is missing\n"},
	{HEAD "sources: {a: {drop: {path: /d}, csv: {header: 0}}}\n",
		"f:3:33: error: csv: the format is opaque; add format: csv\n"},
	{HEAD "sources: {a: {drop: {path: /d}, format: lines, csv: }}\n",
		"f:3:48: error: csv: the format is lines\n"},
	{HEAD "sources: {a: {drop: {path: /d}, match: [a, /b, {}, ''] }}\n",
		"f:3:44: error: match: /b begins with a slash: globs are "
		"relative to the source\n"
		"f:3:48: error: match: expected a glob or a list of globs, "
		"this is a mapping\n"
		"f:3:52: error: match: expected a glob or a list of globs, "
		"this is ''\n"},
	{HEAD "sources: {a: {drop: {path: /d}, after: remove}}\n",
		"f:3:40: error: after: expected keep, delete or {move: "
		"FOLDER}, this is remove\n"},
	{HEAD "sources: {a: {drop: {path: /d}, after: {move: /x}}}\n",
		"f:3:47: error: after: /x is not a folder below the source's "
		"root\n"},
	{HEAD "sources: {a: {drop: {path: /d}, after: {move: x/../..}}}\n",
		"f:3:47: error: after: x/../.. is not a folder below the "
		"source's root\n"},
	{HEAD "sources: {a: {drop: {path: /d}, after: {move: ./}}}\n",
		"f:3:47: error: after: ./ is not a folder below the source's "
		"root\n"},
	{HEAD "sources: {a: {drop: {path: /d}, after: {move: }}}\n",
		"f:3:41: error: after: expected keep, delete or {move: "
		"FOLDER}, this is nothing\n"},
	{HEAD "sources: {a: {drop: {path: /d}, after: {move: a, to: b}}}\n",
		"f:3:40: error: after: expected keep, delete or {move: "
		"FOLDER}, this is a mapping\n"},
	{HEAD "sources: {a: {drop: {path: /d}, format: csv, drift: keep,\n"
	      "  totals: {records: {trailer_field: 2},\n"
	      "    sum: {field: 0, header_field: x, decimal: ;}}}}\n",
		"f:3:53: error: drift: expected land, hold or quarantine, "
		"this is keep\n"
		"f:4:21: error: totals.records: there is no trailer; say what "
		"it is with csv.trailer\n"
		"f:5:18: error: totals.sum.field: expected the number of a "
		"field, 1 to 65534, this is 0\n"
		"f:5:35: error: totals.sum.header_field: expected the number "
		"of a field, 1 to 65534, this is x\n"
		"f:5:47: error: totals.sum.decimal: expected \".\" or \",\", "
		"this is ;\n"},
	{HEAD "sources: {a: {drop: {path: /d}, format: csv, totals:\n"
	      "  {records: {field: 1},\n"
	      "   sum: [{field: 1}, {side: x}, {header_field: 1},\n"
	      "     {name: x, field: 1}, {side: '{name}', name: '#'}, 7]}}}\n",
		"f:4:14: error: totals.records: known here: trailer_field, "
		"header_field, side, name; unknown key field\n"
		"f:5:10: error: totals.sum: where does the partner's number "
		"stand? one of trailer_field, header_field, side, name\n"
		"f:5:29: error: totals.sum.side: must hold {name} or {stem} "
		"and more, and no folder: each delivery has a side file of "
		"its own\n"
		"f:5:33: error: totals.sum: field is missing: the one to be "
		"summed\n"
		"f:6:13: error: totals.sum.name: must hold one '#', where the "
		"digits of the number stand\n"
		"f:6:34: error: totals.sum.side: must hold {name} or {stem} "
		"and more, and no folder: each delivery has a side file of "
		"its own\n"
		"f:6:44: error: totals.sum: says twice where the partner's "
		"number stands\n"
		"f:6:56: error: totals.sum: expected a mapping, this is "
		"text\n"},
	{HEAD "sources: {a: {drop: {path: /d}, totals: {records: {name: '#'}}},"
	      "\n b: {drop: {path: /e}, format: lines, totals: {sum:"
	      " {field: 1, name: '#'}}},\n"
	      " c: {drop: {path: /f}, format: csv, csv: {header: 0}, totals:"
	      " {records: {header_field: 1}}}}\n",
		"f:3:51: error: totals.records: a delivery of format opaque "
		"is one record; say its format\n"
		"f:4:53: error: totals.sum: only csv has fields, the format "
		"is lines\n"
		"f:5:73: error: totals.records: there is no header "
		"(csv.header is 0)\n"},
	{CSV("      comment: #\n"),
		"f:8:7: error: csv.comment: expected one ASCII character in "
		"quotes, or none, this is nothing\n"},
	{CSV("      delimiter: \"\\n\"\n"),
		"f:8:18: error: csv.delimiter: '\\x0a' ends a record "
		"already\n"},
	{CSV("      delimiter: ''\n"),
		"f:8:18: error: csv.delimiter: expected one ASCII character in "
		"quotes, or tab, this is ''\n"},
	{CSV("      delimiter: '\xc2\xa7'\n"),
		"f:8:18: error: csv.delimiter: expected one ASCII character in "
		"quotes, or tab, this is \xc2\xa7\n"},
	{HEAD "level: 0\nlimits: {memory: 67108863, workers: 0}\n",
		"f:3:8: error: level: 0 is out of range, 1 to 19\n"
		"f:4:18: error: limits.memory: 67108863 is out of range, "
		"64MiB to 1TiB\n"
		"f:4:37: error: limits.workers: 0 is out of range, 1 to "
		"256\n"},
	{CSV("      delimiter: none\n"),
		"f:8:18: error: csv.delimiter: expected one ASCII character in "
		"quotes, or tab, this is none\n"},
	{CSV("      {delimiter: tab, quote: none, comment: none}\n"), ""},
	{CSV("      {delimiter: \"\\t\", quote: '#', comment: '#'}\n"),
		"f:8:46: error: csv.comment: is the same character as "
		"csv.quote\n"},
	{CSV("      {escape: backslash, quote: '\\'}\n"),
		"f:8:34: error: csv.quote: is the same character as "
		"csv.escape\n"},
	{CSV("      {escape: double, quote: '\\'}\n"), ""},
	{HEAD "sources: {s: {drop: {path: \"/lf/zone/\\e[31m\\nx\"}}}\n",
		"f:3:28: error: drop.path: '/lf/zone/\\x1b[31m\\x0ax' "
		"holds a control character\n"},
	{CSV("      {columns: header, header: 0}\n"),
		"f:8:17: error: csv.columns: there is no header to count "
		"(csv.header is 0)\n"},
	{CSV("      trailer: {prefix: "
	     "'123456789012345678901234567890123456789012345678901234567890"
	     "12345'}\n"),
		"f:8:25: error: csv.trailer: "
		"123456789012345678901234567890123456789012345678901234567890"
		"... has more than 64 bytes\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {any: []}}}\n",
		"f:3:45: error: ready: expected a list of rules\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {sentinal: x}}}\n",
		"f:3:40: error: ready: unknown rule; expected stable, age, "
		"sentinel, checksum, closed or manifest, or any or all of a "
		"list of them\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: /x}}}\n",
		"f:3:50: error: ready: expected a glob for manifests such as "
		"\"*.manifest\", or {name: GLOB} with columns, unlisted and "
		"others\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {name: x, "
	      "more: y}}}}\n",
		"f:3:60: error: ready: unknown key; a manifest has name, "
		"columns, delimiter, header and unlisted\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {columns: "
	      "[size, digest]}}}}\n",
		"f:3:60: error: ready: expected columns such as [name, size, "
		"digest], one of them name\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {name: x, "
	      "columns: [name, rows]}}}}\n",
		"f:3:76: error: ready: expected a column, skip, name, size, "
		"records or digest; at most 32\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {name: x, "
	      "header: 1}}}}\n",
		"f:3:50: error: ready: a manifest without columns has no "
		"delimiter and no header\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {unlisted: "
	      "wait}}}}\n",
		"f:3:50: error: ready: the manifest's name is missing\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {name: x, "
	      "columns: [name, records]}}}}\n",
		"f:3:39: error: ready: a manifest has records, and a delivery "
		"of format opaque is one record; say its format\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {manifest: {name: x, "
	      "unlisted: land}}}}\n",
		"f:3:70: error: ready: expected unlisted: wait or unlisted: "
		"ignore\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {any: [{manifest: x}, "
	      "{stable: 1m}]}}}\n",
		"f:3:39: error: ready: a set lands together or not at all: "
		"manifest is not one of any, but of all\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {all: [{manifest: x}, "
	      "{manifest: y}]}}}\n",
		"f:3:39: error: ready: more than one rule for manifests\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {closed: false}}}\n",
		"f:3:48: error: ready: expected closed: true, or no such "
		"rule\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {sentinel: x}}}\n",
		"f:3:50: error: ready: expected a name with {name} or "
		"{stem} in it, such as \"{name}.done\"\n"},
	{HEAD "sources: {s: {drop: {path: d}, ready: {checksum: a/b}}}\n",
		"f:3:50: error: ready: expected a name such as "
		"\"{name}.sha256\" or SHA256SUMS\n"},
	{"limits: {memory: 64MiB}\n" CSV("      max_record: 65MiB\n"),
		"f:9:19: error: csv.max_record: is more than limits.memory: a "
		"record must fit\n"},
	{CSV("      max_record: 17179869184GiB\n"),
		"f:8:19: error: csv.max_record: expected a size such as 64MiB, "
		"1KiB to 1GiB, this is 17179869184GiB\n"},
	{HEAD "limits: &x {}\nlevel: !!int 3\n<<: *x\n",
		"f:3:9: error: anchors are not supported; a text that begins "
		"with & needs quotes: \"&x {}\"\n"
		"f:4:8: error: tags are not supported; a text that begins "
		"with ! needs quotes: \"!!int 3\"\n"
		"f:5:1: error: unknown key <<; known here: zone, state, "
		"origin, level, limits, alert, sources\n"
		"f:5:5: error: aliases are not supported: write the value "
		"out; a text that begins with * needs quotes: \"*x\"\n"},
	{HEAD "--- {}\n",
		"f:3:1: error: a second YAML document starts here; "
		"a configuration is one\n"},
	{HEAD "? [a]\n: 1\n",
		"f:3:3: error: a key must be text, this is a list\n"},
	{HEAD "sources: {a: {drop: {path: /d}}, \"a\\0b\": {}}\n",
		"f:3:34: error: 'a\\x00b': not a name for a source (lower-case "
		"letters, digits and ._-, a letter or digit first, at most "
		"64)\n"
		"f:3:34: error: 'a\\x00b': no place to take deliveries from; "
		"add drop: {path: DIRECTORY} or sftp: {host: NAME}\n"},
	{HEAD "sources: {\"in\\ebox\": 7}\n",
		"f:3:11: error: 'in\\x1bbox': not a name for a source "
		"(lower-case letters, digits and ._-, a letter or digit "
		"first, at most 64)\n"
		"f:3:22: error: 'in\\x1bbox': expected a mapping, this is "
		"text\n"},
};

static void
test_each_mistake_has_its_line(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_mistakes(cases[i].text, cases[i].mistakes);
}

/* A line of a source, the fifth of the file, that is other YAML or none. */
#define LINE(line) HEAD "sources:\n  s:\n    " line "\n"

static const struct {
	const char *text;
	const char *mistake;
} meant[] = {
	{LINE("match: *.csv"),
		"f:5:12: error: aliases are not supported: write the value "
		"out; a text that begins with * needs quotes: \"*.csv\"\n"},
	{LINE("match: [**/*.{csv,txt}, '*']"),
		"f:5:13: error: aliases are not supported: write the value "
		"out; a text that begins with * needs quotes: "
		"\"**/*.{csv,txt}\"\n"},
	{LINE("match: * # all"),
		"f:5:13: error: not YAML: invalid alias detected; a text that "
		"begins with * needs quotes: \"*\"\n"},
	{LINE("match: *it's"),
		"f:5:12: error: aliases are not supported: write the value "
		"out; a text that begins with * needs quotes\n"},
	{LINE("match: &x.csv"),
		"f:5:12: error: anchors are not supported; a text that begins "
		"with & needs quotes: \"&x.csv\"\n"},
	{LINE("match: %d \"x\""),
		"f:5:12: error: not YAML: plain scalar cannot start with '%'; "
		"a text that begins with % needs quotes: '%d \"x\"'\n"},
	{LINE("match: {gr\xc3\xbc\xc3\x9f: @daily}"),
		"f:5:19: error: not YAML: plain scalar cannot start with '@'; "
		"a text that begins with @ needs quotes: \"@daily\"\n"},
	{LINE("match: `a`"),
		"f:5:12: error: not YAML: plain scalar cannot start with '`'; "
		"a text that begins with ` needs quotes: \"`a`\"\n"},
	{LINE("match: {{x}}/b"),
		"f:5:13: error: a key must be text, this is a mapping; a text "
		"that begins with { needs quotes: \"{{x}}/b\"\n"},
	{LINE("ready: {sentinel: {name}.done}"),
		"f:5:29: error: not YAML: missing comma in flow mapping; is a "
		"comma missing? A text with { or [ in it needs quotes\n"},
	{LINE("match: \"abc\n    format: csv"),
		"f:5:12: error: not YAML: wrongly indented double-quoted "
		"scalar; is a quote missing?\n"},
	{LINE("match: a\n   format: csv"),
		"f:6:4: error: not YAML: invalid indentation in mapping; the "
		"keys of one mapping begin in one column\n"},
	{LINE("match: a\n     format: csv"),
		"f:5:12: error: not YAML: invalid multiline plain key; the "
		"keys of one mapping begin in one column\n"},
	{LINE("ready: stable: 2s"),
		"f:5:18: error: not YAML: invalid nested block mapping on the "
		"same line; a text with \": \" in it needs quotes, a mapping "
		"its own lines or braces\n"},
};

static void
test_what_was_meant_is_said(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(meant); i++) {
		char *got = mistakes(meant[i].text, strlen(meant[i].text));

		if (strstr(got, meant[i].mistake) == NULL)
			fail_msg("expected:\n%sfound:\n%s", meant[i].mistake,
				got);
		free(got);
	}
}

/* Each begins with text that is fine and then tries to hurt. */
static void
test_hostile_texts_are_refused(void **state UNUSED)
{
	struct str s = STR_INIT;
	char *got;

	assert_mistakes_n(
		"zone: /a\0b\n", 11, "f:1:9: error: a NUL byte: not text\n");
	assert_mistakes_n("# gr\xc3\xbc\xc3\x9f\nzone: /a\xff\n", 18,
		"f:2:9: error: byte 0xff is not UTF-8\n");
	assert_mistakes("zone: /z\nstate: [[[[[[[[[[[[[[[[[[[[[[[[\n",
		"f:2:23: error: nested too deep\n");

	for (unsigned i = 0; i < 100000; i++)
		str_addc(&s, '[');
	assert_mistakes(s.s, "f:1:17: error: nested too deep\n");

	str_clear(&s);
	str_add(&s, "a: &a [x,x,x,x,x,x,x,x,x]\n");
	for (char c = 'b'; c < 'z'; c++)
		str_addf(&s, "%c: &%c [*%c,*%c,*%c]\n", c, c, c - 1, c - 1,
			c - 1);
	got = mistakes(s.s, s.len);
	assert_non_null(strstr(got,
		"f:1:4: error: anchors are not "
		"supported; "));
	assert_non_null(strstr(got,
		"f:2:8: error: aliases are not supported: "
		"write the value out; "));
	free(got);

	str_clear(&s);
	for (unsigned i = 0; i < YAML_SIZE_MAX; i++)
		str_addc(&s, '#');
	assert_mistakes(s.s,
		"f:1:1: error: zone is missing\n"
		"f:1:1: error: state is missing\n");
	str_addc(&s, '#');
	assert_mistakes(s.s, "f: error: larger than 1 MiB\n");

	str_clear(&s);
	str_add(&s, "[");
	for (unsigned i = 0; i < YAML_NODES_MAX + 1; i++)
		str_add(&s, "a,");
	got = mistakes(s.s, s.len);
	assert_non_null(strstr(got, "too many values"));
	free(got);

	str_clear(&s);
	str_add(&s, HEAD);
	for (unsigned i = 0; i < 1500; i++)
		str_addf(&s, "k%u: 1\n", i);
	got = mistakes(s.s, s.len);
	assert_non_null(strstr(got, "f:3:1: error: unknown key k0;"));
	assert_non_null(strstr(got, "f:102:1: error: unknown key k99;"));
	assert_null(strstr(got, "f:103:1:"));
	assert_non_null(strstr(got, "\nf: error: 1400 more not shown\n"));
	free(got);

	str_clear(&s);
	str_add(&s, HEAD "sources:\n");
	for (unsigned i = 0; i < PARSE_SOURCES_MAX; i++)
		str_addf(&s, "  s%u: {drop: {path: /d/%u}}\n", i, i);
	assert_mistakes(s.s, "");
	str_add(&s, "  one-more: {drop: {path: /d/x}}\n");
	assert_mistakes(s.s,
		"f:4:3: error: sources: 4097 of them, at most "
		"4096\n");
	str_release(&s);
}

/* A directory that is gone when the test ends. */
struct scratch {
	char path[64];
};

static void
scratch_init(struct scratch *d)
{
	strcpy(d->path, "test-config-XXXXXX");
	assert_non_null(mkdtemp(d->path));
}

static void
scratch_release(struct scratch *d)
{
	char *command = NULL;

	assert_true(asprintf(&command, "rm -rf %s", d->path) > 0);
	assert_int_equal(system(command), 0);
	free(command);
}

static void
put(const struct scratch *d, const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;
	struct str path = STR_INIT;
	int fd;

	str_addf(&path, "%s/%s", d->path, name);
	must(io_open(AT_FDCWD, path.s, O_WRONLY | O_CREAT | O_TRUNC, mode, &fd,
		     BROKEN, &e),
		&e);
	must(io_write(fd, text, strlen(text), BROKEN, &e), &e);
	assert_int_equal(fchmod(fd, mode), 0);
	must(io_close(&fd, BROKEN, &e), &e);
	str_release(&path);
}

static void
test_load_tells_missing_from_wrong(void **state UNUSED)
{
	struct scratch d;
	struct str report = STR_INIT, path = STR_INIT, want = STR_INIT;
	struct err e = ERR_INIT;
	struct config *c = NULL;
	char *real;

	scratch_init(&d);
	str_addf(&path, "%s/f.yaml", d.path);
	assert_int_equal(config_load(path.s, &c, &report, &e), END);
	assert_string_equal(report.s, "");

	put(&d, "f.yaml", "zone: zone\nstat: state\n", 0644);
	assert_int_equal(config_load(path.s, &c, &report, &e), BAD_ITEM);
	str_addf(&want, "%s:1:1: error: state is missing\n", path.s);
	str_addf(&want,
		"%s:2:1: error: unknown key stat; did you mean "
		"state?\n",
		path.s);
	assert_string_equal(report.s, want.s);
	str_clear(&want);
	str_addf(&want, "%s: 2 errors", path.s);
	assert_string_equal(e.text, want.s);
	str_clear(&report);

	assert_int_equal(config_load(d.path, &c, &report, &e), BAD_ITEM);
	str_clear(&want);
	str_addf(&want, "%s: error: Is a directory\n", d.path);
	assert_string_equal(report.s, want.s);
	str_clear(&report);

	put(&d, "f.yaml", "zone: zone\nstate: ../state\n", 0644);
	must(config_load(path.s, &c, &report, &e), &e);
	real = realpath(d.path, NULL);
	str_clear(&want);
	str_addf(&want, "%s/zone", real);
	assert_string_equal(c->zone, want.s);
	assert_string_equal(report.s, "");
	config_free(c);
	config_free(NULL);

	free(real);
	str_release(&want);
	str_release(&report);
	str_release(&path);
	scratch_release(&d);
}

/* Two names of one directory are one drop. */
static void
test_symbolic_links_do_not_hide_an_overlap(void **state UNUSED)
{
	struct scratch d;
	struct str report = STR_INIT, path = STR_INIT;
	struct err e = ERR_INIT;
	struct config *c = NULL;

	scratch_init(&d);
	str_addf(&path, "%s/zone", d.path);
	assert_int_equal(mkdir(path.s, 0755), 0);
	str_clear(&path);
	str_addf(&path, "%s/link", d.path);
	assert_int_equal(symlink("zone", path.s), 0);
	put(&d, "f.yaml",
		"zone: zone\nstate: state\n"
		"sources: {s: {drop: {path: link/not/yet}}}\n",
		0644);
	str_clear(&path);
	str_addf(&path, "%s/f.yaml", d.path);
	assert_int_equal(config_load(path.s, &c, &report, &e), BAD_ITEM);
	assert_non_null(strstr(report.s, ":3:28: error: drop.path: "));
	assert_non_null(strstr(report.s, "/zone overlap\n"));
	str_release(&report);
	str_release(&path);
	scratch_release(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes_about_a_server),
		cmocka_unit_test(test_twenty_mistakes_are_twenty_lines),
		cmocka_unit_test(test_each_mistake_has_its_line),
		cmocka_unit_test(test_what_was_meant_is_said),
		cmocka_unit_test(test_hostile_texts_are_refused),
		cmocka_unit_test(test_load_tells_missing_from_wrong),
		cmocka_unit_test(test_symbolic_links_do_not_hide_an_overlap),
	};

	return cmocka_run_group_tests_name(
		"config-mistakes", tests, NULL, NULL);
}
