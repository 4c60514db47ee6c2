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
expect 'the zone is sound' sound lake
