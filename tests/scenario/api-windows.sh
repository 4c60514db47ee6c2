#!/bin/sh
# A polled API that can be asked for a time: nothing is lost at the edges of
# windows, and nothing lands twice. (Runs that die: fault/kill-api.py)
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

shop()
{
	lake "$1" <<-END
	  shop:
	    profile: rest-link
	    base_url: $url
	    auth: {type: none}
	    config: {path: orders}
	    retry: {max_attempts: 4, base: 10ms, max: 50ms, max_wait: 20s}
	    schedule: {every: 1s}
	    streams:
	      records:
	        records: "\$.data[*]"
	        key: \$.id
	        request: {query: {size: "2", since: "{{window.start}}",
	          until: "{{window.end}}"}}
	        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D,
	          lookback: PT1H}
	END
}

data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"id": 2, "at": "2026-01-01T23:59:59Z"},
{"id": 3, "at": "2026-01-02T00:00:00Z"},
{"id": 4, "at": "2026-01-02T12:00:00Z"}
END
serve_api api
shop one

# ---- what would be asked, and whether we may ----
at 2026-01-03T00:00:00Z one plan >planned
expect_same 'the plan is a request for each window' \
	"request     shop.records from 2026-01-01T00:00:00Z to \
2026-01-02T00:00:00Z: GET $url/orders?size=2&since=2026-01-01T00%3A00%3A00Z\
&until=2026-01-02T00%3A00%3A00Z" "$(head -n 1 planned)"
expect_same 'and no more than there are' 2 "$(wc -l <planned)"
expect 'nothing was asked' test ! -e api/log
expect 'a look whether we may' at 2026-01-03T00:00:00Z one check --connect
expect_same 'is one request' 1 "$(wc -l <api/log)"

# ---- windows: each record once, at their edges too ----
expect 'a run' at 2026-01-03T00:00:00Z one run --once --quiet
expect_same 'every record of every window' '1 2 3 4' "$(ids one)"
expect_same 'a file for each window' \
	'records.20260101T000000Z records.20260102T000000Z' \
	"$(find one/zone/shop.records -name '*.zst' | sort |
		sed 's|.*/||; s|Z\..*|Z|' | tr '\n' ' ' | sed 's/ $//')"
data api /orders <<'END'
{"id": 3, "at": "2026-01-02T00:00:00Z"},
{"id": 5, "at": "2026-01-02T23:30:00Z"},
{"id": 6, "at": "2026-01-03T00:00:00Z"},
{"id": 4, "at": "2026-01-03T01:00:00Z", "changed": true}
END
expect 'a later run' at 2026-01-03T02:00:00Z one run --once --quiet
expect_same 'brings what came late, what came, and what changed' \
	'1 2 3 4 4 5 6' "$(ids one --new)"
: >api/log
expect 'and again' at 2026-01-03T02:00:05Z one run --once --quiet
expect_same 'it brings nothing' '1 2 3 4 4 5 6' "$(ids one)"

expect_same 'it looks back an hour' 1 "$(grep -c \
	'since=2026-01-03T01%3A00%3A00Z' api/log)"

# ---- status, backfill, reset ----
at 2026-01-03T03:00:00Z one status --json >stands
expect_same 'status has the position, and how far behind it is' \
	'2026-01-03T02:00:05Z 3595' "$(python3 -c '
import json
s = json.load(open("stands"))["sources"]["shop"]["streams"][0]
print(s["position"], s["lag_seconds"])')"
expect_same 'and what its streams have landed' True "$(python3 -c '
import json
s = json.load(open("stands"))["sources"]["shop"]
print(s["newest"] is not None and s["counts"]["landed"] >= 3)')"
data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"id": 9, "at": "2026-01-01T12:00:00Z"},
{"id": 2, "at": "2026-01-01T23:59:59Z"}
END
backfill='backfill shop records --from 2026-01-01 --to 2026-01-02 --quiet'
# shellcheck disable=SC2086
expect 'a backfill' at 2026-01-03T03:00:00Z one $backfill
expect_same 'brings what was missing, once' '1 2 3 4 4 5 6 9' \
	"$(ids one --new)"
# shellcheck disable=SC2086
expect 'again' at 2026-01-03T03:00:00Z one $backfill
expect_same 'it brings nothing' '1 2 3 4 4 5 6 9' "$(ids one --new)"
: >api/log
expect_status 'of what is to come' 1 at 2026-01-03T03:00:00Z one backfill \
	shop records --from 2026-01-04 --to 2026-01-05
cp lib.out said
expect_same 'it says that there is nothing to ask for yet' 1 \
	"$(grep -c -- '--from 2026-01-04 is later than 2026-01-03T03:00:0.Z: there is nothing to ask for yet' said)"
expect_same 'and asks for nothing' 0 "$(wc -l <api/log)"
expect_same 'why: a moment is in the windows that were asked for' \
	'2026-01-01T00:00:00Z 2026-01-02T00:00:00Z 2
