#!/bin/sh
# What a stream says of its order, of gaps, of how often and how far it is
# asked, is done; and a refresh token that was replaced is the one sent next.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# asked PATH: how often, since the rules changed last.
asked()
{
	grep -c "GET /$1" api/log || :
}

# position STREAM: where it stands at that moment.
position()
{
	at 2026-01-20 lake status --json | python3 -c '
import json, sys
for s in json.load(sys.stdin)["sources"]["shop"]["streams"]:
    if s["stream"] == sys.argv[1]:
        print(s["position"])' "$1"
}

python3 - >data <<'END'
import json
print(json.dumps({
    "/newest": [{"id": i, "at": "2026-01-0%dT00:00:00Z" % i} for i in range(6, 0, -1)],
    "/days": [{"id": 10 + i, "at": "2026-01-0%dT12:00:00Z" % i} for i in range(1, 4)],
    "/kept": [{"id": 20, "at": "2026-01-09T00:00:00Z"}],
    "/whole": [{"id": 30, "at": "2026-01-01T00:00:00Z"}],
    "/seldom": [{"id": 40}]}))
END
mkdir api
mv data api/data
serve_api api
OLD_TOKEN=rt-first-4711
export OLD_TOKEN
between='query: {since: "{{window.start}}", until: "{{window.end}}"}'
lake lake <<END
  shop:
    base_url: $url
    pagination: {type: link, next: {link: next}}
    retry: {max_attempts: 2, base: 10ms, max: 20ms}
    secrets: {refresh: {env: OLD_TOKEN}}
    auth:
      type: oauth2
      grant: refresh_token
      token_url: "$url/token"
      params: {refresh_token: "{{secret.refresh}}"}
    streams:
      newest:
        request: {path: /newest, query: {size: "2"}}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", order: desc, filter: stop}
      days:
        request: {path: /days, $between}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D, commit: run}
      kept:
        request: {path: /kept, $between}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, window: P1D, retention: P2D, on_gap: [whole]}
      whole:
        request: {path: /whole, $between}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", window: P30D}
      seldom:
        request: {path: /seldom}
        records: "\$.data[*]"
        key: \$.id
        min_interval: 1h
END
grant='"match": "POST /token", "times": 1, "body": "{\"access_token\":
	\"at-1-4711\", \"expires_in\": 60, \"refresh_token\": \"rt-new-4711\"}"'
grant=$(echo "$grant" | tr -d '\n\t')

# ---- a first run, in which the last of three days fails ----
rules api "{$grant}" \
	'{"match": "days.*since=2026-01-03", "times": 9, "status": 404}'
expect_status 'a first run' 3 at 2026-01-04 lake run --once --quiet
expect_same 'newest first: all pages' 3 "$(asked newest)"
expect_same 'commit run: the position waits for the whole run' '' \
	"$(position days)"
expect_same 'a time that is not asked for yet is none' \
	'2026-01-04T00:00:00Z' "$(position whole | cut -c1-13 | sed 's/$/:00:00Z/')"

# ---- soon after ----
rules api "{$grant}"
expect 'a second run' at 2026-01-04T00:10:00Z lake run --once --quiet
expect_same 'newest first: it stops at what it had, which is on the second page' 2 "$(asked newest)"
expect_same 'commit run: all days again' 4 "$(asked days)"
expect_same 'min_interval: it is not asked so soon' 0 "$(asked seldom)"
expect_same 'all of it has landed, once' '1 2 3 4 5 6 11 12 13 30 40' \
	"$(ids lake --new)"
expect_same 'the refresh token that came is the one that is sent' \
	'rt-first-4711 rt-new-4711' \
	"$(sed 's/.*refresh_token=\([^&]*\).*/\1/' api/bodies | tr '\n' ' ' |
		sed 's/ $//')"
found=$(grep -rlE 'at-1-4711|rt-(first|new)-4711' lake | grep -v /credentials/ || :)
expect_same 'and in no file but its own' '' "$found"

# ---- a silence that is longer than the API keeps anything ----
rules api "{$grant}"
expect_status 'a run after a week tells of the gap' 2 \
	at 2026-01-11 lake run --once --quiet
expect_same 'what makes up for it is read from its start' 1 \
	"$(grep -c 'GET /whole?since=2026-01-01' api/log)"
expect_same 'and nothing that is not there any more is asked for' 0 \
	"$(grep -c 'GET /kept?since=2026-01-0[1-8]' api/log || :)"
expect_same 'why: of a time in the gap nobody says that it was asked for' \
	'shop.kept: nothing of it has landed, and the stream has come to 2026-01-11' \
	"$(at 2026-01-11 lake why shop.kept --at 2026-01-06 | cut -c1-74)"
expect_same 'min_interval: by now it is asked' 1 "$(asked seldom)"
expect 'all is sound' sound lake
