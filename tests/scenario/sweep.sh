#!/bin/sh
# Deletes that an API does not tell: keys that are listed no more land as
# tombstones, once; a list that is cut short, or far too short, deletes nothing.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# have ID...: the API has these.
have()
{
	python3 - "$@" >api/data.new <<-'END'
		import json, sys
		print(json.dumps({"/things": [{"id": int(i.split("/")[0]), "v": i} for i in sys.argv[1:]]}))
	END
	mv api/data.new api/data
}

mkdir api
have 1 2 3 4 5 6 7 8 9 10
serve_api api

lake lake <<END
  shop:
    base_url: $url
    pagination: {type: link, next: {link: next}}
    retry: {max_attempts: 2, base: 10ms, max: 20ms}
    streams:
      things:
        request: {path: /things, query: {size: "4"}}
        records: "\$.data[*]"
        key: \$.id
        reconcile: {every: 1h, list: self, guard: {max_absent_percent: 30}}
END

# at_hour N: one pass with the clock so much later.
at_hour()
{
	at "@$((1770000000 + $1 * 3600))" lake run --once --quiet
}

tombstones()
{
	find lake/zone -name '*absent*.zst' | sort | while read -r file; do
		zstd -dcq "$file"
	done | sed -E 's/.*"absent":\["([^"]*)"\].*/\1/' | tr '\n' ' '
}

expect 'a first run' at_hour 0
expect_same 'all are listed: nothing is gone' '' "$(tombstones)"
have 1 2 3 4 5 6 8 9 10
expect 'before its time nothing is swept' at_hour 0
expect_same 'before its time' '' "$(tombstones)"
rules api '{"match": "things.*page=3", "times": 9, "do": "slow"}'
expect 'one is gone, says a slow server' at_hour 1
rules api
expect_same 'its tombstone' '7 ' "$(tombstones)"
expect 'and still is' at_hour 2
expect_same 'it is told once' '7 ' "$(tombstones)"
have 1 2 3 4 5 6 7/again 8 9 10
expect 'it is there again' at_hour 3
have 1 2 3 4 5 6 8 9 10
expect 'and gone again' at_hour 4
expect_same 'which is told again' '7 7 ' "$(tombstones)"
have 1 2
expect_status 'too many are gone' 3 at_hour 5
expect_same 'nothing of that is believed' '7 7 ' "$(tombstones)"
have 1 2 3 4 5 6 8 9
rules api '{"match": "things.*page=2", "times": 99, "status": 503}'
expect_status 'a list that is cut short' 3 at_hour 6
expect_same 'deletes nothing' '7 7 ' "$(tombstones)"
rules api
expect 'a whole one' at_hour 7
expect_same 'deletes what is gone' '7 7 10 ' "$(tombstones)"

# ---- the story of a key ----
why()
{
	"$LANDFALL" why -c lake/landfall.yaml shop.things "$@"
}

expect_same 'what became of one that went and came' \
	'landed gone landed gone ' "$(why --key 7 --json |
		sed 's/.*"state":"\([^"]*\)".*/\1/' | tr '\n' ' ')"
expect_same 'of one that came again beside it, and after a list without it' \
	'landed seen again landed ' "$(why --key 6 --json |
		sed 's/.*"state":"\([^"]*\)".*/\1/' | tr '\n' ' ')"
expect_same 'with the request that brought it' 1 "$(why --key 6 |
	grep -c ' 6  landed as record 5 .*, received at 20.*: GET http.*page=2$')"
expect_status 'one that never was' 1 why --key 4711
expect 'the zone is sound' sound lake

# ---- a sweep is no partition: it is not asked for by window ----
lake dated <<END
  shop:
    base_url: $url
    pagination: {type: link, next: {link: next}}
    retry: {max_attempts: 2, base: 10ms, max: 20ms}
    streams:
      things:
        request: {path: /things, query: {day: "{{window.start}}"}}
        records: "\$.data[*]"
        key: \$.id
        incremental: {start: "2026-01-01", window: P1D}
        reconcile: {every: 1h, list: keys, guard: {max_absent_percent: 50}}
      keys:
        enabled: false
        request: {path: /things}
        records: "\$.data[*]"
        key: \$.id
END
have 1 2 3
expect 'a run' at 2026-01-03 dated run --once --quiet
have 1 2
expect 'one went' at 2026-01-04 dated run --once --quiet
expect_same 'status tells of it apart' 'things: 3 records in 1 file
things: swept ; 1 tombstone in 1 file' "$(at 2026-01-07 dated status |
	sed -n 's/^  *\(things: [^,]*\), whole.*/\1/p
		s/^  *\(things: swept \)[^;]* ago\(; .*\)/\1\2/p')"
expect_same 'nothing is to go there' '3 False
0 True' "$(at 2026-01-07 dated status --json | python3 -c '
import json, sys
for s in json.load(sys.stdin)["sources"]["shop"]["streams"]:
    print(s["windows_to_go"], s["sweep"])')"
expect_same 'why has nothing to say of it' 1 \
	"$(at 2026-01-09 dated why shop.things --at 2026-01-06 | wc -l)"