2026-01-01T00:00:00Z 2026-01-02T00:00:00Z 1' \
	"$(at 2026-01-03T03:00:00Z one why shop.records --json \
		--at 2026-01-01T12:00:00Z | python3 -c '
import json, sys
for x in map(json.loads, sys.stdin):
    print(x["start"], x["end"], x["records"])')"
expect_same 'or not yet' 1 "$(at 2026-01-03T03:00:00Z one why shop.records \
	--at 2026-02-01 | grep -c ': it was not asked for yet: all has landed up to 2026-01-03T02:00:0')"
expect_same 'or never, if it was before the stream begins' \
	'shop.records: the stream begins at 2026-01-01T00:00:00Z: only a backfill asks for what was before' \
	"$(at 2026-01-03T03:00:00Z one why shop.records --at 2025-12-31)"
expect_same 'why: a record that changed has landed twice' 2 \
	"$(at 2026-01-03T03:00:00Z one why shop.records --key 4 |
		grep -c ' 4  landed as record ')"
# ---- a backfill asks at once, and the stream waits on ----
rules api '{"match": "orders", "times": 9, "status": 429,
	"headers": [["Retry-After", "3600"]]}'
expect_status 'a run that has to wait for an hour' 2 \
	at 2026-01-03T03:00:00Z one run --once --quiet
rules api
# shellcheck disable=SC2086
expect 'a backfill meanwhile' at 2026-01-03T03:10:00Z one $backfill
: >api/log
expect_status 'a run behind it' 2 at 2026-01-03T03:20:00Z one run --once --quiet
expect_same 'asks nothing' '' "$(cat api/log)"
expect_same 'and status says until when, and why' 1 \
	"$(at 2026-01-03T03:20:00Z one status |
		grep -c '; waits until 2026-01-03T04:0.*; .*status 429')"

# ---- a backfill is the first to come to a catalog that was made again ----
data api /orders <<'END'
{"id": 10, "at": "2026-01-01T13:00:00Z"},
{"id": 4, "at": "2026-01-03T01:00:00Z", "changed": true}
END
rm one/state/catalog.db*
"$LANDFALL" catalog rebuild -c one/landfall.yaml --quiet
# shellcheck disable=SC2086
expect 'a backfill after that' at 2026-01-03T03:00:00Z one $backfill
expect_same 'brings what was missing' '1 2 3 4 4 5 6 9 10' "$(ids one --new)"
: >api/log
expect 'a run behind it' at 2026-01-03T03:00:00Z one run --once --quiet
expect_same 'goes on where what landed ends' 1 "$(grep -c \
	'since=2026-01-03T01%3A00%3A00Z' api/log)"
expect_same 'and knows what has landed' '1 2 3 4 4 5 6 9 10' \
	"$(ids one --new)"

expect 'a reset' at 2026-01-03T03:00:00Z one \
	reset shop records --to 2026-01-02 --quiet
: >api/log
expect 'a run' at 2026-01-03T03:00:00Z one run --once --quiet
expect_same 'begins where it was told' 1 \
	"$(grep -c 'since=2026-01-01T23%3A00%3A00Z' api/log)"
# ---- a reset is the first to come to a catalog that was made again ----
# counted NAME: how many records and files each of its rows counts.
counted()
{
	at 2026-01-03T03:00:00Z "$1" status --json | python3 -c '
import json, sys
print(*((s.get("partition", ""), s["records"], s["files"])
        for s in json.load(sys.stdin)["sources"]["shop"]["streams"]))'
}

before=$(counted one)
rm one/state/catalog.db*
"$LANDFALL" catalog rebuild -c one/landfall.yaml --quiet
expect 'a reset after that' at 2026-01-03T03:00:00Z one \
	reset shop records --to 2026-01-02 --quiet
expect_same 'counts what has landed' "$before" "$(counted one)"
data api /orders <<'END'
{"id": 4, "at": "2026-01-03T01:00:00Z", "changed": true},
{"id": 11, "at": "2026-01-03T01:30:00Z"}
END
: >api/log
expect 'a run behind it' at 2026-01-03T03:00:00Z one run --once --quiet
expect_same 'begins where it was told' 1 \
	"$(grep -c 'since=2026-01-01T23%3A00%3A00Z' api/log)"
expect_same 'and knows what has landed' '1 2 3 4 4 5 6 9 10 11' \
	"$(ids one --new)"
expect 'all is sound' "$LANDFALL" verify --deep -c one/landfall.yaml --quiet

lake parted <<END
  shop:
    base_url: $url
    pagination: {type: none}
    streams:
      orders:
        partitions: {values: {shelf: [a, b]}}
        request:
          path: /orders
          query: {since: "{{window.start}}", until: "{{window.end}}",
            shelf: "{{partition.shelf}}"}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D}
END
rules api '{"match": "since=2026-01-03.*shelf=b", "body":
	"{\"data\": [{\"id\": 12, \"at\": \"2026-01-03T05:00:00Z\"}]}"}'
