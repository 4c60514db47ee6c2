#!/bin/sh
# Side files leave the source with their delivery: behind it, never before it,
# only the very ones it was judged by, and nobody else's.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"

# place NAME READY AFTER: a new zone whose source is like that.
place()
{
	"$LANDFALL" init "$1" --quiet
	sed -i "s|format: csv|format: csv\n    ready: $2\n    after: $3|" \
		"$1/landfall.yaml"
}

run()
{
	"$LANDFALL" run --once -c "$1/landfall.yaml" --json >out 2>err
}

after()
{
	sed -n 's/.*"after":\({[^}]*}\).*/\1/p' out
}

names()
{
	(cd "$1/inbox" && find . -type f | LC_ALL=C sort | paste -sd' ')
}

why()
{
	"$LANDFALL" why -c "$1/landfall.yaml" --json "$2" |
		sed -n 's/.*"reason":"\(after: [^"]*\)".*/\1/p' | tail -n 1
}

put()
{
	printf 'a,b\n%s\n' "$2" >"$1"
}

# ---- each kind, with delete and with move ----
place one '{all: [{sentinel: "{name}.done"}, {checksum: "{name}.sha256"}, {checksum: SHA256SUMS}]}\n    totals: {records: {side: "{name}.ctl"}}' \
	delete
for n in x 'y z'; do
	put "one/inbox/$n.csv" 1,2
	: >"one/inbox/$n.csv.done"
	echo '1 record' >"one/inbox/$n.csv.ctl"
	(cd one/inbox && sha256sum "$n.csv" >"$n.csv.sha256")
done
(cd one/inbox && sha256sum ./*.csv | sed 's|\./||' >SHA256SUMS)
expect 'a pass' run one
expect_same 'all of it went, and the shared list stays' ./SHA256SUMS \
	"$(names one)"
expect_same 'counted' '{"deleted":8,"moved":0,"failed":0}' "$(after)"
expect_same 'told' 'after: deleted at the source, behind x.csv' \
	"$(why one x.csv.done)"
expect_same 'as of the delivery' 'after: deleted at the source' \
	"$(why one x.csv)"
put one/inbox/x.csv 1,2
: >one/inbox/x.csv.done
echo '1 record' >one/inbox/x.csv.ctl
(cd one/inbox && sha256sum x.csv | tee x.csv.sha256 >SHA256SUMS)
expect 'the same again' run one
expect_same 'goes too' ./SHA256SUMS "$(names one)"
expect 'verify' "$LANDFALL" verify -c one/landfall.yaml

place two '{sentinel: "{name}.done"}' '{move: old}'
mkdir two/inbox/sub
put two/inbox/sub/x.csv 1,2
: >two/inbox/sub/x.csv.done
expect 'move' run two
expect_same 'both' './old/sub/x.csv ./old/sub/x.csv.done' "$(names two)"
expect_same 'where to' \
	'after: moved at the source to old/sub/x.csv.done, behind sub/x.csv' \
	"$(why two sub/x.csv.done)"

# ---- what is not theirs stays ----
place three '{any: [{sentinel: "{name}.done"}, {stable: 0s}]}' delete
put three/inbox/a.csv 1,2
: >three/inbox/b.csv.done
: >three/inbox/c.csv.done
expect 'a sentinel that came early' run three
expect_same 'stays' './b.csv.done ./c.csv.done' "$(names three)"
put three/inbox/b.csv 3,4
expect 'its delivery comes' run three
expect_same 'and both go' ./c.csv.done "$(names three)"

# A quarantined delivery stays, and so does what lies beside it.
place four '{stable: 0s}\n    totals: {records: {side: "{name}.ctl"}}' delete
put four/inbox/a.csv 1,2
echo 9 >four/inbox/a.csv.ctl
expect_status 'a wrong total' 2 run four
expect_same 'stays with its delivery' './a.csv ./a.csv.ctl' "$(names four)"

# ---- one for several of a stem: the last one takes it along ----
place five '{all: [{sentinel: "{stem}.done"}, {checksum: "{name}.sha256"}]}' \
	delete
for n in o.csv o.txt; do
	put five/inbox/$n $n
done
: >five/inbox/o.done
: >five/inbox/other.csv
(cd five/inbox && sha256sum o.csv >o.csv.sha256)
expect 'one of two is complete' run five
expect_same 'the sentinel of both stays' './o.done ./o.txt ./other.csv' \
	"$(names five)"
(cd five/inbox && sha256sum o.txt >o.txt.sha256)
expect 'the other one too' run five
expect_same 'and it goes' ./other.csv "$(names five)"

# ---- somebody writes to it: it stays, and goes later or never ----
place six '{sentinel: "{name}.done"}' delete
for n in kept changed; do
	put six/inbox/$n.csv $n
	: >six/inbox/$n.csv.done
done
exec 8>>six/inbox/kept.csv.done 9>>six/inbox/changed.csv.done
expect 'sentinels that are held open' run six
expect_same 'stay' './changed.csv.done ./kept.csv.done' "$(names six)"
echo 'of the next one' >&9
exec 8>&- 9>&-
expect 'they are closed' run six
expect_same 'one is as it was, one is another now' ./changed.csv.done \
	"$(names six)"
expect 'and stays another' run six
expect_same 'for the delivery to come' ./changed.csv.done "$(names six)"
put six/inbox/changed.csv 5,6
expect 'which comes' run six
expect_same 'with it' '' "$(names six)"

# ---- never before it ----
place eight '{sentinel: "{name}.done"}' delete
put eight/inbox/a.csv 1,2
: >eight/inbox/a.csv.done
exec 9>>eight/inbox/a.csv
expect 'a delivery that is held open' run eight
expect_same 'stays, and its sentinel' './a.csv ./a.csv.done' "$(names eight)"
exec 9>&-
expect 'it is closed' run eight
expect_same 'both go' '' "$(names eight)"

# ---- a daemon, which is told of one name after the other ----
new_lake 'ready: {sentinel: "{name}.done"}\n    after: delete'
start_daemon
for i in 1 2 3; do
	put "lake/inbox/$i.csv" "$i"
	: >"lake/inbox/$i.csv.done"
done
for _ in $(seq 400); do
	[ -n "$(names lake)" ] || break
	sleep 0.05
done
expect_same 'a daemon leaves neither' '' "$(names lake)"
expect_same 'and has landed all' 3 "$(landed 3)"
stop_daemon 'the daemon'

# ---- keep keeps everything ----
place seven '{sentinel: "{name}.done"}' keep
put seven/inbox/a.csv 1,2
: >seven/inbox/a.csv.done
expect 'keep' run seven
expect_same 'keeps all' './a.csv ./a.csv.done' "$(names seven)"
