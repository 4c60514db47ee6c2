#!/bin/sh
# Standard output that is full or closed: told, and nothing else is harmed. A
# reader that goes away, and one that waits for each line.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
"$LANDFALL" init lake --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf
printf 'a\n1\n' >lake/inbox/first.csv
printf 'a\n2\n' >other.csv

# full NAME COMMAND...: the command says that it could not write.
full()
{
	full_status=0
	"$@" >/dev/full 2>full.err || full_status=$?
	expect_same "a full standard output: $2" '5 1' \
		"$full_status $(grep -c \
			'standard output: \(not all\|.*No space left\)' full.err)"
}
full "$LANDFALL" --version
full "$LANDFALL" --help
full "$LANDFALL" help
full "$LANDFALL" help config
full "$LANDFALL" plan -c $conf
full "$LANDFALL" run --once -c $conf
full "$LANDFALL" status -c $conf
full "$LANDFALL" ls -c $conf
full "$LANDFALL" why first.csv -c $conf
full "$LANDFALL" cat first.csv -c $conf
full "$LANDFALL" verify -c $conf
full "$LANDFALL" scan other.csv

# alone STATUS COMMAND...: nobody reads any more what it prints.
alone()
{
	alone_wanted=$1
	shift
	{
		while [ ! -e gone ]; do
			sleep 0.01
		done
		alone_status=0
		"$@" 2>gone.err || alone_status=$?
		echo "$alone_status" >alone.status
	} | {
		exec <&-
		: >gone
	}
	rm gone
	expect_same "without a reader: $2 ends as it would, and quietly" \
		"$alone_wanted" "$(cat alone.status gone.err)"
}
alone 0 "$LANDFALL" --version
alone 0 "$LANDFALL" help config
alone 0 "$LANDFALL" ls -c $conf
alone 0 "$LANDFALL" why first.csv -c $conf
alone 0 "$LANDFALL" land other.csv --source inbox -c $conf
expect 'and does what it was told to' "$LANDFALL" why other.csv -c $conf
mv lake/zone/inbox kept
alone 4 "$LANDFALL" verify --quiet -c $conf
mv kept lake/zone/inbox

# Two sources; the second takes its time.
mkdir lake/slow
cp $conf one.yaml
cat >>$conf <<'END'
  slow:
    drop: {path: slow}
    format: csv
    ready: {stable: 0s}
    unpack: {filter: {command: [/bin/sh, -c, "sleep 2; cat"]}}
END
printf 'a\n3\n' >lake/inbox/third.csv
printf 'a\n4\n' >lake/slow/fourth.csv.x
expect_same 'a line is there when it is made' 'landed yes' \
	"$("$LANDFALL" run --once -c $conf | {
		read -r word _
		first=$(date +%s%N)
		cat >/dev/null
		[ $(($(date +%s%N) - first)) -lt 1000000000 ] ||
			echo "$word yes"
	})"
cp one.yaml $conf

# The next file that is opened must not become a standard descriptor.
mkdir many # more lines than stdio holds back
for i in $(seq 200); do
	printf 'a\n%s\n' "$i" >many/m"$i".csv
done
"$LANDFALL" land many/* --source inbox -c $conf <&- >&- 2>&- || :
expect_same 'closed standard descriptors: the lock holds a number' '' \
	"$(tr -d '0-9\n' <lake/state/lock)"
expect 'and the file landed all the same' "$LANDFALL" why m7.csv -c $conf
expect 'verify --deep' "$LANDFALL" verify --deep -c $conf
