#!/bin/sh
# How the streams of a polled API stand: what has landed, how far behind that
# is and how far it has to go, what the API still allows, what waits and why.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"
. "$SRCDIR/tests/scenario/running.sh"

data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"id": 2, "at": "2026-01-02T12:00:00Z"},
{"id": 3, "at": "2026-01-02T13:00:00Z"}
END
serve_api api
lake lake <<END
  shop:
    base_url: $url
    pagination: {type: link, next: {link: next}}
    retry: {max_attempts: 2, base: 10ms, max: 20ms, max_wait: 5s}
    rate_limits:
      - pace: {remaining: {header: X-Day-Left}, reset: {header: X-Reset}}
      - pace: {remaining: {header: X-Left}, limit: {header: X-Limit}, reset: {header: X-Reset}}
    streams:
      orders:
        request:
          path: /orders
          query: {since: "{{window.start}}", until: "{{window.end}}"}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D}
      parts:
        partitions: {values: {shelf: [a, b, c, d, e, f, g, h, i, j, k, l]}}
        request: {path: "/parts/{{partition.shelf}}"}
        records: "\$.data[*]"
        key: \$.id
END

# say PYTHON: of o, the source's object in `status --json`, and s, its streams.
say()
{
	python3 -c "import json; o = json.load(open('stands'))['sources']['shop']
s = o['streams']
print($1)"
}

# ---- before the first run ----
at 2026-01-03 lake status --json >stands
expect_same 'nothing is known yet' '0 None' "$(say "len(s), o['newest']")"

# ---- a run, in which one part has to wait for an hour, and one fails ----
rules api '{"match": "parts/c", "times": 9, "status": 429,
	"headers": [["Retry-After", "3600"]]}' \
	'{"match": "parts/d", "times": 9, "status": 404}' \
	'{"match": "orders.*2026-01-02T00.*2026-01-03", "times": 1,
	"headers": [["X-Left", "88"], ["X-Limit", "100"], ["X-Reset", "30"],
		["X-Day-Left", "4711"]]}'
expect_status 'a run' 3 at 2026-01-03 lake run --once --quiet
at 2026-01-03T02:00:00Z lake status --json >stands
at 2026-01-03T02:00:00Z lake status >told
cp told told.first
expect_same 'the streams are the source: what landed, and when' '2 True' \
	"$(say "o['counts']['landed'], o['newest'] is not None")"
expect_same 'how far it has come' 'orders 2026-01-03T00:00:00Z 3 2' \
	"$(say "s[0]['stream'], s[0]['position'], s[0]['records'],
		s[0]['files']")"
expect_same 'how far it is behind, and has to go' '7200 1' \
	"$(say "s[0]['lag_seconds'], s[0]['windows_to_go']")"
expect_same 'what the API says that it allows: the least of it' '88 100' \
	"$(say "s[0]['requests_left'], s[0]['requests_allowed']")"
expect_same 'until when a part waits' 'shelf=c 2026-01-03T01:00:00Z' \
	"$(say "s[3]['partition'], s[3]['parked_until']" |
		sed 's/:0[0-9]Z/:00Z/')"
expect_same 'and why' 1 "$(say "s[3]['why']" | grep -c 'status 429')"
expect_same 'in words' 1 "$(grep -c '  orders: 3 records in 2 files, whole [0-9hms]* ago; landed up to 2026-01-03T00:00:00Z, 2h00m behind; 88 of 100 requests left$' told)"
expect_same 'of many parts those that need somebody are told' 2 \
	"$(grep -c '  parts shelf=[cd]: 0 records' told)"
expect_same 'and all of them together' 1 "$(grep -c '  parts: 12 partitions, 0 records in 0 files; 2 not whole yet, 0 wait, 2 failed$' told)"
at 2026-01-03T00:30:00Z lake status >told
expect_same 'until when' 1 \
	"$(grep -c 'shelf=c: .*; waits until 2026-01-03T01:0' told)"

# ---- days later: what is to be asked grows, what landed is counted on ----
at 2026-01-08 lake status >told
expect_same 'there is more to ask for' 1 "$(grep -c 'orders: 3 records .*; 5 windows to go' told)"
data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"id": 4, "at": "2026-01-05T12:00:00Z"}
END
rules api
expect 'a later run' at 2026-01-08 lake run --once --quiet
at 2026-01-08 lake status >told
expect_same 'all of it counts' 1 "$(grep -c 'orders: 4 records in 3 files, whole' told)"
expect_same 'nothing waits any more' 1 \
	"$(grep -c '0 not whole yet, 0 wait, 0 failed$' told)"