expect 'a run of parts' at 2026-01-04 parted run --once --quiet
before=$(counted parted)
rm parted/state/catalog.db*
"$LANDFALL" catalog rebuild -c parted/landfall.yaml --quiet
expect 'a reset of parts' at 2026-01-04 parted \
	reset shop orders --to 2026-01-03 --quiet
expect_same 'counts what has landed of each' "$before" "$(counted parted)"
rules api
expect 'a run behind it' at 2026-01-04 parted run --once --quiet
expect_same 'begins with each where it was told' \
	'2026-01-03T00%3A00%3A00Z a
2026-01-03T00%3A00%3A00Z b' \
	"$(sed -n 's/.*since=\([^&]*\).*shelf=\(.\).*/\1 \2/p' api/log)"
rm api/rules

# ---- a landing file that is lost or damaged keeps no other from being read ----
find one/zone/shop.records -name '*.zst' | sort >landed
lost=$(sed -n 1p landed)
cut=$(sed -n 2p landed)
mv "$lost" lost
chmod u+w "$cut"
truncate -s -1 "$cut"
status=0
at 2026-01-03T03:00:00Z one why shop.records --key 4 --json >found 2>told ||
	status=$?
expect_same 'why: what there is in the others is told' '4 2' \
	"$status $(grep -c '"landed"' found)"
expect_same 'and which could not be read' 2 \
	"$(grep -c -e "${lost#one/zone/} is not in the zone" \
		-e "${cut#one/zone/}: " told)"
for what in '--key 4711' '--at 2025-12-31'; do
	# shellcheck disable=SC2086
	at 2026-01-03T03:00:00Z one why shop.records $what >found 2>told ||
		status=$?
	expect_same "nobody says of $what that nothing has landed" '4 0 1' \
		"$status $(grep -c '' found) $(grep -c 'it may be in the rest$' told)"
done

# ---- a record that is not held in memory ----
python3 - >large <<'END'
print('{"id": 7, "at": "2026-01-01T00:00:00Z", "text": "%s"}' % ("x" * 1500000))
END
data api /orders <large
shop huge
expect 'a run' at 2026-01-02T00:00:00Z huge run --once --quiet
expect_same 'why: a record of more than a MiB' 1 "$(at 2026-01-02T00:00:00Z \
	huge why shop.records --key 7 | grep -c ' 7  landed as record ')"

# ---- a job that is taken up was asked when it was made ----
lake taken <<END
  exports:
    base_url: $url
    auth: {type: none}
    retry: {max_attempts: 2, base: 10ms, max: 20ms, max_wait: 5s}
    streams:
      rows:
        job:
          create: {method: POST, path: /jobs, query: {
            since: "{{window.start}}", until: "{{window.end}}"}}
          id: {body: \$.id}
          poll: {request: {path: "/jobs/{{job.id}}"}, every: 10ms,
            status: {body: \$.state}, done: [done], failed: [failed]}
          download: {path: "/jobs/{{job.id}}/rows"}
        decode: [jsonl]
        records: \$
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", lookback: PT1H}
END
rules api '{"match": "POST", "body": "{\"id\": \"7\"}"}' \
	'{"match": "jobs/7", "status": 429, "headers": [["Retry-After", "60"]]}'
expect_status 'a job that takes its time' 2 at 2026-01-02T00:00:00Z taken \
	run --once --quiet
rules api '{"match": "POST", "times": 9, "body": "{\"id\": \"8\"}"}' \
	'{"match": "rows", "times": 9, "body": "{\"id\": 1}"}' \
	'{"match": "jobs", "times": 9, "body": "{\"state\": \"done\"}"}'
expect 'a run a day later' at 2026-01-03T00:00:00Z taken run --once --quiet
expect_same 'it takes the job up, and looks back from where that one ended' \
	'GET /jobs/7
GET /jobs/7/rows
POST /jobs?since=2026-01-01T23%3A00%3A00Z&until=2026-01-03T00%3A00%3A00Z
GET /jobs/8
GET /jobs/8/rows' "$(cut -d' ' -f2,3 api/log)"

# ---- the daemon polls too, and stops at once ----
data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"}
END
shop watched
"$LANDFALL" run -c watched/landfall.yaml 2>log &
daemon=$!
for _ in $(seq 300); do
	! "$LANDFALL" status -c watched/landfall.yaml --json |
		grep -q '"position":"20' || break
	sleep 0.1
done
expect_same 'it lands what there is' '1' "$(ids watched)"
rules api '{"match": "orders", "times": 99, "status": 503, "headers":
	[["Retry-After", "15"]]}'
for _ in $(seq 300); do
	! grep -q ' 503 ' api/log || break
	sleep 0.1
done
began=$(date +%s)
kill "$daemon"
expect 'it stops while it waits' wait "$daemon"
expect 'without waiting on' test $(($(date +%s) - began)) -lt 12
rm api/rules
