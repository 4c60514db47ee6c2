#!/bin/sh
# Paths that lead nowhere: what a misspelt one would lose is told.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# said WHAT TEXT: the command before has said it.
said()
{
	[ -z "${3-}" ] || cp lib.out told
	expect "$1" grep -qF "$2" told
}

# shop NAME NEXT KEY CURSOR [SIZE]
shop()
{
	lake "$1" <<-END
	  shop:
	    base_url: $url
	    auth: {type: none}
	    retry: {max_attempts: 3, base: 10ms, max: 20ms}
	    pagination: {type: link, next: {body: $2}}
	    streams:
	      orders: {request: {path: /orders, query: {size: "${5-3}",
	        after: "{{window.start}}"}}, records: "\$.data[*]", key: $3,
	        incremental: {cursor: $4, start: "2026-01-01", window: P1000D}}
	END
}

data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"at": "2026-01-02T00:00:00Z"},
{"id": null, "at": "2026-01-03T00:00:00Z"},
{"id": 4, "at": null}
END
serve_api api

# ---- a record without a key, one without a cursor, and all pages ----
shop right '$.next' '$.id' '$.at'
expect 'right: a pass' run right
expect_same "right: no remark" 0 "$(grep -c warning lib.out)"
expect_same 'right: all of it' 4 "$(records right | wc -l)"
expect 'right: a look' "$LANDFALL" check --connect -c right/landfall.yaml
said 'right: what each path found' \
	'stream orders: 3 records; key $.id in 2 of them; cursor $.at in 3 of them; next $.next is there' now

# ---- no such page: it cannot be proved, and is said ----
shop next '$.meta.nextcursor' '$.id' '$.at'
"$LANDFALL" run --once -c next/landfall.yaml >told 2>&1 || :
said 'next: it is said' \
	'shop.orders: an answer has 3 records, as many as were asked for, and pagination.next, $.meta.nextcursor, was in none'
expect 'next: a look' "$LANDFALL" check --connect -c next/landfall.yaml
said 'next: what it found' \
	'next $.meta.nextcursor is not there' now

# ---- one page, not full: nothing is said ----
shop short '$.meta.nextcursor' '$.id' '$.at' 5
"$LANDFALL" run --once -c short/landfall.yaml >told 2>&1 || :
expect_same 'short: no remark' 0 "$(grep -c nextcursor told)"

# ---- no such key, no such cursor ----
shop key '$.next' '$.idd' '$.at'
expect_status 'key: a pass fails' 3 run key
said 'key: and says of what' \
	'key, $.idd, is in none of the 3 records' now
"$LANDFALL" status -c key/landfall.yaml >told || :
expect_same 'key: status says it once' 1 "$(grep -c 'idd' told)"
expect_same 'key: nothing landed' '' "$(find key/zone -name '*.zst')"
expect_status 'key: so does a look' 3 \
	"$LANDFALL" check --connect -c key/landfall.yaml
said 'key: which says the same' \
	'$.idd, is in none' now
shop cursor '$.next' '$.id' '$.changedat'
expect_status 'cursor: a pass fails' 3 run cursor
said 'cursor: and says of what' \
	'incremental.cursor, $.changedat, is in none of the 3 records' now
expect_status 'cursor: so does a look' 3 \
	"$LANDFALL" check --connect -c cursor/landfall.yaml

# ---- a single record proves nothing, and lands ----
data api /orders <<'END'
{"of": 1}
END
shop single '$.next' '$.id' '$.at'
expect 'single: a pass' run single
expect_same 'single: it lands' '{"of": 1}' "$(records single)"
expect 'single: a look' "$LANDFALL" check --connect -c single/landfall.yaml
said 'single: which shows it' 'key $.id in 0 of them' now