mv lake/state/catalog.db catalog.db.lost
"$LANDFALL" catalog rebuild -c lake/landfall.yaml --quiet
expect 'a run with a catalog made again' at 2026-01-08 lake run --once --quiet
at 2026-01-08 lake status >told
expect_same 'it counts what the zone has' 1 \
	"$(grep -c 'orders: 4 records in 3 files, whole' told)"
expect 'a reset' at 2026-01-08 lake reset shop orders --to 2026-01-02 --quiet
at 2026-01-08 lake status >told
expect_same 'forgets nothing of that' 1 \
	"$(grep -c 'orders: 4 records in 3 files, not whole yet' told)"
expect 'all is sound' sound lake

# ---- who is told to wait for days is waited for, and somebody hears of it ----
cat >page <<END
#!/bin/sh
cat >>$PWD/paged
echo >>$PWD/paged
END
chmod +x page
lake long <<END
  shop:
    base_url: $url
    pagination: {type: none}
    retry: {max_attempts: 2, base: 10ms, max: 20ms}
    alert: {command: [$PWD/page]}
    schedule: {every: 1s}
    streams:
      orders: {request: {path: /orders}, records: "\$.data[*]", key: \$.id}
      parts: {request: {path: /parts}, records: "\$.data[*]", key: \$.id}
END
# events: what was told of so far.
events()
{
	sed 's/.*"event":"//; s/".*//' paged | paste -sd' '
}

: >paged
rules api '{"match": "/orders", "times": 9, "status": 500}'
expect_status 'a pass over an API that fails' 3 \
	at 2026-01-20 long run --once --quiet
expect_same 'is told' failing "$(events)"
rules api '{"match": "/orders", "status": 429,
	"headers": [["Retry-After", "90000"]]}'
expect_status 'one that asks to wait for the next day' 2 \
	at 2026-01-20T00:10:00Z long run --once --quiet
expect_same 'is nothing to tell, but that it answers' 'failing recovered' \
	"$(events)"
rules api
expect 'all is well' at 2026-01-22 long run --once --quiet
: >paged
days='{"match": "/orders", "status": 429,
	"headers": [["Retry-After", "777600"]]}'
rules api "$days"
expect_status 'an API that asks for nine days' 2 \
	at 2026-02-01 long run --once --quiet
at 2026-02-02 long status >told
expect_same 'gets them, and who reads is told how to go on before' 1 \
	"$(grep -c 'orders: .*; waits until 2026-02-10T00:00:0[0-9]Z; a wait of 9d00h; `landfall reset shop orders --wait` ends it: GET' told)"
expect_same 'somebody is told: that it waits, and how that is ended' \
	'waiting 1' "$(events) $(grep -c 'what_to_do":"[^"]*`landfall reset shop orders --wait` ends it' paged)"
expect_status 'while they last' 2 \
	at 2026-02-09T23:00:00Z long run --once --quiet
expect_same 'it is not asked' 1 "$(grep -c /orders api/log)"
expect_same 'nor told again, nor that it is over' waiting "$(events)"
rules api '{"match": "/parts", "times": 9, "status": 500}' "$days"
expect_status 'another stream fails meanwhile' 3 \
	at 2026-02-09T23:10:00Z long run --once --quiet
expect_same 'which is told' 'waiting failing' "$(events)"
rules api
expect 'then it is' at 2026-02-10T00:01:00Z long run --once --quiet
expect_same 'which is told too: both are over' \
	'waiting failing recovered recovered' "$(events)"
expect_same 'again' 1 "$(grep -c /orders api/log)"

for wait in 31536000 99999999999 'Fri, 01 Jan 2066 00:00:00 GMT'; do
	rules api "{\"match\": \"/orders\", \"status\": 429,
		\"headers\": [[\"Retry-After\", \"$wait\"]]}"
	expect_status "a wait of $wait is believed for thirty days" 2 \
		at 2026-03-01 long run --once --quiet
	at 2026-03-01 long status >told
	expect_same 'status says so' 1 \
		"$(grep -c 'waits until 2026-03-31T00:00:0[0-9]Z; a wait of 30d00h (more is asked for, and taken for a mistake); `landfall' told)"
	expect 'a hand ends it' at 2026-03-01 long reset shop orders --wait --quiet
done

