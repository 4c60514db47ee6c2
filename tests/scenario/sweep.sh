#!/bin/sh
# Deletes that an API does not tell: keys that are listed no more land as
# tombstones, once; a list that is cut short, or far too short, deletes nothing.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'no python3'

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
echo '[]' >api/rules
have 1 2 3 4 5 6 7 8 9 10
mkfifo api/hold
python3 "$SRCDIR/tests/scenario/api-server.py" api <api/hold &
exec 8>api/hold
for _ in $(seq 600); do
	[ ! -e api/port ] || break
	sleep 0.05
done

"$LANDFALL" init lake --quiet
sed -i '/^sources:/,$d' lake/landfall.yaml
cat >>lake/landfall.yaml <<END
sources:
  shop:
    base_url: http://127.0.0.1:$(cat api/port)
    pagination: {type: link, next: {link: next}}
    retry: {max_attempts: 2, base: 10ms, max: 20ms}
    streams:
      things:
        request: {path: /things, query: {size: "4"}}
        records: "\$.data[*]"
        key: \$.id
        reconcile: {every: 1h, list: self, guard: {max_absent_percent: 30}}
END

# at HOUR COMMAND...: with the clock so much later.
at()
{
	LANDFALL_TEST_CLOCK=$((1770000000 + $1 * 3600))
	export LANDFALL_TEST_CLOCK
	shift
	"$@"
}

run()
{
	"$LANDFALL" run --once -c lake/landfall.yaml --quiet
}

tombstones()
{
	find lake/zone -name '*absent*.zst' | sort | while read -r file; do
		zstd -dcq "$file"
	done | sed -E 's/.*"absent":\["([^"]*)"\].*/\1/' | tr '\n' ' '
}

expect 'a first run' at 0 run
expect_same 'all are listed: nothing is gone' '' "$(tombstones)"
have 1 2 3 4 5 6 8 9 10
expect 'before its time nothing is swept' at 0 run
expect_same 'before its time' '' "$(tombstones)"
expect 'one is gone' at 1 run
expect_same 'its tombstone' '7 ' "$(tombstones)"
expect 'and still is' at 2 run
expect_same 'it is told once' '7 ' "$(tombstones)"
have 1 2 3 4 5 6 7/again 8 9 10
expect 'it is there again' at 3 run
have 1 2 3 4 5 6 8 9 10
expect 'and gone again' at 4 run
expect_same 'which is told again' '7 7 ' "$(tombstones)"
have 1 2
expect_status 'too many are gone' 3 at 5 run
expect_same 'nothing of that is believed' '7 7 ' "$(tombstones)"
have 1 2 3 4 5 6 8 9
echo '[{"match": "things.*page=2", "times": 99, "status": 503}]' >api/rules
expect_status 'a list that is cut short' 3 at 6 run
expect_same 'deletes nothing' '7 7 ' "$(tombstones)"
echo '[]' >api/rules
expect 'a whole one' at 7 run
expect_same 'deletes what is gone' '7 7 10 ' "$(tombstones)"
expect 'the zone is sound' "$LANDFALL" verify --deep -c lake/landfall.yaml --quiet
expect 'and to a stranger' python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
exec 8>&-
