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
mkdir -p side/inbox/sub
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

# What is waited for and goes away is not waited for any more.
conf=side/landfall.yaml
mkdir -p side/inbox/sub
printf 'a\n3\n' >side/inbox/gone.csv
printf 'a\n4\n' >side/inbox/sub/stays.csv
"$LANDFALL" run --once -c $conf >out
rm side/inbox/gone.csv
"$LANDFALL" run --once --json -c $conf >out
expect_same 'a name that went while it was waited for is closed' 1 \
	"$("$LANDFALL" why -c $conf gone.csv | tail -n 1 |
		grep -c 'ignored: removed before it was complete')"
expect_same 'and counted like the others' 1 \
	"$(grep -c '"listed":.*"pending":1,"quarantined":0,"ignored":[1-9]' out)"
expect_same 'one that is there still waits' 1 \
	"$("$LANDFALL" why -c $conf stays.csv | tail -n 1 | grep -c pending)"
"$LANDFALL" run --once --json -c $conf >out
expect_same 'which is told once' 1 \
	"$("$LANDFALL" why -c $conf gone.csv | grep -c ignored)"
expect_same 'status waits for what is there' 1 \
	"$("$LANDFALL" status -c $conf | grep -c '1 pending.*stays.csv')"
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 side/inbox/sub
	"$LANDFALL" run --once -c $conf >out 2>&1 || :
	chmod 755 side/inbox/sub
	expect_same 'a folder that cannot be listed has lost nothing' 1 \
		"$("$LANDFALL" why -c $conf stays.csv | tail -n 1 |
			grep -c pending)"
fi

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

# A file that grows while somebody watches waits for one reason, told once.
"$LANDFALL" init grows --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 2s}/' \
	grows/landfall.yaml
"$LANDFALL" run -c grows/landfall.yaml 2>log &
daemon=$!
trap 'kill -9 $daemon 2>/dev/null || :' EXIT
for _ in $(seq 100); do
	! grep -q event=started log || break
	sleep 0.05
done
for n in $(seq 40); do
	echo "$n" >>grows/inbox/g.csv
	sleep 0.05
done
for _ in $(seq 200); do
	[ -z "$(find grows/zone/inbox -name 'g.*')" ] || break
	sleep 0.05
done
expect_same 'what grows lands once it stands still' 40 "$("$LANDFALL" cat \
	-c grows/landfall.yaml g.csv | wc -l)"
expect_same 'and the log said once that it was pending' 1 \
	"$(grep -c 'event=pending' log)"
kill $daemon
wait $daemon || :
trap - EXIT
