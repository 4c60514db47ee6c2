#!/bin/sh
# Completeness by rest: two looks, or change times that lie far enough back.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
printf 'a\n1\n' >lake/inbox/young.csv
expect_same 'plan says it is too young' pending \
	"$("$LANDFALL" plan -c $conf --json | sed -n 's/.*"would":"\([a-z]*\)".*/\1/p')"
expect 'the pass looks twice' "$LANDFALL" run --once -c $conf --json
expect_same 'and lands it' 1 "$(grep -c '"disposition":"landed"' lib.out)"
file=$(find lake/zone/inbox -name '*.zst')
expect_same 'the evidence is in the provenance' 1 \
	"$(grep -ac '"evidence":"stable 2.0s' "$file")"
sed -i 's/format: csv/format: csv\n    ready: {stable: 1h}/' $conf
printf 'a\n2\n' >lake/inbox/later.csv
"$LANDFALL" plan -c $conf --json >plan.out
expect_same 'an hour is an hour' 1 \
	"$(grep later.csv plan.out | grep -c '"would":"pending"')"
expect_same 'what landed stays landed' 1 \
	"$(grep young.csv plan.out | grep -c '"would":"landed"')"

"$LANDFALL" init side --quiet
conf=side/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {any: [{sentinel: "{name}.done"}, {stable: 1h}]}/' $conf
mkdir side/inbox/sub
printf 'a\n1\n' >side/inbox/sub/x.csv
"$LANDFALL" run --once --json -c $conf >out
expect_same 'without its sentinel it is pending, and says what is missing' 1 \
	"$("$LANDFALL" why -c $conf sub/x.csv | grep -c 'sentinel sub/x.csv.done is not there')"
: >side/inbox/sub/x.csv.done
"$LANDFALL" run --once --json -c $conf >out
expect_same 'with it, it lands' 1 \
	"$(grep -c '"name":"sub/x.csv","disposition":"landed"' out)"
expect_same 'the sentinel is ignored' 1 \
	"$("$LANDFALL" plan -c $conf --json | grep 'x.csv.done' | grep -c '"would":"ignored"')"
expect_same 'the evidence is the sentinel alone' 1 \
	"$(grep -ac '"evidence":"sentinel sub/x.csv.done"' side/zone/inbox/dt=*/sub*x.*.zst)"

"$LANDFALL" init both --quiet
conf=both/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {all: [{sentinel: "ok_{name}"}, {age: 1s}]}/' $conf
printf 'a\n1\n' >both/inbox/y.csv
: >both/inbox/ok_y.csv
"$LANDFALL" run --once --json -c $conf >out
expect_same 'all: sentinel and age' 1 \
	"$(grep -c '"name":"y.csv","disposition":"landed"' out)"
expect_same 'both are the evidence' 1 \
	"$(grep -ac '"evidence":"sentinel ok_y.csv; age 1.0s"' both/zone/inbox/dt=*/y.*.zst)"

"$LANDFALL" init shut --quiet
conf=shut/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {closed: true}/' $conf
exec 9>shut/inbox/w.csv
printf 'a\n1\n' >&9
"$LANDFALL" run --once --json -c $conf >out
expect_same 'closed: not while somebody writes' 1 \
	"$("$LANDFALL" why -c $conf w.csv | grep -c 'somebody has it open for writing')"
exec 9>&-
"$LANDFALL" run --once --json -c $conf >out
expect_same 'closed: once it is closed' 1 \
	"$(grep -ac '"evidence":"closed: nobody has it open for writing"' shut/zone/inbox/dt=*/w.*.zst)"

# The daemon looks when the sentinel comes, not when a clock says so.
"$LANDFALL" run -c side/landfall.yaml 2>log &
daemon=$!
trap 'kill -9 $daemon 2>/dev/null || :' EXIT
printf 'a\n2\n' >side/inbox/z.csv
sleep 1
expect_same 'the daemon waits for the sentinel' 0 \
	"$(find side/zone/inbox -name 'z.*' | wc -l)"
: >side/inbox/z.csv.done
for _ in $(seq 100); do
	[ -z "$(find side/zone/inbox -name 'z.*')" ] || break
	sleep 0.05
done
expect_same 'and then lands' 1 "$(find side/zone/inbox -name 'z.*' | wc -l)"
kill $daemon
wait $daemon || :
trap - EXIT

# What waits and is removed while nobody looks has an end, too.
printf 'a\n3\n' >side/inbox/never.csv
printf 'a\n4\n' >side/inbox/still.csv
"$LANDFALL" run --once --json -c side/landfall.yaml >out
rm side/inbox/never.csv
"$LANDFALL" run --once --json -c side/landfall.yaml >out
expect_same 'removed while nobody looked' 1 \
	"$("$LANDFALL" why -c side/landfall.yaml never.csv | tail -n 1 |
		grep -c 'ignored: removed before it was complete')"
"$LANDFALL" status -c side/landfall.yaml --json >status.out
expect_same 'and only the other one waits' '1,"since"' \
	"$(sed -n 's/.*"waiting":{"names":\([^:]*\):.*/\1/p' status.out)"
"$LANDFALL" run --once --json -c side/landfall.yaml >out
expect_same 'told once' 2 \
	"$("$LANDFALL" why -c side/landfall.yaml never.csv | wc -l)"