# ---- a hand ends waits, and nothing else ----
# stands NAME MOMENT: each row of its source, without what a wait is about,
# and what passes with time.
stands()
{
	at "$2" "$1" status --json | python3 -c '
import json, sys
for s in json.load(sys.stdin)["sources"]["shop"]["streams"]:
    for key in ("parked_until", "why", "last_run", "lag_seconds",
                "windows_to_go"):
        s.pop(key)
    print(s)'
}

rules api '{"match": "parts/[bc]", "times": 9, "status": 429,
	"headers": [["Retry-After", "777600"]]}' \
	'{"match": "orders.*2026-01-09", "times": 9, "status": 429,
	"headers": [["Retry-After", "777600"]]}'
expect_status 'two parts and the orders wait' 2 \
	at 2026-01-11 lake run --once --quiet
stands lake 2026-01-11 >before
at 2026-01-11T01:00:00Z lake reset shop parts --wait >said 2>&1
expect_same 'the waits of a stream are ended' \
	'shop.parts: waits that are over now: 2; the next run asks again' \
	"$(cat said)"
at 2026-01-11T01:00:00Z lake status --json >stands
expect_same 'no part waits any more, or says why' '[]' \
	"$(say "[x for x in s if x['stream'] == 'parts' and (x['why'] or
		(x['parked_until'] or '') > '2026-01-11T01:00:00Z')]")"
expect_same 'another stream does' 1 "$(say "'429' in s[0]['why'] and
	s[0]['parked_until'] > '2026-01-19'" | grep -c True)"
expect_same 'and all else stands as it did' "$(cat before)" \
	"$(stands lake 2026-01-11T01:00:00Z)"
rules api
expect_status 'the next run' 2 at 2026-01-11T01:00:01Z lake run --once --quiet
expect_same 'asks all parts again, and orders not' '12 0' \
	"$(grep -c /parts/ api/log) $(grep -c orders api/log)"
expect 'the orders by a hand' \
	at 2026-01-11T02:00:00Z lake reset shop orders --wait --quiet
expect 'then' at 2026-01-11T02:00:01Z lake run --once --quiet
expect_same 'go on where they stood' 2026-01-08T00:00:00Z \
	"$(sed -n '/orders/s/.*since=\([^&]*\).*/\1/p' api/log | head -n 1 |
		sed 's/%3A/:/g')"
at 2026-01-11T03:00:00Z lake reset shop orders --wait >said 2>&1
expect_same 'where nothing waits that is said' \
	'shop.orders: nothing waits' "$(cat said)"
expect_status 'to go elsewhere is another thing' 1 \
	at 2026-01-12 lake reset shop orders --wait --to 2026-01-02
cp lib.out said
expect_same 'and refused' 1 "$(grep -c -- '--wait moves nothing' said)"

rules api
expect 'all is well again' at 2026-03-02 long run --once --quiet
: >paged

conf=long/landfall.yaml
rules api "$days"
start_daemon
logged 'event=polled.*waits=[89]d' 1 >/dev/null
for _ in $(seq 200); do
	[ ! -s paged ] || break
	sleep 0.05
done
logged 'event=polled.*waits=' 3 >/dev/null
expect_same 'a daemon tells it, once' waiting "$(events)"
expect_same 'with what it waits for' 1 \
	"$(grep -c 'orders waits until 20.*a wait of 9d00h; `landfall reset shop orders --wait`' paged)"
stop_daemon long

# ---- what comes again, and is in the zone already, is not there twice ----
data api /orders <<'END'
{"id": 1, "at": "2026-01-01T10:00:00Z"},
{"id": 2, "at": "2026-01-02T10:00:00Z"},
{"id": 3, "at": "2026-01-02T13:00:00Z"}
END
rules api '{"match": "nothing", "times": 0}'
lake twice <<END
  shop:
    base_url: $url
    pagination: {type: none}
    streams:
      orders:
        request:
          path: /orders
          query: {since: "{{window.start}}", until: "{{window.end}}"}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D}
END
expect 'twice: a run' at 2026-01-08 twice run --once --quiet
at 2026-01-08 twice reset shop orders --to 2026-01-01 --quiet
at 2026-01-08 twice run --once >told 2>&1
expect_same 'twice: what is asked for again is no news' 1 \
	"$(grep -c 'shop.orders: nothing new, 3 seen before' told)"
expect_same 'twice: it came all the same, and was known' 2 \
	"$(grep -c duplicate told)"
at 2026-01-08 twice status >told
expect_same 'twice: and is not counted' 1 \
	"$(grep -c 'orders: 3 records in 2 files, whole' told)"
